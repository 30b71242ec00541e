"""Claude's data export (`conversations.json`), and single conversations as the web application reads them.

`chat_messages` has the messages in order, each with `sender`, `text` and, since 2024, `content`: blocks of text, of
thinking and of the use of tools. `parent_message_uuid` makes a tree of them, whose shown branch ends at
`current_leaf_message_uuid`, where a file has it; in a data export it is the one that ends last. Large pastes are
`attachments` with their `extracted_content`. Form: exported files, described in
https://github.com/simonw/claude-to-sqlite and in viewers of such exports.

A tree is held in memory, a conversation at a time: its branch is known at its end only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.branches import Thread, choices_of, read_threads, threads
from wolf_chatbox.importers.shared.messages import ASSISTANT, MEDIA, SYSTEM, USER, Message, from_iso
from wolf_chatbox.importers.streams.json_stream import JsonStream

SPEAKERS = {"human": USER, "assistant": ASSISTANT}


def claims(head: str) -> bool:
    return (
        head.lstrip().startswith(("{", "["))
        and bool(re.search(r'"chat_messages"\s*:\s*\[', head))
        and bool(re.search(r'"(?:uuid|sender)"\s*:', head))
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the branch of each conversation that the program shows, or all of them."""
    yield from read_threads(threads(source, _fill), source, config, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the replies that the user left for another one to the same message."""
    yield from choices_of(threads(source, _fill), tally)


def _fill(stream: JsonStream, thread: Thread) -> None:
    before = leaf = ""
    for key in stream.fields():
        if key == "chat_messages" and stream.begins() == "[":
            for number, message in enumerate(stream.items()):
                if isinstance(message, dict):
                    name, parent = message.get("uuid"), message.get("parent_message_uuid", before)
                    name = name if isinstance(name, str) and name else str(number)
                    whole = message.get("truncated") is not True
                    thread.add(name, parent if isinstance(parent, str) else "", _said(message), whole=whole)
                    thread.last = before = name
        elif key in ("name", "current_leaf_message_uuid"):
            value = stream.value()
            if isinstance(value, str):
                thread.title, leaf = (value, leaf) if key == "name" else (thread.title, value)
    thread.last = leaf or before


def _said(message: dict[str, Any]) -> Iterator[Message]:
    """What a message says; a system message for each thought and use of a tool, and media for each file."""
    sender, time = message.get("sender"), from_iso(message.get("created_at"))
    speaker = SPEAKERS.get(sender, sender) if isinstance(sender, str) else ""
    texts: list[str] = []
    media = _objects(message, "attachments")
    named = {str(file.get("file_name")) for file in media}
    files = _objects(message, "files") or _objects(message, "files_v2")
    media += [file for file in files if str(file.get("file_name")) not in named]
    others = 0
    for block in _objects(message, "content"):
        if _is_text(block):
            texts.append(block["text"])
        elif block.get("type") in ("image", "document"):
            media.append(block)
        else:
            others += 1
            words = next((block[key] for key in ("thinking", "name") if isinstance(block.get(key), str)), "")
            yield Message("", words or f"<{block.get('type')}>", time, SYSTEM)
    if not texts and isinstance(message.get("text"), str):
        texts = [message["text"]]
    text = "\n\n".join(texts)
    if text.strip() or not (media or others):
        yield Message(speaker, text, time)
    for file in media:
        words = (file[key] for key in ("extracted_content", "file_name") if isinstance(file.get(key), str))
        yield Message(speaker, next(filter(None, words), "<file>"), time, MEDIA)


def _is_text(block: dict[str, Any]) -> bool:
    return block.get("type", "text") == "text" and isinstance(block.get("text"), str)


def _objects(message: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = message.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


FORMAT = Format(
    title="Claude (data export, JSON)",
    documentation="https://support.anthropic.com/en/articles/9450526-how-can-i-export-my-claude-ai-data",
    export="Settings → Privacy → Export data: the zip archive, or the `conversations.json` in it",
    notes=(
        "whole exports, and single conversations that browser extensions save (JSON). Thoughts and the use of tools "
        "are system messages; files and large pastes are media (`--also-keep media` keeps their text)"
    ),
    claims=claims,
    read=read,
    choices=choices,
    beside=r"(?:users|projects|memories)\.json",
)
