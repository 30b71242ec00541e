"""Chat exports of any size for bench/importers.py: one writer a format, in the form that the app writes.

A writer gets a text file and the number of messages; who writes, when and what comes from `messages`, with a fixed
seed.
"""

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


def chatgpt(file: TextIO, count: int) -> None:
    """Conversations of forty messages; every fifth reply was drawn twice."""
    file.write("[")
    for number, talk in enumerate(talks(messages(count))):
        nodes: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
        last = "root"
        for at, (time, _, text) in enumerate(talk):
            for name in (f"{at}-", f"{at}") if at % 10 == 9 else (f"{at}",):
                message = {"id": name, "author": {"role": ("user", "assistant")[at % 2], "name": None, "metadata": {}}}
                message |= {"create_time": time.timestamp(), "update_time": None, "end_turn": None, "weight": 1.0}
                message |= {"content": {"content_type": "text", "parts": [text]}, "status": "finished_successfully"}
                message |= {"metadata": {"timestamp_": "absolute"}, "recipient": "all"}
                nodes[last]["children"].append(name)
                nodes[name] = {"id": name, "message": message, "parent": last, "children": []}
            last = f"{at}"
        whole = {"title": "Boats", "create_time": 1.0, "update_time": 1.0, "mapping": nodes, "current_node": last}
        file.write((", " if number else "") + json.dumps(whole, ensure_ascii=False))
    file.write("]")


def claude(file: TextIO, count: int) -> None:
    file.write("[")
    for number, talk in enumerate(talks(messages(count))):
        said = []
        for at, (time, _, text) in enumerate(talk):
            when = f"{time.isoformat()}.000000Z"
            message = {"uuid": f"{number}-{at}", "text": text, "content": [{"type": "text", "text": text}]}
            message |= {"sender": ("human", "assistant")[at % 2], "created_at": when, "updated_at": when}
            said.append(message | {"attachments": [], "files": []})
        whole = {"uuid": f"{number}", "name": "Boats", "account": {"uuid": "1"}, "chat_messages": said}
        file.write((", " if number else "") + json.dumps(whole, ensure_ascii=False))
    file.write("]")


def gemini(file: TextIO, count: int) -> None:
    """A prompt and its reply an entry; the first entry is the latest one."""
    file.write("[")
    for number, ((_, _, told), *asked) in enumerate(talks(reversed(list(messages(count))), 2)):
        time, _, prompt = asked[0] if asked else (datetime(2015, 1, 1), "", "Hello")
        entry = {"header": "Gemini Apps", "title": f"Prompted {prompt}", "time": f"{time.isoformat()}.000Z"}
        entry |= {"products": ["Gemini Apps"], "safeHtmlItem": [{"html": f"<p>{told}</p>"}]}
        file.write((",\n" if number else "") + json.dumps(entry, ensure_ascii=False))
    file.write("]")


def talks(said: Iterable[Message], size: int = 40) -> Iterator[tuple[Message, ...]]:
    """The messages in chats of a size, the last one with what is left."""
    rest = iter(said)
    while talk := tuple(islice(rest, size)):
        yield talk


def records(
    file: TextIO, count: int, head: str, record: Callable[[int, datetime, str, str], dict[str, Any]], foot: str = "]}\n"
) -> None:
    """Write a JSON document with an object a message: `record` gets the number, the time, the name and the text."""
    file.write(head)
    for number, message in enumerate(messages(count)):
        file.write((",\n" if number else "") + json.dumps(record(number, *message), ensure_ascii=False))
    file.write(foot)


WRITERS: dict[str, Callable[[TextIO, int], None]] = {
    "chatgpt": chatgpt,
    "claude": claude,
    "discord": discord,
    "gemini": gemini,
    "telegram": telegram,
    "whatsapp": whatsapp,
}
"""The writers by the names of the formats. Every chat format has one."""
JSON = ("chatgpt", "claude", "discord", "gemini", "telegram")
"""Those whose exports are one JSON document: the json module reads them beside us."""
