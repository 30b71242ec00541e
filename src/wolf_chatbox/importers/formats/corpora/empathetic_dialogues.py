"""EmpatheticDialogues (Rashkin et al. 2019, https://aclanthology.org/P19-1534).

`conv_id,utterance_idx,context,prompt,speaker_idx,utterance,…`, unquoted; a comma in a text is written `_comma_`.
"""

from __future__ import annotations

from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import Message, conversations

HEADER = "conv_id,utterance_idx,context,prompt,speaker_idx,utterance"


def claims(head: str) -> bool:
    return head.lstrip().startswith(HEADER)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation for each `conv_id`, a group of its own, between `speaker` (who begins) and `listener`."""
    dialogue: list[Message] = []
    names: dict[str, str] = {}
    current = ""
    lines = source.lines()
    next(lines, None)
    for line in lines:
        cells = line.rstrip("\n").split(",")
        if len(cells) < 6:
            if line.strip():
                tally.dropped["not six fields"] += 1
            continue
        if cells[0] != current:
            yield from conversations(dialogue, current, config, tally)
            dialogue, names, current = [], {}, cells[0]
        name = names.setdefault(cells[4], "listener" if names else "speaker")
        dialogue.append(Message(name, cells[5].replace("_comma_", ",")))
    yield from conversations(dialogue, current, config, tally)


FORMAT = Format(
    title="EmpatheticDialogues",
    documentation="https://aclanthology.org/P19-1534",
    notes="CSV; the speakers are `speaker` and `listener`",
    claims=claims,
    read=read,
)
