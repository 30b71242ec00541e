"""Where the points of a plot lie, in % of its width and height; the page draws them as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from wolf_chatbox.evaluate.report.verdict import Form, interval, number


class Mark(NamedTuple):
    """An entry's figure on its line: the point, and the ends of its interval."""

    name: str
    text: str
    bounds: str
    at: float | None
    low: float | None
    high: float | None


class Strip(NamedTuple):
    """A measure's figures below each other on one scale."""

    least: str
    most: str
    marks: list[Mark]


class Line(NamedTuple):
    """A line: pieces without gaps, each as SVG takes its points."""

    name: str
    pieces: list[str]


class Lines(NamedTuple):
    """Lines in one field, with the ends of its two scales."""

    least: str
    most: str
    first: str
    last: str
    lines: list[Line]


def strip(measure: Form, names: Sequence[str]) -> Strip:
    """A measure's figures, those of `names`."""
    figures = {name: measure["figures"][name] for name in names}
    ends = {name: (figure["value"], figure["low"], figure["high"]) for name, figure in figures.items()}
    known = [value for values in ends.values() for value in values if value is not None and math.isfinite(value)]
    least, most = (min(known), max(known)) if known else (0.0, 1.0)
    room = (most - least) * 0.04 or abs(most) * 0.1 or 1.0

    def place(value: float | None) -> float | None:
        if value is None or not math.isfinite(value):
            return None
        return round(100 * (value - least + room) / (most - least + 2 * room), 2)

    marks = [
        Mark(
            name,
            number(measure, figure["value"]),
            interval(measure, figure),
            *map(place, ends[name]),
        )
        for name, figure in figures.items()
        if figure["value"] is not None
    ]
    return Strip(number(measure, least), number(measure, most), marks)


def lines(series: Mapping[str, Sequence[float | None]]) -> Lines:
    """Lines over the places 1, 2, …; None is a gap."""
    return curves({name: [(at, value) for at, value in enumerate(values, 1)] for name, values in series.items()})


def curves(series: Mapping[str, Sequence[Sequence[float | None]]]) -> Lines:
    """Lines through points in a field of 100 × 100, upside down as SVG counts; None is a gap."""
    points = [(float(x), float(y)) for values in series.values() for x, y in values if x is not None and y is not None]
    known = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)] or [(0.0, 0.0)]
    left, right = min(x for x, _ in known), max(x for x, _ in known)
    least, most = min(0.0, *(y for _, y in known)), max(y for _, y in known)
    across, up = (right - left) or 1.0, (most - least) or 1.0
    found = []
    for name, values in series.items():
        pieces: list[list[str]] = [[]]
        for x, y in values:
            if x is None or y is None or not (math.isfinite(x) and math.isfinite(y)):
                pieces.append([])
            else:
                pieces[-1].append(f"{100 * (x - left) / across:.2f},{100 - 100 * (y - least) / up:.2f}")
        found.append(Line(str(name), [" ".join(piece) for piece in pieces if piece]))
    low, high, first, last = (f"{end:,.0f}" if abs(end) >= 1000 else f"{end:.3g}" for end in (least, most, left, right))
    return Lines(low, high, first, last, found)
