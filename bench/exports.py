"""Chat exports of any size for bench/importers.py: one writer a format, in the form that the app writes.

A writer gets a text file and the number of messages; who writes, when and what comes from `messages`, with a fixed
seed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
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


def whatsapp(file: TextIO, count: int) -> None:
    for time, name, text in messages(count):
        file.write(f"{time:%d/%m/%Y, %H:%M} - {name}: {text}\n")


def telegram(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        unix = str(int(time.timestamp()))
        head = {"id": number, "type": "message", "date": time.isoformat(), "date_unixtime": unix, "from": name}
        return head | {"from_id": "user1", "text": text, "text_entities": [{"type": "plain", "text": text}]}

    records(file, count, '{"name": "Boats", "type": "private_group", "id": 1, "messages": [\n', record)


def discord(file: TextIO, count: int) -> None:
    def record(number: int, time: datetime, name: str, text: str) -> dict[str, Any]:
        author = {"id": "9", "name": name, "discriminator": "0000", "nickname": name}
        author |= {"color": None, "isBot": False, "roles": []}
        head = {"id": str(number), "type": "Default", "timestamp": f"{time.isoformat()}+00:00", "timestampEdited": None}
        head |= {"isPinned": False, "content": text, "author": author}
        return head | {key: [] for key in ("attachments", "embeds", "stickers", "reactions", "mentions")}

    records(file, count, '{"guild": {"id": "1"}, "channel": {"id": "2", "name": "boats"}, "messages": [\n', record)


def records(
    file: TextIO, count: int, head: str, record: Callable[[int, datetime, str, str], dict[str, Any]], foot: str = "]}\n"
) -> None:
    """Write a JSON document with an object a message: `record` gets the number, the time, the name and the text."""
    file.write(head)
    for number, message in enumerate(messages(count)):
        file.write((",\n" if number else "") + json.dumps(record(number, *message), ensure_ascii=False))
    file.write(foot)


WRITERS: dict[str, Callable[[TextIO, int], None]] = {
    "discord": discord,
    "telegram": telegram,
    "whatsapp": whatsapp,
}
"""The writers by the names of the formats. Every chat format has one."""
JSON = ("discord", "telegram")
"""Those whose exports are one JSON document: the json module reads them beside us."""
