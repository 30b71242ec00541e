"""WeChat as text or CSV, as its export programs write it.

WechatExporter: `Lin (2020-01-01 12:00:00):hello`, a message a line. WeChatMsg (MemoTrace): `2024-01-01 12:00:00 Lin`
with the text below, or a CSV with the columns `StrContent`, `StrTime`, `Remark` and others. chatlog:
`Lin(wxid_a) 01-02 15:04:05` with the text below.

Forms: https://github.com/BlueMatthew/WechatExporter (res/templates_txt), https://github.com/LC044/WeChatMsg
(exporter_txt, exporter_csv) and https://github.com/sjzar/chatlog (Message.PlainText).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source, share_of_lines
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.formats.scripts.script import rows
from wolf_chatbox.importers.shared.chinese_phrases import kind_of
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, from_iso, from_unix

_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
LINE = re.compile(rf"(?P<who>[^\n]{{1,100}}) \((?P<time>{_TIME})\):(?P<text>.*)", re.DOTALL)
"""WechatExporter's."""
STACKED = re.compile(rf"(?P<time>{_TIME}) (?P<who>\S[^\n]{{0,300}})$")
"""WeChatMsg's; a notice has its text in the place of the name, and nothing below."""
_ID = r"(?:wxid_\w{1,40}|[A-Za-z][\w-]{5,19}|\d{5,20}@chatroom|我)"
CHATLOG = re.compile(
    rf"(?=[^\n]{{0,300}}\d\d:\d\d:\d\d$)(?:(?P<who>[^\n]{{1,100}}?)\({_ID}\)|(?P<id>{_ID})) (?:\[[^\n]{{1,100}}\] )?"
    rf"(?P<time>{_TIME}|\d\d-\d\d \d\d:\d\d:\d\d|\d\d:\d\d:\d\d)$"
)
QQ_ACCOUNT = re.compile(r"(?:\(\d{4,12}\)|<[^<>\s]{3,100}>)\s*$")
COPIED = re.compile(r"(?P<who>[^\n:：]{1,60})[:：](?P<time>)\s*$")
"""Messages copied out of WeChat's window, which could be any play: they are read only when this format is named."""
FORMS = (LINE, STACKED, CHATLOG, COPIED)
NOTICE = "系统消息："
QUOTED = re.compile(r"\n引用:.{1,1000}\Z|\A「[^「」]{1,1000}」\n(?:- ){5,20}-?\s*\n", re.DOTALL)
"""The message that it answers: below it in WeChatMsg, above it in WechatExporter."""
COLUMNS = ("IsSender", "StrContent", "StrTime")
TEXT = "1"
SYSTEM_TYPES = ("50", "10000", "10002")
"""Calls and notices."""


def claims(head: str) -> bool:
    first = head.lstrip().partition("\n")[0]
    if all(column in first for column in COLUMNS):
        return True
    if share_of_lines(head, LINE) > 0.5 or _share_with_accounts(head) > 0.2:
        return True
    return _is_stacked([line for line in head.splitlines()[:400] if line.strip()])


def _share_with_accounts(head: str) -> float:
    lines = [line for line in head.splitlines()[:400] if line.strip()]
    return sum(bool((match := CHATLOG.match(line)) and match["who"]) for line in lines) / max(1, len(lines))


