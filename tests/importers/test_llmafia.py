"""LLMafia: what lies beside a game, and the later games of the same program, which have no nights."""

from __future__ import annotations

from pathlib import Path

import pytest

from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations

DAY = "Now it's Discussion Time for 2.0 minutes. Everyone can communicate. Try to identify who the AI is!"


@pytest.fixture
def turing_test(tmp_path: Path) -> Path:
    """Two days without a night between them."""
    game = tmp_path / "0007"
    game.mkdir()
    files = {
        "config.json": '{"players": [{"name": "Ada", "is_mafia": false, "is_llm": false}, {"name": "Bo", "is_mafia": '
        'true, "is_llm": true}, {"name": "Cy", "is_mafia": false, "is_llm": false}], "anonymous_voting": true}',
        "public_manager_chat.txt": f"[10:00:00] Game-Manager: {DAY}\n"
        "[10:02:29] Game-Manager: Ada was eliminated. They were: Human\n"
        f"[10:02:29] Game-Manager: {DAY}\n"
        "[10:04:40] Game-Manager: Bo was eliminated. They were: Imposter\n",
        "public_daytime_chat.txt": "[10:00:05] Ada: Who rowed today?\n[10:00:09] Bo: me i guess\n"
        "[10:02:00] Game-Manager: Discussion phase has ended, now it's time to vote! Who do you think is the AI?\n"
        "[10:03:00] Cy: So it is you, Bo.\n",
        "real_names.txt": "Zoe: Ada\nYan: Cy",
        "who_wins.txt": "Humans win!",
    }
    for name, text in files.items():
        (game / name).write_text(text)
    return game


def test_days_without_nights_are_told_apart(turing_test: Path) -> None:
    (conversation,) = read_conversations(turing_test)
    game = conversation.game
    assert game is not None
    assert [turn.text for turn in conversation.turns] == ["Who rowed today?", "me i guess", "So it is you, Bo."]
    assert [
        (event.day, event.kind, event.target, event.result) for event in game.events if event.kind != "announce"
    ] == [
        (1, "day", "", ""),
        (1, "execute", "Ada", "VILLAGER"),
        (2, "day", "", ""),
        (2, "execute", "Bo", "WEREWOLF"),
        (2, "end", "", ""),
    ]
    assert [event.at for event in game.events if event.kind == "day"] == [0, 2]
    assert (game.winner, game.votes_are_public) == ("VILLAGER", False)


def test_what_lies_beside_a_game_is_no_conversation_and_elsewhere_it_is_one(turing_test: Path, tmp_path: Path) -> None:
    tally = Tally()
    assert len(list(read_conversations(turing_test, tally=tally))) == 1
    assert [title for _, title in tally.formats] == ["LLMafia game"] * 4
    assert tally.notes == []
    script = tmp_path / "play"
    script.mkdir()
    (script / "real_names.txt").write_text("ANN: Who brings the oars?\nBOB: Not me.\nANN: Then we swim.\n")
    (conversation,) = read_conversations(script)
    assert {turn.speaker for turn in conversation.turns} == {"ANN", "BOB"}
