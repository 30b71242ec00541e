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
    trained: int
    """Parameters that are learnt."""
    precision: str
    device: str
    processes: int
    rows_an_update: int
    updates: int
    done: int
    """Updates made before, in the run that is resumed."""


@dataclass(frozen=True)
class Planned:
    """What a dry run measured on one pass forward and back, without an update: estimates, of the CPU's or CUDA's memory."""

    seconds: float
    memory: int
    """Bytes at most."""
    disk: int
    """Bytes that the run's folders take."""


@dataclass(frozen=True)
class Updated:
    """One update is made."""

    update: int
    updates: int
    epoch: float
    loss: float
    """Mean over its learnt tokens, in nats."""
    norm: float
    """Of the gradient, before it is scaled down."""
    learning_rate: float
    tokens: int
    learnt: int
    """Of these tokens; of all processes together, as `tokens` is."""
    seconds: float


@dataclass(frozen=True)
class Evaluated:
    """The held-out data is measured; update 0 is the base model as it came."""

    update: int
    epoch: float
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


Event = Notice | Prepared | Planned | Updated | Evaluated
