"""LINE's "Export chat history": days as headings, then `12:08<TAB>Hanako<TAB>text`, in the phone's language.

A file begins with `[LINE] …`; a day is `2025/04/18(金)`, `2025.08.04 Monday`, `Fri, 04/18/2025` or `Fri, 18/04/2025`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, SYSTEM, Message, conversations

WEEKDAYS = {
    name: number
    for names in (
        "mon tue wed thu fri sat sun",
        "monday tuesday wednesday thursday friday saturday sunday",
        "lun mar mié jue vie sáb dom",
        "lun mar mer jeu ven sam dim",
        "lun mar mer gio ven sab dom",
        "seg ter qua qui sex sáb dom",
        "mo di mi do fr sa so",
        "sen sel rab kam jum sab min",
    )
    for number, name in enumerate(names.split())
}
DAY = re.compile(
    r"(?:(\d{4})([./-]) ?(\d{1,2})\2 ?(\d{1,2})\.?\s?(?:[(\uff08].{1,3}[)\uff09]|[^\W\d]{2,12})?"  # the year first
    r"|([^\s\d.,]{1,12})([.,]{0,2}) ?(\d{1,2})([./-])(\d{1,2})\8(\d{4}))\s*$"
)
BUDDHIST = 2400
"""Later years are of the Buddhist calendar, which Thai phones write: 543 more."""
OTHER = {"dmy": "mdy", "mdy": "dmy"}
LINE = re.compile(r"(?:(上午|下午|午前|午後|오전|오후) ?)?(\d{1,2}):(\d\d)(?:[ \u202f]?([AaPp][Mm]))?(?:\t| (?=\S))")
FILES = "File|ファイル|檔案|文件|Album|アルバム|相簿|Contact|連絡先|聯絡資訊|Location|位置情報|位置訊息|位置|Poll|投票"
"""Kinds of media whose name, title or address follows: `[File] report.pdf`, `[アルバム] (null)`."""
MEDIA_BODY = re.compile(
    r"\[(?:写真|画像|動画|スタンプ|ボイスメッセージ|投稿|ノート|絵文字|リンク|イベント|プレゼント|日程調整|ショップカード"
    r"|Photo|Image|Video|Sticker|Voice message|Notes?|GIF"
    r"|照片|圖片|影片|貼圖|語音訊息|記事本|语音信息|视频|贴图|记事本"
    rf"|{FILES})\]|\[(?:{FILES})\] [^\n]{{1,300}}|\[(?:Location|位置情報|位置訊息|位置|null)\].{{1,600}}maps.{{0,600}}",
    re.DOTALL,
)
"""The forms are those of exports, by https://github.com/hellodigua/ChatLab and others that read them."""
SYSTEM_BODY = re.compile(r"(?:☎|\[Missed call\]|☏).*", re.DOTALL)
DELETED_BODY = re.compile(
    r".{0,60}(?:メッセージの送信を取り消しました|送信を取り消しました|unsent a message\.?|已收回訊息|收回訊息)\s*"
)
HEAD_LINES = 2
"""Lines that LINE writes above the chat: `[LINE] …` and when it was saved."""

MANY = 3
"""Lines that must begin with the same two words for these to be a name."""


class Heading(NamedTuple):
    """A day as written: its numbers in their order, and the weekday if its name is known."""

    numbers: tuple[int, int, int]
    weekday: int | None
    form: tuple[bool, str]
    """Whether a known weekday stands first, and the shape of the text: all headings of a file have one form."""

    def day(self, order: str) -> date | None:
        """The day, its numbers read in an order such as `dmy`; None when there is no such day."""
        by = dict(zip(order, self.numbers))
        try:
            return date(by["y"] - 543 if by["y"] > BUDDHIST else by["y"], by["m"], by["d"])
        except ValueError:
            return None


