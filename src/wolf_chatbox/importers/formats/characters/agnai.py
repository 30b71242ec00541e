"""A chat of Agnai (agnaistic), as it exports one: JSON, the messages of the branch that is shown.

Form: https://github.com/agnaistic/agnai (web/pages/Chat/ChatExport.tsx, common/types/schema.ts).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, from_iso
from wolf_chatbox.importers.shared.replies import Chat, Reply, choices_in, read_chats, text_of
from wolf_chatbox.importers.streams.json_stream import JsonStream

KEYS = [re.compile(rf'(?<!\\)"{key}"\s*:') for key in ("greeting", "sampleChat", "scenario", "messages")]
BEGINNING = re.compile(r'\{\s*"name"\s*:\s*"Exported"\s*,\s*"greeting"\s*:')
"""A greeting and an example may be longer than what is seen of the file."""


def claims(head: str) -> bool:
    start = head.lstrip()
    return bool(BEGINNING.match(start)) or (
        start.startswith("{") and '"msg"' in start and all(key.search(start) for key in KEYS)
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat. What is out of character, and events, are system messages."""
    yield from read_chats([_chat(source)], config, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the choices between a reply and those that it was drawn again for."""
    yield from choices_in([_chat(source)], config, tally)


def _chat(source: Source) -> Chat:
    return Chat(source.path.stem, partial(_replies, source))


def _replies(source: Source) -> Iterator[Reply]:
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "messages" and stream.begins() == "[":
                yield from map(_reply, stream.items())


def _reply(message: Any) -> Reply:
    if not isinstance(message, dict):
        return Reply(Message("", ""))
    name = text_of(message.get("name")) or text_of(message.get("handle"))
    text, time = text_of(message.get("msg")), from_iso(message.get("createdAt"))
    by_user, retries = bool(message.get("userId")) and not message.get("characterId"), message.get("retries")
    others = tuple(map(text_of, retries)) if isinstance(retries, list) else ()
    kind = SYSTEM if message.get("ooc") is True or message.get("event") or message.get("system") is True else ""
    if message.get("adapter") == "image":  # the text is a picture, or its address
        text, kind = "<picture>", MEDIA
    return Reply(Message(name, text, time, kind), by_user, others, True)


FORMAT = Format(
    title="Agnai (JSON)",
    documentation="https://github.com/agnaistic/agnai",
    export="in the chat: ☰ → Export Chat → Download",
    notes=(
        "reads the branch that is shown; names as in the file, else `user` and `assistant`; messages out of character "
        "(OOC) and events are system messages"
    ),
    claims=claims,
    read=read,
    choices=choices,
)
