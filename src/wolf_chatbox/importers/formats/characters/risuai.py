"""Chats of RisuAI, as it exports them: JSON (one chat or all of a character), text, and a page that holds the JSON.

Form: https://github.com/kwaroran/RisuAI (src/ts/characters.ts: exportChat, exportAllChats; storage/database: Message).
`{"type": "risuChat", "ver": 2, "data": {"message": [{"role": "user" | "char", "data", "time", "saying"}], "name"}}`, or
`risuAllChats` with a list as `data`. The JSON has no names: the character's is in the file's, `NAME_2024-…_chat.json`,
and characters of a group are told apart by their ids. The text has `--NAME` on a line above each message; its older
form without the dashes cannot be told from any other text. One chat at a time is in memory, as it is in RisuAI.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import SYSTEM, Message
from wolf_chatbox.importers.shared.replies import Chat, Reply, from_milliseconds, read_chats, text_of
from wolf_chatbox.importers.streams.html_stream import elements
from wolf_chatbox.importers.streams.html_stream import text_of as text_in
from wolf_chatbox.importers.streams.json_stream import JsonStream

TYPE = re.compile(r'\{\s*"type"\s*:\s*"risu(?:Chat|AllChats)"')
PAGE = re.compile(r"\.idat\s*\{")
HEADING = re.compile(r"--(\S[^\n]{0,99})\n")
FILE = re.compile(r"(.{1,200}?)_(?:all_chats_)?\d{4}-\d\d-\d\dT")


def claims(head: str) -> bool:
    start = head.lstrip()
    if start.startswith("<"):
        return bool(PAGE.search(start)) and '<div class="chat">' in start
    names = re.findall(r"(?:\A|\n\n)--(\S[^\n]{0,99})(?=\n)", start) if start.startswith("--") else []
    return bool(TYPE.match(start)) or len(names) == 2 or len(set(names)) < len(names)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat. Comments are system messages; what was hidden was said."""
    yield from read_chats(_chats(source), config, tally)


def _chats(source: Source) -> Iterator[Chat]:
    stem, start = source.path.stem, source.head.lstrip()
    if start.startswith("<"):
        yield Chat(stem, _page(source).copy)
    elif start.startswith("{"):
        match = FILE.match(stem)
        for number, messages in enumerate(_documents(source), 1):
            group = stem if number == 1 else f"{stem} {number}"
            yield Chat(group, _replies(messages).copy, character=match[1] if match else "")
    else:
        yield _text(source)


def _documents(source: Source) -> Iterator[list[Any]]:
    """The messages of each chat of a JSON document."""
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "data" and stream.begins() == "[":
                for _ in stream.elements():
                    yield from _messages(stream)
            elif key == "data":
                yield from _messages(stream)


def _messages(stream: JsonStream) -> Iterator[list[Any]]:
    if stream.begins() == "{":
        for key in stream.fields():
            if key == "message" and stream.begins() == "[":
                yield stream.value()


def _replies(messages: list[Any]) -> list[Reply]:
    ids: dict[str, str] = {}
    """Names of the characters of a group, who have ids only."""
    replies = []
    for message in messages:
        message = message if isinstance(message, dict) else {}
        saying = text_of(message.get("saying"))
        if saying and message.get("role") != "user":
            ids.setdefault(saying, f"character {len(ids) + 1}")
        replies.append(_reply(message, ids.get(saying, "")))
    if len(ids) > 1:
        return replies
    return [reply._replace(said=reply.said._replace(speaker=_own(reply, ids))) for reply in replies]


def _own(reply: Reply, ids: Mapping[str, str]) -> str:
    """The name that a message says; that of the only character comes from elsewhere."""
    return "" if reply.said.speaker in ids.values() else reply.said.speaker


def _reply(message: Mapping[str, Any], known: str) -> Reply:
    by_user = message.get("role") == "user"
    name = text_of(message.get("name")) or ("" if by_user else known)
    kind = SYSTEM if message.get("isComment") is True else ""
    said = Message(name, text_of(message.get("data")), from_milliseconds(message.get("time")), kind)
    return Reply(said, by_user)


def _page(source: Source) -> list[Reply]:
    """The replies of a page: the names as it shows them, the texts as the JSON in it has them, with their marks."""
    shown: list[tuple[str, str]] = []
    messages: list[Any] = []
    for element in elements(source, lambda element: element.get("class") in ("chat", "idat")):
        if element.get("class") == "chat":
            name, text = element.find("h2"), element.find("div")
            shown.append(("" if name is None else text_in(name), "" if text is None else text_in(text)))
            continue
        try:
            chat = json.loads("".join(element.itertext()))
        except (ValueError, RecursionError) as error:
            raise DataError(f"{source.path}: the chat in the page is not JSON ({error}). Export it again.") from error
        found = chat.get("message") if isinstance(chat, dict) else None
        messages = found if isinstance(found, list) else []
    replies = _replies(messages)
    greetings = len(shown) - len(replies)
    if messages and greetings not in (0, 1):
        return replies
    first, texts = shown[:greetings] if messages else shown, shown[greetings:]
    return [Reply(Message(*said)) for said in first] + [
        reply._replace(said=reply.said._replace(speaker=name)) for (name, _), reply in zip(texts, replies, strict=False)
    ]


def _text(source: Source) -> Chat:
    """The chat of a text. The character speaks first."""
    counts = Counter(_headings(source))
    names = {name for name, count in counts.items() if count > 1} | set(list(counts)[:2])
    first = next(iter(counts), "")
    return Chat(source.path.stem, partial(_blocks, source, names, first), character=first)


def _headings(source: Source) -> Iterator[str]:
    """The names above messages: after an empty line, or at the beginning."""
    empty = True
    for line in source.lines():
        if empty and (match := HEADING.match(line)):
            yield match[1].strip()
        empty = not line.strip()


def _blocks(source: Source, names: set[str], first: str) -> Iterator[Reply]:
    speaker, lines, empty = "", list[str](), True
    for line in source.lines():
        match = HEADING.match(line) if empty else None
        if match and match[1].strip() in names:
            if speaker or lines:
                yield Reply(Message(speaker, "".join(lines)), speaker != first)
            speaker, lines = match[1].strip(), []
        else:
            lines.append(line)
        empty = not line.strip()
    if speaker or lines:
        yield Reply(Message(speaker, "".join(lines)), speaker != first)


FORMAT = Format(
    title="RisuAI (JSON, text, HTML)",
    documentation="https://github.com/kwaroran/RisuAI",
    export="in the list of chats: ⭳ → Export as JSON, TXT or HTML file; or Export all chats",
    notes=(
        "text and HTML have names, JSON has none: the character's is taken from the file's name "
        "(`NAME_2024-…_chat.json`), else it is `assistant`; the person is `user`; in a group, `character 1`, "
        "`character 2`, … Older text, without `--` before a name, is not recognised"
    ),
    claims=claims,
    read=read,
)
