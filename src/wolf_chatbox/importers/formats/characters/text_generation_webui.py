"""A log of text-generation-webui (oobabooga): JSON, pairs of what the person and the character said.

Form: https://github.com/oobabooga/text-generation-webui (modules/chat.py: save_history, add_message_version):
`{"internal": [["…", "…"]], "visible": …, "metadata": {"assistant_0": {"timestamp", "versions", …}}}`, before 2023-08
`{"data": …, "data_visible": …}`. `internal` is the text as the model saw it, `visible` its HTML. Where the character
speaks first, the person's text is a mark. CAI Tools and Ginger write this form too.

The metadata come last and are read first: the times, and the versions of regenerated replies, of one chat are held.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, MONTHS, Message, from_iso, moment
from wolf_chatbox.importers.shared.replies import Chat, Reply, choices_in, read_chats, text_of
from wolf_chatbox.importers.streams.json_stream import JsonStream

LISTS = re.compile(r'\{\s*"(?:internal|visible|data_visible|(data))"\s*:\s*\[\s*(?:\[\s*(?:"|null)|(\]))')
"""How a log begins, with its first pair or none; `data` is a common name."""
GREETING = "<|BEGIN-VISIBLE-CHAT|>"
"""Stands for the person's message before a greeting."""
TIMESTAMP = re.compile(r"([A-Z][a-z]{2}) (\d\d), (\d{4}) (\d\d):(\d\d)", re.ASCII)
FILE = re.compile(r"\d{8}-\d\d-\d\d-\d\d")
"""How a log is named, in a folder with the character's name."""
OLD_FILE = re.compile(r"(?:persistent_(.{1,100})|(.{1,100})_(?:persistent|\d{8}-\d{6}))")
WHO = ("user", "assistant")


class Details(NamedTuple):
    """What the metadata say of a message."""

    time: datetime | None = None
    others: tuple[str, ...] = ()
    latest: bool = True
    files: bool = False


def claims(head: str) -> bool:
    start = head.lstrip()
    match = LISTS.match(start)
    if match is None:
        return False
    if match[1]:
        return '"data_visible"' in start or GREETING in start
    return not match[2] or '"visible"' in start


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the log. Other versions of a reply are dropped and counted."""
    yield from read_chats([_chat(source)], config, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the choices between the versions of a reply."""
    yield from choices_in([_chat(source)], config, tally)


def _chat(source: Source) -> Chat:
    kept, names, details = "", {"name1": "", "name2": ""}, dict[str, Details]()
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key in ("internal", "data", "visible", "data_visible") and stream.begins() == "[":
                kept = kept if kept in ("internal", "data") else key
                for _ in stream.elements():
                    pass
            elif key in names:
                names[key] = text_of(stream.value())
            elif key == "metadata" and stream.begins() == "{":
                details = {place: _details(stream.value()) for place in stream.fields()}
    character = names["name2"] or _character(source)
    return Chat(source.path.stem, partial(_replies, source, kept, details), names["name1"], character)


def _character(source: Source) -> str:
    """The character's name, from where the log lies or from its name."""
    stem = source.path.stem
    if FILE.fullmatch(stem):
        folder = source.folder.name
        return "" if folder in ("", "instruct", "logs", "chat") else folder
    old = OLD_FILE.fullmatch(stem)
    return (old[1] or old[2] or "") if old else ""


def _details(value: Any) -> Details:
    if not isinstance(value, dict):
        return Details()
    versions, at = value.get("versions"), value.get("current_version_index")
    versions = versions if isinstance(versions, list) else []
    texts = [text_of(item.get("content")) if isinstance(item, dict) else "" for item in versions]
    at = at if type(at) is int and 0 <= at < len(texts) else len(texts) - 1
    others = (*texts[:at], *texts[at + 1 :]) if texts else ()
    return Details(_time(value.get("timestamp")), others, at == len(texts) - 1, bool(value.get("attachments")))


def _time(value: Any) -> datetime | None:
    if match := TIMESTAMP.match(text_of(value)):
        return moment(int(match[3]), MONTHS.get(match[1], 0), *map(int, (match[2], match[4], match[5])))
    return from_iso(value)


def _replies(source: Source, kept: str, details: Mapping[str, Details]) -> Iterator[Reply]:
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == kept and stream.begins() == "[":
                for row, pair in enumerate(stream.items()):
                    yield from _pair(pair, row, details, escaped="visible" in kept)


def _pair(pair: Any, row: int, details: Mapping[str, Details], *, escaped: bool) -> Iterator[Reply]:
    if not isinstance(pair, list):
        yield Reply(Message("", ""))
        return
    for who, text in zip(WHO, pair, strict=False):
        known = details.get(f"{who}_{row}", Details())
        if text == GREETING or (text in ("", None) and not known.files and not known.others):
            continue
        text = html.unescape(text_of(text)) if escaped else text_of(text)
        kind = MEDIA if not text.strip() and known.files else ""
        yield Reply(Message("", text or kind, known.time, kind), who == "user", known.others, known.latest)


FORMAT = Format(
    title="text-generation-webui (JSON)",
    documentation="https://github.com/oobabooga/text-generation-webui",
    export="`user_data/logs/chat/CHARACTER/*.json`; or in the chat: ☰ → Save → history",
    notes=(
        "the text as the model saw it. Logs have no names: the character's is that of the folder or the file, else "
        "`assistant`; the person is `user`. The current version of a reply is read; `data preferences` writes the "
        "choices. Attachments are left out"
    ),
    claims=claims,
    read=read,
    choices=choices,
)
