"""What a tournament says, as JSON values: figures, ratings, and how many games it would take to know more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from wolf_chatbox.evaluate.measure import LEAST_UNITS, RESAMPLES, Better
from wolf_chatbox.game import SIDES, VILLAGER
from wolf_chatbox.play.tournament import needed
from wolf_chatbox.play.tournament.counts import Numbers, count
from wolf_chatbox.play.tournament.measures import Column, Totals, columns, figure, form, measured, totals
from wolf_chatbox.play.tournament.outcome import Outcome
from wolf_chatbox.play.tournament.ratings import Rating, ratings
from wolf_chatbox.play.tournament.schedule import Contest


def results(contest: Contest, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """All figures, in the form of an evaluation's results; the games must be in the order of their numbers."""
    composition = contest.table.counts()
    counts = count(outcomes, contest.players)
    sums = totals(counts, composition, contest.seed)
    rated = ratings(outcomes, contest.players, contest.seed)
    won = Counter(outcome.winner for outcome in outcomes)
    return {
        "entries": [{"name": player, "kind": "run"} for player in contest.players],
        "games": len(outcomes),
        "won": {side or "nobody": number for side, number in sorted(won.items())},
        "days": float(np.mean([outcome.days for outcome in outcomes])),
        "composition": composition,
        "measures": [*measured(counts, sums, columns(composition)), *_skills(rated)],
        "ratings": [_rating(each) for each in rated],
        "duels": duels(sums, contest.players, len(outcomes)),
        "needed": list(needed.table()),
        "wilson": _wilson(outcomes),
        "accounts": accounts(outcomes),
        "settings": asdict(contest) | {"resamples": RESAMPLES},
    }


def _skills(rated: Sequence[Rating]) -> list[dict[str, Any]]:
    """The ratings in all roles together, as measures."""
    overall = [rating for rating in rated if not rating.role]
    titles: dict[str, tuple[str, str, int]] = {
        "skill": ("OpenSkill", "Plackett-Luce, the sides as teams; moved so that the mean is 25.", 2),
        "points": ("Bradley-Terry", "Over pairs of opponents, in points about the mean; 100 more win 64 %.", 0),
    }
    better: Better = "higher"
    return [
        form(
            Column(name, title, "Ratings", means, lambda sums: sums.above, better, "", digits),
            {rating.player: getattr(rating, name) for rating in overall},
            {},
        )
        for name, (title, means, digits) in titles.items()
        if overall
    ]


def _rating(rating: Rating) -> dict[str, Any]:
    return rating._asdict() | {"skill": rating.skill._asdict(), "points": rating.points._asdict()}


def duels(sums: Totals, players: Sequence[str], games: int) -> list[dict[str, Any]]:
    """For each two players: how far their win rates are apart, and how many games such a difference takes."""
    sides = {
        "all seats": tuple(sums.composition),
        "villagers' side": tuple(role for role in sums.composition if SIDES[role] == VILLAGER),
        "wolves' side": tuple(role for role in sums.composition if SIDES[role] != VILLAGER),
    }
    found = []
    for one, other in combinations(range(len(players)), 2):
        for side, roles in sides.items():
            rates = sums.share("win", roles)
            gap = rates[:, one] - rates[:, other]
            if not np.isnan(gap[0]):
                found.append({"one": players[one], "other": players[other], "side": side} | _told(gap, games))
    return found


def _told(gap: Numbers, games: int) -> dict[str, Any]:
    """A difference with its interval, and the games of such a tournament that would tell it, or one of 5 %."""
    error = float(np.nanstd(gap[1:]))
    there = abs(float(gap[0]))
    known = games >= LEAST_UNITS and error > 0
    return figure(gap, games)._asdict() | {
        "games_for_it": needed.games_like_these(error, games, there) if known and there > 1e-9 else None,
        "games_for_5_percent": needed.games_like_these(error, games, 0.05) if known else None,
    }


def _wilson(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How often the villagers won, and the interval of so many independent games; and the contest's size beside it."""
    decided = [outcome.winner for outcome in outcomes if outcome.winner]
    won = decided.count(VILLAGER)
    return {
        "villagers": {"won": won, "games": len(decided), "interval": needed.wilson(won, len(decided))},
        "contest": {"won": 10, "games": 11, "interval": needed.wilson(10, 11)},
    }


def accounts(outcomes: Sequence[Outcome]) -> dict[str, Mapping[str, int]]:
    """What players counted of their own answers, added up."""
    found: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        for player, account in zip(outcome.players, outcome.accounts):
            found.setdefault(player, Counter()).update(account)
    return {player: dict(sorted(account.items())) for player, account in found.items() if account}
