"""How many games a difference needs."""

from __future__ import annotations

import numpy as np
import pytest

from wolf_chatbox.play.tournament.needed import games_for, games_like_these, power_of, table, wilson


@pytest.mark.parametrize(
    ("won", "games", "low", "high"),
    [(10, 11, 0.623, 0.984), (0, 10, 0.0, 0.278), (5, 10, 0.237, 0.763), (0, 0, 0.0, 1.0)],
)
def test_wilsons_interval(won: int, games: int, low: float, high: float) -> None:
    assert wilson(won, games) == pytest.approx((low, high), abs=0.001)


def test_so_many_games_show_a_difference_four_times_of_five() -> None:
    games, rng = games_for(0.6, 0.4), np.random.default_rng(0)
    assert games == 97
    one, other = (rng.binomial(games, share, 20_000) / games for share in (0.6, 0.4))
    mean = (one + other) / 2
    told = abs(one - other) > 1.96 * np.sqrt(2 * mean * (1 - mean) / games)
    assert told.mean() == pytest.approx(0.8, abs=0.02)


def test_half_the_difference_takes_four_times_the_games() -> None:
    assert games_like_these(0.03, 100, 0.05) == pytest.approx(4 * games_like_these(0.03, 100, 0.1), abs=4)
    assert games_for(0.55, 0.45) == games_for(0.45, 0.55) == 392
    with pytest.raises(ValueError, match="never told apart"):
        games_for(0.5, 0.5)


@pytest.mark.parametrize(("one", "other"), [(0.55, 0.45), (0.9, 0.7), (0.1, 0.3)])
def test_so_many_games_have_that_power(one: float, other: float) -> None:
    assert power_of(one, other, games_for(one, other)) == pytest.approx(0.8, abs=0.01)
    assert power_of(one, other, 10) < 0.5 < power_of(one, other, 1000)


def test_the_table_names_only_rates_that_there_are() -> None:
    assert [row["difference"] for row in table(0.05)] == [0.01, 0.02, 0.05, 0.1]
