"""E-mail threads in a mailbox file (mbox, RFC 4155). Thunderbird, Apple Mail and Google Takeout export them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import WIDE, Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.mails import MAX_MESSAGE, threads_of


def claims(head: str) -> bool:
    return bool(re.match(r"From [^\n]+\n(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2}", head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each thread, without quotes of earlier mails, signatures and attachments."""
    yield from threads_of(_split(source), source.path.stem, config, tally)


def _split(source: Source) -> Iterator[bytes]:
    """The messages of a mailbox: each begins with a line `From …` after an empty line."""
    lines: list[bytes] = []
    size, empty = 0, True
    with source.open_bytes() as file:
        for line in (text.encode() for text in source.lines()) if source.encoding in WIDE.values() else file:
            if empty and line.startswith(b"From "):
                if lines:
                    yield b"".join(lines)
                lines, size = [], 0
            elif size < MAX_MESSAGE:
                lines.append(line[1:] if line.startswith(b">From ") else line)
                size += len(line)
            empty = not line.strip()
    if lines:
        yield b"".join(lines)


FORMAT = Format(
    title="mailbox (mbox)",
    documentation="https://www.rfc-editor.org/rfc/rfc4155",
    export="Thunderbird, Apple Mail: export a folder; Google Takeout",
    notes="one conversation per thread; quotes and signatures are removed",
    claims=claims,
    read=read,
    suffixes=(".mbox",),
)
