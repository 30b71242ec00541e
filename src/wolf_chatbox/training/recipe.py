"""The learning rate and the number of epochs, where the settings leave them open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wolf_chatbox.config import TrainConfig

EPOCHS = ((10_000, 3), (30_000, 2))
"""Epochs for fewer learnt tokens than these; for more of them one is enough.

The best epoch is kept: where one too many does not help, it costs time alone. One too few left 8 % of the bits per byte
on the table with 7,000 learnt tokens (`bench/learning.py`).
"""


@dataclass(frozen=True)
class Recipe:
    """The peak learning rate and the number of epochs of a run."""

    lr: float
    epochs: int


CHOICES = 0.2
"""The learning rate for choices between replies, beside that for conversations; bench/preferences.py measured it."""


def choose(config: TrainConfig, learnt_tokens: int, taken: Mapping[str, Any], scale: float = 1.0) -> Recipe:
    """What the settings say, else what the run that is resumed has `taken`, else what suits so many learnt tokens.

    `scale` is how large the base model's weights are beside those of the model that the rule was measured with, as
    `relative_scale` tells.
    """
    suits = Recipe(rate(scale, lora=config.lora_rank > 0), epochs(learnt_tokens, last=config.persona_last))
    if config.preferences:
        suits = Recipe(CHOICES * suits.lr, 1)
    return Recipe(config.lr or taken.get("lr") or suits.lr, config.epochs or taken.get("epochs") or suits.epochs)


def rate(scale: float = 1.0, *, lora: bool = False) -> float:
    """The learning rate, of two digits. LoRA's adapter, which begins at zero, needs ten times that of all weights."""
    return 1e-3 if lora else float(f"{1e-4 * scale:.1e}")


def epochs(learnt_tokens: int, *, last: bool = False) -> int:
    """The epochs for so many learnt tokens in each; at least two where the last has only the persona's turns."""
    enough = next((count for tokens, count in EPOCHS if learnt_tokens < tokens), 1)
    return max(enough, 2) if last else enough
