"""What votes say: who wins how often, each entry's Bradley-Terry score, and how far the voters agree."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from wolf_chatbox.evaluate.judging.pairs import Key
from wolf_chatbox.evaluate.judging.votes import Vote
from wolf_chatbox.evaluate.measure import LEVEL, RESAMPLES, Figure, draws

Floats = np.ndarray[Any, np.dtype[np.float64]]
ELO = 400 / math.log(10)
"""Points of a score for one unit of log-odds, as chess counts them: who has 100 points more wins 64 %."""
FEWEST = 5
"""Conversations below which there is no interval: resamples of so few are all alike."""
PRIOR = 1.0
"""How many ties with an average entry everybody has beside the votes: who never lost is not infinitely good."""


class Rank(NamedTuple):
    """How an entry fares in votes."""

    entry: str
    wins: int
    losses: int
    ties: int
    score: Figure
    """Bradley-Terry, in points about the mean of all entries."""


class Agreement(NamedTuple):
    """How often two voters, or a voter and all the other people, choose the same of a pair."""

    voter: str
    other: str
    pairs: int
    share: float
    kappa: float | None
    """Cohen's kappa: 0 is chance, 1 is always; None where both always say the same thing."""


def bradley_terry(wins: Floats, prior: float = PRIOR) -> Floats:
    """The scores that make the wins likeliest, in log-odds about their mean.

    Shapes: wins (…, n, n), of the row over the column; scores (…, n).

    Hunter 2004, "MM algorithms for generalized Bradley-Terry models", https://doi.org/10.1214/aos/1079120141. A tie is
    half a win for each. With prior 0 these are the plain estimates, which are infinite for who always wins.
    """
    met = wins + np.swapaxes(wins, -1, -2)
    won = wins.sum(-1) + prior / 2
    strength = np.ones(won.shape)
    for _ in range(10_000):
        shares = met / (strength[..., :, None] + strength[..., None, :])
        better = np.maximum(won, 1e-12) / np.maximum(shares.sum(-1) + prior / (strength + 1), 1e-12)
        if not prior:
            better /= np.exp(np.log(better).mean(-1, keepdims=True))
        moved = np.abs(np.log(better / strength)).max()
        strength = better
        if moved < 1e-7:
            break
    scores: Floats = np.log(strength)
    scores -= scores.mean(-1, keepdims=True)
    return scores


def ranking(votes: Sequence[Vote], seed: int = 0) -> list[Rank]:
    """The entries from the best to the worst; the interval is that of a bootstrap over conversations."""
    entries = sorted({entry for vote in votes for entry in vote.points()})
    place = {entry: at for at, entry in enumerate(entries)}
    units = sorted({_unit(vote) for vote in votes}, key=repr)
    wins = np.zeros((len(units), len(entries), len(entries)))
    counts = {entry: Counter[float]() for entry in entries}
    for vote in votes:
        points = vote.points()
        (one, won), (other, lost) = points.items()
        wins[units.index(_unit(vote)), [place[one], place[other]], [place[other], place[one]]] += won, lost
        for entry, got in points.items():
            counts[entry][got] += 1
    scores = ELO * bradley_terry(wins.sum(0)) if votes else np.zeros(0)
    low, high = _interval(wins, seed) if len(units) >= FEWEST else (None, None)
    ranks = [
        Rank(
            entry,
            counts[entry][1.0],
            counts[entry][0.0],
            counts[entry][0.5],
            Figure(float(scores[at]))
            if low is None or high is None
            else Figure(float(scores[at]), float(low[at]), float(high[at])),
        )
        for entry, at in place.items()
    ]
    return sorted(ranks, key=lambda rank: -(rank.score.value or 0.0))


def _unit(vote: Vote) -> int | Key:
    return vote.pair.key() if vote.pair.conversation is None else vote.pair.conversation


def _interval(wins: Floats, seed: int) -> tuple[Floats, Floats]:
    """The lowest and highest score of each entry, from resampled conversations."""
    chosen = draws(len(wins), RESAMPLES, seed)
    weights = np.stack([np.bincount(row, minlength=len(wins)) for row in chosen]).astype(float)
    scores = ELO * bradley_terry(np.tensordot(weights, wins, axes=1))
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return low, high


def agreements(votes: Sequence[Vote]) -> list[Agreement]:
    """Each voter against all the people but itself, where they voted about the same pairs; then each two people."""
    by_voter: dict[str, list[Vote]] = {}
    for vote in votes:
        by_voter.setdefault(vote.voter, []).append(vote)
    people = [voter for voter, cast in by_voter.items() if not cast[0].by_model]
    found = []
    for voter, cast in by_voter.items():
        others = [vote for other in people if other != voter for vote in by_voter[other]]
        found.append(_agreement(voter, "the other people" if voter in people else "people", cast, others))
    if len(people) > 2:
        found += [_agreement(one, other, by_voter[one], by_voter[other]) for one, other in combinations(people, 2)]
    return [agreement for agreement in found if agreement is not None]


def _agreement(voter: str, other: str, cast: Iterable[Vote], others: Iterable[Vote]) -> Agreement | None:
    mine = {vote.pair.key(): _side(vote) for vote in cast}
    both = [(mine[key], _side(vote)) for vote in others if (key := vote.pair.key()) in mine]
    return Agreement(voter, other, len(both), *cohens_kappa(both)) if both else None


def _side(vote: Vote) -> str:
    """The entry that was chosen, or "tie" as no entry is called: the same word whatever was shown first."""
    return "=" if vote.choice == "tie" else max(vote.points().items(), key=lambda entry: entry[1])[0]


def cohens_kappa(both: Sequence[tuple[str, str]]) -> tuple[float, float | None]:
    """The share of pairs of equal labels, and Cohen's kappa (1960, https://doi.org/10.1177/001316446002000104)."""
    one, other = (Counter(labels) for labels in zip(*both))
    same = sum(left == right for left, right in both) / len(both)
    chance = sum(one[label] * other[label] for label in one) / len(both) ** 2
    return same, None if chance == 1 else (same - chance) / (1 - chance)


def summary(votes: Sequence[Vote], seed: int = 0) -> dict[str, Any]:
    """All that some votes say, as JSON values: of people together, and of each judge."""
    by_judge: dict[str, list[Vote]] = {}
    for vote in votes:
        if vote.by_model:
            by_judge.setdefault(vote.voter, []).append(vote)

    def ranks(cast: Sequence[Vote]) -> list[dict[str, Any]]:
        return [rank._asdict() | {"score": rank.score._asdict()} for rank in ranking(cast, seed)]

    return {
        "voters": dict(Counter(vote.voter for vote in votes)),
        "people": ranks([vote for vote in votes if not vote.by_model]),
        "judges": {judge: ranks(cast) for judge, cast in by_judge.items()},
        "steady": {judge: sum(vote.steady for vote in cast) / len(cast) for judge, cast in by_judge.items()},
        "agreement": [agreement._asdict() for agreement in agreements(votes)],
    }
