"""What the importers of chats share: messages in, conversations out, cut where the chat was silent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import clean

MEDIA, SYSTEM, DELETED = "media", "system", "deleted"
DROPPED = {MEDIA: "media", SYSTEM: "system message", DELETED: "deleted message"}
"""Kinds of messages that nobody said, and the reasons they are counted under."""
USER, ASSISTANT = "user", "assistant"
"""The speakers of a chat with an assistant, where they have no names."""
MONTHS = dict(zip(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), range(1, 13)))


class Message(NamedTuple):
    speaker: str
    text: str
    time: datetime | None = None
    kind: str = ""
    """MEDIA, SYSTEM or DELETED, or empty for what somebody said."""


def conversations(messages: Iterable[Message], group: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation for each session: messages without a gap of `config.session_gap` hours. All are counted.

    If the messages end in an error, the last session comes before it. Only one session is in memory at a time.
    """
    gap = timedelta(hours=config.session_gap) if config.session_gap else timedelta.max
    names: dict[str, str] = {}
    turns: list[Turn] = []
    before: datetime | None = None
    try:
        for speaker, text, time, kind in messages:
            if kind and kind not in config.also_keep:
                tally.dropped[DROPPED[kind]] += 1
                continue
            name = names.get(speaker)
            if name is None:
                name = names[speaker] = clean(speaker)
            text = clean(text)
            if not text:
                tally.dropped["no text"] += 1
                continue
            if not name:
                if kind != SYSTEM:
                    tally.dropped["no speaker"] += 1
                    continue
                name = "system"
            if time is not None:
                if before is not None and (time - before > gap or before - time > gap) and turns:
                    yield Conversation(tuple(turns), group)
                    turns = []
                before = time
            tally.kept += 1
            turns.append(Turn(name, text, time))
    except DataError:  # keep what was read before the damage
        if turns:
            yield Conversation(tuple(turns), group)
        raise
    if turns:
        yield Conversation(tuple(turns), group)


def moment(*parts: int) -> datetime | None:
    """The time with this year, month, day, hour, …; None when there is no such time."""
    try:
        return datetime(*parts)  # type: ignore[arg-type]
    except ValueError:
        return None


def from_unix(seconds: Any) -> datetime | None:
    """The UTC time of seconds since 1970, given as a number or a string; None for anything else."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC).replace(tzinfo=None)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def from_iso(text: Any) -> datetime | None:
    """The local time of an ISO 8601 text; None for anything else."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except (TypeError, ValueError):
        return None
