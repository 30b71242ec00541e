"""The classic raw format: a sample is its turns joined by `<|endoftext|>`.

One sample a line, or a JSON list of such strings. It names no speakers: two take turns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.streams.json_stream import JsonStream

END = "<|endoftext|>"
SIDES = ("A", "B")
LIST = re.compile(r'\s*\[\s*"')
"""How a list of strings begins."""
JSON = re.compile(r'\s*[{\[]\s*["{\[\]}]')
"""How other JSON begins; a line of dialogue may also begin with a bracket."""


def claims(head: str) -> bool:
    """Whether it is a list of strings, or at least half of the lines are samples; a text may mention the mark."""
    if LIST.match(head) or JSON.match(head):
        return bool(LIST.match(head))
    lines = [line for line in head.splitlines() if line.strip()]
    return 2 * sum(END in line for line in lines) >= len(lines) > 0


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation for each sample, each a group of its own."""
    for number, sample in enumerate(_samples(source), 1):
        texts = [clean(text) for text in sample.split(END)]
        if texts and not texts[-1]:
            texts.pop()
        turns = tuple(Turn(SIDES[at % 2], text) for at, text in enumerate(texts) if text)
        tally.kept += len(turns)
        if len(turns) < len(texts):
            tally.dropped["no text"] += len(texts) - len(turns)
        if turns:
            yield Conversation(turns, f"{source.path.stem} {number}")


def _samples(source: Source) -> Iterator[str]:
    if not LIST.match(source.head):
        yield from source.lines()
        return
    with JsonStream(source) as stream:
        for number, sample in enumerate(stream.items(), 1):
            if not isinstance(sample, str):
                raise DataError(
                    f"{source.path}, item {number}: not a string. The raw format is a list of strings joined by {END}."
                )
            yield sample


FORMAT = Format(
    title="classic raw samples",
    notes="turns joined by `<|endoftext|>`, a sample a line or a JSON list of strings; two speakers take turns",
    claims=claims,
    read=read,
)
