"""Telegram Desktop's "Export chat history" and "Export Telegram data" as JSON: one chat, or all of them.

Form: https://core.telegram.org/import-export and the files that Telegram Desktop writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, from_iso, from_unix
from wolf_chatbox.importers.streams.json_stream import JsonStream


def claims(head: str) -> bool:
    return (
        head.lstrip().startswith("{")
        and bool(re.search(r'"(date_unixtime|from_id|actor_id)"\s*:', head))
        and '"messages"' in head
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat, cut where it was silent. Service messages, media without a caption and polls are counted."""
    with JsonStream(source) as stream:
        yield from _chat(stream, source, config, tally)


def _chat(
    stream: JsonStream, source: Source, config: ReadConfig, tally: Tally, number: int = 0
) -> Iterator[Conversation]:
    name = ""
    for key in stream.fields():
        if key in ("name", "id") and not name:
            name = str(stream.value() or "")
        elif key == "messages":
            yield from conversations(
                map(_message, stream.items()), name or f"{source.path.stem} {number or ''}".strip(), config, tally
            )
        elif key in ("chats", "left_chats") and stream.begins() == "{":
            for inner in stream.fields():
                if inner == "list":
                    for at, _ in enumerate(stream.elements(), 1):
                        yield from _chat(stream, source, config, tally, at)


def _message(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message("", "")
    time = from_iso(message.get("date")) or from_unix(message.get("date_unixtime"))
    text = _text(message.get("text"))
    if message.get("type") == "service":
        return Message(str(message.get("actor") or ""), text or str(message.get("action", "")), time, SYSTEM)
    speaker = message.get("from") or (f"Deleted Account {message['from_id']}" if "from_id" in message else "")
    what = message.get("media_type") or next(
        (key for key in ("photo", "file", "poll", "location_information", "contact_information") if key in message), ""
    )
    return (
        Message(str(speaker), text or f"<{what}>", time, "" if text or not what else MEDIA)
        if text or what
        else Message(str(speaker), "", time)
    )


def _text(text: Any) -> str:
    if isinstance(text, list):  # plain pieces, and marked ones: {"type": "link", "text": …}
        return "".join(
            part if isinstance(part, str) else str(part.get("text", "")) if isinstance(part, dict) else ""
            for part in text
        )
    return text if isinstance(text, str) else ""


FORMAT = Format(
    title="Telegram (JSON)",
    documentation="https://core.telegram.org/import-export",
    export="Telegram Desktop: chat ⋮ → Export chat history → JSON; or Settings → Advanced → Export Telegram data",
    notes="one chat or all of them; formatting is removed; captions are kept",
    claims=claims,
    read=read,
)
