"""Slack, as slackdump dumps it: `C123.json` with the replies of a thread in their message, or its text of that.

Form: https://github.com/rusq/slackdump (types.Conversation, converter text). What slackdump calls an export has
the form of Slack's own (slack). In text, what one writes within three minutes has one header, and is one message here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, cast

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.compression import AnyPath
from wolf_chatbox.importers.files.source import Source, share_of_lines
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.shared.slack_messages import message_of, names_in
from wolf_chatbox.importers.streams.json_stream import JsonStream

HEADER = re.compile(r"(?:\|   )?> (.{0,100}?) \[(\w{0,20})\] @ (\d\d/\d\d/\d{4} \d\d:\d\d:\d\d) (?:Z|[+-]\d{4}):$")
RECORD = re.compile(r'"type"\s*:\s*"message"')
STAMP = re.compile(r'"ts"\s*:\s*"\d{9,11}\.\d')
NAME = re.compile(r'"name"\s*:\s*"([^"\\]{1,100})"\s*,\s*"messages"\s*:')
THREAD = "|   "
USERS = re.compile(r"users.{0,50}\.(?:json|txt)")


def claims(head: str) -> bool:
    """Whether a document has Slack's messages in a list of its own, or a line is a header of the text."""
    start = head.lstrip()
    if start.startswith("{"):
        return '"messages"' in head and bool(RECORD.search(head)) and bool(STAMP.search(head))
    return start.startswith(("> ", THREAD)) and share_of_lines(head, HEADER) > 0.05


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the channel, the replies of a thread behind its first message, cut where it was silent."""
    if not source.head.lstrip().startswith("{"):
        yield from conversations(_lines(source), source.path.stem, config, tally)
        return
    names = names_in(_users(source))
    group = found[1] if (found := NAME.search(source.head)) else source.path.stem
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "messages" and stream.begins() == "[":
                yield from conversations(_messages(stream.items(), names, tally), group, config, tally)


def _users(source: Source) -> list[AnyPath]:
    """The lists of users beside the file."""
    try:
        places = cast(Iterator[AnyPath], source.folder.iterdir())
        return sorted((place for place in places if USERS.fullmatch(place.name)), key=str)
    except OSError:
        return []


def _messages(records: Iterable[Any], names: dict[str, str], tally: Tally) -> Iterator[Message]:
    broadcast: set[str] = set()
    """Replies shown in the channel too: they stand in their thread already."""
    for record in records:
        yield from _once(record, names, broadcast, tally)
        replies = record.get("slackdump_thread_replies") if isinstance(record, dict) else None
        for reply in replies if isinstance(replies, list) else ():
            if isinstance(reply, dict) and reply.get("subtype") == "thread_broadcast":
                broadcast.add(str(reply.get("ts")))
            yield message_of(reply, names)


def _once(record: Any, names: dict[str, str], broadcast: set[str], tally: Tally) -> Iterator[Message]:
    if isinstance(record, dict) and str(record.get("ts")) in broadcast:
        tally.dropped["duplicate message"] += 1
    else:
        yield message_of(record, names)


def _lines(source: Source) -> Iterator[Message]:
    header: re.Match[str] | None = None
    body: list[str] = []
    for line in source.lines():
        line = line.rstrip("\n")
        if match := HEADER.match(line):
            if header:
                yield _message(header, body)
            header, body = match, []
        elif header:
            body.append(line.removeprefix(THREAD) if header[0].startswith(THREAD) else line)
        elif line.strip():
            yield Message("", line, kind=SYSTEM)
    if header:
        yield _message(header, body)


def _message(header: re.Match[str], body: list[str]) -> Message:
    while body and body[-1].strip(THREAD) == "":
        body.pop()
    try:
        time = datetime.strptime(header[3], "%d/%m/%Y %H:%M:%S")
    except ValueError:
        time = None
    return Message(header[1] or header[2], "\n".join(body), time)


FORMAT = Format(
    title="Slack (slackdump)",
    documentation="https://github.com/rusq/slackdump",
    export="`slackdump dump CHANNEL`; for the names, `slackdump list users -format json` into the same folder",
    notes=(
        "JSON and text; replies follow the message they answer; names come from `users*.json` or `users*.txt` in the "
        "folder. In text, what somebody writes within three minutes is one message"
    ),
    claims=claims,
    read=read,
    beside=r"users.{0,50}\.(?:json|txt)|(?:channels|workspace).{0,50}\.(?:json|txt)",
)
