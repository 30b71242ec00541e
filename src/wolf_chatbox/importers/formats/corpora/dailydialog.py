"""DailyDialog (Li et al. 2017, https://aclanthology.org/I17-1099).

A dialogue a line, `__eou__` after each utterance; two speakers take turns.
"""

from __future__ import annotations

from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import Message, conversations

END = "__eou__"
SIDES = ("A", "B")


def claims(head: str) -> bool:
    return END in head.partition("\n")[0]


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation a line, each a group of its own."""
    for number, line in enumerate(source.lines(), 1):
        said = line.rstrip().removesuffix(END).split(END) if line.strip() else []
        yield from conversations(
            (Message(SIDES[at % 2], text) for at, text in enumerate(said)),
            f"{source.path.stem} {number}",
            config,
            tally,
        )


FORMAT = Format(
    title="DailyDialog",
    documentation="https://aclanthology.org/I17-1099",
    notes="a dialogue a line, `__eou__` after each utterance",
    claims=claims,
    read=read,
)
