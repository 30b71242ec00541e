"""Logs of IRC clients and bots: irssi, WeeChat, ZNC, HexChat, mIRC, Konversation, The Lounge, Ubuntu's archive.

`12:34 <nick> text`, `[12:34:56] <nick> text`, `2024-05-01 12:34:56<TAB>nick<TAB>text`. What somebody does (`* nick
waves`; `=== nick waves` in Ubuntu's archive) is a turn, `*waves*`; joins, quits and modes are system messages. Their
words are those of the programs: HexChat's text events (https://github.com/hexchat/hexchat/blob/master/src/common/textevents.in),
and the others' by the parsers of https://github.com/tommyrot/superseriousstats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source, share_of_lines
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MONTHS, SYSTEM, Message, conversations, moment

STAMP = (
    r"\[?(?:(\d{4}-\d\d-\d\d|[A-Z][a-z]{2} \d\d)[ T])?(\d\d):(\d\d)(?::(\d\d)(?:\.\d{3,6})?)?(?:Z|[+-]\d\d:?\d\d)?\]?"
)
SAID = re.compile(STAMP + r"\s+<\s?[@+%&~!]?([^<>\s]{1,64})>\s?(.*)$")
ACTION = re.compile(STAMP + r"\s+\*\s+([^\s*]{1,64}) (.*)$")
WEECHAT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d):(\d\d):(\d\d)\t([^\t]{0,64})\t(.*)$")
NOTICE = re.compile(STAMP + r"\s+(?:-!-|\*\*\*|-->|<--|--|!)\s*(.*)$")
DAY = re.compile(
    r"(?:--- (?:Log opened|Day changed)|\*{4} BEGIN LOGGING AT|Session Start:)"
    r" \w{3} (\w{3}) {1,2}(\d{1,2})(?: \d\d:\d\d:\d\d)? (\d{4})"
)
IN_NAME = re.compile(r"(\d{4})[-_]?(\d\d)[-_]?(\d\d)")
CHANNEL = r"(?:[#&+!]\S|this (?:channel|server)|the channel)"
EVENT = re.compile(
    r"(?:Joins|Parts|Quits): \S+ |(?:Now talking|Rejoined|Retrieving|Attempting to rejoin|Topic|Set by|Disconnected)\b"
    r"|You(?:'re inviting| are now| have (?:left|been)| were) "
    rf"|\S+ (?:[(\[]\S*[)\]]\s+)?(?:has (?:joined|left) {CHANNEL}|has quit(?: [(\[].*)?$|Quit(?: \(.*)?$"
    r"|has (?:kicked \S+ from|changed (?:the )?topic|set (?:the )?(?:topic|mode))|is now known as \S+$"
    r"|was kicked (?:by|from) |(?:changes|changed|sets) (?:the )?(?:channel )?topic "
    r"|sets (?:modes?\b|(?:ban|exempt|invite) on |channel (?:keyword|limit) to )"
    r"|gives (?:channel (?:half-)?operator status|voice) to "
    r"|removes (?:(?:channel (?:half-)?operator status|voice) from|(?:ban|exempt|invite) on|channel keyword|user limit)"
    r")"
)
"""Notices that HexChat and mIRC write like actions: `* ann (~a@host) has joined #lake`."""
UNTIMED = re.compile(r"(?:===| ?\*) ([^\s*]{1,64}) (.*)$")
"""An action or a notice in a log that does not show their times."""
FORMATTING = re.compile(r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|[\x02\x0f\x11\x16\x1d-\x1f]")
"""Colours and styles, https://modern.ircdocs.horse/formatting."""
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
    """Yield the channel, cut where it was silent. Without a date in the log or its name, midnight begins a new day."""
    yield from conversations(_messages(source), source.path.stem, config, tally)


def _messages(source: Source) -> Iterator[Message]:
    clock = _Clock(source.path.stem)
    names = {match[5] for line in source.head.splitlines() if (match := SAID.match(line))}
    for line in source.lines():
        if heading := DAY.match(line):
            clock.turn_to(heading)
        elif match := WEECHAT.match(line) or SAID.match(line) or ACTION.match(line):
            *stamp, speaker, text = match.groups()
            if time := clock.read(*stamp):
                message = _message(match.re, speaker.lstrip("@+%&~"), FORMATTING.sub("", text), time)
                names.add(message.speaker)
                yield message
            else:
                yield Message("", line, clock.time, SYSTEM)
        elif (match := UNTIMED.match(line)) and not EVENT.match(f"{match[1]} {match[2]}") and match[1] in names:
            yield Message(match[1], f"*{FORMATTING.sub('', match[2])}*", clock.time)
        elif line.strip():
            notice = NOTICE.match(line)
            yield Message("", notice[5] if notice else line, clock.time, SYSTEM)


def _message(form: re.Pattern[str], speaker: str, text: str, time: datetime) -> Message:
    if form is WEECHAT and speaker.strip() in ARROWS:
        return Message("", text, time, SYSTEM)
    if form is ACTION and EVENT.match(f"{speaker} {text}"):
        return Message("", text, time, SYSTEM)
    if form is WEECHAT and speaker.strip() == "*":
        speaker, _, text = text.partition(" ")
        return Message(speaker, f"*{text}*", time)
    return Message(speaker, f"*{text}*" if form is ACTION else text, time)


class _Clock:
    """The day and time of a log, most of whose lines show only a clock."""

    def __init__(self, name: str) -> None:
        dated = IN_NAME.search(name)
        self._day = (dated and moment(*map(int, dated.groups()))) or datetime(1970, 1, 1)
        self.time: datetime | None = None
        """Of the last message; None after a heading."""

    def turn_to(self, heading: re.Match[str]) -> None:
        self._day = moment(int(heading[3]), MONTHS.get(heading[1], 0), int(heading[2])) or self._day
        self.time = None

    def read(self, date: str | None, hour: str, minute: str, second: str | None) -> datetime | None:
        """The time of a stamp; None when its clock shows none."""
        if int(hour) > 23 or int(minute) > 59:
            return None
        if date:
            self._day = _dated(date, self._day)
        time = self._day.replace(hour=int(hour), minute=int(minute), second=min(59, int(second or 0)))
        if not date and self.time and (self.time - time).total_seconds() > 12 * 3600:  # past midnight
            self._day = datetime.fromordinal(self._day.toordinal() + 1)
            time = time.replace(year=self._day.year, month=self._day.month, day=self._day.day)
        self.time = time
        return time


def _dated(date: str, day: datetime) -> datetime:
    """The day of `2024-05-01`, or of `May 01` in the year that follows from `day`; `day` itself when there is none."""
    if date[0].isdigit():
        return moment(*map(int, date.split("-"))) or day
    month, number = MONTHS.get(date[:3], 0), int(date[4:])
    found = moment(day.year, month, number)
    if found and (day - found).days > 180:  # past New Year
        found = moment(day.year + 1, month, number)
    return found or day


FORMAT = Format(
    title="IRC log",
    documentation="https://modern.ircdocs.horse",
    export="the log files of irssi, WeeChat, ZNC, HexChat, mIRC, Konversation, The Lounge; irclogs.ubuntu.com",
    notes="`* ann waves` and `=== ann waves` become `*waves*`; without dates, a new day begins at midnight",
    claims=claims,
    read=read,
)
