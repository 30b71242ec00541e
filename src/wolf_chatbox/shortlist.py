"""Long lists of names, cut for a line."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice


def shortlist(names: Collection[object], most: int) -> str:
    """The first of the names, and how many more there are: `Rick, Morty, … and 12 more`."""
    return f"{', '.join(map(str, islice(names, most)))}{and_more(names, most)}"


def and_more(names: Collection[object], shown: int) -> str:
    """What is written behind a list of which only the first are shown; nothing where that is all."""
    return f", … and {len(names) - shown} more" if len(names) > shown else ""
