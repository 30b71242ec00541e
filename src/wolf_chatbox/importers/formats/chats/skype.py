"""Skype's data export, and that of Teams: all chats in `messages.json`, each with the newest message first.

Form: https://secure.skype.com/data-export; the types of messages are listed at
https://github.com/siwen-r/skype-export-parser/blob/main/docs/skype.md.
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

CHATS, LIST = re.compile(r'"conversations"\s*:'), re.compile(r'"MessageList"\s*:')


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and bool(CHATS.search(head)) and bool(LIST.search(head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat, oldest first, cut where it was silent; what nobody said is counted. Times are UTC."""
    names: dict[str, str] = {}
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "conversations" and stream.begins() == "[":
                for number, _ in enumerate(stream.elements(), 1):
                    if stream.begins() == "{":
                        yield from _chat(stream, f"{source.path.stem} {number}", names, config, tally)


def _chat(
    stream: JsonStream, group: str, names: dict[str, str], config: ReadConfig, tally: Tally
) -> Iterator[Conversation]:
    """Yield the conversations of one chat. Its name stands before its messages; a chat of two has its partner's id."""
    partner = ""
    for key in stream.fields():
        if key == "id":
            partner = str(stream.value() or "")
            group = names.get(partner) or group
        elif key == "displayName" and (name := stream.value()):
            group = str(name)
            names.setdefault(partner, group)
        elif key == "threadProperties":
            properties = stream.value()
            topic = properties.get("topic") if isinstance(properties, dict) else None
            group = str(topic or group)
        elif key == "MessageList" and stream.begins() == "[":
            messages = (message_of(record, names) for record in stream.items())
            yield from conversations(oldest_first(messages), group, config, tally)


FORMAT = Format(
    title="Skype, Teams (data export)",
    documentation="https://support.microsoft.com/en-us/skype/export-your-skype-data",
    export=(
        "the account's page → Export files and chat history → Conversations; unpack the tar and pass `messages.json`"
    ),
    notes="all chats of the account; quotes are removed, smileys kept; times are UTC",
    claims=claims,
    read=read,
    beside=r"(?:endpoints|media_list)\.json|.*\.(?:jpe?g|png|mp4|psh)",
)
