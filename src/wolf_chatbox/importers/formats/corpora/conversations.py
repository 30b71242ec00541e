"""The project's own format: JSON Lines of conversations, as `wolf-chatbox data convert` writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.streams.json_stream import json_lines


def claims(head: str) -> bool:
    """A line begins with a conversation, and not with turns of character.ai, which have keys."""
    return bool(re.match(r'\s*\{[^\n]*"turns"\s*:\s*\[(?!\s*\{\s*"turn_key")', head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations; turns without text or speaker are dropped and counted."""
    for number, (where, value) in enumerate(json_lines(source), 1):
        conversation = Conversation.from_dict(value, where)
        turns, places = [], []
        for place, turn in enumerate(conversation.turns):
            speaker, text = clean(turn.speaker), clean(turn.text)
            if not text:
                tally.dropped["no text"] += 1
            elif not speaker:
                tally.dropped["no speaker"] += 1
            else:
                turns.append(turn._replace(speaker=speaker, text=text, heard=tuple(map(clean, turn.heard))))
                places.append(place)
        tally.kept += len(turns)
        if turns or conversation.briefings:
            yield replace(
                conversation.with_turns(places, turns), group=conversation.group or f"{source.path.stem} {number}"
            )


FORMAT = Format(
    title="conversations (JSON Lines)",
    notes='what `data convert` writes: `{"group": …, "turns": [{"speaker": …, "text": …, "time": …}]}`',
    claims=claims,
    read=read,
)
