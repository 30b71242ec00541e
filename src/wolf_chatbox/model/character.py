"""A trained model that is ready to talk, as one of its speakers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from wolf_chatbox.config import EngineName, Quantisation, SamplingConfig
from wolf_chatbox.data.split import find_speaker
from wolf_chatbox.errors import ChatError, ConfigError, ModelError
from wolf_chatbox.model import engines
from wolf_chatbox.model.hub import DOWNLOAD_AGAIN, locate
from wolf_chatbox.model.record import read_run
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.samples.styles import ASSISTANT, USER, choose_style
from wolf_chatbox.visible import Tell


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
    tell: Tell = lambda text: None,
) -> Character:
    """Load a trained model's folder, or any base model.

    The persona is the given one, else the trained one, else the speaker with the most turns. `slots` is how many
    replies share forward passes at most. Raises ModelError, CheckpointError, ChatError when the model has another
    single voice, or DataError with the nearest names when the persona is unknown.
    """
    folder = locate(str(model), tell)
    run = read_run(folder) or {}
    loaded = engines.load(
        folder,
        engine=engine,
        quantise=quantise,
        slots=slots,
        trust_remote_code=trust_remote_code,
        allow_base=allow_base,
        tell=tell,
    )
    speakers: dict[str, int] = run.get("data", {}).get("speakers", {})
    style = run.get("style") or choose_style(loaded.tokenizer, (USER, ASSISTANT))[0]
    trained, partner = run.get("persona"), run.get("user", USER)
    asked = find_persona(persona, speakers) if persona else None
    chosen = asked or trained or next((name for name in speakers if name != partner), ASSISTANT)
    if style == "chat" and trained and chosen != trained:
        raise ChatError(one_voice(style, trained))
    renderer = make_renderer(loaded.tokenizer, style, chosen, user or partner, speakers or (USER, ASSISTANT))
    return Character(
        Voice(loaded.engine, renderer, speakers, run.get("max_tokens")),
        persona=chosen,
        user=user or (partner if partner != chosen else USER),
        sampling=saved_sampling(loaded.generation, folder),
    )


def find_persona(name: str, speakers: Mapping[str, int]) -> str:
    """The speaker of that name whom a model knows; a model without a record takes any name."""
    return find_speaker(name, Counter(speakers)) if speakers else name


def one_voice(style: str, persona: str) -> str:
    return f"a model of the style {style} answers only as {persona}. Train with --style named to have every speaker."


def saved_sampling(generation: Mapping[str, Any], folder: Path) -> SamplingConfig:
    """The sampling settings of generation_config.json, and our defaults for the rest; raises ModelError on bad ones."""
    greedy = generation.get("do_sample") is False and generation.get("max_new_tokens") is not None
    settings = {field.name: generation.get(field.name) for field in fields(SamplingConfig)}
    try:
        return SamplingConfig().changed(**(settings | ({"temperature": 0.0} if greedy else {})))
    except ConfigError as error:
        problem = " ".join(str(error).split())[:200].rstrip(".")
        raise ModelError(f"{folder}: its generation_config.json is damaged ({problem}). {DOWNLOAD_AGAIN}") from error
