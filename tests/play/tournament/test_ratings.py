"""Ratings: OpenSkill as the package of that name computes it, and both in the order of who wins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from openskill.models import PlackettLuce

from tournaments import played
from wolf_chatbox.game import SIDES
from wolf_chatbox.play.tournament.outcome import Outcome
from wolf_chatbox.play.tournament.ratings import Rating, openskill, ratings


def test_the_skill_is_that_of_the_package() -> None:
    rng, games, rated = np.random.default_rng(0), 30, 6
    model = PlackettLuce(tau=0.0)
    theirs = [model.rating() for _ in range(rated)]
    winners, losers = (np.zeros((games, rated)) for _ in range(2))
    for game in range(games):
        order = rng.permutation(rated)
        size = rng.integers(1, 4)
        teams = [list(order[:size]), list(order[size:5])]
        winners[game, teams[0]] = losers[game, teams[1]] = 1
        for team, new in zip(teams, model.rate([[theirs[at] for at in team] for team in teams])):
            for at, rating in zip(team, new):
                theirs[at] = rating
    ours = openskill(winners, losers, np.arange(games)[None])
    assert ours[0] == pytest.approx([rating.mu for rating in theirs], abs=1e-6)


def test_two_seats_of_one_player_earn_the_sum() -> None:
    one, two = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    order = np.zeros((1, 1), dtype=int)
    single = openskill(one, two, order)[0] - 25
    double = openskill(2 * one, 2 * two, order)[0] - 25
    assert single == pytest.approx([single[0], -single[0]])
    assert abs(double[0]) < 2 * abs(single[0])  # a larger side is better known, and each is surprised less
    assert double[0] > 0


def better(outcomes: list[Outcome], name: str) -> list[Outcome]:
    """The games, won by the side that has more seats of a player."""

    def seats(outcome: Outcome, side: str) -> float:
        mine = [role for player, role in zip(outcome.players, outcome.roles) if player == name]
        return sum(SIDES[role] == side for role in mine) / sum(SIDES[role] == side for role in outcome.roles)

    return [
        replace(each, winner=max(("VILLAGER", "WEREWOLF"), key=lambda side: seats(each, side))) for each in outcomes
    ]


def by(found: list[Rating]) -> dict[tuple[str, str], Rating]:
    return {(rating.player, rating.role): rating for rating in found}


def test_who_makes_its_side_win_is_rated_higher_in_every_role() -> None:
    found = by(ratings(better(played(60), "ann"), ("ann", "bob")))
    for role in ("", "SEER", "WEREWOLF", "POSSESSED", "VILLAGER"):
        for kind in ("skill", "points"):
            ann, bob = (getattr(found[name, role], kind) for name in ("ann", "bob"))
            assert ann.value > bob.value, (role, kind)
    ann, bob = found["ann", ""], found["bob", ""]
    assert ann.skill.low is not None
    assert bob.skill.high is not None
    assert ann.skill.low > bob.skill.high
    assert ann.points.low is not None
    assert bob.points.high is not None
    assert ann.points.low > bob.points.high


def test_equals_are_not_told_apart() -> None:
    ann, bob, *_ = ratings(played(200), ("ann", "bob"))
    assert ann.skill.low is not None
    assert ann.skill.high is not None
    assert ann.skill.low < 25 < ann.skill.high
    assert ann.points.low is not None
    assert ann.points.high is not None
    assert ann.points.low < 0 < ann.points.high
    assert ann.points.value == pytest.approx(-(bob.points.value or 0))


def test_one_player_and_games_that_nobody_won_have_no_ratings() -> None:
    outcomes = played(6)
    assert ratings(outcomes, ("ann",)) == []
    assert ratings([replace(each, winner="") for each in outcomes], ("ann", "bob")) == []
