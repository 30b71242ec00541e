"""A field that is added to Conversation or Turn reaches the other end of every step."""

from __future__ import annotations

import io
import json
import re
from collections import namedtuple
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wolf_chatbox.config import CleanConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean, publishable
from wolf_chatbox.data.export import export
from wolf_chatbox.data.privacy import names
from wolf_chatbox.data.split import hold_out_groups, hold_out_speaker, split, split_in_time
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import Game, Player
from wolf_chatbox.werewolf.views import view

NOON = datetime(2024, 5, 1, 12)
Conversations = Iterable[Conversation]


class MoodyTurn(namedtuple("MoodyTurn", [*Turn._fields, "mood"])):
    """A turn with one field more."""

    __slots__ = ()
    to_dict = Turn.to_dict


@dataclass(frozen=True, slots=True)
class Rated(Conversation):
    """A conversation with one field more."""

    rating: int = 0

    def to_dict(self) -> dict[str, Any]:
        return super(Rated, self).to_dict() | {"rating": self.rating}


def turn(speaker: str, text: str, minute: int, channel: str = "") -> Any:
    return MoodyTurn(speaker, text, NOON + timedelta(minutes=minute), channel, (), "sad")


TURNS = (
    turn("Ann", "cafÃ© with Mordecai, mail me at ann@example.org", 0),
    turn("Ann", "or not", 1),
    turn("Bob", "Who are you, Ann? I do not know.", 9),
    turn("Ann", "I'msorry,IvoteforBobtoday!", 20),
)
CHATS = [Rated(TURNS, "WhatsApp Chat with Ann", rating=5), Rated(TURNS[2:], "two", rating=5)]
GAME = Rated(TURNS, "game", Game("set", "en", (Player("Ann", "SEER"), Player("Bob", "WEREWOLF")), ()), rating=5)


def cleaned(**settings: Any) -> Callable[[Conversations], Conversations]:
    def step(conversations: Conversations) -> Conversations:
        found = list(conversations)
        return clean(found, CleanConfig(**settings), Tally(kept=sum(len(each.turns) for each in found)))

    return step


def sides(*lists: Any) -> Conversations:
    return [conversation for side in lists for conversation in side or ()]


STEPS: dict[str, Callable[[Conversations], Conversations]] = {
    "repair": cleaned(repair=True),
    "languages": cleaned(languages=("en",)),
    "duplicates": cleaned(duplicates="near"),
    "joining": cleaned(join_within=120),
    "scrub": cleaned(scrub=True),
    "scrub names": cleaned(scrub_names=True),
    "publishing": lambda conversations: publishable(conversations, CleanConfig(scrub=True)),
    "split": lambda conversations: sides(*split(list(conversations), 0.5, 0)[:2]),
    "split of one group": lambda conversations: sides(*split(list(conversations)[:1], 0.5, 0)[:2]),
    "split in time": lambda conversations: sides(*split_in_time(list(conversations), 0.3)[:2]),
    "speaker": lambda conversations: sides(*hold_out_speaker(list(conversations), "Bob")[:2]),
    "group": lambda conversations: sides(*hold_out_groups(list(conversations), "t*")[:2]),
}


@pytest.mark.parametrize("step", STEPS)
def test_every_step_keeps_it(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(text: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(start=found.start(), end=found.end()) for found in re.finditer("Mordecai", text)]

    monkeypatch.setattr(names, "installed_models", lambda: {"en": "en_core_web_md"})
    monkeypatch.setattr(names, "load_finder", lambda language, model: find)
    kept(STEPS[step]([*CHATS, GAME]))


def test_pseudonyms_keep_it(tmp_path: Path) -> None:
    kept(cleaned(pseudonyms=tmp_path / "key.json")([*CHATS, GAME]))


def kept(conversations: Conversations) -> None:
    found = list(conversations)
    assert found
    for conversation in found:
        assert isinstance(conversation, Rated)
        assert conversation.rating == 5
        assert conversation.turns
        assert {getattr(turn, "mood", None) for turn in conversation.turns} == {"sad"}


def test_the_views_of_a_game_keep_it_in_what_was_said() -> None:
    said = [turn for part in view(GAME, "player") for turn in part.turns if turn.speaker != part.narrator]
    assert {getattr(turn, "mood", None) for turn in said} == {"sad"}


def test_our_own_form_writes_it() -> None:
    file = io.StringIO()
    export(CHATS, "conversations", file)
    assert [json.loads(line)["rating"] for line in file.getvalue().splitlines()] == [5, 5]
