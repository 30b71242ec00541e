"""The learning rate and the number of epochs, where the settings leave them open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wolf_chatbox.config import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """The peak learning rate and the number of epochs of a run."""

    lr: float
    epochs: int


CHOICES = Recipe(lr=2e-5, epochs=1)
"""What suits choices between replies, however many; bench/preferences.py has the measurements."""


def choose(config: TrainConfig, learnt_tokens: int, taken: Mapping[str, Any]) -> Recipe:
    """What the settings say, else what the run that is resumed has `taken`, else what suits so many learnt tokens.

    docs/quality.md has the measurements.
    """
    lora, last = config.lora_rank > 0, config.persona_last
    suits = CHOICES if config.preferences else Recipe(rate(learnt_tokens, lora=lora), passes(learnt_tokens, last=last))
    return Recipe(config.lr or taken.get("lr") or suits.lr, config.epochs or taken.get("epochs") or suits.epochs)


def rate(learnt_tokens: int, *, lora: bool = False) -> float:
    """The learning rate for so many learnt tokens an epoch; LoRA's small adapter needs ten times as much."""
    return 1e-3 if lora else 1e-4


def passes(learnt_tokens: int, *, last: bool = False) -> int:
    """The number of epochs for so many learnt tokens in each; one more where the last has only the persona's turns."""
    return 1 + last
