"""WhatsApp's "Export chat": `12/9/20, 23:55 - Ann: hello` (Android), `[12.09.20, 23:55:01] Ann: hello` (iPhone).

The date's form is the phone's: day, month and year in any order, 12 or 24 hours, many languages. WhatsApp documents the
export, not the form: https://faq.whatsapp.com/1180414079177245; the forms here are those of real exports.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source, share_of_lines
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, SYSTEM, Message, conversations
from wolf_chatbox.importers.shared.whatsapp_phrases import (
    ATTACHED,
    DELETED_BODIES,
    EDITED,
    ENCRYPTED,
    HEADS,
    MARK,
    MEDIA_BODY,
    TAILS,
    is_whatsapps,
)

_HALF = r"[AaPp][\s\u202f]?\.?[\s\u202f]?[Mm]\.?|午前|午後|上午|下午|凌晨|早上|中午|晚上|오전|오후|ÖÖ|ÖS|SA|CH|ص|م"
_MARKS = "[\u200e\u200f\u202a-\u202e\ufeff]*"
_WORD = r"(?:klo|kl\.?|at|um|às|à|alle|ore|om|de)"
HEADER = re.compile(
    rf"{_MARKS}(\[)?"
    r"(\d{1,4})([./-])[ ]?(\d{1,2})\3[ ]?(\d{1,4})\.?"  # the date's three numbers
    rf"[,،]?[\s\u202f](?:{_WORD}\s)?"
    rf"(?:({_HALF})[\s\u202f]?)?(\d{{1,2}})[.:](\d\d)(?:[.:](\d\d))?(?:[\s\u202f]?({_HALF}))?"
    r"(?(1)\][ ]?|[ ][-–][ ]?)"
)
CHUNK = 1 << 20
LATE = re.compile(r"[Pp]|午後|下午|晚上|오후|ÖS|CH|م|中午")
NAME = re.compile(r"([^\n]{1,100}?):(?: |$)")
MANY = 3
"""Lines that must begin with a name that contains a colon."""


def claims(head: str) -> bool:
    lines = head.splitlines()[:400]
    marked = [match for line in lines if (match := HEADER.match(line))]
    return (
        bool(marked)
        and (not all(map(_as_signal, marked)) or is_whatsapps(head))
        and share_of_lines(head, HEADER) > 0.1
        and bool(HEADER.match(next(line for line in lines if line.strip())))
    )


def _as_signal(match: re.Match[str]) -> bool:
    """Whether Signal's exporter writes such a header too: `[2024-05-01, 18:30]`, `[2024-05-01 18:30:00]`."""
    return bool(match[1]) and len(match[2]) == 4 and match[3] == "-" and ("," in match[0]) == (match[9] is None)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent. Joins, media and deleted messages are counted by their kind."""
    order, certain = _date_order(source)
    if not certain:
        tally.note(source.path.name, f"cannot tell whether days or months come first, read as {order}")
    yield from conversations(_messages(source, order, tally), source.path.stem, config, tally)


def _messages(source: Source, order: str, tally: Tally) -> Iterator[Message]:
    header = _header_of(source)
    names = _names_with_colons(source)
    at = {part: order.index(part) for part in "dmy"}
    days: dict[str, datetime | None] = {}
    clocks: dict[str, timedelta | None] = {}
    time: datetime | None = None
    body: list[str] = []
    number = 0
    # Much faster than line by line: large pieces of the file are split at the headers.
    for lead, pieces in _pieces(source, header):
        if time is None and lead.strip():
            tally.dropped["before the first message"] += len(lead.strip().splitlines())
        for head, date, clock, text in zip(*[iter(pieces)] * 4):
            if date not in days:
                days[date] = _day(date, at)
            if clock not in clocks:
                clocks[clock] = _clock(clock)
            day, hours = days[date], clocks[clock]
            if day is None or hours is None:  # a line of a message that begins with something like a date
                if time is None:
                    tally.dropped["before the first message"] += 1
                body.append(f"{head}{text}")
                continue
            if time is not None:
                yield _message("\n".join(body), time, names, number)
                number += 1
            time, body = day + hours, [text]
    if time is not None:
        yield _message("\n".join(body), time, names, number)


def _pieces(source: Source, header: re.Pattern[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the text before the first header, and header, date, time, text of whole messages, in large pieces."""
    with source.open_text() as file:
        rest = "\n" + file.read(CHUNK).removeprefix("\ufeff")
        while True:
            more = file.read(max(CHUNK, len(rest)))
            lead, *pieces = header.split(rest)
            if not more:
                yield lead, pieces
                return
            # The last message may continue in the next piece.
            yield lead if pieces else "", pieces[:-4]
            rest = f"\n{pieces[-4]}{pieces[-1]}{more}" if pieces else lead + more


