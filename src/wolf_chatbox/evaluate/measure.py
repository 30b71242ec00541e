"""A measure, its figure with a confidence interval, and whether two entries differ.

The bootstrap draws conversations, not replies: replies of one conversation are alike (Efron & Tibshirani 1993, "An
introduction to the bootstrap"; for comparisons, Koehn 2004, https://aclanthology.org/W04-3250/).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from wolf_chatbox.evaluate.entries import Entry, Study

RESAMPLES = 1000
LEVEL = 0.95
LEAST_UNITS = 5
"""Units that are drawn, at least: of fewer no interval and no difference can be told."""
Better = Literal["higher", "lower", "human", "none"]
"""Which way is good: up, down, towards the humans' figure, or neither."""


class Figure(NamedTuple):
    """A value with its 95 % confidence interval; None where there is nothing to measure, or too little to draw from."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One column of the table.

    `parts` gives one part for each unit that is drawn (a conversation, or a chat), in the same order for every entry,
    or an empty list where the entry has none; `combine` gives the figure of any such parts, None where they hold
    nothing. A figure is computed for many draws, so a part should be counts that add up, not texts.
    """

    name: str
    """In JSON, such as dist_2."""
    title: str
    """In the table, such as Dist-2."""
    group: str
    """The heading that it stands under, such as Fit."""
    means: str
    """What it says, in one sentence."""
    better: Better
    parts: Callable[[Entry], Sequence[Any]]
    combine: Callable[[Sequence[Any]], float | None]
    unit: Literal["", "%"] = ""
    """A figure in % is a share, 0 to 1."""
    digits: int = 2
    resamples: int = RESAMPLES


def share(parts: Sequence[tuple[float, float]]) -> float | None:
    """What the first numbers of all parts are of the second ones, such as replies that fit of all replies."""
    whole = sum(part[1] for part in parts)
    return sum(part[0] for part in parts) / whole if whole else None


def draws(units: int, resamples: int, seed: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Which units each resample holds, shape (resamples, units); the same for every entry and measure of that size."""
    return np.random.default_rng(seed).integers(0, units, size=(resamples, units))


def resampled(measure: Measure, parts: Sequence[Any], seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The figure of each resample, shape (resamples,); NaN where it holds nothing."""
    chosen = draws(len(parts), measure.resamples, seed)
    values = [measure.combine([parts[at] for at in row]) for row in chosen]
    return np.array([np.nan if value is None else value for value in values])


def estimate(measure: Measure, parts: Sequence[Any], seed: int) -> Figure:
    """The figure of some parts, with its confidence interval.

    The interval is that of the resamples, moved so that their median is the figure: the number of different words, say,
    is smaller in any resample, which holds some conversations twice. No share is moved below 0 or above 1, where no
    resample is.
    """
    value = measure.combine(parts) if parts else None
    if value is None or len(parts) < LEAST_UNITS:
        return Figure(value)
    spread = resampled(measure, parts, seed)
    spread = spread[~np.isnan(spread)]
    if not len(spread):
        return Figure(value)
    middle, low, high = np.quantile(spread, [0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = low - middle + value, high - middle + value
    if measure.unit == "%" and spread.min() >= 0 and spread.max() <= 1:
        low, high = max(low, 0), min(high, 1)
    return Figure(value, float(low), float(high))


def difference(measure: Measure, one: Sequence[Any], other: Sequence[Any], seed: int) -> float | None:
    """The p value of "both are equally good", two-sided, by paired bootstrap; None where it cannot be told.

    Both sides are drawn together, so that what makes a conversation hard is the same for both.
    """
    if len(one) != len(other) or len(one) < LEAST_UNITS:
        return None
    first, second = measure.combine(one), measure.combine(other)
    if first is None or second is None:
        return None
    gaps = resampled(measure, one, seed) - resampled(measure, other, seed)
    gaps = gaps[~np.isnan(gaps)]
    if not len(gaps):
        return None
    # How often the gap is as far from its usual size as that is from nothing (a bootstrap of the null, shifted).
    far = np.abs(gaps - np.median(gaps)) >= abs(first - second)
    return float((far.sum() + 1) / (len(gaps) + 1))


def figures(study: Study, measures: Sequence[Measure]) -> dict[str, dict[str, Figure]]:
    """The figure of each measure, by its name, for each entry, by its name."""
    return {
        measure.name: {entry.name: estimate(measure, measure.parts(entry), study.seed) for entry in study.entries}
        for measure in measures
    }
