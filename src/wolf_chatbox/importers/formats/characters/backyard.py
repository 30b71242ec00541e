"""A chat of Backyard AI (Faraday), as it exports one: JSON, pairs of what the person and the character said.

Form: https://github.com/DominaeDev/ginger (BackyardChat, BackyardChatBackupV1), which reads and writes these files:
`{"version": 2, "chat": {"ChatItems": [{"input", "output", "createdAt"}]}}`. They hold no names. A backup of Ginger adds
`staging` with the greeting, before the chat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import Message
from wolf_chatbox.importers.shared.replies import Chat, Reply, from_milliseconds, read_chats, text_of
from wolf_chatbox.importers.streams.json_stream import JsonStream

MACRO = re.compile(r"(?<!\{)\{(user|char)(?:acter)?\}(?!\})")
"""Backyard's own: `{user}` and `{character}`."""
ITEMS = re.compile(r'(?<!\\)"ChatItems"\s*:')


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and bool(ITEMS.search(head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat. An empty half of a pair is no message."""
    yield from read_chats([Chat(source.path.stem, partial(_replies, source))], config, tally)


def _replies(source: Source) -> Iterator[Reply]:
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "staging":
                staging = stream.value()
                if isinstance(staging, dict) and text_of(staging.get("greeting")).strip():
                    yield Reply(Message("", staging["greeting"]))
            elif key == "chat" and stream.begins() == "{":
                for inner in stream.fields():
                    if inner == "ChatItems" and stream.begins() == "[":
                        for item in stream.items():
                            yield from _pair(item)


def _pair(item: Any) -> Iterator[Reply]:
    if not isinstance(item, dict):
        yield Reply(Message("", ""))
        return
    time = from_milliseconds(item.get("createdAt"))
    for key in ("input", "output"):
        if item.get(key) != "":
            text = MACRO.sub(r"{{\1}}", text_of(item.get(key)))
            yield Reply(Message("", text, time), key == "input")


FORMAT = Format(
    title="Backyard AI, Faraday (JSON)",
    documentation="https://github.com/DominaeDev/ginger",
    export="in the chat: ⋮ → Export chat; or Ginger → Export chat, Backup",
    notes=("the files have no names: the speakers are `user` and `assistant`"),
    claims=claims,
    read=read,
)
