"""iMessage and SMS, as imessage-exporter writes them in txt: a time, who sent it, the text, an empty line.

Form: https://github.com/ReagentX/imessage-exporter (exporters/txt).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, MONTHS, SYSTEM, Message, conversations, moment

TIME = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) +(\d{1,2}):(\d\d):(\d\d) ([AP]M)(?: \(.*\))?(?: (\S.*))?\s*$")
ATTACHMENT = re.compile(
    r"(?:\S*/)?[^\n]{1,200}\.(?:heic|jpe?g|png|gif|mov|mp4|m4a|caf|pdf|vcf|amr|pluginPayloadAttachment)"
    r"|Attachment missing!?|\ufffc",
    re.IGNORECASE,
)
TAPBACKS = re.compile(r"\n {0,8}(?:Tapbacks|Reactions):\n[\s\S]*\Z")
REPLY = re.compile(r"\n? {0,8}This message responded to an earlier message\.")


def claims(head: str) -> bool:
    lines = head.splitlines()
    return sum(bool(TIME.match(line)) for line in lines) > 0.1 * max(1, len(lines))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat, cut where it was silent; `Me` is who exported it.

    The export writes replies twice, also indented under what they answer: that copy is not read.
    """
    yield from conversations(_messages(source), source.path.stem, config, tally)


def _messages(source: Source) -> Iterator[Message]:
    time: datetime | None = None
    body: list[str] = []
    for line in source.lines():
        if match := TIME.match(line):
            if time:
                yield _message(body, time)
            time, body, notice = _time(match) or time, [], match[8]
            if notice and time:
                yield Message("", notice, time, SYSTEM)
                time = None
        elif time:
            body.append(line)
    if time:
        yield _message(body, time)


def _time(match: re.Match[str]) -> datetime | None:
    month, day, year, hour, minute, second, half, _ = match.groups()
    hours = int(hour) % 12 + (12 if half == "PM" else 0)
    return moment(int(year), MONTHS.get(month, 0), int(day), hours, int(minute), int(second))


def _message(lines: list[str], time: datetime) -> Message:
    speaker = lines[0].strip() if lines else ""
    indented = next(
        (at for at, line in enumerate(lines[1:], 1) if re.match(r" {4}[A-Z][a-z]{2} \d{1,2}, \d{4} ", line)), len(lines)
    )
    body = REPLY.sub("", TAPBACKS.sub("", "".join(lines[1:indented]))).strip()
    said = "\n".join(
        line for line in body.splitlines() if len(line) > 500 or not ATTACHMENT.fullmatch(line.strip())
    ).strip()
    return Message(speaker, said or body, time, MEDIA if body and not said else "")


FORMAT = Format(
    title="iMessage, SMS (imessage-exporter txt)",
    documentation="https://github.com/ReagentX/imessage-exporter",
    export="`imessage-exporter -f txt`",
    notes="`Me` is who exported it; tapbacks are removed; a reply is read once, in its own place",
    claims=claims,
    read=read,
)
