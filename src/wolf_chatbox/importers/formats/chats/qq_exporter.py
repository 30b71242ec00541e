"""QQ, as QQChatExporter (versions 4 and 5) writes it: JSON, or text with `时间:` and `内容:` under each name.

Form: https://github.com/shuakami/qq-chat-exporter (JsonExporter, TextExporter).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.chinese_phrases import kind_of, without_marks
from wolf_chatbox.importers.shared.messages import DELETED, MEDIA, SYSTEM, Message, conversations, from_iso, from_unix
from wolf_chatbox.importers.streams.json_stream import JsonStream

NAME = "QQChatExporter"
WHO = re.compile(r"(?:\[(?:群主|管理员|[^\[\]\n]{1,20})\] )?([^\n]{1,100}):\s*$")
TIME = re.compile(r"时间: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d{1,13})\s*$")
FIELD = re.compile(r"(类型|内容|资源|提及|回复): ?(.*)", re.DOTALL)
RESOURCE = re.compile(r" {1,4}- \w{1,20}: ")
RULE = re.compile(r"={20,100}\s*$")
SYSTEM_TYPES = ("system", "系统消息")


def claims(head: str) -> bool:
    start = head.lstrip()
    if start.startswith("{"):
        return NAME in head[:4000] and '"chatInfo"' in head
    return start.startswith(f"[{NAME}")


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent. Recalled messages and notices are counted."""
    if not source.head.lstrip().startswith("{"):
        title = re.search(r"^聊天名称: ?(.{1,200})$", source.head[:4000], re.MULTILINE)
        group = title[1].strip() if title else source.path.stem
        yield from conversations(_blocks(source, tally), group, config, tally)
        return
    with JsonStream(source) as stream:
        group = ""
        for key in stream.fields():
            if key == "chatInfo":
                value = stream.value()
                group = str(value.get("name") or "") if isinstance(value, dict) else ""
            elif key == "messages":
                yield from conversations(map(_record, stream.items()), group or source.path.stem, config, tally)


def _record(record: Any) -> Message:
    if not isinstance(record, dict):
        return Message("", "")
    sender, raw, content = (
        value if isinstance(value := record.get(key), dict) else {} for key in ("sender", "rawMessage", "content")
    )
    speaker = str(raw.get("sendMemberName") or sender.get("name") or sender.get("uin") or sender.get("uid") or "")
    time = from_iso(record.get("time")) or from_iso(record.get("timestamp")) or _milliseconds(record.get("timestamp"))
    text = str(content.get("text") or "").strip()
    if record.get("recalled") or record.get("isRecalled"):
        return Message(speaker, text or "<recalled>", time, DELETED)
    if record.get("system") or record.get("isSystemMessage") or record.get("type") == "system":
        return Message(speaker, text or "<system>", time, SYSTEM)
    if not text and content.get("resources"):
        return Message(speaker, "<resource>", time, MEDIA)
    kind = kind_of(text)
    return Message(speaker, text if kind else without_marks(text), time, kind)


def _milliseconds(stamp: Any) -> Any:
    return from_unix(stamp / 1000) if isinstance(stamp, (int, float)) else None


def _blocks(source: Source, tally: Tally) -> Iterator[Message]:
    """The messages of a text export: `[1]`, `Name:`, `时间: …`, then what it holds."""
    who = ""
    head: Message | None = None
    body: list[str] = []
    for line in source.lines():
        if (match := TIME.match(line)) and who:
            if head:
                yield _message(head, body[: -_taken(body)])
            head, body = Message(_name(who), "", from_iso(match[1]) or from_unix(match[1])), []
        elif head and RULE.match(line):  # the foot of the file
            yield _message(head, body)
            head, body = None, []
        elif head:
            body.append(line)
        who = line if WHO.match(line) else ""
    if head:
        yield _message(head, body)


def _name(line: str) -> str:
    match = WHO.match(line)
    return match[1] if match else ""


def _taken(body: list[str]) -> int:
    """How many of the last lines belong to the next message: its name, and its number where there is one."""
    return 1 + (len(body) > 1 and bool(re.fullmatch(r"\[\d{1,9}\]\s*", body[-2])))


def _message(head: Message, lines: list[str]) -> Message:
    said: list[str] = []
    kind, media, taking = "", False, False
    for line in lines:
        match = FIELD.match(line)
        if match and match[1] == "内容" and not said:
            said, taking = [match[2]], True
        elif match and match[1] in ("类型", "资源", "提及", "回复"):
            taking = False
            kind = SYSTEM if match[1] == "类型" and match[2].strip() in SYSTEM_TYPES else kind
            media = media or match[1] == "资源"
        elif taking or (line.strip() and not RESOURCE.match(line)):
            said.append(line)
    text = "".join(said).strip()
    kind = kind or kind_of(text) or (MEDIA if media and not without_marks(text) else "")
    return head._replace(text=(text or "<resource>" if media else text) if kind else without_marks(text), kind=kind)


FORMAT = Format(
    title="QQ (QQChatExporter)",
    documentation="https://github.com/shuakami/qq-chat-exporter",
    export="QQChatExporter → format JSON or TXT",
    notes="versions 4 and 5; pictures and stickers inside a text are removed; the speaker is the name in the group",
    claims=claims,
    read=read,
)