def _is_stacked(lines: list[str]) -> bool:
    """Whether times with names stand above texts: neither a log, whose lines all have a time, nor QQ's accounts."""
    heads = [at for at, line in enumerate(lines) if STACKED.match(line)]
    names = {lines[at][20:] for at in heads}
    followed = sum(at + 1 < len(lines) and not STACKED.match(lines[at + 1]) for at in heads)
    return (
        bool(heads)
        and heads[0] == 0
        and len(lines) > 3
        and followed >= 0.6 * len(heads)
        and (len(names) <= 2 or 2 * len(names) <= len(heads))
        and not any(QQ_ACCOUNT.search(name) for name in names)
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent. The messages of a CSV of all chats are told apart by their talker."""
    if all(column in source.head.lstrip().partition("\n")[0] for column in COLUMNS):
        yield from _table(source, config, tally)
        return
    yield from conversations(_messages(source, tally), source.path.stem, config, tally)


def _messages(source: Source, tally: Tally) -> Iterator[Message]:
    lines = source.head.splitlines()
    form = max(FORMS, key=lambda form: sum(bool(form.match(line)) for line in lines))
    if not any(form.match(line) for line in lines):
        raise DataError(f"{source.path}: no line begins a WeChat message. Pass the right --format.")
    head: Message | None = None
    body: list[str] = []
    for line in source.lines():
        match = form.match(line)
        if match:
            if head:
                yield _message(head, body)
            who = match["who"] or match["id"]  # an account without a name
            head = Message(who.strip(), "", from_iso(match["time"]))
            body = [match["text"]] if form is LINE else []
        elif form is LINE and line.startswith(NOTICE):
            if head:
                yield _message(head, body)
            head, body = Message("", "", head.time if head else None, SYSTEM), [line[len(NOTICE) :]]
        elif head:
            body.append(line)
        elif line.strip():
            tally.dropped["before the first message"] += 1
    if head:
        yield _message(head, body)


def _message(head: Message, lines: list[str]) -> Message:
    text = QUOTED.sub("", "".join(lines).strip()).strip()
    if not text and not head.kind:  # a notice of WeChatMsg
        return Message("", head.speaker, head.time, SYSTEM)
    return head._replace(text=text, kind=head.kind or kind_of(text))


def _table(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """The chats of WeChatMsg's CSV. One chat is streamed; of several, whose rows are mixed, all texts are held."""
    chats: dict[str, list[Message]] = {}
    damage: DataError | None = None
    try:
        chats = {cells.get("TalkerId", ""): [] for cells in _cells(source)}
    except DataError as error:
        damage = error
    if len(chats) <= 1 and not damage:
        yield from conversations(map(_row, _cells(source)), source.path.stem, config, tally)
        return
    try:
        for cells in _cells(source):
            chats.setdefault(cells.get("TalkerId", ""), []).append(_row(cells))
    except DataError as error:  # keep what was read before the damage
        damage = error
    for talker, messages in chats.items():
        yield from conversations(messages, f"{source.path.stem} {talker}".strip(), config, tally)
    if damage:
        raise damage


def _cells(source: Source) -> Iterator[dict[str, str]]:
    """The rows of the CSV by the names of their columns."""
    numbered = rows(source, most=10_000)
    header = [cell.strip() for cell in next(numbered)[1]]
    for _, row in numbered:
        yield {**dict.fromkeys(COLUMNS, ""), **dict(zip(header, row))}


def _row(cells: dict[str, str]) -> Message:
    mine = cells["IsSender"].strip() == "1"
    names = [cells.get(key, "").strip() for key in ("Remark", "NickName", "Sender")]
    speaker = next(filter(None, names), "Me" if mine else "Other")
    text, kind = cells["StrContent"].strip(), cells.get("Type", TEXT).strip()
    time = from_iso(cells["StrTime"].strip()) or from_unix(cells.get("CreateTime"))
    if kind in SYSTEM_TYPES:
        return Message(speaker, text or "<system>", time, SYSTEM)
    if kind != TEXT:
        return Message(speaker, f"<type {kind}>", time, MEDIA)
    return Message(speaker, text, time, kind_of(text))


FORMAT = Format(
    title="WeChat (text, CSV)",
    documentation="https://github.com/BlueMatthew/WechatExporter",
    export="WechatExporter → text; WeChatMsg (MemoTrace) → TXT or CSV; chatlog → text",
    notes=(
        "quoted messages are removed; times without a year (chatlog) are left out; messages copied from the window (a "
        "line `NAME:`, the text below it) are read with `--format wechat`"
    ),
    claims=claims,
    read=read,
)
