"""How a model's folder speaks: its style, who answers and to whom, and the renderer of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wolf_chatbox.errors import StyleError
from wolf_chatbox.model.record import read_run
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

    @classmethod
    def of(cls, folder: Path, tokenizer: Tokenizer) -> Speech:
        """The speech of a run as it was trained, of a base model as we talk with it.

        A base model whose chat template does not render turn by turn is talked with in the style dialogpt. Raises
        CheckpointError when run.json is damaged, ModelError when the model has no end token.
        """
        run = read_run(folder) or {}
        speakers: dict[str, int] = run.get("data", {}).get("speakers", {})
        style = run.get("style") or choose_style(tokenizer, (USER, ASSISTANT))[0]
        user = run.get("user", USER)
        persona = run.get("persona") or next((name for name in speakers if name != user), ASSISTANT)
        names = speakers or (USER, ASSISTANT)
        try:
            renderer = make_renderer(tokenizer, style, persona, user, names, by_view=True)
        except StyleError:
            if run:
                raise
            renderer = make_renderer(tokenizer, "dialogpt", persona, user, names)
        return cls(renderer, persona, user, speakers)
