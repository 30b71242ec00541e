"""Made-up public sets, and what the tests ask of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Event, Game, Player
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.public import download
from wolf_chatbox.public.catalogue import File, PublicSet

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PLAYERS = (Player("Ken", "WEREWOLF"), Player("Rin", "SEER"), Player("Mio", "VILLAGER"))


def play(name: str, language: str, lines: int, winner: str, same_as: str = "") -> Conversation:
    """A short game: everybody talks, the wolf whispers once, and at the end somebody wins, or nobody."""
    turns = [Turn(PLAYERS[at % 3].name, f"{name}: I say {at} things, and no more.") for at in range(lines)]
    turns.append(Turn("Ken", "Rin is next.", channel="whisper"))
    events = (
        Event(0, 1, "day"),
        Event(lines, 1, "night"),
        Event(lines + 1, 1, "attack", target="Rin", result="killed"),
        Event(lines + 1, 2, "end"),
    )
    return Conversation(tuple(turns), name, Game("made-up", language, PLAYERS, events, winner, same_as=same_as))


GAMES = {
    "village/one.jsonl": [play("one", "en", 900, "WEREWOLF", "first"), play("two", "en", 4, "")],
    "village/it's the third #3.jsonl": [play("ichi", "ja", 5, "WEREWOLF", "first"), play("san", "ja", 6, "VILLAGER")],
    "chat/four.jsonl": [play("four", "en", 3, "VILLAGER")],
}
"""The first file is much longer than a chunk of a download; the second has one of its games in another language."""
CONTENT = {path: "".join(json.dumps(game.to_dict()) + "\n" for game in games).encode() for path, games in GAMES.items()}
ONE, THIRD, FOUR = GAMES


def listed(*paths: str) -> tuple[File, ...]:
    return tuple(File(hashlib.sha256(CONTENT[path]).hexdigest(), len(CONTENT[path]), path) for path in paths)


def public(name: str, *paths: str, **more: Any) -> PublicSet:
    form: dict[str, Any] = {
        "title": f"The games of {name}",
        "languages": ("en",),
        "what": "made-up games",
        "what_ja": "作り話のゲーム",
        "bias": "Ken is always the wolf.",
        "bias_ja": "人狼はいつも Ken である。",
        "licence": "MIT",
        "copyright": f"Copyright (c) 2024 {name}",
        "citation": f"{name}: Games. 2024.",
        "games": 4,
        "format": "conversations",
        "repository": f"them/{name}",
        "commit": COMMIT,
    }
    return PublicSet(name=name, files=listed(*paths), **(form | more))


SETS = {
    "village": public("village", ONE, THIRD),
    "chat": public("chat", FOUR, games=1),
    "on-the-hub": public(
        "on-the-hub", repository="", commit="", hub="them/games", patterns=("*/split/*.jsonl",), licence="Apache-2.0"
    ),
    "a-series": public(
        "a-series",
        licence="",
        games=None,
        repository="",
        commit="",
        page="https://example.org/series",
        by_hand="download it (free) and pass its name",
    ),
}
PATHS = {path: f"them/{'chat' if path == FOUR else 'village'}/{COMMIT}/{path}" for path in CONTENT}


def cached(wanted: PublicSet = SETS["village"]) -> dict[str, bytes]:
    """The files of a set in the cache."""
    folder = download.data_folder(wanted) / "files"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read(path: Path) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(format="conversations")))


def failure(wanted: PublicSet = SETS["village"], source: Path | None = None) -> str:
    """The one line that says why a set cannot be had."""
    with pytest.raises(DataError) as raised:
        download.fetch(wanted, source)
    text = str(raised.value)
    assert "\n" not in text
    assert wanted.name in text
    return text
