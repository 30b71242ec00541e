"""Topical-Chat (Gopalakrishnan et al. 2019, https://github.com/alexa/Topical-Chat).

One object with a key for each dialogue, whose `content` is a list of messages.
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
from wolf_chatbox.importers.streams.json_stream import JsonStream


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and bool(
        re.search(r'"content"\s*:\s*\[\s*\{[^{}]*"agent"\s*:\s*"agent_', head)
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation a dialogue, each a group of its own; the speakers are agent_1 and agent_2."""
    with JsonStream(source) as stream:
        for key in stream.fields():
            value = stream.value()
            content = value.get("content") if isinstance(value, dict) else None
            said = [message for message in content if isinstance(message, dict)] if isinstance(content, list) else []
            messages = (Message(str(turn.get("agent") or ""), str(turn.get("message") or "")) for turn in said)
            yield from conversations(messages, key, config, tally)


FORMAT = Format(
    title="Topical-Chat",
    documentation="https://github.com/alexa/Topical-Chat",
    notes="JSON; the speakers are `agent_1` and `agent_2`",
    claims=claims,
    read=read,
)
