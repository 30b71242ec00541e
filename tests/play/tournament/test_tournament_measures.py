"""The measures of a tournament: counted by hand, true by construction, with intervals that hold."""

from __future__ import annotations

import numpy as np
import pytest

from tournaments import counted, played
from wolf_chatbox.play.tournament.counts import PLACE, Counts, alike, count, word_pairs, words_of
from wolf_chatbox.play.tournament.measures import columns, differences, figure, measured, totals
from wolf_chatbox.werewolf.table import ROLES, SETS

BY_HAND = {
    "win": (2 / 3, 1 / 2),
    "win_side_villager": (1, 1),
    "win_side_werewolf": (0, 0),
    "win_role_seer": (1, None),
    "alive": (1 / 3, 1 / 2),
    "contest_macro": (2 / 3, 1 / 2),
    "contest_micro": (2 / 3, 1 / 2),
    "contest_weighted_micro": (3 / 4, 2 / 3),
    "voted": (7 / 4.5, 0),
    "executed": (30 / 19, 0),
    "attacked": (0, 1.5),
    "divined": (1.2, 6 / 7),
    "mentioned": (2 / 3, 4 / 3),
    "vote_accuracy": (2, 4 / 3),
    "vote_hit": (2 / 3, 1 / 2),
    "divine_accuracy": (12 / 7, None),
    "divine_hit": (1 / 2, None),
    "possessed_spares": (None, 0),
    "no_vote": (0, 0),
    "self_vote": (1 / 5, 0),
    "no_attack_vote": (0, None),
    "no_divination": (0, None),
    "silent_day": (1 / 2, 1),
    "said_again": (1 / 5, None),
    "near_copy": (1 / 5, None),
    "invalid": (1 / 3, 0),
    "unanswered": (0, 1),
    "fallback": (None, 1 / 4),
    "lines": (5 / 3, 0),
}


def test_a_game_counted_by_hand() -> None:
    counts = count([counted()], ("ann", "bob"))
    found = {each["name"]: each for each in measured(counts, totals(counts, SETS[5], 0, 10), columns(SETS[5]))}
    for name, values in BY_HAND.items():
        got = tuple(found[name]["figures"][player]["value"] for player in ("ann", "bob"))
        assert got == pytest.approx(values), name


@pytest.mark.parametrize("size", [5, 13])
def test_what_everybody_is_chosen_for_is_chance_over_all(size: int) -> None:
    outcomes = played(60, players=size)
    counts = count(outcomes, ("ann", "bob"))
    chosen = ["voted", "executed", "attacked", "divined"] + ["guarded", "attack_named"] * (size == 13)
    for name in chosen:
        above, below = counts.above[..., PLACE[name]].sum(), counts.below[..., PLACE[name]].sum()
        assert above > 0
        assert above == pytest.approx(below), name


def test_who_plays_by_chance_hits_as_chance_does() -> None:
    counts = count(played(400), ("ann", "bob"))
    found = {each["name"]: each["figures"] for each in measured(counts, totals(counts, SETS[5], 0), columns(SETS[5]))}
    for name in ("voted", "executed", "divined", "vote_accuracy", "divine_accuracy"):
        for each in found[name].values():
            assert 0.75 < each["value"] < 1.25, name
            assert each["low"] - 0.1 < 1 < each["high"] + 0.1, name


def coins(games: int, chance: float, rng: np.random.Generator) -> Counts:
    """Games in which a villager wins with a known chance."""
    above, below = (np.zeros((games, 1, len(ROLES), len(PLACE))) for _ in range(2))
    place = ROLES.index("VILLAGER"), PLACE["win"]
    above[:, 0, *place], below[:, 0, *place] = rng.random(games) < chance, 1
    return Counts(("ann",), above, below)


@pytest.mark.parametrize("chance", [0.5, 0.2])
def test_intervals_hold_the_true_rate_nineteen_times_of_twenty(chance: float) -> None:
    rng, held = np.random.default_rng(0), 0
    for seed in range(200):
        sums = totals(coins(80, chance, rng), SETS[5], seed, 200)
        each = figure(sums.share("win", ["VILLAGER"])[:, 0], 80)
        assert each.low is not None
        assert each.high is not None
        held += each.low <= chance <= each.high
    assert 180 <= held <= 199


def test_of_games_that_all_end_alike_the_interval_is_wilsons() -> None:
    counts = coins(10, 1.1, np.random.default_rng(0))
    found = measured(counts, totals(counts, SETS[5], 0, 50), columns(SETS[5]))
    [won] = [each["figures"]["ann"] for each in found if each["name"] == "win"]
    assert won["value"] == 1
    assert won["low"] == pytest.approx(0.722, abs=0.001)
    assert won["high"] == 1


def test_equals_differ_seldom_and_others_surely() -> None:
    rng = np.random.default_rng(1)
    low = 0
    for _ in range(100):
        values = rng.normal(0.5, 0.05, 2) + rng.normal(0, 0.05, (201, 2)) * np.array([[0]] + [[1]] * 200)
        low += differences(("ann", "bob"), values, 100)["ann"]["bob"] < 0.05
    assert low <= 10
    apart = np.array([0.9, 0.5]) + rng.normal(0, 0.05, (201, 2))
    assert differences(("ann", "bob"), apart, 100)["ann"]["bob"] < 0.01


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'm a seer!", ["i", "m", "a", "seer"]),
        ("占い師です。", ["占", "い", "師", "で", "す"]),
        ("Agent[01]は黒", ["agent", "01", "は", "黒"]),
    ],
)
def test_words_are_found_in_both_languages(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_a_near_copy_changes_few_words() -> None:
    said = word_pairs("I think that Mio is the wolf, and nobody else here at all.")
    assert alike(said, word_pairs("I think that Mio is the wolf and nobody else here, at all!"))
    assert alike(said, word_pairs("I think that Mio is the wolf, and nobody else here."))
    assert not alike(said, word_pairs("I am the seer, and Mio is human."))
