"""A Slack workspace's export: a folder (or zip) with a folder a channel, and in it a file a day.

Form: https://slack.com/help/articles/220556107; messages: https://api.slack.com/events/message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.compression import AnyPath
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import Message, conversations
from wolf_chatbox.importers.shared.slack_messages import message_of, names_in
from wolf_chatbox.importers.streams.json_stream import JsonStream

BESIDE = (
    r"(?:users|org_users|channels|groups|dms|mpims|canvases|lists|file_conversations|huddle_transcripts"
    r"|integration_logs)\.json"
)


def claims(head: str) -> bool:
    return (
        head.lstrip().startswith("[")
        and bool(re.search(r'"type"\s*:\s*"message"', head))
        and bool(re.search(r'"ts"\s*:\s*"\d', head))
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a channel with all its days, cut where it was silent. Joins, topics and notices are system messages."""
    names = names_in(place / "users.json" for place in (cast(AnyPath, source.folder.parent), source.folder))
    yield from conversations(
        _messages(source, names, config, tally), source.folder.name or source.path.stem, config, tally
    )


def _messages(source: Source, names: dict[str, str], config: ReadConfig, tally: Tally) -> Iterator[Message]:
    for day in (source, *source.more):
        before = tally.read
        try:
            with JsonStream(day) as stream:
                for message in stream.items():
                    yield message_of(message, names)
        except DataError as error:
            tally.leave(day.path, error, tally.read - before, alone=not source.more, strict=config.strict)


FORMAT = Format(
    title="Slack export",
    documentation="https://slack.com/help/articles/220556107",
    export="workspace settings → Import/export data → Export (zip or folder)",
    notes=(
        "all days of a channel are one chat; names come from `users.json`; `<@U1>` becomes a name; messages that are "
        "blocks only are read as the screen shows them"
    ),
    claims=claims,
    read=read,
    joins=True,
    beside=BESIDE,
)
