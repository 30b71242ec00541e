"""Who sits at a table: seats, names, roles that are wished for, all from one seed."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.importers.shared.aiwolf_play import ULID
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.play.seating import (
    NAMES,
    check_name,
    deal_to,
    names_for,
    new_game_id,
    profile_for,
    seat,
    sit_down,
)
from wolf_chatbox.werewolf.table import ROLES, TableConfig


@pytest.mark.parametrize("language", ["en", "ja"])
def test_names_are_many_and_none_stands_in_another(language: str) -> None:
    names = NAMES[language]
    assert len(set(names)) == len(names) >= 30
    assert not [(one, two) for one in names for two in names if one != two and one.casefold() in two.casefold()]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_same_seed_gives_the_same_names_and_nobody_has_a_name_that_is_taken(language: str) -> None:
    taken = [name.upper() for name in NAMES[language][:10]]
    names = names_for(30, language, 3, taken)
    assert names == names_for(30, language, 3, taken) != names_for(30, language, 4, taken)
    assert len(set(names)) == 30
    assert not {name.casefold() for name in names} & {name.casefold() for name in taken}


def test_who_is_called_as_another_begins_sits_beside_others() -> None:
    assert not {"Alice", "Aaron", "Albert"} & set(names_for(30, "en", 1, ["Al", "Aaro"]))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_profile_has_the_form_of_the_contest(language: str) -> None:
    lines = profile_for("Alice", language, 1).splitlines()
    assert len(lines) == 2
    assert all(re.fullmatch(r"[^:]+: .+", line) for line in lines)


def test_game_ids_are_ulids_in_the_order_of_time() -> None:
    first = new_game_id()
    assert ULID.fullmatch(first)
    assert first != new_game_id()
    assert "01J0000000" < first[:10] < "01Z0000000"  # 2024 to 2040


def test_agents_fill_the_seats_of_nobody_in_an_order_of_their_own() -> None:
    table = TableConfig(players=9)
    seats = seat(table, ["Ann", "Bob"], ["rules", "random", "rules"], 1)
    assert Counter(seats.values()) == {"": 2, "rules": 5, "random": 2}
    assert seats["Ann"] == seats["Bob"] == ""
    assert list(seats) == list(seat(table, ["Ann", "Bob"], ["rules", "random", "rules"], 1))
    places = {list(seat(table, ["Ann"], ["rules"], seed)).index("Ann") for seed in range(100)}
    assert places == set(range(9))


@pytest.mark.parametrize(
    ("humans", "fill"),
    [(["Ann", "ann"], ["rules"]), (["A", "B", "C", "D"], []), (["A"], ["rules"] * 5), (["A"] * 6, [])],
)
def test_who_cannot_be_seated_is_refused(humans: list[str], fill: list[str]) -> None:
    with pytest.raises(ConfigError):
        seat(TableConfig(), humans, fill, 1)


@pytest.mark.parametrize("role", ROLES)
def test_a_wish_for_a_role_is_granted_and_the_roles_stay_the_same(role: str) -> None:
    table = TableConfig(players=13)
    names = [f"P{number}x" for number in range(13)]
    for seed in range(20):
        roles = deal_to(table, names, seed, {"P3x": role})
        assert roles["P3x"] == role
        assert Counter(roles.values()) == table.counts()
    with pytest.raises(ConfigError):
        deal_to(TableConfig(), names[:5], 1, {"P1x": "MEDIUM"})


def test_two_wishes_for_the_only_seer_cannot_be_granted() -> None:
    with pytest.raises(ConfigError):
        deal_to(TableConfig(), list("abcde"), 1, {"a": "SEER", "b": "SEER"})


@pytest.mark.parametrize("name", ["", "  ", "@Ann", "Ann,", "a" * 25, "A\x1bnn", "An:n"])
def test_a_name_that_cannot_be_said_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        check_name(name)


def test_a_name_loses_the_spaces_around_it() -> None:
    assert check_name("  Ann  Lee ") == "Ann Lee"


def test_a_seed_gives_the_same_sitting_again() -> None:
    made: list[object] = []

    def make(word: str) -> object:
        def player(seed: int | str | None) -> Player:
            made.append((word, seed))
            return ChancePlayer(seed)

        return player

    def sitting() -> object:
        made.clear()
        held = sit_down(TableConfig(), {"Ann": HumanPlayer()}, ["random"], make, 5, {"Ann": "SEER"})  # type: ignore[arg-type]
        assert held.teams["Ann"] == "human"
        assert "Ann" not in held.village.profiles
        assert held.village.roles["Ann"] == "SEER"
        return held.village.roles, held.village.profiles, list(made)

    assert sitting() == sitting()
