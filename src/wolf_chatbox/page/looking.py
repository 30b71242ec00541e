"""What is in files of conversations, read and cleaned in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import monotonic

from wolf_chatbox.config import CleanConfig, ReadConfig, TrainConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.cleaning import clean, publishable
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.page.away import away
from wolf_chatbox.samples.inspection import Inspection, inspect

Tell = Callable[[int], None]
EVERY = 0.25
"""Seconds between two signs of life."""


async def look(
    files: Sequence[str],
    read: ReadConfig | None = None,
    cleaning: CleanConfig | None = None,
    *,
    model: str | None = None,
    tell: Tell | None = None,
) -> Inspection:
    """What is in files, read and cleaned; `tell` hears how many turns were read so far.

    With a base `model` that is on this machine, also lengths in its tokens and samples as it sees them. Cancelled, it
    ends the process. Raises what reading raises.
    """
    return await away(_look, tuple(files), read, cleaning or CleanConfig(), model, tell=tell)


def _look(
    files: Sequence[str], read: ReadConfig | None, cleaning: CleanConfig, model: str | None, tell: Tell
) -> Inspection:
    tally = Tally()
    cleaned = clean(counted(read_conversations(files, read, tally), tally, tell), cleaning, tally)
    conversations = list(publishable(cleaned, cleaning))
    if not conversations:
        raise tally.nothing_in(files)
    if model is None:
        return inspect(conversations, tally)
    from wolf_chatbox.model.hub import locate
    from wolf_chatbox.model.light_tokenizer import load_light  # without transformers, whose import takes seconds
    from wolf_chatbox.samples.dataset import choose, make_rows

    config = TrainConfig(data=tuple(files), model=model, read=read or ReadConfig(), clean=cleaning)
    material = choose(config, conversations, tally)
    dataset = make_rows(material, config, load_light(model, locate(model)), config.max_tokens)
    return inspect(conversations, tally, dataset, model)


def counted(conversations: Iterator[Conversation], tally: Tally, tell: Tell) -> Iterator[Conversation]:
    """The conversations, while `tell` hears now and then how many turns were read."""
    last = monotonic()
    for conversation in conversations:
        if monotonic() - last > EVERY:
            tell(tally.read)
            last = monotonic()
        yield conversation
