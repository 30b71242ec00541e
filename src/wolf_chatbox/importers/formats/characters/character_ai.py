"""Chats of character.ai, as its export tools write them: it has no export of its own that is documented.

Forms:
- dumps of CAI Tools (https://github.com/irsat000/CAI-Tools, scripts/content.js: DownloadHistory_AsDump) and of
  CharacterAI Dumper (https://github.com/0x000011b/characterai-dumper): `{"info": …, "histories": {"histories":
  [{"msgs": [{"src": {"name", "is_human"}, "text", "is_alternative"}]}]}}`;
- answers of the site (https://neo.character.ai/turns/…), as scripts save them: `{"turns": [{"author": {"name",
  "is_human"}, "candidates": [{"candidate_id", "raw_content"}], "primary_candidate_id"}]}`, the newest turn first;
- CAI Tools' page to read offline, in which the chats are JSON with percent-encoded texts;
- CharacterAI Exporter (https://github.com/TheGameratorT/characterai-tools): `{"user": {"name"}, "character": {"name"},
  "messages": [[1, "text"], [0, "text"]]}`, 1 for the character.

One chat at a time is in memory, as its turns may come in the wrong order; a page's chats are one line of at most 67
million characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, Message, from_iso
from wolf_chatbox.importers.shared.replies import Chat, Reply, choices_in, read_chats, text_of
from wolf_chatbox.importers.streams.json_stream import MAX_VALUE, JsonStream

DUMP = re.compile(r'\{\s*"info"\s*:\s*\{\s*"character"\s*:|\{\s*"histories"\s*:')
EXPORTER = re.compile(r'\{\s*"user"\s*:\s*\{\s*"name"\s*:\s*"(?:[^"\\]|\\.){0,200}"\s*,\s*"avatar"\s*:')
KEYS = ('"candidates"', '"raw_content"'), ('"is_alternative"', '"src"'), ('"is_alternative"', '"src__is_human"')
PAGE = re.compile(r'\{"charPic":|\[\{"id":1,"messages":\[\{"messager":')
"""How the chats begin in a page to read offline, of newer and of older versions."""
LISTS = ("turns", "msgs", "messages")
"""Keys of the messages of a chat."""
INSIDE = ("histories", "chats", "history", "chat")
"""Keys of what holds chats."""
DEEPEST = 8


def claims(head: str) -> bool:
    start = head.lstrip()
    if start.startswith("<"):
        return bool(PAGE.search(start))
    return start.startswith(("{", "[")) and bool(
        DUMP.match(start) or EXPORTER.match(start) or any(all(key in start for key in keys) for keys in KEYS)
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat with the shown candidates; the other candidates are dropped and counted."""
    yield from read_chats(_chats(source), config, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the choices between the candidates of a character's turns."""
    yield from choices_in(_chats(source), config, tally)


def _chats(source: Source) -> Iterator[Chat]:
    stem = source.path.stem
    lists = _page(source) if source.head.lstrip().startswith("<") else _document(source)
    for number, (names, messages) in enumerate(lists, 1):
        replies = _replies(messages)
        yield Chat(f"{stem} {number}", replies.copy, names.get("user", ""), names.get("character", ""))


def _document(source: Source) -> Iterator[tuple[dict[str, str], list[Any]]]:
    """The messages of each chat, with the names that the document says."""
    with JsonStream(source) as stream:
        yield from _lists(stream, {}, DEEPEST)


def _lists(stream: JsonStream, names: dict[str, str], deep: int) -> Iterator[tuple[dict[str, str], list[Any]]]:
    """Walk into what holds chats; everything else is passed over."""
    begins = stream.begins() if deep else ""
    if begins == "[":
        for _ in stream.elements():
            yield from _lists(stream, names, deep - 1)
    elif begins == "{":
        for key in stream.fields():
            if key in LISTS and stream.begins() == "[":
                yield names, stream.value()
            elif key in INSIDE and stream.begins() in "[{":
                yield from _lists(stream, names, deep - 1)
            elif key in ("user", "character"):
                value = stream.value()
                names[key] = text_of(value.get("name")) if isinstance(value, dict) else ""
    else:
        stream.value()


def _page(source: Source) -> Iterator[tuple[dict[str, str], list[Any]]]:
    """The messages of each chat of a page to read offline."""
    for number, line in enumerate(source.lines(MAX_VALUE), 1):
        if match := PAGE.search(line):
            try:
                data, _ = json.JSONDecoder().raw_decode(line, match.start())
            except (ValueError, RecursionError) as error:
                where = f"{source.path}, line {number}"
                raise DataError(f"{where}: not JSON that can be read ({error}). Download the page again.") from error
            chats = data.get("history") if isinstance(data, dict) else data
            for chat in chats if isinstance(chats, list) else []:
                messages = chat.get("chat", chat.get("messages")) if isinstance(chat, dict) else None
                yield {}, messages if isinstance(messages, list) else []
            return


def _replies(messages: list[Any]) -> list[Reply]:
    """The replies of a chat, the oldest first. Candidates that are messages of their own go to the shown one."""
    if _is_newest_first(messages):
        messages = messages[::-1]
    replies: list[Reply] = []
    waiting: list[str] = []
    """Alternatives before the message that is shown in their place."""
    for message in messages:
        reply = _reply(message)
        if not (isinstance(message, dict) and message.get("is_alternative") is True):
            replies.append(reply._replace(others=(*reply.others, *waiting)))
            waiting = []
        elif replies and not replies[-1].by_user and not reply.by_user:
            replies[-1] = replies[-1]._replace(others=(*replies[-1].others, reply.said.text))
        else:
            waiting.append(reply.said.text)
    return replies if not waiting else [*replies, Reply(Message("", ""), others=tuple(waiting))]


def _is_newest_first(messages: list[Any]) -> bool:
    times = [text_of(message.get("create_time")) for message in messages if isinstance(message, dict)]
    return len(times) > 1 and times[0] > times[-1]


def _reply(message: Any) -> Reply:
    if isinstance(message, list):  # CharacterAI Exporter's
        who, text = message[0] if message else None, text_of(message[1]) if len(message) > 1 else ""
        return Reply(Message("", text), who == 0)
    if not isinstance(message, dict):
        return Reply(Message("", ""))
    if "candidates" in message:
        return _turn(message)
    source = message.get("src")
    if "messager" in message:  # of an older page
        return Reply(Message(text_of(message["messager"]), unquote(text_of(message.get("text")))))
    if "isUser" in message:  # of a newer one
        text = unquote(text_of(message.get("message")))
        return Reply(Message(text_of(message.get("name")), text), message["isUser"] is True)
    if not isinstance(source, dict):
        source = {"name": message.get("src__name"), "is_human": message.get("src__is_human")}
    text = text_of(message.get("text"))
    kind = MEDIA if not text.strip() and message.get("image_rel_path") else ""
    said = Message(text_of(source.get("name")), text or kind, from_iso(message.get("created")), kind)
    return Reply(said, source.get("is_human") is True)


def _turn(turn: Mapping[str, Any]) -> Reply:
    author, candidates = turn.get("author"), turn.get("candidates")
    author = author if isinstance(author, dict) else {}
    drawn = [item for item in candidates if isinstance(item, dict)] if isinstance(candidates, list) else []
    shown = next((item for item in drawn if item.get("candidate_id") == turn.get("primary_candidate_id")), None)
    shown = shown or (drawn[0] if drawn else {})
    others = [item for item in drawn if item is not shown]
    text = text_of(shown.get("raw_content"))
    kind = MEDIA if not text.strip() and shown.get("tti_image_rel_path") else ""
    said = Message(text_of(author.get("name")), text or kind, from_iso(turn.get("create_time")), kind)
    latest = all(text_of(item.get("create_time")) <= text_of(shown.get("create_time")) for item in others)
    texts = tuple(text_of(item.get("raw_content")) for item in others)
    return Reply(said, author.get("is_human") is True, texts, latest)


FORMAT = Format(
    title="character.ai (CAI Tools and others)",
    documentation="https://github.com/irsat000/CAI-Tools",
    export=(
        "the browser extension CAI Tools: raw dump, or Download to read offline; scripts that save the site's answers "
        "(`turns` with `candidates`)"
    ),
    notes=(
        "of a turn's candidates the shown one is read; `data preferences` writes the choices. What CAI Tools writes "
        "for SillyTavern or text-generation-webui is read as those formats"
    ),
    claims=claims,
    read=read,
    choices=choices,
)