def claims(head: str) -> bool:
    if re.match(r"\s*\[LINE\]", head):
        return True
    lines = [line for line in head.splitlines() if line.strip()]
    return any(DAY.fullmatch(line) for line in lines[:6]) and sum(
        "\t" in line and bool(LINE.match(line)) for line in lines
    ) > 0.3 * len(lines)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent.

    The whole file decides whether days or months come first. Where spaces replace the tabs, a name is the first word,
    or two that always go together; a note reports it.
    """
    yield from conversations(_messages(source, tally), _name(source), config, tally)


def _name(source: Source) -> str:
    match = re.match(r"\s*\[LINE\]\s*(.+?)(?:(?:との|の)?トーク履歴|的聊天記錄|$)", source.head.partition("\n")[0])
    return match[1].removeprefix("Chat history with ").removeprefix("與").strip() if match else source.path.stem


def _messages(source: Source, tally: Tally) -> Iterator[Message]:
    known_names = _known_names(source)
    form, order = _form(source, tally)
    spaced = undated = 0
    for day, clock, lines in _blocks(source, form, order):
        if clock is None:
            tally.dropped["outside any message"] += len(lines)
            continue
        undated += day is None
        spaced += "\t" not in clock[0]
        message, first = _message(clock, day, known_names)
        yield _finished(message, [first, *lines])
    name = source.path.name
    if undated:
        tally.note(name, f"{undated} messages are under no readable date, kept without a time")
    if spaced:
        tally.note(name, f"{spaced} lines have spaces where LINE writes tabs; speaker names with a space may be cut")


def _blocks(
    source: Source, form: tuple[bool, str] | None, order: str
) -> Iterator[tuple[date | None, re.Match[str] | None, list[str]]]:
    """Yield (day, clock, further lines) of each message; without a clock, a line that belongs to no message."""
    day: date | None = None
    clock: re.Match[str] | None = None
    lines: list[str] = []
    head_lines = HEAD_LINES if source.head.lstrip().startswith("[LINE]") else 0
    for number, line in enumerate(source.lines(), 1):
        text = line.rstrip("\n")
        found = _day_of(text, form, order)
        match = None if found else LINE.match(text)
        if found or match:
            if clock:
                yield day, clock, lines
            day, clock, lines = found or day, match, []
        elif clock:
            lines.append(text)
        elif text.strip() and number > head_lines:
            yield day, None, [text]
    if clock:
        yield day, clock, lines


def _message(match: re.Match[str], day: date | None, known_names: tuple[str, set[str]]) -> tuple[Message, str]:
    """The message that begins with a clock, and the first of its lines."""
    before, hour, minute, after = match.groups()
    half = before or after
    hours = (
        int(hour) % 12 + (12 if half in ("下午", "午後", "오후") or half.lower() == "pm" else 0) if half else int(hour)
    )
    time = (
        datetime(day.year, day.month, day.day, hours, int(minute)) if day and hours < 24 and int(minute) < 60 else None
    )
    rest = match.string[match.end() :]
    if "\t" in rest:
        speaker, _, body = rest.partition("\t")
        return Message(speaker, "", time), body
    if match[0].endswith("\t"):
        return Message("", "", time, SYSTEM), rest
    chat, pairs = known_names
    two = " ".join(rest.split(" ", 2)[:2])
    known = chat if rest.startswith(chat + " ") else two if two in pairs and rest.startswith(two + " ") else None
    speaker, body = (known, rest[len(known) + 1 :]) if known else rest.partition(" ")[::2]
    return Message(speaker, "", time, "" if body else SYSTEM), body


def _known_names(source: Source) -> tuple[str, set[str]]:
    """Names in a file with spaces for tabs: the chat's own, and pairs of words that always begin a line together."""
    second: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in source.head.splitlines():
        if match := LINE.match(line):
            words = line[match.end() :].split(" ", 2)
            second[words[0]][words[1] if len(words) > 2 else ""] += 1
    found = {
        f"{first} {word}"
        for first, words in second.items()
        for word, count in words.items()
        if word and len(words) == 1 and count >= MANY
    }
    return _name(source), found


def _day_of(text: str, form: tuple[bool, str] | None, order: str) -> date | None:
    """The day of a heading in the file's form; None for other lines."""
    heading = _heading(text)
    if heading is None or heading.form != form:
        return None
    return heading.day(order) or heading.day(OTHER.get(order, order))


def _heading(text: str) -> Heading | None:
    match = DAY.fullmatch(text)
    if match is None:
        return None
    weekday = WEEKDAYS.get(match[5].lower()) if match[5] else None
    if match[5] and weekday is None and not match[6]:
        return None  # some other word before a date
    first, second, third = map(int, match.group(1, 3, 4) if match[1] else match.group(7, 9, 10))
    look = re.sub(r"[^\s\d.,/()\uff08\uff09-]+", "a", re.sub(r"\d+", "0", text.strip()))
    return Heading((first, second, third), weekday, (weekday is not None, look))


def _form(source: Source, tally: Tally) -> tuple[tuple[bool, str] | None, str]:
    """The form of the file's first heading, and the order of its numbers: `ymd`, `dmy` or `mdy`.

    All headings of that form are read: the weekdays decide, else a number above 12, else the order in which the days
    never step back. A note reports when nothing decides.
    """
    headings: dict[Heading, None] = {}
    form: tuple[bool, str] | None = None
    for line in source.lines():
        if heading := _heading(line.rstrip("\n")):
            form = form or heading.form
            if heading.form == form:
                headings[heading] = None
    if form is None or form[1].startswith("0"):
        return form, "ymd"
    days = {order: [(day, heading.weekday) for heading in headings if (day := heading.day(order))] for order in OTHER}
    right = {order: sum(day.weekday() == weekday for day, weekday in found) for order, found in days.items()}
    there = {order: len(found) for order, found in days.items()}
    ahead = {
        order: -sum(later < earlier for (earlier, _), (later, _) in pairwise(found)) for order, found in days.items()
    }
    for votes in (right, there, ahead):
        if votes["dmy"] != votes["mdy"]:
            return form, max(votes, key=lambda order: votes[order])
    if days["dmy"] != days["mdy"]:
        tally.note(source.path.name, "cannot tell whether days or months come first, read as dmy")
    return form, "dmy"


def _finished(message: Message, said: list[str]) -> Message:
    """The message with its text and kind."""
    text = "\n".join(said).strip()
    if text.startswith('"') and text.endswith('"') and "\n" in text:
        text = text[1:-1].replace('""', '"')
    if message.kind or SYSTEM_BODY.fullmatch(text):
        kind = SYSTEM
    elif DELETED_BODY.fullmatch(text):
        kind = DELETED
    else:
        kind = MEDIA if MEDIA_BODY.fullmatch(text) else ""
    if kind == SYSTEM and DELETED_BODY.fullmatch(text):
        kind = DELETED
    return message._replace(text=text, kind=kind)


FORMAT = Format(
    title="LINE chat",
    documentation="https://help.line.me/line/?contentId=20007388",
    export="in the chat: ≡ → Settings → Export chat history",
    notes=(
        "Japanese, Chinese and English exports. The whole file decides whether the day or the month comes first, by "
        "its weekdays if it has any. Messages below an unreadable date have no time. Where spaces replace the tabs, a "
        "name with a space may be cut. A note reports each of these"
    ),
    claims=claims,
    read=read,
)
