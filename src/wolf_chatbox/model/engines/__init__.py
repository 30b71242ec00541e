"""Engines: how tokens come out of a model. One engine draws them; a decoder computes the logits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wolf_chatbox.config import EngineName, Quantisation
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.visible import Tell

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to talk."""

    engine: Engine
    tokenizer: Tokenizer
    generation: Mapping[str, Any]
    """The settings of its generation_config.json."""


def load(
    folder: Path,
    *,
    engine: EngineName = "auto",
    quantise: Quantisation = "q8_0",
    slots: int = 4,
    trust_remote_code: bool = False,
    allow_base: bool = False,
    tell: Tell = lambda text: None,
) -> Loaded:
    """Load a model's folder with its tokenizer on the best device; raises ModelError when it cannot be used.

    `slots` is how many replies share forward passes at most.
    """
    from wolf_chatbox.model.engines.torch import TorchDecoder, load_on_best_device  # it takes seconds to import

    base = load_on_best_device(folder, trust_remote_code=trust_remote_code, allow_base=allow_base, tell=tell)
    decoder = TorchDecoder(base.model, slots)
    return Loaded(Engine(decoder, base.tokenizer), base.tokenizer, base.model.generation_config.to_dict())
