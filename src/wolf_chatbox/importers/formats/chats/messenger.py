"""Messenger's and Instagram's "Download your information" in JSON: a folder a chat, with message_1.json and so on.

The newest message comes first. Each byte of UTF-8 is written as a character (`\\u00c3\\u00a9` for é): this is repaired.
End-to-end encrypted chats, exported separately, have other keys (`senderName`, `text`, `threadName`), and are single
files in one folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, SYSTEM, Message, conversations, from_unix
from wolf_chatbox.importers.streams.chronology import oldest_first
from wolf_chatbox.importers.streams.json_stream import JsonStream

MEDIA_KEYS = ("photos", "videos", "audio_files", "gifs", "files", "sticker", "share", "media")
NOTICE = re.compile(
    r"(?:Reacted .{1,20} to your message|Liked a message|.{1,80} (?:sent an attachment|changed the (?:theme|group photo"
    r"|chat theme)[^\n]*|named the group[^\n]*"
    r"|set the (?:nickname|emoji)[^\n]*|missed your (?:video )?call|liked a message))\.?\s*"
)

TITLE = re.compile(r'"(?:title|threadName)"\s*:\s*("(?:[^"\\]|\\.){0,1000}")')
CHUNK, TAIL = 1 << 20, 1 << 12
"""Bytes at the end of a file that hold its title."""


def claims(head: str) -> bool:
    keys = (("sender_name", "timestamp_ms"), ("senderName", "timestamp"))
    return head.lstrip().startswith("{") and any(all(re.search(rf'"{key}"\s*:', head) for key in pair) for pair in keys)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, oldest first, cut where it was silent; media, calls, reactions, unsent messages are counted."""
    chats: dict[str, list[Source]] = {}
    for part in (source, *source.more):
        chats.setdefault(_title(part) or source.folder.name or source.path.stem, []).append(part)
    for title, parts in chats.items():
        messages = oldest_first(_messages(parts, config, tally, alone=not source.more))
        yield from conversations(messages, title, config, tally)


def _title(part: Source) -> str:
    """The chat's name, which the apps write behind the messages or before them; nothing where there is none."""
    end = b""
    with part.open_bytes() as file:  # from its beginning: what is compressed has no other way
        while piece := file.read(CHUNK):
            end = (end + piece)[-TAIL:]
    found = TITLE.findall(end.decode(errors="replace")) or TITLE.findall(part.head)
    try:
        return repaired(str(json.loads(found[-1]))) if found else ""
    except ValueError:
        return ""


def _messages(parts: list[Source], config: ReadConfig, tally: Tally, *, alone: bool) -> Iterator[Message]:
    for part in parts:
        count = 0
        try:
            with JsonStream(part) as stream:
                for key in stream.fields():
                    if key == "messages":
                        for message in stream.items():
                            yield _message(message)
                            count += 1
        except DataError as error:
            tally.leave(part.path, error, count, alone=alone, strict=config.strict)


def repaired(text: str) -> str:
    """UTF-8 that was decoded as Latin-1, repaired; other text as it is."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _message(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message("", "")
    speaker = repaired(str(message.get("sender_name") or message.get("senderName") or ""))
    stamp = message.get("timestamp_ms", message.get("timestamp"))
    time = from_unix(stamp / 1000) if isinstance(stamp, (int, float)) else None
    text = repaired(str(message.get("content") or message.get("text") or ""))
    if message.get("is_unsent") or message.get("isUnsent"):
        return Message(speaker, text or "<unsent>", time, DELETED)
    if (
        message.get("type") in ("Call", "Subscribe", "Unsubscribe", "placeholder")
        or "call_duration" in message
        or NOTICE.fullmatch(text)
    ):
        return Message(speaker, text or "<call>", time, SYSTEM)
    if not text and any(message.get(key) for key in MEDIA_KEYS):
        return Message(speaker, "<media>", time, MEDIA)
    return Message(speaker, text, time)


FORMAT = Format(
    title="Messenger, Instagram (JSON)",
    documentation="https://www.facebook.com/help/212802592074644",
    export="Accounts Center → Your information and permissions → Export your information → JSON",
    notes=(
        "`message_1.json`, `message_2.json`, … of a folder are one chat; broken characters are repaired; encrypted "
        "chats, which Messenger exports separately, are read too"
    ),
    claims=claims,
    read=read,
    joins=True,
)
