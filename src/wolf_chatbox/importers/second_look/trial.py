"""A trial reading: what a format makes of the beginning of a file, and what speaks for and against it."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import dataclass, replace
from typing import IO, TextIO, cast

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.second_look.look import Guess

FIRST = 3
"""Turns of a guess that are shown."""


@dataclass(frozen=True)
class Beginning(Source):
    """The head of a file in its place: no more of it is read."""

    def open_text(self) -> TextIO:
        return cast(TextIO, io.StringIO(self.head, newline=None))

    def open_bytes(self) -> IO[bytes]:
        return io.BytesIO(self.head.encode(self.encoding, errors="replace"))


def beginning_of(source: Source) -> tuple[Beginning, bool]:
    """The head of a file, cut at a line's end if there is more; and whether there is."""
    with source.open_bytes() as file:
        cut = len(file.read((1 << 16) + 1)) > 1 << 16
    head = source.head
    if cut and "\n" in head:
        head = head[: head.rindex("\n") + 1]
    return Beginning(source.path, source.encoding, head, copy=source.copy), cut


def try_reading(name: str, format: Format, beginning: Beginning, cut: bool, config: ReadConfig) -> Guess:
    """What a format makes of a file's beginning. Whatever is wrong with it becomes the guess's `error`."""
    tally = Tally()
    turns: list[Turn] = []
    alone, error = 0, ""
    try:
        for conversation in format.read(beginning, replace(config, format=name), tally):
            turns += conversation.turns
            alone += len(conversation.turns) * (len({turn.speaker for turn in conversation.turns}) < 2)
    except DataError as failure:
        error = str(failure).replace(str(beginning.path), beginning.path.name)
    marked_up = beginning.head.lstrip()[:1] in ("{", "[", "<")
    if cut and marked_up and turns:
        error = ""  # what is cut off is missed
    counts = Counter(turn.speaker for turn in turns)
    said = sum(len(turn.text) + len(turn.speaker) for turn in turns)
    return Guess(
        format=name,
        title=format.title,
        claimed=format.claims(beginning.head),
        suffix=suffix if (suffix := _suffix(beginning)) in format.suffixes else "",
        turns=len(turns),
        dropped={reason: count for reason, count in tally.dropped.items() if count},
        speakers=len(counts),
        once=sum(count == 1 for count in counts.values()),
        alone=alone,
        timed=sum(turn.time is not None for turn in turns),
        share=min(1.0, said / max(1, len(beginning.head))),
        marked_up=marked_up,
        error=error,
        first=tuple((turn.speaker, turn.text) for turn in turns[:FIRST]),
    )


def _suffix(source: Source) -> str:
    return source.path.suffix.lower()
