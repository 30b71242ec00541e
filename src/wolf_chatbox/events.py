"""What a run tells while it goes: `train` calls its `tell` with one of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wolf_chatbox.conversation import Turn

if TYPE_CHECKING:
    from wolf_chatbox.dataset import Dataset


@dataclass(frozen=True)
class Notice:
    text: str


@dataclass(frozen=True)
class Prepared:
    """The data is read, and the first update is about to be made."""

    dataset: Dataset
    model: str
    parameters: int
    precision: str
    device: str
    updates: int
    done: int
    """Updates made before, in the run that is resumed."""


@dataclass(frozen=True)
class Updated:
    """One update is made; `loss` is the mean over its learnt tokens in nats, `tokens` all the tokens it read."""

    update: int
    updates: int
    epoch: float
    loss: float
    learning_rate: float
    tokens: int
    seconds: float


@dataclass(frozen=True)
class Evaluated:
    """The held-out data is measured; epoch 0 is the base model as it came."""

    epoch: int
    loss: float | None
    perplexity: float | None
    best: bool
    replies: list[Reply]


@dataclass(frozen=True)
class Reply:
    """What the model says in a held-out context, and what was really said."""

    context: tuple[Turn, ...]
    said: Turn
    generated: str


Event = Notice | Prepared | Updated | Evaluated
