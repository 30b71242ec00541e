"""Microsoft Teams, as its service gives a chat, and the tools that save it write it: `messages` with `imdisplayname`.

Form: `{"messages": [{"imdisplayname": …, "originalarrivaltime": …, "messagetype": "Text", "content": "<p>…"}]}`
or the list alone; the newest message comes first. Types of messages:
https://learn.microsoft.com/en-us/azure/communication-services/concepts/chat/concepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import conversations
from wolf_chatbox.importers.shared.skype_messages import message_of
from wolf_chatbox.importers.streams.chronology import oldest_first
from wolf_chatbox.importers.streams.json_stream import JsonStream

KEYS = [
    re.compile(rf'"{key}"\s*:')
    for key in ("messagetype", "content", "(?:imdisplayname|originalarrivaltime|composetime)")
]
EXPORT = re.compile(r'"MessageList"\s*:')


def claims(head: str) -> bool:
    return head.lstrip().startswith(("{", "[")) and all(key.search(head) for key in KEYS) and not EXPORT.search(head)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, oldest first, cut where it was silent; what nobody said is counted. Times are UTC."""
    group = source.path.stem
    with JsonStream(source) as stream:
        if stream.begins() == "[":
            yield from _chat(stream, group, config, tally)
            return
        for key in stream.fields():
            if key in ("topic", "displayName", "title") and stream.begins() == '"':
                group = stream.value() or group
            elif key == "messages" and stream.begins() == "[":
                yield from _chat(stream, group, config, tally)


def _chat(stream: JsonStream, group: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    names: dict[str, str] = {}
    yield from conversations(oldest_first(message_of(record, names) for record in stream.items()), group, config, tally)


FORMAT = Format(
    title="Microsoft Teams (chat service)",
    documentation="https://learn.microsoft.com/en-us/azure/communication-services/concepts/chat/concepts",
    export="a tool that saves the chat service's answers as JSON; Teams' own data export is read as `skype`",
    notes="`messages` with `imdisplayname` and HTML; quoted messages are removed, smileys are kept; times are UTC",
    claims=claims,
    read=read,
)
