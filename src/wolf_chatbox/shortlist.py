"""Long lists of names, cut for a line."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice


def shortlist(names: Collection[object], most: int) -> str:
    """The first of the names, and how many more there are: `Rick, Morty, … and 12 more`."""
    more = f", … and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, islice(names, most))) + more
