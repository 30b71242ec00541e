"""Dates as programs write them by a computer's region: `5/1/2024 6:30 PM`, `01-May-24 06:30 PM`, `2024/5/1 午後 6:30`.

Whether the day or the month comes first is decided by all dates of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import islice, pairwise

from wolf_chatbox.importers.shared.messages import MONTHS, from_iso, moment

_DAY = r"(\d{4}|\d{1,2})[-./ ]{1,2}(?:(\d{1,2})|([^\W\d]{3,9})\.?)[-./ ]{1,2}(\d{4}|\d{1,2})\.?,?[\s\u202f]{1,2}"
_CLOCK = r"(?:([^\W\d]{1,3})[\s\u202f]?)?(\d{1,2})[:.h](\d\d)(?:[:.](\d\d))?"
_HALF = r"(?:[\s\u202f\xa0]?([^\W\d]\.?[\s\xa0]?[^\W\d]?\.?))?"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.]{0,9}(?:Z|[+-]\d\d:\d\d)?"
_PARTS = re.compile(_DAY + _CLOCK + _HALF)
DATE = "(?:" + "|".join(re.sub(r"(?<!\\)\((?!\?)", "(?:", part) for part in (_ISO, _DAY + _CLOCK + _HALF)) + ")"
"""The pattern of a date with its time, bounded and without groups, to put into others."""
LATE = ("pm", "午後", "下午", "오후", "μμ", "م", "ch", "du")
"""Words for the second half of the day, without points and spaces."""
EARLY = ("am", "午前", "上午", "오전", "πμ", "ص", "sa", "de")
MANY = 20


class Dates:
    """What the dates of one file mean: `order` is `dmy`, `mdy` or `ymd`, and `certain` whether anything decides it."""

    def __init__(self, dates: Iterable[str]) -> None:
        """Look at dates until enough of them decide."""
        self.order, self.certain = _order(dates)
        self._known: dict[str, datetime | None] = {}

    def time(self, text: str) -> datetime | None:
        """The local time; None for what is no date."""
        if text in self._known:
            return self._known[text]
        if len(self._known) > 1000:
            self._known.clear()
        found = self._known[text] = time_of(text, self.order)
        return found


def time_of(text: str, order: str) -> datetime | None:
    """The local time of a date whose numbers stand in this order; None for what is no date."""
    if "T" in text and (time := from_iso(text)):
        return time
    parts = _PARTS.fullmatch(text.strip())
    if parts is None:
        return None
    first, second, month, third, before, hours, minutes, seconds, after = parts.groups()
    numbers = [int(first), int(second or MONTHS.get((month or "")[:3].title(), 0)), int(third)]
    order = "ymd" if len(first) > 2 else "dmy" if month else order
    by_name = dict(zip(order, numbers))
    hour = int(hours)
    half = re.sub(r"[\W_]", "", before or after or "").lower()
    if half in (*LATE, *EARLY):
        hour = hour % 12 + 12 * (half in LATE)
    year = by_name["y"] + 2000 * (by_name["y"] < 100)
    return moment(year, by_name["m"], by_name["d"], hour, int(minutes), int(seconds or 0))


def _order(dates: Iterable[str]) -> tuple[str, bool]:
    """A number above 12 decides; else the order in which the dates never step back."""
    seen: dict[tuple[int, int, int], None] = {}
    votes = {"dmy": 0, "mdy": 0}
    twelve = False
    for text in dates:
        parts = _PARTS.fullmatch(text.strip())
        if parts is None or parts[3] is not None or len(parts[1]) > 2:
            continue
        first, second = int(parts[1]), int(parts[2])
        if first > 31:
            return "ymd", True
        twelve = twelve or parts[9] in ("AM", "PM")  # others write a.m., am, 午後
        votes["dmy"] += first > 12 >= second
        votes["mdy"] += second > 12 >= first
        seen[(first, second, int(parts[4]))] = None
        if sum(votes.values()) >= MANY or len(seen) > 1000:
            break
    if votes["dmy"] != votes["mdy"]:
        return max(votes, key=lambda order: votes[order]), True
    back = {"dmy": 0, "mdy": 0}
    for earlier, later in pairwise(islice(seen, 1000)):
        back["dmy"] += later[::-1] < earlier[::-1]
        back["mdy"] += (later[2], later[0], later[1]) < (earlier[2], earlier[0], earlier[1])
    if back["dmy"] != back["mdy"]:
        return min(back, key=lambda order: back[order]), True
    return ("mdy" if twelve else "dmy"), not seen
