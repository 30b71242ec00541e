"""KakaoTalk's "Export chat" in its four forms, Korean and English, 12 and 24 hours.

Phone: `2016년 2월 5일 오전 1:33, Minji : hello`, `2022. 5. 13. 오전 10:28, Minji : hello`, `Dec 31, 2014 at 19:12, …`,
`February 10, 2016, 2:33 AM, …`, `10:30PM, November 22, 2013, …`; older iPhones write `오후 8:36, Minji : hello` under
a heading for the day. Windows: `--------------- 2020년 6월 28일 일요일 ---------------`, `[Minji] [오전 1:01] hello`,
in English `[Minji] [1:01 AM] hello` or `[Minji] [AM 1:01] hello`.
Mac: CSV with the columns `Date,User,Message`.

Forms: the test files of https://github.com/uoneway/kakaotalk_msg_preprocessor, of
https://github.com/zeikar/kakaotalk-viewer and of https://github.com/leesj-dev/kakaotalk-stats.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import (
    DELETED,
    MEDIA,
    MONTHS,
    SYSTEM,
    Message,
    conversations,
    from_iso,
    moment,
)

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE = (
    r"(?:(?P<year>\d{4})(?:년|\.) ?(?P<month>\d{1,2})(?:월|\.) ?(?P<day>\d{1,2})(?:일|\.)"
    rf"|(?:(?P<name>{_MONTH}) (?P<number>\d{{1,2}})|(?P<first>\d{{1,2}}) (?P<second>{_MONTH})),? (?P<after>\d{{4}}))"
)
_CLOCK = (
    r"(?:(?P<early>오전|오후|[AP]M) ?)?(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?:[ \u202f\xa0]?(?P<late>[AaPp]\.?[Mm]\.?))?"
)
STAMPED = re.compile(rf"{_DATE}(?:,| at)?[ \u202f]{_CLOCK}(?:(?P<rest>[,:] ?.*)|\s*$)", re.DOTALL)
"""A line of a phone's export: the time, then a message, a notice, or nothing; in that case it heads what follows."""
TURNED = re.compile(rf"{_CLOCK}, {_DATE}(?:(?P<rest>[,:] ?.*)|\s*$)", re.DOTALL)
CLOCKED = re.compile(rf"{_CLOCK}(?P<rest>, .*)", re.DOTALL)
BRACKETED = re.compile(rf"\[(?P<speaker>.{{0,100}}?)\] \[{_CLOCK}\](?P<rest> .*|\s*$)", re.DOTALL)
HEADING = re.compile(rf"(?:[A-Z][a-z]{{5,8}}, )?{_DATE}(?: \S{{1,2}}요일)?\s*$")
RULED = re.compile(rf"-{{3,99}} (?:[A-Z][a-z]{{5,8}}, )?{_DATE}(?: \S{{1,2}}요일)? -{{3,99}}\s*$")
ROW = re.compile(r'"?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"?,("(?:[^"]|""){0,200}"|[^",\n]{0,200}),(.*)', re.DOTALL)
"""A row of the CSV. Rows are told apart by it, so a quote that is not closed harms its own row alone."""
COLUMNS = "Date,User,Message"
TITLE = re.compile(
    r"(?:(.{1,200}?) ?님과의? 카카오톡 대화|(.{1,200}?) 카카오톡 대화"
    r"|(?:.{1,200} )?KakaoTalk Chats with (.{1,200})|(.{1,200}?) with KakaoTalk Chats)\s*$"
)
SAVED = re.compile(r"(?:저장한 날짜|Date Saved|Saved Date) ?: ?\S")
FILE = re.compile(r"(?:Talk_|KakaoTalk).{1,200}\.txt\s*$")
NOTICE = re.compile(
    r"(?:나갔|들어왔|초대했|초대하였|내보냈|가렸)습니다\.?\Z| (?:left|joined|removed from) this chatroom\.\Z"
)
"""How a notice about the people of a chat ends."""
DELETED_BODY = re.compile(
    r"삭제된 메시지입니다\.?|(?:이 )?메시지[가는] 삭제되었습니다\.?"
    r"|(?:This message was|The message has been) deleted\.?"
)
MEDIA_BODY = re.compile(
    r"사진(?: \d{1,3}장)?|동영상(?: \d{1,3}개)?|\(?이모티콘\)?|음성 ?메시지|<(?:사진|동영상|음성메시지) 읽지 않음>"
    r"|(?:파일|File) ?: .{1,300}\.\w{1,8}|(?:샵검색|지도|연락처|Map|Contact) ?: .{1,300}"
    r"|Photos?(?: \d{1,3})?|\d{1,3} photos|Videos?|\(?Emoticons?\)?|Voice (?:Note|Message)"
    r"|[^\s:/]{1,100}\.(?:jpe?g|png|gif|webp|mp4|m4a)",
    re.IGNORECASE,
)
SYSTEM_BODY = re.compile(
    r"(?:그룹 ?)?(?:보이스톡|페이스톡|라이브톡)"
    r"(?: ?(?:해요|취소|부재중|응답 ?없음|시작|종료|\d{1,2}:\d\d(?::\d\d)?))?\.?"
    r"|보이스룸이 (?:시작|종료)되었습니다\.?|톡게시판 '.{1,10}': .*|[\d,]{1,12}원(?:을 받으세요| 받기 완료!.{0,100})\.?"
    r"|(?:Missed )?(?:Voice|Video) ?[Cc]all(?: .{0,20})?",
    re.DOTALL,
)
Begun = tuple[Message, str]
"""What a line begins: the message without its text, and the first line of that."""


