"""Discord, as DiscordChatExporter writes it in JSON, a file a channel.

Form: https://github.com/Tyrrrz/DiscordChatExporter (JsonMessageWriter).
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
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, from_iso
from wolf_chatbox.importers.streams.json_stream import JsonStream

SAID = ("Default", "Reply", "0", "19")
"""Types of messages that somebody said, by name and by Discord's numbers."""


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and all(
        re.search(rf'"{key}"\s*:', head) for key in ("guild", "channel", "messages")
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the channel, cut where it was silent. Joins, pins and calls are dropped and counted; bots are speakers."""
    with JsonStream(source) as stream:
        place: dict[str, str] = {}
        for key in stream.fields():
            if key in ("guild", "channel"):
                value = stream.value()
                place[key] = str(value.get("name") or "") if isinstance(value, dict) else ""
            elif key == "messages":
                group = " ".join(filter(None, place.values())) or source.path.stem
                yield from conversations(map(_message, stream.items()), group, config, tally)


def _message(message: Any) -> Message:
    author = message.get("author") if isinstance(message, dict) else None
    if not isinstance(author, dict):
        return Message("", "")
    speaker, time = str(author.get("nickname") or author.get("name") or ""), from_iso(message.get("timestamp"))
    text = str(message.get("content") or "")
    if str(message.get("type", "Default")) not in SAID:
        return Message(speaker, text, time, SYSTEM)
    if not text and any(message.get(key) for key in ("attachments", "embeds", "stickers", "forwardedMessage")):
        return Message(speaker, "<attachment>", time, MEDIA)
    return Message(speaker, text, time)


FORMAT = Format(
    title="Discord (DiscordChatExporter JSON)",
    documentation="https://github.com/Tyrrrz/DiscordChatExporter",
    export="DiscordChatExporter → format JSON",
    notes="keeps messages and replies, those of bots too; the speaker is the server's nickname",
    claims=claims,
    read=read,
)
