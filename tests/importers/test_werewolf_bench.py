"""Werewolf-bench: what nobody at the table heard reaches nobody, and what is said goes on to the next record."""

from __future__ import annotations

from pathlib import Path

import pytest

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.werewolf.views import watch

GAMES = Path(__file__).parents[1] / "fixtures/werewolf_bench/games.input.txt"


def read(path: Path, tally: Tally | None = None) -> list[Conversation]:
    return list(read_conversations(path, tally=tally))


def test_thoughts_and_the_wolves_choice_reach_no_villager() -> None:
    game = read(GAMES)[0]
    heard = {name: " ".join(turn.text for scene in watch(game, name) for turn in scene.turns) for name in ("Di", "Bo")}
    for secret in ("As the Witch I want", "Bo lies", "The werewolves have agreed", "Betrayal"):
        assert all(secret not in text for text in heard.values())
    assert "The ferryman first" in heard["Bo"]
    assert "The ferryman first" not in heard["Di"]
    assert "Ada is elected mayor of the village!" in heard["Di"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("- Bo: where were you?", "Well.\n- Bo: where were you?"),
        ("[Speaking round 2]", "Well."),
        ("[Bo] Me too.", "Well."),
        ("🤔 [Bo's reasoning] Hm.", "Well."),
        ("[AUDITOR DEBUG] Player death", "Well."),
        ("[Eve] is a name I made up", "Well.\n[Eve] is a name I made up"),
        ("Ed: 2 vote(s)", "Well.\nEd: 2 vote(s)"),
        ("Bo: 2 vote(s)", "Well."),
    ],
)
def test_a_speech_goes_on_until_another_record_begins(tmp_path: Path, line: str, text: str) -> None:
    rule = "=" * 60
    head = f"\n{rule}\nGame 9\n{rule}\nPlayers and roles : {{'Ada': 'seer', 'Bo': 'wolf'}}\n"
    path = tmp_path / "Game_9.txt"
    path.write_text(f"{head}\n☀️ DAY 1\n\n[Ada] Well.\n{line}\n", encoding="utf-8")
    assert read(path)[0].turns[0].text == text


def test_a_line_that_is_no_record_is_told(tmp_path: Path) -> None:
    path = tmp_path / "Game_7.txt"
    text = GAMES.read_text(encoding="utf-8")
    path.write_text(text.replace("🌙 NIGHT 1\n", "🌙 NIGHT 1\nThe moon is full.\n", 1), encoding="utf-8")
    tally = Tally()
    assert [game.turns for game in read(path, tally)] == [game.turns for game in read(GAMES)]
    assert tally.notes == [f"{path}: skipped 1 lines that are no records"]
