"""Viber's "Email message history": a CSV without a header, a file a chat, in a zip archive.

A message is `29/08/2024,19:48:05,John,+1234567890,text`; nothing is quoted, so the text may hold commas, and lines that
do not begin so continue it. Form: https://github.com/Ambeteco/ViberChatStatAnalyzer (example_viber_export.csv) and
https://github.com/milan-miscevic/viber-chat-stats; Viber documents none.
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
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, moment

LINE = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}), ?(\d{1,2}):(\d\d):(\d\d), ?(.{0,100}?), ?(\+?[\d ()-]{3,24}|),(.*)", re.DOTALL
)
MEDIA_BODY = re.compile(
    r"(?:Photo|Video|Voice|Sticker|File|GIF|Location|Contact)(?: message)?|Image|Mensaje de (?:foto|voz)|Pegatina"
    r"|Message (?:photo|vocal)|Autocollant|Fotomitteilung|Aufkleber|Sprachnachricht|Naklejka"
    r"|Wiadomość (?:zdjęcie|głosowa)|Mensagem de (?:foto|voz)|Adesivo|Фотоповідомлення|Стікер|Голосове повідомлення"
    r"|Фото(?:графия| ?сообщение)?|Стикер|Голосовое сообщение"
)
CALL = re.compile(r"(?:Incoming|Outgoing|Missed|Cancelled) (?:video )?call(?: .{0,40})?", re.IGNORECASE)


def claims(head: str) -> bool:
    return bool(LINE.match(head.lstrip())) and share_of_lines(head, LINE) > 0.3


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent; the file's name names it.

    Days come before months, unless a number above 12 says otherwise; a note reports it.
    """
    months_first = _months_first(source)
    if months_first:
        tally.note(source.path.name, "months come before days")
    yield from conversations(_messages(source, tally, months_first), source.path.stem, config, tally)


def _months_first(source: Source) -> bool:
    """Whether the second number of a date is above 12 before a first one is."""
    for line in source.lines():
        if match := LINE.match(line):
            first, second = int(match[1]), int(match[2])
            if first > 12 or second > 12:
                return first <= 12
    return False


def _messages(source: Source, tally: Tally, months_first: bool) -> Iterator[Message]:
    head: Message | None = None
    body: list[str] = []
    for line in source.lines():
        match = LINE.match(line)
        time = _time(match, months_first) if match else None
        if match and time:
            if head:
                yield _message(head, body)
            head, body = Message(match[7].strip() or match[8].strip(), "", time), [match[9]]
        elif head:
            body.append(line)
        elif line.strip():
            tally.dropped["before the first message"] += 1
    if head:
        yield _message(head, body)


def _time(match: re.Match[str], months_first: bool) -> datetime | None:
    first, second, year, *clock = map(int, match.groups()[:6])
    month, day = (first, second) if months_first else (second, first)
    return moment(year, month, day, *clock)


def _message(head: Message, lines: list[str]) -> Message:
    text = "".join(lines).strip()
    if len(text) < 100 and MEDIA_BODY.fullmatch(text):
        return head._replace(text=text, kind=MEDIA)
    return head._replace(text=text, kind=SYSTEM if len(text) < 100 and CALL.fullmatch(text) else "")


FORMAT = Format(
    title="Viber chat (CSV)",
    documentation="https://github.com/Ambeteco/ViberChatStatAnalyzer",
    export="on the phone: Settings → Calls and messages → Email message history (a zip with a CSV for each chat)",
    notes="phone numbers are left out; media are recognised in eight languages",
    claims=claims,
    read=read,
)
