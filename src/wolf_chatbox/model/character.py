"""A trained model that is ready to talk, as one of its speakers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from wolf_chatbox.config import EngineName, Quantisation, SamplingConfig
from wolf_chatbox.errors import ConfigError, ModelError
from wolf_chatbox.model import engines
from wolf_chatbox.model.candidates import Reverse
from wolf_chatbox.model.hub import DOWNLOAD_AGAIN, locate
from wolf_chatbox.model.record import read_run
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.visible import Tell, shortlist


@dataclass(frozen=True)
class Character:
    """A voice, who speaks with it, whom to, and the sampling settings that are saved with the model."""

    voice: Voice
    persona: str
    user: str
    sampling: SamplingConfig


def load_character(
    model: str | Path,
    *,
    persona: str | None = None,
    user: str | None = None,
    engine: EngineName = "auto",
    quantise: Quantisation = "q8_0",
    slots: int = 4,
    trust_remote_code: bool = False,
    allow_base: bool = False,
    reverse_model: str | Path | None = None,
    tell: Tell = lambda text: None,
) -> Character:
    """Load a trained model's folder, or any base model.

    The persona is the given one, else the trained one, else the speaker with the most turns. `slots` is how many
    replies share forward passes at most. `reverse_model` is the folder of a reverse run, which ranks candidates. Raises
    ModelError, CheckpointError, ChatError when the model has another single voice, DataError with the nearest names
    when the persona is unknown, or ConfigError when the reverse model does not fit.
    """
    folder = locate(str(model), tell)
    run = read_run(folder) or {}
    if run.get("reverse"):
        raise ModelError(f"{folder}: learnt conversations backwards, to rank replies. Chat with the run it is for.")
    settings: dict[str, Any] = {"engine": engine, "quantise": quantise, "slots": slots}
    settings |= {"trust_remote_code": trust_remote_code, "allow_base": allow_base, "tell": tell}
    backwards = check_reverse(locate(str(reverse_model), tell), folder, run) if reverse_model is not None else None
    loaded = engines.load(folder, **settings)
    speech = Speech.of(folder, loaded.tokenizer, persona, user, any_template=False)
    ranks = None
    if backwards is not None:
        other = engines.load(backwards, **settings)
        ranks = Reverse(other.engine, Speech.of(backwards, other.tokenizer).renderer)
    voice = speech.voice(loaded.engine, run.get("max_tokens"), ranks)
    return Character(voice, speech.persona, speech.user, saved_sampling(loaded.generation, folder))


def check_reverse(reverse: Path, folder: Path, run: Mapping[str, Any]) -> Path:
    """A reverse run's folder, checked against the run whose candidates it is to rank; raises ConfigError."""
    back = read_run(reverse) or {}
    names, known = (found.get("data", {}).get("speakers", {}) for found in (run, back))
    problem = ""
    if not back.get("reverse"):
        problem = "did not learn conversations backwards"
    elif back.get("style") != run.get("style"):
        problem = f"has the style {back.get('style')}, and {folder} {run.get('style', 'none')}"
    elif back.get("style") == "chat" and back.get("persona") != run.get("persona"):
        problem = f"replies to {back.get('persona')}, and {folder} is {run.get('persona')}"
    elif strangers := [name for name in names if name not in known]:
        problem = f"does not know {shortlist(strangers, 3)}, who speak in {folder}"
    if problem:
        raise ConfigError(
            "reverse_model", reverse, f"{problem}. Train one on the same data: wolf-chatbox train --reverse"
        )
    return reverse


def saved_sampling(generation: Mapping[str, Any], folder: Path) -> SamplingConfig:
    """The sampling settings of generation_config.json, and our defaults for the rest; raises ModelError on bad ones."""
    greedy = generation.get("do_sample") is False and generation.get("max_new_tokens") is not None
    settings = {field.name: generation.get(field.name) for field in fields(SamplingConfig)}
    try:
        return SamplingConfig().changed(**(settings | ({"temperature": 0.0} if greedy else {})))
    except ConfigError as error:
        problem = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(f"{folder}: its generation_config.json is damaged ({problem}). {DOWNLOAD_AGAIN}") from error
