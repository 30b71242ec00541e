"""A game that is over, or was given up, is saved: as a log, and as training data; who reads both reads it once."""

from __future__ import annotations

from pathlib import Path

import pytest

from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.play.finished import save
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.seating import Sitting, sit_down
from wolf_chatbox.werewolf.table import TableConfig


def sitting(seed: int = 1, players: int = 5) -> Sitting:
    return sit_down(TableConfig(players=players), {}, ["random"], lambda word: ChancePlayer, seed)


def played(seed: int = 1, players: int = 5) -> Sitting:
    held = sitting(seed, players)
    Moderator(held.village, held.players).lead()
    return held


def test_a_finished_game_is_training_data_and_a_log(tmp_path: Path) -> None:
    held = played(players=13)
    saved = save(held.village, tmp_path, held.teams)
    assert saved.games is not None
    [read] = read_conversations(saved.games)
    [log] = read_conversations(saved.log)
    assert read == held.village.conversation()
    assert [(turn.speaker, turn.text, turn.channel) for turn in log.turns] == [
        (turn.speaker, turn.text, turn.channel) for turn in read.turns
    ]
    assert log.game is not None
    assert log.game.winner == held.village.winner


def test_reading_the_folder_reads_each_game_once(tmp_path: Path) -> None:
    """Players by chance say the same in every game: these are games of their own, and their logs are not."""
    for _ in range(3):
        held = played()  # the same seed: only the ids differ
        save(held.village, tmp_path, held.teams)
    tally = Tally()
    games = list(read_conversations(tmp_path, tally=tally))
    assert len({game.group for game in games}) == len(games) == 3
    assert {game.game and game.game.source for game in games} == {"wolf-chatbox"}
    assert tally.dropped["game already read"] == sum(len(game.turns) for game in games)


def test_a_log_that_lost_turns_in_reading_is_no_second_game(tmp_path: Path) -> None:
    held = sitting()
    first = held.village.names[0]

    class Refusing(ChancePlayer):
        def answer(self, kind: object, sight: object) -> str | None:
            return "As an AI language model, I cannot play." if kind == "talk" else super().answer(kind, sight)  # type: ignore[arg-type]

    Moderator(held.village, dict(held.players) | {first: Refusing(1)}).lead()
    save(held.village, tmp_path, held.teams)
    assert len(list(read_conversations(tmp_path))) == 1


def test_a_game_that_was_given_up_is_saved_as_far_as_it_went(tmp_path: Path) -> None:
    held = sitting()
    steps: list[object] = []
    Moderator(
        held.village, held.players, watch=lambda village, step: steps.append(step), stopped=lambda: len(steps) > 5
    ).lead()
    saved = save(held.village, tmp_path, held.teams)
    assert saved.games is not None
    [read] = read_conversations(tmp_path)
    assert read.turns
    assert read.game is not None
    assert read.game.winner == ""


def test_a_game_in_which_nobody_spoke_has_a_log_and_nothing_to_learn(tmp_path: Path) -> None:
    held = sitting()
    saved = save(held.village, tmp_path, held.teams)
    assert saved.games is None
    assert saved.log.exists()
    assert not (tmp_path / "games.jsonl").exists()


def test_saving_twice_adds_nothing(tmp_path: Path) -> None:
    held = played()
    assert save(held.village, tmp_path, held.teams) == save(held.village, tmp_path, held.teams)
    assert len((tmp_path / "games.jsonl").read_text().splitlines()) == 1


def test_a_folder_that_cannot_be_is_a_known_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    held = sitting()
    with pytest.raises(CheckpointError):
        save(held.village, tmp_path / "file", held.teams)
