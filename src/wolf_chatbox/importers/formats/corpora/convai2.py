"""PersonaChat and ConvAI2 in ParlAI's text form (Zhang et al. 2018, https://aclanthology.org/P18-1205).

Numbered lines, from 1 in each dialogue: `3 hi how are you?<TAB>fine, and you?<TAB><TAB>candidate|candidate`,
after lines `1 your persona: i like to ski.`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations

LINE = re.compile(r"(\d+) (.*)$")
PERSONA = re.compile(r"(?:your|partner's) persona: ")


def claims(head: str) -> bool:
    first, _, rest = head.lstrip().partition("\n")
    if not first.startswith("1 ") or not rest.startswith(("1 ", "2 ")):
        return False
    return bool(PERSONA.match(first[2:])) or ("\t" in first and "\t" in rest.partition("\n")[0])


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation a dialogue between `A` and `B`, who has the persona.

    Personas are system messages; candidates are not read.
    """
    dialogue: list[Message] = []
    number = 0

    def finished() -> Iterator[Conversation]:
        return conversations(dialogue, f"{source.path.stem} {number}", config, tally)

    for line in source.lines():
        match = LINE.match(line)
        if not match:
            if line.strip():
                tally.dropped["no line number"] += 1
            continue
        if match[1] == "1" and dialogue and not (PERSONA.match(match[2]) and dialogue[-1].kind == SYSTEM):
            number += 1
            yield from finished()
            dialogue = []
        if PERSONA.match(match[2]):
            dialogue.append(Message("", match[2], None, SYSTEM))
            continue
        fields = match[2].split("\t")
        dialogue += [Message(side, text) for side, text in zip("AB", fields) if text.strip() != "__SILENCE__"]
    number += 1
    yield from finished()


FORMAT = Format(
    title="PersonaChat, ConvAI2",
    documentation="https://aclanthology.org/P18-1205",
    notes="ParlAI's text form; personas are counted as system messages",
    claims=claims,
    read=read,
)
