"""Sizes, times and shares, as people read them."""

from __future__ import annotations

from wolf_chatbox.evaluate.measure import Figure
from wolf_chatbox.words import Words


def size(number: float) -> str:
    """A number of bytes: 1.9 GB, 270 MB, 1.2 MB, 4.5 kB."""
    unit, factor = next((one for one in (("GB", 1e9), ("MB", 1e6)) if number >= one[1]), ("kB", 1e3))
    value = max(number, 100) / factor
    return f"{value:,.0f} {unit}" if value >= 10 and unit != "GB" else f"{value:,.1f} {unit}"


def duration(words: Words, seconds: float) -> str:
    """A time, to the second, the minute or a tenth of an hour."""
    if seconds < 55:
        return words("new.time.seconds", count=max(1, round(seconds)))
    if seconds < 5400:
        return words("new.time.minutes", count=max(1, round(seconds / 60)))
    return words("new.time.hours", count=f"{seconds / 3600:.1f}")


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def spoken(figure: Figure) -> str:
    """A share with its interval: 68 % (52–81 %)."""
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({100 * figure.low:.0f}–{percent(figure.high)})"
