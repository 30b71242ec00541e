"""RealPersonaChat (Yamashita et al. 2023, https://github.com/nu-dialogue/real-persona-chat).

A Japanese dialogue a file, or a list of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import Message, conversations, from_iso
from wolf_chatbox.importers.streams.json_stream import JsonStream


def claims(head: str) -> bool:
    return (
        head.lstrip().startswith(("{", "["))
        and bool(re.search(r'"utterances"\s*:\s*\[\s*\{', head))
        and bool(re.search(r'"interlocutor_id"\s*:', head))
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation a dialogue, each a group of its own; an interlocutor has one name in all of them."""
    with JsonStream(source) as stream:
        for value in stream.items() if stream.begins() == "[" else [stream.value()]:
            said = value.get("utterances") if isinstance(value, dict) else None
            group = f"{value.get('dialogue_id', source.path.stem)}" if isinstance(value, dict) else source.path.stem
            yield from conversations(map(_message, said if isinstance(said, list) else []), group, config, tally)


def _message(said: Any) -> Message:
    if not isinstance(said, dict):
        return Message("", "")
    return Message(str(said.get("interlocutor_id") or ""), str(said.get("text") or ""), from_iso(said.get("timestamp")))


FORMAT = Format(
    title="RealPersonaChat",
    documentation="https://github.com/nu-dialogue/real-persona-chat",
    notes="Japanese; JSON, a dialogue a file or a list of them",
    claims=claims,
    read=read,
)
