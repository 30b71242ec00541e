"""ChatGPT's data export (`conversations.json`, or `conversations-000.json`, …), and single conversations.

A conversation is a tree: `mapping` has its messages by id, each with its `parent` and `children`; `current_node` is the
end of the branch that the program shows. Exporters save what the program itself reads (`/backend-api/conversation/ID`):
the same object, alone or in a list. Form: the interfaces in
https://github.com/pionxzh/chatgpt-exporter/blob/master/src/api.ts, and exported files.

A tree is held in memory, a conversation at a time, without the metadata of its messages: its branch is known at its
end only.
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
from wolf_chatbox.importers.shared.messages import ASSISTANT, MEDIA, SYSTEM, USER, Message, from_unix
from wolf_chatbox.importers.streams.json_stream import JsonStream

MAPPING = re.compile(r'"mapping"\s*:\s*\{\s*"[^"\n]{1,100}"\s*:\s*\{')
NODE = re.compile(r'"(?:author|children|content_type)"\s*:')
SPOKEN = frozenset(("text", "multimodal_text", "code"))
"""The types of content that somebody says; the others are thoughts, instructions and what tools find."""
HIDDEN = ("is_visually_hidden_from_conversation", "is_visually_hidden")
MARK = re.compile(r"\ue200(?:(entity)|(url)|[^\ue200-\ue202]{0,100})((?:\ue202[^\ue200-\ue202]{0,4000}){0,100})\ue201")
"""A mark in a reply, which the program shows as a link: its kind and its fields."""
NAME = re.compile(r'\["(?:[^"\\]|\\.){0,200}",\s*"((?:[^"\\]|\\.){0,400})"')


def claims(head: str) -> bool:
    return head.lstrip().startswith(("{", "[")) and bool(MAPPING.search(head)) and bool(NODE.search(head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the branch of each conversation that the program shows, or all of them."""
    yield from read_threads(threads(source, _fill), source, config, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the replies that the user left for another one to the same message."""
    yield from choices_of(threads(source, _fill), tally)


def _fill(stream: JsonStream, thread: Thread) -> None:
    for key in stream.fields():
        if key == "mapping" and stream.begins() == "{":
            for name in stream.fields():
                _add(thread, name, stream.value())
        elif key in ("title", "current_node"):
            value = stream.value()
            setattr(thread, "title" if key == "title" else "last", value if isinstance(value, str) else "")


def _add(thread: Thread, name: str, node: Any) -> None:
    if not isinstance(node, dict):
        return
    message = _object(node.get("message"))
    thread.add(name, str(node.get("parent") or ""), _said(message) if message else (), whole=_is_whole(message))
    children = node.get("children")
    for place, child in enumerate(children if isinstance(children, list) else ()):
        thread.places[str(child)] = place


def _said(message: dict[str, Any]) -> Iterator[Message]:
    """What a message says, and a message for each of its pictures and files."""
    author, content, metadata = (_object(message.get(key)) for key in ("author", "content", "metadata"))
    role, time = author.get("role"), from_unix(message.get("create_time"))
    parts = content.get("parts")
    parts = parts if isinstance(parts, list) else [content.get(key) for key in ("text", "content", "result")]
    texts = [part if isinstance(part, str) else _object(part).get("text") for part in parts]
    text = "\n".join(text for text in texts if isinstance(text, str))
    spoken = (
        role in (USER, ASSISTANT)
        and content.get("content_type", "text") in SPOKEN
        and message.get("recipient", "all") == "all"
        and message.get("channel") in (None, "final")
        and not any(metadata.get(key) is True for key in HIDDEN)
    )
    if not spoken:
        yield Message("", text or f"<{content.get('content_type')}>", time, SYSTEM)
        return
    media = [_object(part).get("content_type") for part in parts if isinstance(part, dict) and "text" not in part]
    attached = metadata.get("attachments")
    media += ["attachment"] * (len(attached) - len(media) if isinstance(attached, list) else 0)
    if text.strip() or not media:
        yield Message(str(role), MARK.sub(_shown, text) if "\ue200" in text else text, time)
    for kind in media:
        yield Message(str(role), f"<{kind}>", time, MEDIA)


def _shown(mark: re.Match[str]) -> str:
    """What the program shows for a mark: the name of a thing, the text of a link, nothing for a citation."""
    fields = mark[3].split("\ue202")[1:]
    if mark[2] and fields:
        return fields[0]
    if not mark[1] or not fields:
        return ""
    name = NAME.match(fields[0])
    return name[1].replace('\\"', '"') if name else fields[0] if not fields[0].startswith("[") else ""


def _is_whole(message: dict[str, Any]) -> bool:
    """Whether a reply was neither stopped nor cut at a limit."""
    details = _object(_object(message.get("metadata")).get("finish_details")).get("type")
    status = message.get("status")
    return details not in ("interrupted", "max_tokens") and status in (None, "finished_successfully")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


FORMAT = Format(
    title="ChatGPT (data export, JSON)",
    documentation="https://help.openai.com/en/articles/7260999-how-do-i-export-my-chatgpt-history-and-data",
    export="Settings → Data controls → Export data: the zip archive, or the `conversations.json` in it",
    notes=(
        "whole exports, and single conversations that browser extensions save (JSON). Thoughts, hidden instructions "
        "and the use of tools are system messages; pictures, sounds and files are media. The words of voice chats are "
        "kept; marks of citations are removed"
    ),
    claims=claims,
    read=read,
    choices=choices,
    beside=(
        r"chat\.html|(?:user|user_settings|ads|message_feedback|model_comparisons|shared_conversations"
        r"|shopping|sora|export_manifest|library_files|conversation_asset_file_names)\.json"
        r"|file[-_].*|.*\.(?:png|jpe?g|webp|gif|wav|mp3|m4a|mp4|dat|pdf)"
    ),
)
