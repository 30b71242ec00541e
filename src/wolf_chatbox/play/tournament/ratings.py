"""Ratings: OpenSkill, whose teams are the two sides, and Bradley-Terry over pairs of opponents; overall and by role.

OpenSkill's Plackett-Luce model (Joshy 2024, https://doi.org/10.21105/joss.05901, after Weng & Lin 2011,
https://jmlr.org/papers/v12/weng11a.html) is computed here for all resamples at once, for two teams, and without its
drift (tau): players of a tournament do not change. A player that has several seats is given the sum of what they earn.
A larger side is stronger to OpenSkill, and whoever sits there sinks; so a rating is told about the mean of all players
in the same role, which shifts alike. As it depends on the order of the games, it is the mean over several orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from wolf_chatbox.evaluate.judging.ranking import ELO, bradley_terry
from wolf_chatbox.evaluate.measure import Figure, draws
from wolf_chatbox.game import SIDES
from wolf_chatbox.play.tournament.counts import Numbers
from wolf_chatbox.play.tournament.measures import figure
from wolf_chatbox.play.tournament.outcome import Outcome

Orders = np.ndarray[Any, np.dtype[np.int64]]
RESAMPLES, ORDERS = 400, 40
MU, SIGMA = 25.0, 25.0 / 3
BETA, KAPPA = SIGMA / 2, 0.0001
"""OpenSkill's defaults."""


class Rating(NamedTuple):
    """How strong a player is, in all roles or in one."""

    player: str
    role: str
    """Empty: in all roles."""
    seats: int
    skill: Figure
    """OpenSkill's mu, moved so that the mean in the same role is 25."""
    points: Figure
    """Bradley-Terry, in points about the mean of those in the same role: 100 more win 64 %."""


def ratings(outcomes: Sequence[Outcome], players: Sequence[str], seed: int = 0) -> list[Rating]:
    """The ratings of all players, in all roles together and in each; games that nobody won say nothing."""
    decided = [outcome for outcome in outcomes if outcome.winner]
    roles = dict.fromkeys(role for outcome in decided for role in sorted(outcome.roles))
    if not decided or len(players) < 2:
        return []
    overall = _rate(decided, [(player, "") for player in players], seed)
    return overall + _rate(decided, [(player, role) for role in roles for player in players], seed)


def _rate(outcomes: Sequence[Outcome], rated: Sequence[tuple[str, str]], seed: int) -> list[Rating]:
    """Rate players in roles; the role is empty where it does not matter."""
    place = {each: at for at, each in enumerate(rated)}
    by_role = bool(rated[0][1])
    teams = np.zeros((2, len(outcomes), len(rated)))
    for at, outcome in enumerate(outcomes):
        for player, role in zip(outcome.players, outcome.roles):
            lost = SIDES[role] != outcome.winner
            teams[int(lost), at, place[player, role if by_role else ""]] += 1
    games = len(outcomes)
    shuffles = [np.random.default_rng((seed, at)).permutation(games) for at in range(ORDERS)]
    resamples = draws(games, RESAMPLES, seed)
    found = openskill(teams[0], teams[1], np.vstack([*shuffles, resamples]))
    skills = np.vstack([found[:ORDERS].mean(0), found[ORDERS:]])
    points = ELO * bradley_terry(_wins(teams[0], teams[1], np.vstack([np.arange(games), resamples])))
    for role in {role for _, role in rated}:
        same = [at for at, each in enumerate(rated) if each[1] == role]
        points[:, same] -= points[:, same].mean(1, keepdims=True)
        skills[:, same] += MU - skills[:, same].mean(1, keepdims=True)
    seats = teams.sum((0, 1))
    return [
        Rating(player, role, int(seats[at]), *(figure(values[:, at], games) for values in (skills, points)))
        for at, (player, role) in enumerate(rated)
        if seats[at]
    ]


def openskill(winners: Numbers, losers: Numbers, order: Orders) -> Numbers:
    """The skill (mu) of everybody after games in each of several orders.

    Shapes: winners and losers (games, rated), how many seats of it were on that side; order (orders, games); the result
    (orders, rated).
    """
    mu = np.full((len(order), winners.shape[1]), MU)
    variance = np.full_like(mu, SIGMA**2)
    for games in order.T:
        teams = winners[games], losers[games]
        strengths = [(team * mu).sum(1) for team in teams]
        variances = [(team * variance).sum(1) for team in teams]
        whole = np.sqrt(sum(variances) + 2 * BETA**2)
        missed = 1 / (1 + np.exp((strengths[0] - strengths[1]) / whole))  # the chance of what did not happen
        step, shrink = np.zeros_like(mu), np.ones_like(mu)
        for team, its, sign in zip(teams, variances, (1, -1)):
            its_share = variance / np.where(its, its, 1)[:, None]
            step += team * its_share * (sign * its / whole * missed)[:, None]
            certain = its**1.5 / whole**3 * missed * (1 - missed)
            shrink *= np.maximum(1 - its_share * certain[:, None], KAPPA) ** team
        mu, variance = mu + step, variance * shrink
    return mu


def _wins(winners: Numbers, losers: Numbers, order: Orders) -> Numbers:
    """Wins of each over each in each order, shape (orders, rated, rated); the pairs of one game weigh 1 together."""
    pairs = winners[:, :, None] * losers[:, None, :]
    pairs[:, np.arange(pairs.shape[1]), np.arange(pairs.shape[1])] = 0
    pairs /= np.maximum(pairs.sum((1, 2), keepdims=True), 1)
    times = np.stack([np.bincount(row, minlength=len(pairs)) for row in order]).astype(float)
    found: Numbers = np.tensordot(times, pairs, 1)
    return found
