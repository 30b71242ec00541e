"""WeChat, as WeFlow and EchoTrace write it in JSON: a `session` and its `messages`, a file a chat.

Form: https://github.com/hicccc77/WeFlow, https://github.com/ycccccccy/echotrace; both are described by the readers of
https://github.com/hellodigua/ChatLab.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.chinese_phrases import kind_of
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, from_iso, from_unix
from wolf_chatbox.importers.streams.json_stream import JsonStream

KEYS = ('"session"', '"messages"', '"senderUsername"', '"senderDisplayName"')
SAID = ("文本消息", "引用消息", "回复消息")
NOTICES = ("系统消息", "通话消息")


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and all(key in head for key in KEYS)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent; media and notices are counted."""
    with JsonStream(source) as stream:
        group = ""
        for key in stream.fields():
            if key == "session":
                session = stream.value()
                if isinstance(session, dict):
                    group = str(session.get("displayName") or session.get("remark") or session.get("nickname") or "")
            elif key == "messages":
                yield from conversations(map(_message, stream.items()), group or source.path.stem, config, tally)


def _message(message: Any) -> Message:
    if not isinstance(message, dict):
        return Message("", "")
    mine = message.get("isSend") in (1, True)
    speaker = str(message.get("senderDisplayName") or message.get("senderUsername") or ("Me" if mine else ""))
    time = from_iso(message.get("formattedTime")) or from_unix(message.get("createTime"))
    text, kind = str(message.get("content") or "").strip(), str(message.get("type") or "")
    if kind in NOTICES:
        return Message(speaker, text or f"<{kind}>", time, SYSTEM)
    if kind not in SAID:
        return Message(speaker, text or f"<{kind}>", time, MEDIA)
    return Message(speaker, text, time, kind_of(text))


FORMAT = Format(
    title="WeChat (WeFlow, EchoTrace JSON)",
    documentation="https://github.com/hicccc77/WeFlow",
    export="WeFlow or EchoTrace → export → JSON",
    notes=(
        "texts are kept, also those that quote a message; pictures, links, transfers and calls are dropped and counted"
    ),
    claims=claims,
    read=read,
)
