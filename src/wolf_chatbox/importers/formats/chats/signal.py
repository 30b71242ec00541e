"""Signal, as signal-export writes it: `[2019-12-24, 12:23] Jane: hello`, a file a chat.

Form: https://github.com/carderne/signal-export (chat.md; seconds in newer versions).
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
from wolf_chatbox.importers.shared.messages import MEDIA, Message, conversations, from_iso
from wolf_chatbox.importers.shared.whatsapp_phrases import is_whatsapps

HEADER = re.compile(r"\u200e?\[(\d{4}-\d\d-\d\d)(?:, (\d\d:\d\d)| (\d\d:\d\d:\d\d))\] ([^\n:]{1,100}): ?")
ATTACHMENT = re.compile(r"!?\[[^\[\]\n]{0,300}\]\([^()\n]{0,500}\)")
REACTIONS = re.compile(r"\n?\(- [^\n]{0,1000}-\)\Z")

QUOTE = re.compile(r"\A\s*\n(?:>[^\n]*(?:\n|\Z))+\s*")
"""The message that it answers, quoted above it."""


def claims(head: str) -> bool:
    return share_of_lines(head, HEADER) > 0.1 and bool(HEADER.match(head.lstrip())) and not is_whatsapps(head)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent; `Me` is who exported it. Its folder names the chat."""
    name = source.path.stem
    group = source.folder.name if name in ("index", "chat") else name
    yield from conversations(_messages(source), group or name, config, tally)


def _messages(source: Source) -> Iterator[Message]:
    speaker, time, body = "", None, [""]
    for line in source.lines():
        if match := HEADER.match(line):
            if speaker:
                yield _message(speaker, "".join(body), time)
            speaker, time, body = match[4], from_iso(f"{match[1]}T{match[2] or match[3]}"), [line[match.end() :]]
        else:
            body.append(line)
    if speaker:
        yield _message(speaker, "".join(body), time)


def _message(speaker: str, body: str, time: datetime | None) -> Message:
    body = QUOTE.sub("", REACTIONS.sub("", body.rstrip()))
    without = ATTACHMENT.sub("", body).strip()
    return Message(speaker, without, time) if without else Message(speaker, body, time, MEDIA if body.strip() else "")


FORMAT = Format(
    title="Signal (signal-export)",
    documentation="https://github.com/carderne/signal-export",
    export="`sigexport FOLDER`",
    notes="`Me` is who exported it; attachments and reactions are dropped",
    claims=claims,
    read=read,
)