def _header_of(source: Source) -> re.Pattern[str]:
    """The pattern of this file's headers; its groups are the whole header, the date and the time.

    An export writes all its dates in one form: any other was typed or pasted.
    """
    first = next((match for line in source.lines() if (match := HEADER.match(line))), None)
    if first is None:
        raise DataError(f"{source.path}: no line begins a WhatsApp message. Pass the right --format.")
    bracket, year, mark, _, third, early, _, _, seconds, late = first.groups()
    mark = re.escape(mark)
    date = rf"\d{{4}}{mark} ?\d\d?{mark} ?\d\d?" if len(year) > 2 else rf"\d\d?{mark} ?\d\d?{mark} ?\d{{{len(third)}}}"
    word = rf"(?:{_WORD}\s)?" if re.search(_WORD, first[0]) else ""
    before = rf"(?:(?:{_HALF})[\s\u202f]?)?" if early else ""
    after = rf"(?:[\s\u202f]?(?:{_HALF}))?" if late else ""
    second = r"[.:]\d\d" if seconds else ""
    opening, closing = (r"\[", r"\][ ]?") if bracket else ("", "[ ][-–][ ]?")
    clock = rf"{before}\d\d?[.:]\d\d{second}{after}"
    # Begins with a line end, not with ^: the search for one character is the fastest.
    return re.compile(rf"\n({_MARKS}{opening}({date})\.?[,،]?[\s\u202f]{word}({clock}){closing})")


def _message(content: str, time: datetime, names: tuple[str, ...], number: int) -> Message:
    content = content.rstrip()
    colon = content.find(": ", 1, 102)
    if names:  # names that hold a colon
        colon = next((len(name) for name in names if content.startswith(name + ":")), colon)
    if colon < 0:
        # "Ann:" with its text in the lines below, or nowhere
        colon = len(content) - 1 if content.endswith(":") and len(content) < 102 else content.find(":\n", 1, 102)
    speaker = content[:colon]
    plain = speaker.isascii() and '"' not in speaker
    if (
        colon < 0
        or "\n" in speaker
        or not (plain or _is_name(speaker))
        or (number < 5 and ENCRYPTED.search(content[:400]))
    ):
        return Message("", content.lstrip("\u200e"), time, SYSTEM)
    if not plain or speaker[:1] in "~ ":
        speaker = speaker.strip("\u200e\u202a\u202c~ \u202f\xa0")
    body = content[colon + 1 :].strip(" ")
    if body[-1:] in ">)" or body[-3:] in TAILS or body[:4] in HEADS or MARK in body or ")\n" in body:
        return _unsaid(speaker, body, time)
    return Message(speaker, body, time)


def _is_name(speaker: str) -> bool:
    """Whether the text before a colon is a name, and not `Ann changed the subject to “Boats`."""
    return speaker.count('"') % 2 == 0 and all(
        speaker.count(opening) <= speaker.count(closing) for opening, closing in ("“”", "„“", "«»", "「」")
    )


