"""A chat of JanitorAI, as JanitorAI Chat Downloader saves it: the site's answer, JSON, the newest message first.

Form: https://github.com/ves-per/janitorai-downloader-exporter (scripts/content.js), which adds `persona_name`:
`{"chat": …, "character": {"name", "chat_name"}, "chatMessages": [{"is_bot", "message", "created_at", "is_main"}]}`. The
messages are held to put them in order: they are those of one page of the site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import Message, from_iso
from wolf_chatbox.importers.shared.replies import Chat, Reply, choices_in, read_chats, text_of
from wolf_chatbox.importers.streams.json_stream import JsonStream

KEYS = [re.compile(rf'(?<!\\)"{key}"\s*:') for key in ("chatMessages", "is_bot")]


def claims(head: str) -> bool:
    start = head.lstrip()
    return start.startswith("{") and all(key.search(start) for key in KEYS)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat. The other replies to the last message are dropped and counted."""
    yield from read_chats([_chat(source)], config, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the choices between the replies to a message."""
    yield from choices_in([_chat(source)], config, tally)


def _chat(source: Source) -> Chat:
    names = {"user": "", "character": ""}
    messages: list[dict[str, Any]] = []
    strange = 0
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "chatMessages" and stream.begins() == "[":
                for message in stream.items():
                    if isinstance(message, dict):
                        messages.append(message)
                    else:
                        strange += 1
            elif key == "character":
                value = stream.value()
                if isinstance(value, dict):
                    names[key] = text_of(value.get("chat_name")) or text_of(value.get("name"))
            elif key == "persona_name":
                names["user"] = text_of(stream.value())
    messages.reverse()
    messages.sort(key=lambda message: text_of(message.get("created_at")))
    replies = [Reply(Message("", ""))] * strange + _replies(messages)
    return Chat(source.path.stem, replies.copy, **names)


def _replies(messages: list[dict[str, Any]]) -> list[Reply]:
    """The replies in order. Of several in a row, those that are not the main one are others in its place."""
    runs = [list(run) for _, run in groupby(messages, key=lambda message: message.get("is_bot") is True)]
    replies: list[Reply] = []
    for number, run in enumerate(runs):
        mains = [message for message in run if message.get("is_main") is not False]
        if number == len(runs) - 1 and run[0].get("is_bot") is True:
            mains = mains[:1]  # where the site does not tell, the first answer is shown
        mains = mains or run[:1]
        others = tuple(text_of(message.get("message")) for message in run if not any(message is it for it in mains))
        for message in mains:
            said = Message("", text_of(message.get("message")), from_iso(message.get("created_at")))
            replies.append(Reply(said, message.get("is_bot") is not True, latest=message is run[-1]))
        replies[-1] = replies[-1]._replace(others=others)
    return replies


FORMAT = Format(
    title="JanitorAI (JSON)",
    documentation="https://github.com/ves-per/janitorai-downloader-exporter",
    export="the browser extension JanitorAI Chat Downloader → Download",
    notes=(
        "of several answers to the last message the shown one is read; `data preferences` writes the choices. Its "
        "export for SillyTavern is read as `sillytavern`"
    ),
    claims=claims,
    read=read,
    choices=choices,
)
