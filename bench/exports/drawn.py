"""Who writes, when and what, drawn with a fixed seed, and the JSON documents that hold it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TextIO

WORDS = """
boat lake oar sandwich tomorrow never always why not because you we they river rain sun maybe yes no well look there
good night morning swim fish net rope harbour wind sail
""".split()  # noqa: SIM905
NAMES = ("Ann Oar", "Bob Boat", "Carl", "Dora 🛶")
Message = tuple[datetime, str, str]
"""When, who, what."""


def messages(count: int) -> Iterator[Message]:
    """An hour or a day of silence now and then; one message in twenty has two lines."""
    draw = random.Random(0)
    time = datetime(2015, 1, 1)
    for _ in range(count):
        time += timedelta(seconds=draw.choice((5, 20, 60, 90, 3600) if draw.random() < 0.99 else (86400,)))
        text = " ".join(draw.choices(WORDS, k=draw.randint(1, 18)))
        yield time, draw.choice(NAMES), text + ("\n" + draw.choice(WORDS) if draw.random() < 0.05 else "")


def records(
    file: TextIO, count: int, head: str, record: Callable[[int, datetime, str, str], dict[str, Any]], foot: str = "]}\n"
) -> None:
    """Write a JSON document with an object a message: `record` gets the number, the time, the name and the text."""
    file.write(head)
    for number, message in enumerate(messages(count)):
        file.write((",\n" if number else "") + json.dumps(record(number, *message), ensure_ascii=False))
    file.write(foot)


def newest_first(
    file: TextIO, count: int, head: str, record: Callable[[int, datetime, str, str], dict[str, Any]], foot: str = "]}\n"
) -> None:
    """Write such a document from the last message to the first."""
    file.write(head)
    for number, message in reversed(list(enumerate(messages(count)))):
        file.write(json.dumps(record(number, *message), ensure_ascii=False) + (",\n" if number else ""))
    file.write(foot)


def talks(said: Iterable[Message], size: int = 40) -> Iterator[tuple[Message, ...]]:
    """The messages in chats of a size, the last one with what is left."""
    rest = iter(said)
    while talk := tuple(islice(rest, size)):
        yield talk