def _unsaid(speaker: str, body: str, time: datetime) -> Message:
    """A message that may replace what nobody said (media, a deleted message), with its kind."""
    if body.endswith(">") and EDITED.fullmatch(body, mark := max(0, body.rfind("<"))):
        body = body[:mark].rstrip("\u200e \n")
    bare = body.strip("\u200e.。 ")
    if bare in DELETED_BODIES or bare.startswith("This message was deleted by"):
        return Message(speaker, bare, time, DELETED)
    if len(body) < 400 and MEDIA_BODY.fullmatch(body):
        return Message(speaker, bare, time, MEDIA)
    if attached := ATTACHED.match(body):
        caption = body[attached.end() :].strip()
        return Message(speaker, caption or attached[0], time, "" if caption else MEDIA)
    caption, marked, rest = body.rpartition(MARK)
    if marked and caption and MEDIA_BODY.fullmatch(rest):  # `look ‎image omitted`, `list.pdf • ‎3 pages ‎document omitted`
        caption = "" if "•" in caption else caption.replace(MARK, "").strip()
        return Message(speaker, caption or rest, time, "" if caption else MEDIA)
    if body.startswith(MARK) and "\n" not in body:
        return Message(speaker, body.strip(MARK), time, SYSTEM)
    return Message(speaker, body.replace(MARK, ""), time)


def _day(date: str, at: dict[str, int]) -> datetime | None:
    numbers = [int(digits) for digits in re.findall(r"\d+", date)]
    year, month, day = (numbers[at[part]] for part in "ymd")
    try:
        return datetime(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def _clock(clock: str) -> timedelta | None:
    hours, minutes, seconds = (*map(int, re.findall(r"\d+", clock)), 0)[:3]
    if half := re.search(_HALF, clock):
        hours = hours % 12 + (12 if LATE.match(half[0]) and hours <= 12 else 0)
    return timedelta(hours=hours, minutes=minutes, seconds=min(seconds, 59)) if hours < 24 and minutes < 60 else None


def _date_order(source: Source) -> tuple[str, bool]:
    """Whether dates are `dmy`, `mdy` or `ymd`, and whether the file makes that certain.

    A number above 12 decides; else the order in which the dates never step back.
    """
    seen: dict[tuple[int, int, int], None] = {}
    twelve = False
    votes: Counter[str] = Counter()
    before = ""
    for line in source.lines():
        match = HEADER.match(line)
        if not match or match[0][:14] == before:
            continue
        before = match[0][:14]
        if len(match[2]) == 4:
            return "ymd", True
        first, second = int(match[2]), int(match[4])
        if first > 31:
            return "ymd", True
        twelve = twelve or bool(match[10])
        votes["dmy"] += 12 < first <= 31 and second <= 12
        votes["mdy"] += 12 < second <= 31 and first <= 12
        if len(seen) < 1000:
            seen[(first, second, int(match[5]))] = None
        if votes.total() >= 20:
            break
    if votes["dmy"] != votes["mdy"]:
        return ("dmy" if votes["dmy"] > votes["mdy"] else "mdy"), True

    def steps_back(order: str) -> int:
        keys = [(year, second, first) if order == "dmy" else (year, first, second) for first, second, year in seen]
        return sum(later < earlier for earlier, later in pairwise(keys))

    back = {order: steps_back(order) for order in ("dmy", "mdy")}
    if back["dmy"] != back["mdy"]:
        return min(back, key=lambda order: back[order]), True
    return ("mdy" if twelve else "dmy"), False


def _names_with_colons(source: Source) -> tuple[str, ...]:
    """Names that contain a colon: the text up to a second colon, shared by all messages with the same first part."""
    after: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in source.head.splitlines():
        if (header := HEADER.match(line)) and (first := NAME.match(line, header.end())):
            second = NAME.match(line, first.end())
            after[first[1]][second[1] if second else ""] += 1
    return tuple(
        f"{name}: {rest}"
        for name, counts in after.items()
        for rest in counts
        if rest and len(counts) == 1 and counts[rest] >= MANY
    )


FORMAT = Format(
    title="WhatsApp chat",
    documentation="https://faq.whatsapp.com/1180414079177245",
    export="in the chat: ⋮ or the name → Export chat → Without media",
    notes=(
        "Android and iPhone, every date order, 12 and 24 hours. The whole file decides whether the day or the month "
        "comes first; a note reports when it cannot. Captions are kept; the mark of an edited message is removed"
    ),
    claims=claims,
    read=read,
)
