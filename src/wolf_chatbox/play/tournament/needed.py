"""How many games a difference needs, and what few games leave open."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import NormalDist
from typing import Any

POWER, LEVEL = 0.8, 0.95
DIFFERENCES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
"""Differences of two win rates that a report tells the games for."""
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


def wilson(won: int, games: int) -> tuple[float, float]:
    """The 95 % interval of a share of independent games (Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953)."""
    if not games:
        return 0.0, 1.0
    share = won / games
    middle = (share + Z**2 / (2 * games)) / (1 + Z**2 / games)
    half = Z * math.sqrt(share * (1 - share) / games + Z**2 / (4 * games**2)) / (1 + Z**2 / games)
    return max(0.0, middle - half), min(1.0, middle + half)


def games_for(one: float, other: float, power: float = POWER) -> int:
    """The games of each of two players after which win rates that differ so are told apart, with this power.

    Two independent shares, two-sided at 5 %, by the normal approximation (Fleiss, Levin & Paik 2003, section 4.2).
    """
    if one == other:
        raise ValueError("equal shares are never told apart")
    mean = (one + other) / 2
    spread = Z * math.sqrt(2 * mean * (1 - mean))
    spread += NormalDist().inv_cdf(power) * math.sqrt(one * (1 - one) + other * (1 - other))
    return math.ceil((spread / (one - other)) ** 2)


def power_of(one: float, other: float, games: int) -> float:
    """How surely so many games of each player tell two win rates apart: the inverse of `games_for`."""
    mean = (one + other) / 2
    chance = Z * math.sqrt(2 * mean * (1 - mean))
    own = math.sqrt(one * (1 - one) + other * (1 - other))
    return NormalDist().cdf((abs(one - other) * math.sqrt(games) - chance) / own)


def games_like_these(error: float, games: int, difference: float, power: float = POWER) -> int:
    """The games of such a tournament in which a difference would be told apart, with this power.

    `error` is the standard error of the difference after `games` games: so seats of one game, which share its end,
    count for what they are worth.
    """
    return math.ceil(games * ((Z + NormalDist().inv_cdf(power)) * error / difference) ** 2)


def table(rate: float = 0.5) -> Iterator[Mapping[str, Any]]:
    """How many games each two win rates about `rate` need."""
    for difference in DIFFERENCES:
        one, other = rate + difference / 2, rate - difference / 2
        if 0 <= other < one <= 1:
            yield {"difference": difference, "games": games_for(one, other)}
