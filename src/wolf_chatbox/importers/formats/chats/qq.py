"""QQ's own text export (message manager → export), one chat or all of them, and messages copied out of its window.

The export begins with `消息记录（此消息记录为文本格式，不支持重新导入）`. Each chat has a heading, `消息分组:` and
`消息对象:` between lines of `=`. A message is `2010-01-06 16:57:28 Lin(10001)` or `… Lin<lin@example.com>`, with
its text below. Copied messages are `Lin: 05-08 01:00:11`, `Lin 2022-11-11 18:38:25` or `【owner】Lin 1:19:33` with the
text below.

Forms: the readers and tests of https://github.com/hellodigua/ChatLab (qq-native-txt) and of qq-chat-history; copied
ones: https://github.com/LincZero/obsidian-chat-view-qq.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source, share_of_lines
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.chinese_phrases import kind_of, without_marks
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations, from_iso, moment

_TIME = r"(\d{4})-(\d\d)-(\d\d) (\d{1,2}):(\d\d):(\d\d)(?: ([AP]M|上午|下午))? "
_ACCOUNT = r"(?:\((\d{4,12})\)|<([^<>\s]{3,100})>)"
"""Its number or mail address."""
HEADER = re.compile(_TIME + r"(?P<who>.{1,220})$")
NUMBERED = re.compile(_TIME + rf".{{0,100}}{_ACCOUNT}\s*$")
WHO = re.compile(rf"(?:【[^】\n]{{1,30}}】)?(.{{0,100}}?){_ACCOUNT}?\s*$")
"""A title in the group, the name, and the account."""
COPIED_NT = re.compile(r"(?P<who>[^\n]{1,60}): (?P<date>\d\d-\d\d) (?P<day>)(?P<clock>\d\d:\d\d:\d\d)\s*$")
"""Messages copied out of QQ NT: day and month, no year."""
COPIED_OLD = re.compile(
    r"(?=[^\n]{1,120}\d:\d\d:\d\d\s*$)(?P<who>[^\n]{1,60}?)"
    r"(?P<date> (?P<day>\d{4}-\d\d-\d\d))? (?P<clock>\d{1,2}:\d\d:\d\d)\s*$"
)
"""Messages copied out of an older QQ: with a date, or with the time of day alone if they are of today."""
WECHATS = re.compile(r"\((?:wxid_\w{1,40}|[A-Za-z][\w-]{5,19}|我)\) |^wxid_|^\d{4}-\d\d-\d\d ")
"""What stands in the headers of WeChat's exports."""
TITLE = "消息记录（此消息记录为文本格式"
HEADING = re.compile(r"消息(分组|对象)[:：](.*)")
RULE = re.compile(r"={20,100}\s*$")
SYSTEM_NUMBERS = ("10000", "1000000")
RECENT = "最近联系人"
"""A group that repeats chats which stand in their own groups too."""


def claims(head: str) -> bool:
    lines = head.splitlines()
    if any(line.startswith((TITLE, "消息对象:")) for line in lines[:12]):
        return True
    if share_of_lines(head, NUMBERED) > 0.15:
        return True
    first = head.lstrip().partition("\n")[0]
    copied = _copied(head)
    if copied is None or WECHATS.search(first):
        return False
    # a name and a time of day alone are a transcript's as well
    titled = copied.match(first)
    return bool(titled and (titled["date"] or first.startswith("【"))) and share_of_lines(head, copied) > 0.2


def _copied(head: str) -> re.Pattern[str] | None:
    """The form of the copied messages; None where it is an export."""
    first = head.lstrip().partition("\n")[0]
    return next((form for form in (COPIED_NT, COPIED_OLD) if form.match(first)), None)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat, cut where it was silent. A chat that stands under recent contacts as well is read once."""
    grouped = _grouped(source)
    reader = _Reader(source.lines(), tally, _copied(source.head))
    while (chat := reader.chat()) is not None:
        group, name = chat
        if group == RECENT and name in grouped:
            tally.dropped["chat already read"] += sum(1 for _ in reader.messages())
            continue
        yield from conversations(reader.messages(), name or source.path.stem, config, tally)
    if reader.timeless:
        tally.note(source.path.name, f"{reader.timeless} messages have no full date, kept without a time")


def _grouped(source: Source) -> set[str]:
    """The chats that stand in a group of their own."""
    names = set()
    group = ""
    for line in source.lines():
        if line.startswith("消息") and (found := HEADING.match(line)):
            if found[1] == "分组":
                group = found[2].strip()
            elif group != RECENT:
                names.add(found[2].strip())
    return names


@dataclass
class _Reader:
    """Walks through a file chat by chat."""

    lines: Iterator[str]
    tally: Tally
    copied: re.Pattern[str] | None
    timeless: int = 0
    names: dict[str, str] = field(default_factory=dict)
    """The first name under which an account speaks."""
    ahead: tuple[str, str] | None = ("", "")
    """Group and name of the chat that comes next; None at the end."""

    def chat(self) -> tuple[str, str] | None:
        """Group and name of the next chat; its messages come next."""
        chat, self.ahead = self.ahead, None
        return chat

    def messages(self) -> Iterator[Message]:
        head: Message | None = None
        body: list[str] = []
        group, ruled = "", []
        for line in self.lines:
            if RULE.match(line):
                ruled.append(line)
            elif (found := HEADING.match(line)) and (ruled or head is None):
                ruled = []
                if found[1] == "对象":
                    self.ahead = (group, found[2].strip())
                    break
                group = found[2].strip()
            elif begun := self._begun(line):
                if head:
                    yield _message(head, body + ruled)
                head, body, ruled = begun, [], []
            elif head:
                body += [*ruled, line] if line.strip() else [line]
                ruled = ruled if not line.strip() else []
            elif line.strip() and not line.startswith(TITLE):
                self.tally.dropped["before the first message"] += 1
        if head:
            yield _message(head, body)

    def _begun(self, line: str) -> Message | None:
        match = (self.copied or HEADER).match(line)
        if match is None:
            return None
        if self.copied:
            time = from_iso(f"{match['day']} {match['clock']:0>8}") if match["day"] else None
            self.timeless += time is None
        elif (time := _time(match)) is None:
            return None
        who = WHO.match(match["who"])
        name, account = (who[1].strip(), who[2] or who[3] or "") if who else (match["who"], "")
        if account and name and name != account:
            self.names.setdefault(account, name)
        kind = SYSTEM if account in SYSTEM_NUMBERS else ""
        return Message(self.names.get(account) or name or account, "", time, kind)


def _time(match: re.Match[str]) -> datetime | None:
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    if half := match[7]:
        hour = hour % 12 + (12 if half in ("PM", "下午") else 0) if hour <= 12 else hour
    return moment(year, month, day, hour, minute, second)


def _message(head: Message, lines: list[str]) -> Message:
    text = "".join(lines).strip()
    kind = head.kind or kind_of(text)
    return head._replace(text=text if kind else without_marks(text), kind=kind)


FORMAT = Format(
    title="QQ chat (text)",
    documentation="https://github.com/hellodigua/ChatLab",
    export="QQ 9 on Windows: message manager → ▾ → export messages → text file; or copy the messages into a file",
    notes=(
        "one chat or all of them; pictures and stickers inside a text are removed; an account keeps the first name it "
        "has in the file; copied messages without a full date have no time"
    ),
    claims=claims,
    read=read,
)
