"""Engines: how tokens come out of a model, behind one protocol."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.visible import Tell

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Engine(Protocol):
    """Generates token ids one by one."""

    context: int
    """The context length: tokens of prompt and reply together at most."""

    def stream(
        self,
        prompt: Sequence[int],
        sampling: SamplingConfig,
        stop: Collection[int],
        seed: int | None = None,
        begun: int = 0,
    ) -> Iterator[int]:
        """Yield the reply's ids as they are drawn, up to an id of `stop`, which is not yielded.

        The last `begun` ids of the prompt belong to the reply already, which goes on after them.
        """
        ...


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to talk."""

    engine: Engine
    tokenizer: PreTrainedTokenizerBase
    generation: Mapping[str, Any]
    """The settings of its generation_config.json."""


def load(
    folder: Path, *, trust_remote_code: bool = False, allow_base: bool = False, tell: Tell = lambda text: None
) -> Loaded:
    """Load a model's folder with its tokenizer on the best device; raises ModelError when it cannot be used."""
    from wolf_chatbox.model.engines.torch import load_torch  # it takes seconds to import

    return load_torch(folder, trust_remote_code=trust_remote_code, allow_base=allow_base, tell=tell)
