"""How a model's folder speaks: its style, who answers and to whom, and the renderer of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wolf_chatbox.data.split import find_speaker
from wolf_chatbox.errors import ChatError, StyleError
from wolf_chatbox.model.candidates import Reverse
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.record import read_run
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.samples.briefing import NO_CARDS, Cards
from wolf_chatbox.samples.rendering import Renderer, make_renderer
from wolf_chatbox.samples.styles import ASSISTANT, USER, choose_style
from wolf_chatbox.samples.tokenizer import Tokenizer


@dataclass(frozen=True)
class Speech:
    """Who speaks in a model, and the text around it."""

    renderer: Renderer
    persona: str
    """Who answers where nobody else is asked for."""
    user: str
    speakers: Mapping[str, int] = field(default_factory=dict)
    """Those of a run, with how many turns of each; empty for a base model."""
    cards: Cards = NO_CARDS

    @classmethod
    def of(
        cls,
        folder: Path,
        tokenizer: Tokenizer,
        persona: str | None = None,
        user: str | None = None,
        *,
        any_template: bool = True,
    ) -> Speech:
        """The speech of a run as it was trained, of a base model as we talk with it.

        The persona is the given one, else the trained one, else the speaker with the most turns. With `any_template`
        a base model whose chat template does not render turn by turn has the style dialogpt; without it that is a
        StyleError. Raises CheckpointError when run.json is damaged, ModelError when the model has no end token,
        ChatError when the model has another single voice, or DataError with the nearest names when the persona is
        unknown.
        """
        run = read_run(folder) or {}
        speakers: dict[str, int] = run.get("data", {}).get("speakers", {})
        style = run.get("style") or choose_style(tokenizer, (USER, ASSISTANT))[0]
        trained, partner = run.get("persona"), run.get("user", USER)
        asked = find_persona(persona, speakers) if persona else None
        chosen = asked or trained or next((name for name in speakers if name != partner), ASSISTANT)
        if style == "chat" and trained and chosen != trained:
            raise ChatError(one_voice(style, trained))
        names = speakers or (USER, ASSISTANT)
        try:
            renderer = make_renderer(tokenizer, style, chosen, user or partner, names)
        except StyleError:
            if run or not any_template:
                raise
            renderer = make_renderer(tokenizer, "dialogpt", chosen, user or partner, names)
        user = user or (partner if partner != chosen else USER)
        return cls(renderer, chosen, user, speakers, Cards.of(run, user))

    def voice(self, engine: Engine, history_tokens: int | None, reverse: Reverse | None = None) -> Voice:
        """The voice that speaks so."""
        return Voice(engine, self.renderer, self.speakers, history_tokens, reverse, self.cards)


def find_persona(name: str, speakers: Mapping[str, int]) -> str:
    """The speaker of that name whom a model knows; a model without a record takes any name."""
    return find_speaker(name, Counter(speakers)) if speakers else name


def one_voice(style: str, persona: str) -> str:
    return f"a model of the style {style} answers only as {persona}. Train with --style named to have every speaker."
