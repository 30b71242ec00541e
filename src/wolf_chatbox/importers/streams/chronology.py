"""Messages oldest first, from exports that write the newest first or mix several files: sorted beside the memory.

At most BATCH messages are in memory. More are sorted batch by batch in a temporary file, which has no name and goes
with the process, and merged from there.
"""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import IO

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.shared.messages import Message

BATCH = 50_000
BLOCK = 500
"""Messages of a batch that are read back at once."""
Placed = tuple[datetime, int, Message]
"""The time, the place in the file (the later, the smaller), and the message."""


def oldest_first(messages: Iterable[Message], *, newest_first: bool = True) -> Iterator[Message]:
    """Yield the messages by their times; those of one time in their order, which `newest_first` turns around.

    A message without a time stands by the one that was read before it. If the messages end in an error, all that were
    read come before it.
    """
    damage: list[DataError] = []
    yield from _sorted(_placed(_whole(messages, damage), -1 if newest_first else 1))
    if damage:
        raise damage[0]


def _sorted(placed: Iterator[Placed]) -> Iterator[Message]:
    batch = sorted(islice(placed, BATCH))
    if len(batch) < BATCH:
        yield from (message for _, _, message in batch)
        return
    with tempfile.TemporaryFile() as file:
        runs = []
        while batch:
            runs.append(_written(batch, file))
            batch = sorted(islice(placed, BATCH))
        del batch
        yield from (message for _, _, message in heapq.merge(*(_read(run, file) for run in runs)))


def _whole(messages: Iterable[Message], damage: list[DataError]) -> Iterator[Message]:
    """The messages up to an error, which is put down."""
    try:
        yield from messages
    except DataError as error:
        damage.append(error)


def _placed(messages: Iterable[Message], step: int) -> Iterator[Placed]:
    time = datetime.min
    for number, message in enumerate(messages):
        time = message.time or time
        yield time, step * number, message


def _written(batch: list[Placed], file: IO[bytes]) -> list[int]:
    """Write a sorted batch in blocks; where each begins. Raises DataError where the disk is full."""
    places = []
    try:
        for at in range(0, len(batch), BLOCK):
            places.append(file.tell())
            pickle.dump(batch[at : at + BLOCK], file, pickle.HIGHEST_PROTOCOL)
        file.flush()
    except OSError as error:
        raise DataError(
            f"{tempfile.gettempdir()}: messages cannot be sorted there ({error.strerror}). Make room, or set TMPDIR."
        ) from error
    return places


def _read(places: list[int], file: IO[bytes]) -> Iterator[Placed]:
    for place in places:
        file.seek(place)
        yield from pickle.load(file)
