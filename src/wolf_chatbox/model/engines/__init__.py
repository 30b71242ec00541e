"""Engines: how tokens come out of a model. One engine draws them; a decoder computes the logits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wolf_chatbox.config import EngineName, Quantisation
from wolf_chatbox.errors import CheckpointError, ModelError
from wolf_chatbox.model.engines.choice import INSTALL_OPENVINO, MANY, Choice, choose, lacking_openvino
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.samples.tokenizer import Tokenizer
from wolf_chatbox.visible import Tell

GENERATION_FILE = "generation_config.json"


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
    """Load a model's folder with its tokenizer, and tell with which engine, and why.

    `slots` is how many replies share forward passes at most. `auto` is torch on a GPU, else llama.cpp where that can
    compute the model, else torch; for many slots OpenVINO instead of llama.cpp, where it is installed. Raises
    ModelError when the model, or the engine that is asked for, cannot be used.
    """
    choice = choose() if engine == "auto" else Choice(engine, "as asked for")
    many = engine == "auto" and choice.engine == "llama.cpp" and slots >= MANY and not lacking_openvino()
    if choice.engine == "openvino" or many:
        try:
            loaded = _load_openvino(folder, quantise, slots, trust_remote_code, allow_base, tell)
        except (ModelError, CheckpointError):
            if not many:
                raise
        else:
            tell(f"engine: openvino, {quantise} ({f'up to {slots} replies at once' if many else choice.reason})")
            return loaded
    if choice.engine == "llama.cpp":
        try:
            loaded = _load_llama(folder, quantise, slots, trust_remote_code, allow_base, tell)
        except (ModelError, CheckpointError) as error:
            if engine != "auto":
                raise
            choice = Choice("torch", f"llama.cpp cannot be used: {_sentence(error)}")
        else:
            tell(f"engine: llama.cpp, {quantise} ({choice.reason})")
            return loaded
    loaded = _load_torch(folder, slots, trust_remote_code, allow_base, tell)
    tell(f"engine: torch ({choice.reason})")
    return loaded


def _load_llama(
    folder: Path, quantise: Quantisation, slots: int, trust_remote_code: bool, allow_base: bool, tell: Tell
) -> Loaded:
    from wolf_chatbox.model.adapter import foundations
    from wolf_chatbox.model.engines.llama_cpp import LlamaDecoder
    from wolf_chatbox.model.engines.llama_library import library
    from wolf_chatbox.model.gguf import gguf_of
    from wolf_chatbox.model.light_tokenizer import load_light

    library()  # whether it is here is known at once; a conversion takes seconds
    folders = foundations(str(folder), folder, tell, allow_base=allow_base)
    path = gguf_of(folder, quantise, tell, allow_base=allow_base)
    tokenizer = load_light(str(folder), folder, trust_remote_code)
    return Loaded(Engine(LlamaDecoder(path, slots), tokenizer), tokenizer, _generation(folders))


def _load_openvino(
    folder: Path, quantise: Quantisation, slots: int, trust_remote_code: bool, allow_base: bool, tell: Tell
) -> Loaded:
    if reason := lacking_openvino():
        raise ModelError(f"OpenVINO: {reason}. {INSTALL_OPENVINO}")
    from wolf_chatbox.model.adapter import foundations
    from wolf_chatbox.model.engines.openvino import OpenVinoDecoder
    from wolf_chatbox.model.gguf import gguf_of
    from wolf_chatbox.model.light_tokenizer import load_light

    folders = foundations(str(folder), folder, tell, allow_base=allow_base)
    path = gguf_of(folder, quantise, tell, allow_base=allow_base)
    tokenizer = load_light(str(folder), folder, trust_remote_code)
    return Loaded(Engine(OpenVinoDecoder(path, slots), tokenizer), tokenizer, _generation(folders))


def _load_torch(folder: Path, slots: int, trust_remote_code: bool, allow_base: bool, tell: Tell) -> Loaded:
    from wolf_chatbox.model.engines.torch import TorchDecoder, load_on_best_device  # it takes seconds to import

    base = load_on_best_device(folder, trust_remote_code=trust_remote_code, allow_base=allow_base, tell=tell)
    decoder = TorchDecoder(base.model, slots)
    generation = base.model.generation_config.to_dict() | _generation(
        [folder]
    )  # an adapter's own come before its base's
    return Loaded(Engine(decoder, base.tokenizer), base.tokenizer, generation)


def _generation(folders: Sequence[Path]) -> dict[str, Any]:
    """The settings of the first generation_config.json; none where transformers could not read it either."""
    file = next((place / GENERATION_FILE for place in folders if (place / GENERATION_FILE).is_file()), None)
    if file is None:
        return {}
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _sentence(error: Exception) -> str:
    """What an error says, without its remedy."""
    return " ".join(str(error).split()).partition(". ")[0].rstrip(".")
