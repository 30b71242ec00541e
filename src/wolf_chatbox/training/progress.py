"""What a run reports: `train` passes each of these to `tell`; by default they go to the logger `wolf_chatbox`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from wolf_chatbox.conversation import Turn

if TYPE_CHECKING:
    from wolf_chatbox.samples.rows import Dataset


logger = logging.getLogger("wolf_chatbox")


@dataclass(frozen=True)
class Step:
    """A step begins that may take a while, such as a download."""

    text: str
    kind: str = ""
    """Which one it is, in a word, for those who say it in words of their own; empty where only the text tells."""


@dataclass(frozen=True)
class Notice:
    """A warning, or another thing to know."""

    text: str


@dataclass(frozen=True)
class Trial:
    """A trial of a sweep begins."""

    number: int
    settings: dict[str, Any]
    """The searched ones, by their names in TrainConfig."""


@dataclass(frozen=True)
class Prepared:
    """Data and model are ready; the first update comes next."""

    dataset: Dataset
    model: str
    parameters: int
    trained: int
    """Parameters that are learnt."""
    precision: str
    device: str
    processes: int
    rows_an_update: int
    lr: float
    epochs: int
    updates: int
    done: int
    """Updates made before, by the run that is resumed."""


@dataclass(frozen=True)
class Planned:
    """What a dry run estimates from the forward and backward passes of one update."""

    seconds: float
    memory: int
    """Bytes at most, of the CPU or of the CUDA device."""
    disk: int
    """Bytes at most that the run's folders take."""


@dataclass(frozen=True)
class Updated:
    """One update was made."""

    update: int
    updates: int
    epoch: float
    loss: float
    """Mean per learnt token, in nats; NaN or infinite where the update was skipped."""
    norm: float
    """Of the gradient, before clipping."""
    learning_rate: float
    tokens: int
    learnt: int
    """Learnt tokens; like `tokens`, of all processes together."""
    seconds: float


@dataclass(frozen=True)
class Evaluated:
    """The held-out split was evaluated; update 0 is the base model."""

    update: int
    epoch: float
    loss: float | None
    perplexity: float | None = None
    """None where choices are learnt, whose loss is not one of tokens; so are the bits per byte."""
    best: bool = False
    replies: list[Reply] = field(default_factory=list)
    bits_per_byte: float | None = None
    preferred: float | None = None
    """The share of the held-out choices whose chosen reply the model finds likelier than the rejected one."""
    margin: float | None = None
    """By how many nats more than before the run it does so, on average."""


@dataclass(frozen=True)
class Reply:
    """A sample reply: what the model says in a held-out context, and what was really said."""

    context: tuple[Turn, ...]
    said: Turn
    generated: str


Progress = Step | Notice | Trial | Prepared | Planned | Updated | Evaluated
Listener = Callable[[Progress], None]


def log(progress: Progress, every: int = 1) -> None:
    """Write to the logger: notices as warnings, the rest as information; of the updates only every `every`-th."""
    match progress:
        case Step(text):
            logger.info("%s", text)
        case Notice(text):
            logger.warning("%s", text)
        case Trial(number, settings):
            logger.info("trial %d: %s", number, settings)
        case Prepared(dataset, model, updates=updates, rows_an_update=rows, lr=lr, epochs=epochs, done=done):
            for note in dataset.notices:
                logger.warning("%s", note)
            logger.info("%s: %d updates of %d rows, from update %d on", model, updates, rows, done)
            logger.info("learning rate %g, %d epochs, %d learnt tokens in each", lr, epochs, dataset.learnt_tokens)
        case Planned(seconds, memory, disk):
            logger.info("about %.0f s, %.1f GiB of memory, %.1f GiB on the disk", seconds, memory / 2**30, disk / 2**30)
        case Updated(update, updates, loss=loss, learning_rate=rate) if update % every == 0 or update == updates:
            logger.info("update %d/%d: loss %.4f, lr %.2e", update, updates, loss, rate)
        case Evaluated(update, _, float(), best=best):
            logger.info("update %d: %s%s", update, figures(progress), ", the best so far" if best else "")


def figures(found: Evaluated) -> str:
    """The figures of an evaluation, in words."""
    if found.preferred is not None:
        likelier = f"chosen replies preferred {found.preferred:.0%}, margin {found.margin:.2f} nats"
        return f"{likelier}, held-out loss {found.loss:.4f}"
    bits = f", {found.bits_per_byte:.3f} bits per byte" if found.bits_per_byte is not None else ""
    return f"held-out loss {found.loss:.4f}, perplexity {found.perplexity:.2f}{bits}"


def thinned(tell: Listener, every: int) -> Listener:
    """`tell`, but where it is the log itself, of the updates only every `every`-th."""
    return partial(log, every=every) if tell is log else tell
