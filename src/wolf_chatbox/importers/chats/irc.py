"""Logs of IRC clients: irssi, WeeChat, ZNC, HexChat, mIRC. `12:34 <nick> text`, `[12:34:56] <nick> text`, `2024-05-01 12:34:56<TAB>nick<TAB>text`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.source import Source, share_of_lines

STAMP = r"\[?(?:(\d{4}-\d\d-\d\d|[A-Z][a-z]{2} \d\d)[ T])?(\d\d):(\d\d)(?::(\d\d))?\]?"
SAID = re.compile(STAMP + r"\s+<\s?[@+%&~!]?([^<>\s]{1,64})>\s?(.*)$")
ACTION = re.compile(STAMP + r"\s+\*\s+([^\s*]{1,64}) (.*)$")
WEECHAT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d):(\d\d):(\d\d)\t([^\t]{0,64})\t(.*)$")
NOTICE = re.compile(STAMP + r"\s+(?:-!-|\*\*\*|-->|<--|--|!)\s*(.*)$")
DAY = re.compile(
    r"(?:--- (?:Log opened|Day changed)|\*{4} BEGIN LOGGING AT|Session Start:) \w{3} (\w{3}) {1,2}(\d{1,2})(?: \d\d:\d\d:\d\d)? (\d{4})"
)
IN_NAME = re.compile(r"(\d{4})[-_]?(\d\d)[-_]?(\d\d)")
MONTHS = {
    name: number
    for number, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
EVENT = re.compile(
    r"(?:Now talking|Topic|Set by|Disconnected|Attempting|Rejoined|You (?:are|have)|You're) |\S+ (?:\(\S+\) )?"
    r"(?:has (?:joined|quit|left|changed|set)|(?:sets|gives|removes) |is now known as|was kicked|Quit|changed the topic)"
)
"""What HexChat and mIRC write as they do actions: `* ann has joined #lake`."""
FORMATTING = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|[\x02\x0f\x11\x16\x1d-\x1f]")
"""Colours and the like, https://modern.ircdocs.horse/formatting."""
ARROWS = ("-->", "<--", "--", "=!=", "")


def claims(head: str) -> bool:
    said = share_of_lines(head, SAID)
    # A quiet channel is mostly joins and quits.
    return (
        said > 0.2
        or (said > 0 and said + share_of_lines(head, ACTION) + share_of_lines(head, NOTICE) > 0.5)
        or share_of_lines(head, WEECHAT) > 0.5
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the channel, cut where it fell silent; without a date in the log or its name, days follow each other at midnight."""
    yield from conversations(_messages(source), source.path.stem, config, tally)


def _messages(source: Source) -> Iterator[Message]:
    named = IN_NAME.search(source.path.stem)
    day = _day(*(int(part) for part in named.groups())) if named else None
    day = day or datetime(1970, 1, 1)
    before: datetime | None = None
    for line in source.lines():
        if heading := DAY.match(line):
            day = _day(int(heading[3]), MONTHS.get(heading[1], 0), int(heading[2])) or day
            before = None
            continue
        match = WEECHAT.match(line) or SAID.match(line) or ACTION.match(line)
        if not match:
            if line.strip():
                notice = NOTICE.match(line)
                yield Message("", notice[5] if notice else line, before, SYSTEM)
            continue
        date, hour, minute, second, speaker, text = match.groups()
        if int(hour) > 23 or int(minute) > 59:
            yield Message("", line, before, SYSTEM)
            continue
        if date:
            day = _dated(date, day)
        time = day.replace(hour=int(hour), minute=int(minute), second=min(59, int(second or 0)))
        if not date and before and (before - time).total_seconds() > 12 * 3600:  # past midnight
            day = datetime.fromordinal(day.toordinal() + 1)
            time = time.replace(year=day.year, month=day.month, day=day.day)
        before = time
        speaker, text = speaker.lstrip("@+%&~"), FORMATTING.sub("", text)
        if (match.re is WEECHAT and speaker.strip() in ARROWS) or (
            match.re is ACTION and EVENT.match(f"{speaker} {text}")
        ):
            yield Message("", text, time, SYSTEM)
        elif match.re is WEECHAT and speaker.strip() == "*":
            speaker, _, text = text.partition(" ")
            yield Message(speaker, f"*{text}*", time)
        else:
            yield Message(speaker, f"*{text}*" if match.re is ACTION else text, time)


def _dated(date: str, day: datetime) -> datetime:
    """The day of `2024-05-01`, or of `May 01` in the year that goes on from `day`."""
    if date[0].isdigit():
        return _day(*(int(part) for part in date.split("-"))) or day
    month, number = MONTHS.get(date[:3], 0), int(date[4:])
    found = _day(day.year, month, number)
    return _day(day.year + 1, month, number) or day if found and (day - found).days > 180 else found or day


def _day(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day)
    except ValueError:
        return None


FORMAT = Format(
    title="IRC log",
    documentation="https://modern.ircdocs.horse",
    export="the log files of irssi, WeeChat, ZNC, HexChat, mIRC",
    notes="`* ann waves` becomes `*waves*`; without dates, a new day begins at midnight",
    claims=claims,
    read=read,
)
