"""A Slack workspace's export: a folder (or zip) with a folder a channel, and in it a file a day.

Form: https://slack.com/help/articles/220556107; messages: https://api.slack.com/events/message.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any, cast

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.compression import AnyPath
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.json_stream import JsonStream
from wolf_chatbox.importers.messages import DELETED, MEDIA, SYSTEM, Message, conversations, from_unix
from wolf_chatbox.importers.source import Source

SAID = ("", "me_message", "thread_broadcast", "bot_message", "file_comment", "reply_broadcast")
"""Subtypes of messages that somebody said."""
BESIDE = (
    r"(?:users|org_users|channels|groups|dms|mpims|canvases|lists|file_conversations|huddle_transcripts"
    r"|integration_logs)\.json"
)
MARK = re.compile(r"<([@#!])?([^<>|\n]*)(?:\|([^<>\n]*))?>")


def claims(head: str) -> bool:
    return (
        head.lstrip().startswith("[")
        and bool(re.search(r'"type"\s*:\s*"message"', head))
        and bool(re.search(r'"ts"\s*:\s*"\d', head))
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a channel with all its days, cut where it was silent. Joins, topics and notices are system messages."""
    names = _names(source)
    yield from conversations(
        _messages(source, names, config, tally), source.folder.name or source.path.stem, config, tally
    )


def _messages(source: Source, names: dict[str, str], config: ReadConfig, tally: Tally) -> Iterator[Message]:
    for day in (source, *source.more):
        before = tally.read
        try:
            with JsonStream(day) as stream:
                for message in stream.items():
                    yield _message(message, names)
        except DataError as error:
            tally.leave(day.path, error, tally.read - before, alone=not source.more, strict=config.strict)


def _message(message: Any, names: dict[str, str]) -> Message:
    if not isinstance(message, dict):
        return Message("", "")
    profile = message.get("user_profile") or {}
    user = str(message.get("user") or message.get("bot_id") or "")
    known = names.get(user) or (
        profile.get("display_name") or profile.get("real_name") if isinstance(profile, dict) else None
    )
    speaker, time = str(known or message.get("username") or user), from_unix(message.get("ts"))
    text = html.unescape(MARK.sub(lambda mark: _plain(mark, names), str(message.get("text") or "")))
    subtype = str(message.get("subtype") or "")
    if subtype == "tombstone":
        return Message(speaker, text, time, DELETED)
    if subtype not in SAID:
        return Message(speaker, text, time, SYSTEM)
    if not text and (message.get("files") or message.get("attachments")):
        return Message(speaker, "<file>", time, MEDIA)
    return Message(speaker, text, time)


def _plain(mark: re.Match[str], names: dict[str, str]) -> str:
    """Slack's markup as the screen shows it: `<@U1>` is a name, `<https://x|text>` the text."""
    kind, target, label = mark.groups()
    if kind == "@":
        return "@" + (names.get(target) or label or target)
    if kind == "!":
        return "@" + (label or target)
    return ("#" if kind else "") + (label or target)


def _names(source: Source) -> dict[str, str]:
    """Display names by id, from users.json beside the channels."""
    found: dict[str, str] = {}
    for place in (cast(AnyPath, source.folder.parent), source.folder):
        try:
            users = json.loads((place / "users.json").read_text(encoding="utf-8"))
        except (OSError, KeyError, ValueError):
            continue
        for user in users if isinstance(users, list) else []:
            if isinstance(user, dict) and "id" in user:
                profile: Any = user.get("profile")
                profile = profile if isinstance(profile, dict) else {}
                name = (
                    profile.get("display_name") or user.get("real_name") or profile.get("real_name") or user.get("name")
                )
                found[str(user["id"])] = str(name or user["id"])
    return found


FORMAT = Format(
    title="Slack export",
    documentation="https://slack.com/help/articles/220556107",
    export="workspace settings → Import/export data → Export (zip or folder)",
    notes="all days of a channel are one chat; names come from `users.json`; `<@U1>` becomes a name",
    claims=claims,
    read=read,
    joins=True,
    beside=BESIDE,
)
