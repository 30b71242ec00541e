"""Intervals cover, and differences are found where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from wolf_chatbox.evaluate.measure import Measure, difference, estimate


def mean(parts: Sequence[float]) -> float | None:
    return sum(parts) / len(parts) if parts else None


MEAN = Measure(name="mean", title="Mean", group="", means="", better="none", parts=lambda entry: [], combine=mean)


def test_the_interval_of_a_mean_is_that_of_the_textbook() -> None:
    values = list(np.random.default_rng(1).normal(5, 2, 400))
    figure = estimate(MEAN, values, seed=0)
    error = 1.96 * np.std(values, ddof=1) / 20
    assert figure.value == pytest.approx(np.mean(values))
    assert (figure.low, figure.high) == pytest.approx((figure.value - error, figure.value + error), abs=0.1 * error)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    found = [estimate(MEAN, list(rng.normal(0, 1, 40)), seed=0) for _ in range(100)]
    held = sum(figure.low < 0 < figure.high for figure in found if figure.low is not None and figure.high is not None)
    assert 88 <= held <= 99


def test_few_conversations_have_no_interval_and_none_no_value() -> None:
    assert estimate(MEAN, [3.0], 0) == (3.0, None, None)
    assert estimate(MEAN, [3.0, 4.0, 5.0, 4.0], 0) == (4.0, None, None)
    assert difference(MEAN, [3.0] * 4, [9.0] * 4, 0) is None
    assert estimate(MEAN, [], 0) == (None, None, None)


def test_no_share_is_below_nothing_or_above_all() -> None:
    def share(parts: Sequence[tuple[int, int]]) -> float:
        return sum(part[0] for part in parts) / sum(part[1] for part in parts)

    measure = replace(MEAN, combine=share, resamples=300, unit="%")
    few = [(0, 1), (0, 2), (0, 9), (3, 7), (3, 3)]  # moved by their median alone, it would begin at -0.013
    low, high = estimate(measure, few, seed=0)[1:]
    assert low == 0
    assert estimate(measure, [(asked - said, asked) for said, asked in few], seed=0).high == 1
    assert high is not None
    assert 0.3 < high < 1


def test_a_count_of_different_words_lies_within_its_interval() -> None:
    measure = Measure(
        name="types",
        title="",
        group="",
        means="",
        better="none",
        parts=lambda entry: [],
        combine=lambda sets: float(len(set().union(*sets))),
    )
    for count in (5, 50):  # some resamples of five hold all of them
        figure = estimate(measure, [{f"word {number}"} for number in range(count)], 0)
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low < count < figure.high


def test_equal_entries_do_not_differ_and_others_do() -> None:
    one = list(np.random.default_rng(0).normal(0, 1, 60))
    assert difference(MEAN, one, one, 0) == pytest.approx(1.0)
    better = [value + 0.2 for value in one]  # little beside their spread, but the same in each conversation
    assert (difference(MEAN, one, better, 0) or 1) < 0.01


def test_noise_is_rarely_called_a_difference() -> None:
    rng = np.random.default_rng(3)
    found = [difference(MEAN, list(rng.normal(0, 1, 30)), list(rng.normal(0, 1, 30)), 0) for _ in range(60)]
    assert sum(p is not None and p < 0.05 for p in found) <= 8
