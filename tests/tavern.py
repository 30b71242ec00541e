"""Chats with a character in the form of SillyTavern, and what is read from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import FORMATS, read_choices, read_conversations
from wolf_chatbox.importers.files.source import Source

HEADER = {"user_name": "Ann", "character_name": "Marlo", "create_date": "2024-05-01@18h30m00s"}
FIRST_PAIRS = ["*bows* A room?", "Only soup.", "Bread too?", "Yes."]
"""What Marlo and Ann say in turns."""
Json = dict[str, Any]


def write(path: Path, value: object) -> Path:
    """A JSON document, or JSON Lines from a list of objects with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = value if isinstance(value, list) else [value]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def said(text: str, *, user: bool = False, **more: object) -> Json:
    """A message of SillyTavern."""
    name = "Ann" if user else "Marlo"
    return {"name": name, "is_user": user, "is_system": False, "send_date": "", "mes": text, "extra": {}, **more}


def tavern(path: Path, *messages: Json, **header: object) -> Path:
    return write(path, [{**HEADER, **header}, *messages])


def alternating(*texts: str) -> list[Json]:
    return [said(text, user=bool(number % 2)) for number, text in enumerate(texts)]


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    config = ReadConfig(**settings)
    return list(read_conversations(path, config, tally))


def lines(path: Path, tally: Tally | None = None) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for conversation in read(path, tally) for turn in conversation.turns]


def claimed(path: Path) -> list[str]:
    head = Source.open(path).head
    return [name for name, known in FORMATS.items() if known.claims(head)]


def drawn(path: Path, tally: Tally | None = None) -> list[tuple[str, str]]:
    return [(choice.chosen.text, choice.rejected.text) for choice in read_choices(path, tally=tally)]
