"""NAME OF THE FORMAT, as PROGRAM writes it: `12:00 Ann> hello`.

Copy this file into a folder of formats/, and follow docs/add-a-format.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source, share_of_lines
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations

LINE = re.compile(r"\d\d:\d\d ([^>\n]{1,100})> (.*)")


def claims(head: str) -> bool:
    """Whether the first 64 KiB of a file are of this format, and of no other."""
    return share_of_lines(head, LINE) > 0.5


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations. Everything in the file is a message; `conversations` keeps it, or counts why not."""
    yield from conversations(_messages(source), source.path.stem, config, tally)


def _messages(source: Source) -> Iterator[Message]:
    for line in source.lines():
        if match := LINE.match(line):
            yield Message(match[1], match[2])
        elif line.strip():
            yield Message("", line, kind=SYSTEM)


FORMAT = Format(
    title="NAME OF THE FORMAT",
    documentation="https://example.org/FORMAT",
    export="PROGRAM → Export",
    notes="what a user should know",
    claims=claims,
    read=read,
)
