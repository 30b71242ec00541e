"""What a run tells while it goes: `train` calls its `tell` with one of these; without one they go to the log `wolf_chatbox`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wolf_chatbox.conversation import Turn

if TYPE_CHECKING:
    from wolf_chatbox.samples.rows import Dataset


logger = logging.getLogger("wolf_chatbox")


@dataclass(frozen=True)
class Step:
    """Something begins that may take a while, such as a download."""

    text: str


@dataclass(frozen=True)
class Notice:
    """Something to know of."""

    text: str


@dataclass(frozen=True)
class Trial:
    """A run of a sweep begins."""

    number: int
    settings: dict[str, Any]
    """The searched ones, by TrainConfig's names."""


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


Event = Step | Notice | Trial | Prepared | Planned | Updated | Evaluated


def log(event: Event, every: int = 1) -> None:
    """Tell an event to the log: what is to know of as a warning, the rest as information, of the updates only `every` so many."""
    match event:
        case Step(text):
            logger.info("%s", text)
        case Notice(text):
            logger.warning("%s", text)
        case Trial(number, settings):
            logger.info("trial %d: %s", number, settings)
        case Prepared():
            for note in event.dataset.notices:
                logger.warning("%s", note)
            logger.info(
                "%s: %d updates of %d rows, from update %d on",
                event.model,
                event.updates,
                event.rows_an_update,
                event.done,
            )
        case Planned(seconds, memory, disk):
            logger.info("about %.0f s, %.1f GiB of memory, %.1f GiB on the disk", seconds, memory / 2**30, disk / 2**30)
        case Updated() if event.update % every == 0 or event.update == event.updates:
            logger.info(
                "update %d/%d: loss %.4f, lr %.2e", event.update, event.updates, event.loss, event.learning_rate
            )
        case Evaluated() if event.loss is not None:
            best = ", the best so far" if event.best else ""
            logger.info(
                "update %d: held-out loss %.4f, perplexity %.2f%s", event.update, event.loss, event.perplexity, best
            )