def claims(head: str) -> bool:
    if head.startswith(COLUMNS):
        return True
    lines = head.splitlines()[:400]
    titled = any(TITLE.match(line) or SAVED.match(line) for line in lines[:4])
    form = _form(lines)
    if form is None:
        return False
    said = sum(bool((match := form.match(line)) and _said(match)) for line in lines)
    return titled or (said > 0.2 * len(lines) and form is not CLOCKED)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent. Its title names it, where it has one."""
    if source.head.startswith(COLUMNS):
        yield from conversations(_rows(source, tally), source.path.stem, config, tally)
        return
    title = TITLE.match(source.head.partition("\n")[0])
    group = next(filter(None, title.groups()), "") if title else ""
    yield from conversations(_messages(source, tally), group or source.path.stem, config, tally)


def _form(lines: list[str]) -> re.Pattern[str] | None:
    """How the first message is written: an export writes all of them in one form."""
    for line in lines:
        found = next((match for form in (BRACKETED, STAMPED, TURNED, CLOCKED) if (match := form.match(line))), None)
        if found and found["rest"]:
            return found.re
    return None


def _said(match: re.Match[str]) -> bool:
    return match.re is BRACKETED or " : " in (match["rest"] or "")[:120]


def _messages(source: Source, tally: Tally) -> Iterator[Message]:
    form = _form(source.head.splitlines())
    if form is None:
        raise DataError(f"{source.path}: no line begins a KakaoTalk message. Pass the right --format.")
    day: datetime | None = None
    head: Message | None = None
    names: set[str] = set()
    body: list[str] = []
    held: list[str] = []
    """A heading, and the blank lines after it, until the next line shows whether a message continues over it."""
    for number, line in enumerate(source.lines()):
        if _is_heading(line, form, not body or not body[-1].strip()):
            body += held
            held = [line]
            continue
        begun = _begun(line, form, (_day(held[0]) if held else None) or day, names)
        if begun:
            day = (_day(held[0]) if held else None) or day
            if head:
                yield _message(head, body)
            head, body, held = begun[0], [begun[1]], []
            names.add(head.speaker)
        elif held and not line.strip():
            held.append(line)
        elif head:
            body += [*held, line]
            held = []
        elif line.strip() and not (number < 5 and (TITLE.match(line) or SAVED.match(line) or FILE.match(line))):
            tally.dropped["before the first message"] += 1
    if head:
        yield _message(head, body)


def _is_heading(line: str, form: re.Pattern[str], after_blank: bool) -> bool:
    """Whether a line heads a day; on a phone a message may hold such a line too, but not after a blank one."""
    if form is BRACKETED:
        return line.startswith("---") and bool(RULED.match(line))
    if form is CLOCKED:
        return bool(HEADING.match(line))
    return bool((match := form.match(line)) and match["rest"] is None) or (after_blank and bool(HEADING.match(line)))


def _begun(line: str, form: re.Pattern[str], day: datetime | None, names: Collection[str]) -> Begun | None:
    match = form.match(line)
    if match is None or match["rest"] is None:
        if form is BRACKETED and (_is_notice(line, names) or DELETED_BODY.fullmatch(line.strip())):
            return Message("", "", None, SYSTEM if _is_notice(line, names) else DELETED), line
        return None
    if form is STAMPED or form is TURNED:
        day = _date(match)
        if day is None:
            return None
    time = _time(match, day)
    if time is None and day is not None:
        return None  # a clock that shows no time
    if form is BRACKETED:
        return Message(match["speaker"], "", time, "" if match["speaker"].strip() else SYSTEM), match["rest"][1:]
    speaker, colon, text = match["rest"][2:].rstrip("\n").partition(" : ")
    if not colon and speaker.endswith(" :"):  # an editor cut the space off
        speaker, colon = speaker[:-2], ":"
    if match["rest"][0] == ":" or not colon or len(speaker) > 100:
        return Message("", "", time, SYSTEM), match["rest"][1:]
    return Message(speaker, "", time, "" if speaker.strip() else SYSTEM), text


def _day(line: str) -> datetime | None:
    match = RULED.match(line) or HEADING.match(line) or STAMPED.match(line) or TURNED.match(line)
    return _date(match) if match else None


def _date(match: re.Match[str]) -> datetime | None:
    if match["year"]:
        return moment(int(match["year"]), int(match["month"]), int(match["day"]))
    if not match["after"]:
        return None
    month = MONTHS[(match["name"] or match["second"])[:3]]
    return moment(int(match["after"]), month, int(match["number"] or match["first"]))


def _time(match: re.Match[str], day: datetime | None) -> datetime | None:
    hour, minute = int(match["hour"]), int(match["minute"])
    if half := match["early"] or match["late"]:
        hour = hour % 12 + (12 if half == "오후" or half[0] in "Pp" else 0) if hour <= 12 else hour
    return day.replace(hour=hour, minute=minute) if day and hour < 24 and minute < 60 else None


def _message(head: Message, lines: list[str]) -> Message:
    text = "\n".join(line.rstrip("\n") for line in lines).strip()
    return head._replace(text=text, kind=head.kind or _kind(text))


def _is_notice(line: str, names: Collection[str]) -> bool:
    """Whether a line tells who came or left: `Minji님이 나갔습니다.`, `Minji invited Ann.`"""
    text = line.rstrip()
    if NOTICE.search(text[-40:]):
        return "님" in text or (text[-1:] == "." and ("chatroom" in text[-10:] or text.startswith("채팅방 관리자")))
    inviter, invited, _ = text.partition(" invited ")
    return bool(invited) and text.endswith(".") and inviter in names


def _kind(text: str) -> str:
    if len(text) > 4000:
        return ""
    if DELETED_BODY.fullmatch(text):
        return DELETED
    if MEDIA_BODY.fullmatch(text):
        return MEDIA
    return SYSTEM if SYSTEM_BODY.fullmatch(text) else ""


def _rows(source: Source, tally: Tally) -> Iterator[Message]:
    """The messages of a Mac's CSV, whose texts may go over several lines."""
    head: Message | None = None
    body: list[str] = []
    for number, line in enumerate(source.lines()):
        if match := ROW.match(line):
            if head:
                yield _row(head, body)
            head, body = Message(_cell(match[2]), "", from_iso(match[1])), [match[3]]
        elif head:
            body.append(line)
        elif number and line.strip():
            tally.dropped["before the first message"] += 1
    if head:
        yield _row(head, body)


def _row(head: Message, lines: list[str]) -> Message:
    text = _cell("".join(lines).rstrip()).strip()
    notice = not head.speaker.strip() or _is_notice(text, (head.speaker,))
    return head._replace(text=text, kind=SYSTEM if notice else _kind(text))


def _cell(text: str) -> str:
    if not text.startswith('"'):
        return text
    return text[1:].removesuffix('"').replace('""', '"')


FORMAT = Format(
    title="KakaoTalk chat",
    documentation="https://github.com/uoneway/kakaotalk_msg_preprocessor",
    export="in the chat: ≡ → ⚙ → Export chat → text only; on a computer: ≡ → Save chat",
    notes=(
        "text files of phones and Windows, Korean and English, and the CSV of a Mac; joins, calls, payments and "
        "noticeboard posts are system messages"
    ),
    claims=claims,
    read=read,
)
