"""The Cornell Movie-Dialogs Corpus (Danescu-Niculescu-Mizil & Lee 2011, https://aclanthology.org/W11-0609).

movie_lines.txt: `L1045 +++$+++ u0 +++$+++ m0 +++$+++ BIANCA +++$+++ They do not!`. movie_conversations.txt beside it
lists the lines of each conversation; without it, consecutive line numbers are one.

All lines are held in memory, because they stand in no order. The corpus does not grow: its 304,713 lines (34 MB) take
150 MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import Message, conversations

MARK = " +++$+++ "
NUMBER = re.compile(r"L\d{1,12}", re.ASCII)


def claims(head: str) -> bool:
    return bool(re.match(r"(?:L\d+|u\d+) \+\+\+\$\+\+\+ ", head.lstrip()))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations, grouped by movie. movie_conversations.txt by itself holds none."""
    if source.head.lstrip().startswith("u"):
        return
    lines: dict[str, tuple[str, str, str]] = {}
    for line in source.lines():
        parts = line.rstrip("\n").split(MARK.rstrip(), 4)
        if len(parts) == 5 and NUMBER.fullmatch(parts[0].strip()):
            number, _, movie, name, text = (part.strip() for part in parts)
            lines[number] = (movie, name, text)
        elif line.strip():
            tally.dropped["not five fields"] += 1
    placed: set[str] = set()
    for numbers in _conversations(source, lines):
        fresh = [number for number in numbers if number in lines and number not in placed]
        placed.update(fresh)
        if fresh:
            movie = lines[fresh[0]][0]
            yield from conversations((Message(*lines[number][1:]) for number in fresh), movie, config, tally)
    tally.dropped["not in any conversation"] += len(lines) - len(placed)
    tally.dropped = +tally.dropped


def _conversations(source: Source, lines: dict[str, tuple[str, str, str]]) -> Iterator[list[str]]:
    beside = source.folder / "movie_conversations.txt"
    if beside.exists():
        with beside.open(encoding=source.encoding) as file:
            for line in file:
                yield re.findall(r"L\d+", line.rpartition("+++$+++")[2])
        return
    run: list[str] = []
    for number in sorted(lines, key=lambda name: int(name[1:])):
        if run and (int(number[1:]) != int(run[-1][1:]) + 1 or lines[number][0] != lines[run[-1]][0]):
            yield run
            run = []
        run.append(number)
    if run:
        yield run


FORMAT = Format(
    title="Cornell Movie-Dialogs",
    documentation="https://www.cs.cornell.edu/~cristian/Cornell_Movie-Dialogs_Corpus.html",
    notes="`movie_lines.txt`, with `movie_conversations.txt` beside it",
    claims=claims,
    read=read,
)
