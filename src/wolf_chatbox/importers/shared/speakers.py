"""What tells the name of a speaker from other words before a colon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

PARTICLES = frozenset(("&", "&c", "a", "and", "da", "de", "del", "den", "der", "des", "di", "du", "et", "for", "from"))
PARTICLES |= {"in", "la", "le", "les", "of", "on", "the", "to", "und", "van", "von", "with", "y"}
MOST_WORDS = 6
MOST_NAMES = 100_000
"""Different names of a file that are counted: further ones, of which nobody speaks that often, fill no memory."""


def is_capitalised(name: str) -> bool:
    """Whether a name is written as names are: each word with a capital, but for particles (`Ghost of Banquo`).

    Scripts without capitals have none to miss.
    """
    words = name.replace("_", " ").split()[: MOST_WORDS + 1]
    proper = [not word.islower() for word in words]
    return any(proper) and len(words) <= MOST_WORDS and all(map(_fits, words, proper))


def _fits(word: str, proper: bool) -> bool:
    return proper or word in PARTICLES


def counted(names: Iterable[str]) -> Counter[str]:
    """How often each name comes, in the memory of MOST_NAMES."""
    counts: Counter[str] = Counter()
    for name in names:
        if name in counts or len(counts) < MOST_NAMES:
            counts[name] += 1
    return counts
