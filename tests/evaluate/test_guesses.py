"""The game "Who wrote this?": its files, and what guesses say."""

from __future__ import annotations

import json
import math
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import DataError
from wolf_chatbox.evaluate.judging.cues import CUES, cues, units
from wolf_chatbox.evaluate.judging.guesses import (
    Game,
    Guess,
    Round,
    add_clues,
    add_guess,
    clue_counts,
    fooled,
    read_game,
    read_guesses,
    share_found,
    wilson,
    write_game,
)


def rounds(*pairs: tuple[str, str], before: str = "Any room left?") -> list[Round]:
    """Rounds with these real replies and those of the model."""
    return [Round((Turn("Traveller", before),), Turn("Grimbold", real), reply) for real, reply in pairs]


def table(right: np.ndarray) -> list[Guess]:  # type: ignore[type-arg]
    """The guesses of players (rows) about rounds (columns)."""
    return [Guess(f"p{player}", at, bool(one)) for player, row in enumerate(right) for at, one in enumerate(row)]


# Files.


def test_a_game_comes_back_as_it_was_and_is_its_owners_alone(tmp_path: Path) -> None:
    game = Game(
        "goose", tuple(rounds(("Two coppers.", "No."), ("宿は満室\u2028だ", "はい"))), "secret", "2026-01-02", 3
    )
    write_game(tmp_path / "g.json", game)
    assert read_game(tmp_path / "g.json") == game
    assert stat.S_IMODE((tmp_path / "g.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "[]", '{"run": "x"}', '{"rounds": [{}]}', "\udcff"])
def test_another_file_is_no_game(tmp_path: Path, text: str) -> None:
    (tmp_path / "g.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"g\.json"):
        read_game(tmp_path / "g.json")


def test_the_first_guess_of_a_player_counts_and_the_last_clues(tmp_path: Path) -> None:
    path = tmp_path / "g.guesses.jsonl"
    assert read_guesses(path) == []
    add_clues(path, "ann", 0, ["short"])  # nobody guessed yet
    add_guess(path, Guess("ann", 0, True))
    add_guess(path, Guess("ann", 0, False))
    add_guess(path, Guess("bob", 0, False))
    add_clues(path, "ann", 0, ["short"])
    add_clues(path, "ann", 0, ["voice", "no such clue", "good"])
    assert read_guesses(path) == [Guess("ann", 0, True, ("voice", "good")), Guess("bob", 0, False)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_no_guess_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "g.guesses.jsonl"
    add_guess(path, Guess("ann", 0, True))
    with path.open("a") as file:
        file.write(json.dumps({"player": 3, "round": 0, "right": True}) + "\n")
    with pytest.raises(DataError, match="line 2"):
        read_guesses(path)


def test_which_side_is_real_is_steady_even_and_each_players_own() -> None:
    game = Game("goose", tuple(rounds(("a", "b"))), "secret")
    sides = np.array([[game.real_first(f"player {one}", at) for at in range(30)] for one in range(40)])
    assert [game.real_first("player 3", at) for at in range(30)] == list(sides[3])
    assert abs(sides.mean() - 0.5) < 0.05
    assert len({tuple(row) for row in sides}) == 40
    other = Game("goose", game.rounds, "another secret")
    assert [other.real_first("player 3", at) for at in range(30)] != list(sides[3])


# Intervals.


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe 1998, https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3
    for right, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        figure = wilson(right, count)
        assert figure.value == right / count
        assert (figure.low, figure.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert wilson(0, 0).value is None


@pytest.mark.parametrize("count", [5, 10, 20, 30])
def test_the_interval_of_a_coin_holds_one_half_about_95_times_of_100(count: int) -> None:
    def holds(right: int) -> bool:
        figure = wilson(right, count)
        assert figure.low is not None
        assert figure.high is not None
        return figure.low <= 0.5 <= figure.high

    assert 0.92 < sum(math.comb(count, right) / 2**count for right in range(count + 1) if holds(right)) < 0.99


def held(tables: list[np.ndarray], plain: bool = False) -> float:  # type: ignore[type-arg]
    """How many of the intervals of such tables hold one half."""
    found = 0
    for right in tables:
        figure = wilson(right.sum(), right.size) if plain else share_found(table(right))
        assert figure.low is not None
        assert figure.high is not None
        found += figure.low <= 0.5 <= figure.high
    return found / len(tables)


def test_coins_of_several_players_are_covered() -> None:
    chance = np.random.default_rng(1)
    assert held([chance.random((4, 10)) < 0.5 for _ in range(200)]) > 0.94


def test_rounds_that_all_players_find_hard_are_no_more_evidence_for_being_many() -> None:
    """The law that plain intervals break: guesses about one round are alike."""
    chance = np.random.default_rng(2)
    tables = [chance.random((8, 10)) < chance.choice([0.1, 0.9], size=10) for _ in range(200)]
    assert held(tables, plain=True) < 0.75
    assert held(tables) > 0.9


def test_players_who_are_alike_are_no_more_evidence_for_being_asked_much() -> None:
    chance = np.random.default_rng(3)
    tables = [chance.random((8, 20)) < chance.choice([0.2, 0.8], size=(8, 1)) for _ in range(200)]
    assert held(tables, plain=True) < 0.75
    assert held(tables) > 0.88


@pytest.mark.parametrize("players", [1, 3])
def test_who_is_always_right_does_better_than_chance_and_is_not_known_exactly(players: int) -> None:
    figure = share_found(table(np.ones((players, 10), bool)))
    assert figure.value == 1
    assert figure.high == pytest.approx(1)
    assert figure.low is not None
    assert 0.5 < figure.low < 1
    wrong = share_found(table(np.zeros((players, 10), bool)))
    assert wrong.value == 0
    assert wrong.high is not None
    assert 0 < wrong.high < 0.5


def test_one_player_has_wilsons_interval_and_nobody_none() -> None:
    assert share_found(table(np.array([[1, 1, 0, 1, 0]]))) == wilson(3, 5)
    assert share_found([]).value is None


# Rounds and clues.


def test_the_hardest_round_comes_first() -> None:
    found = fooled(table(np.array([[1, 0, 1], [1, 0, 0]])))
    assert [tuple(one) for one in found] == [(1, 2, 2), (2, 1, 2), (0, 0, 2)]


def test_clues_are_counted_and_how_often_they_led_right() -> None:
    guesses = [Guess("a", 0, True, ("short", "voice")), Guess("a", 1, False, ("short",)), Guess("b", 0, True)]
    assert clue_counts(guesses) == {"short": (2, 1), "voice": (1, 1)}


def test_each_cue_points_to_who_has_more_of_it() -> None:
    more = {
        "length": ("a much longer reply", "short"),
        "echo": ("any room is taken", "hello there friend"),
        "repeats": ("no no no no", "one two three"),
        "ends": ("Well.", "Well"),
        "asks": ("Who are you?", "You are who."),
    }
    assert set(more) == set(CUES)
    for name, pair in more.items():
        share = {cue.name: cue for cue in cues(rounds(*[pair] * 12))}
        assert share[name].share.value == 1
        assert share[name].tells


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=30))
def test_what_tells_one_side_tells_the_other_as_well(pairs: list[tuple[str, str]]) -> None:
    there, back = cues(rounds(*pairs)), cues(rounds(*[(reply, real) for real, reply in pairs]))
    for one, other in zip(there, back):
        assert one.share.value == pytest.approx(1 - (other.share.value or 0))
        assert one.tells == other.tells


def test_equal_replies_tell_nothing() -> None:
    assert {cue.share.value for cue in cues(rounds(("Yes.", "Yes."), ("No.", "No.")))} == {0.5}
    assert not any(cue.tells for cue in cues(rounds(("longer", "s"))))  # one round says nothing


def test_words_are_told_apart_also_without_spaces() -> None:
    assert units("It's a Goose!") == ["it's", "a", "goose"]
    assert units("宿はある") == ["宿は", "はあ", "ある"]
    assert units("…!?") == []
