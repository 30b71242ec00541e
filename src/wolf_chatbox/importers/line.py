"""LINE's "Export chat history": days as headings, then `12:08<TAB>Hanako<TAB>text`, in the phone's language.

Forms: a file begins with `[LINE] …`; a day is `2025/04/18(金)`, `2025/04/18 Friday`, `2025.08.04 Monday` or `Fri, 04/18/2025`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.importers.chats import DELETED, MEDIA, SYSTEM, Message, conversations
from wolf_chatbox.importers.source import Source, Tally

DAY = re.compile(r"(?:(\d{4})[./](\d{1,2})[./](\d{1,2})\s?(?:[(\uff08].{1,3}[)\uff09]|[^\W\d]{2,12})?|[A-Z][a-z]{2}, (\d\d)/(\d\d)/(\d{4}))\s*$")
LINE = re.compile(r"(?:(上午|下午|午前|午後|오전|오후) ?)?(\d{1,2}):(\d\d)(?: ?([AaPp][Mm]))?(?:\t| (?=\S))")
MEDIA_BODY = re.compile(
    r"\[(?:写真|動画|スタンプ|ボイスメッセージ|ファイル|アルバム|位置情報|連絡先|投稿|ノート|絵文字|Photo|Video|Sticker|Voice message|File"
    r"|Album|Location|Contact|Notes?"
    r"|照片|圖片|影片|貼圖|語音訊息|檔案|相簿|位置訊息)\]"
)
SYSTEM_BODY = re.compile(r"(?:☎|\[Missed call\]|☏).*", re.DOTALL)
DELETED_BODY = re.compile(r".{0,60}(?:メッセージの送信を取り消しました|送信を取り消しました|unsent a message\.?|已收回訊息|收回訊息)\s*")

MANY = 3
"""Lines that must begin with the same two words before these are taken for a name."""


def claims(head: str) -> bool:
    if re.match(r"\s*\[LINE\]", head):
        return True
    lines = [line for line in head.splitlines() if line.strip()]
    return any(DAY.fullmatch(line) for line in lines[:6]) and sum("\t" in line and bool(LINE.match(line)) for line in lines) > 0.3 * len(lines)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it fell silent.

    Where spaces stand for tabs, a name is the first word, or two that always go together; a note tells so.
    """
    yield from conversations(_messages(source, tally), _name(source), config, tally)


def _name(source: Source) -> str:
    match = re.match(r"\s*\[LINE\]\s*(.+?)(?:(?:との|の)?トーク履歴|的聊天記錄|$)", source.head.partition("\n")[0])
    return match[1].removeprefix("Chat history with ").removeprefix("與").strip() if match else source.path.stem


def _messages(source: Source, tally: Tally) -> Iterator[Message]:
    spaced_names = _spaced_names(source)
    day: tuple[int, int, int] | None = None
    pending: Message | None = None
    outside = spaced = 0
    for line in source.lines():
        text = line.rstrip("\n")
        heading = DAY.fullmatch(text)
        if heading:
            if pending:
                yield _finished(pending)
            pending, day = None, _day(heading)
        elif day and (match := LINE.match(text)):
            if pending:
                yield _finished(pending)
            half, hour, minute, after = match.groups()
            half = half or after
            hours = int(hour) % 12 + (12 if half in ("下午", "午後", "오후") or half.lower() == "pm" else 0) if half else int(hour)
            time = datetime(*day, hours, int(minute)) if hours < 24 and int(minute) < 60 else None
            rest = text[match.end() :]
            if "\t" in rest:
                speaker, _, body = rest.partition("\t")
                pending = Message(speaker, body, time)
            elif match[0].endswith("\t"):
                pending = Message("", rest, time, SYSTEM)
            else:
                spaced += 1
                known = next((name for name in spaced_names if rest.startswith(name + " ")), None)
                speaker, body = (known, rest[len(known) + 1 :]) if known else rest.partition(" ")[::2]
                pending = Message(speaker, body, time, "" if body else SYSTEM)
        elif pending:
            pending = pending._replace(text=f"{pending.text}\n{text}")
        elif text.strip() and day:
            outside += 1
    if pending:
        yield _finished(pending)
    if outside:
        tally.dropped["outside of any message"] += outside
    if spaced:
        tally.notes.append(f"{source.path.name}: {spaced} lines have spaces where LINE writes tabs; a speaker with a space in the name may be cut")


def _spaced_names(source: Source) -> list[str]:
    """Names of two words, where spaces stand for tabs: the chat's own, and first words that the same second one follows in all of many lines."""
    second: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for line in source.head.splitlines():
        if match := LINE.match(line):
            words = line[match.end() :].split(" ", 2)
            second[words[0]][words[1] if len(words) > 2 else ""] += 1
    found = [f"{first} {word}" for first, words in second.items() for word, count in words.items() if word and len(words) == 1 and count >= MANY]
    return [_name(source), *found]


def _day(match: re.Match[str]) -> tuple[int, int, int] | None:
    year, month, day, us_month, us_day, us_year = match.groups()
    found = (int(year or us_year), int(month or us_month), int(day or us_day))
    try:
        datetime(*found)
    except ValueError:
        return None
    return found


def _finished(message: Message) -> Message:
    text = message.text.strip()
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
