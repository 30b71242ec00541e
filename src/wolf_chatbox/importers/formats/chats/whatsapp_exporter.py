"""WhatsApp, as WhatsApp-Chat-Exporter writes it in JSON: all chats in one file, or a file a chat.

`{"4479…@s.whatsapp.net": {"name": "Ann", "type": "android", "messages": {"1": {"from_me": false, "data": "hi", …}}}}`.
Its output like Telegram's is read as Telegram. Form: https://github.com/KnugiHK/WhatsApp-Chat-Exporter (data_model.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, SYSTEM, Message, conversations, from_unix
from wolf_chatbox.importers.streams.html_stream import text_of_markup
from wolf_chatbox.importers.streams.json_stream import JsonStream

KEYS = ('"messages"', '"from_me"', '"key_id"', '"meta"')
DELETED_BODIES = ("Message deleted", "Message deleted.", "The message is deleted")
MISSING = "The media is missing"


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and all(key in head for key in KEYS)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat, cut where it was silent; `Me` is who exported it. Media without a caption are counted."""
    with JsonStream(source) as stream:
        for jid in stream.fields():
            if stream.begins() == "{":
                yield from _chat(stream, jid, config, tally)


def _chat(stream: JsonStream, jid: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    name = ""
    for key in stream.fields():
        if key == "name":
            name = str(stream.value() or "")
        elif key == "messages" and stream.begins() in "{[":
            other = name or jid.partition("@")[0]
            records = stream.items() if stream.begins() == "[" else (stream.value() for _ in stream.fields())
            yield from conversations((_message(record, other) for record in records), other, config, tally)


def _message(record: Any, other: str) -> Message:
    if not isinstance(record, dict):
        return Message("", "")
    speaker = "Me" if record.get("from_me") else str(record.get("sender") or other)
    stamp = record.get("timestamp")
    time = from_unix(stamp / 1000 if isinstance(stamp, (int, float)) and stamp > 1e11 else stamp)
    text = _text(record, "data")
    if record.get("media") or record.get("sticker"):
        caption = _text(record, "caption")
        return Message(speaker, caption or "<media>", time, "" if caption else MEDIA)
    if text in DELETED_BODIES:
        return Message(speaker, text, time, DELETED)
    if record.get("meta"):
        return Message(speaker, text or "<notice>", time, MEDIA if text.startswith(MISSING) else SYSTEM)
    return Message(speaker, text, time)


def _text(record: dict[str, Any], key: str) -> str:
    """A text, whose line ends the exporter writes as `<br>`; where it calls it `safe`, it wrote it as HTML."""
    value = record.get(key)
    if not isinstance(value, str):
        return ""
    return text_of_markup(value) if record.get("safe") else value.replace("<br>", "\n").strip()


FORMAT = Format(
    title="WhatsApp (WhatsApp-Chat-Exporter JSON)",
    documentation="https://github.com/KnugiHK/WhatsApp-Chat-Exporter",
    export="`wtsexporter … -j` (all chats in one file), or with `--per-chat`",
    notes="`Me` is who exported it; times are UTC; captions are kept; its `--telegram` output is read as `telegram`",
    claims=claims,
    read=read,
)
