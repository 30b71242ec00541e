"""Where a growing reply ends, and how much of it no later token changes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

JOINER, ARROWS = "\u200d", "\u2190"
FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]+\\Z")
"""Two of these make a flag."""


ROLES = ("user", "assistant", "system", "human", "narrator")
"""Who speaks in templates and stories."""
OPENING, CLOSING = re.compile(r"\A[\s\[(<*_#]+"), re.compile(r"\A[\s\])>*_]+\Z")
"""What may stand before and after the name in a label."""
AFTER = re.compile(r"[\s\])>*_]*[:：]|\s*「")


class End(NamedTuple):
    """Where a text ends, and the stop string that follows; None where another speaker does."""

    at: int
    stop: str | None


class Ends:
    """What a reply ends before: a line that begins with a speaker's label, or a stop string.

    A label is a name and a colon, whatever its case and with brackets or stars around it; `[Name]` and `<Name>`; or a
    name and a Japanese quotation mark. The first line may be such a line too. Where there are names, the names that
    templates and stories have for a side (ROLES) count too. A dash after a name is none: "Morty - wait!" speaks to him.

    `trims` takes white space from the end of a text, as a turn has none there.
    """

    def __init__(self, names: Collection[str], stops: Collection[str] = (), *, trims: bool = True) -> None:
        self.trims = trims
        self._known, self._names, self._sizes = _labels(frozenset(filter(None, names)))
        self.stops = tuple(filter(None, stops))

    def find(self, text: str) -> End | None:
        """The first end in a text, if there is one."""
        ends = [End(at, stop) for stop in self.stops if (at := text.find(stop)) >= 0]
        if (label := next((at for at in _line_starts(text) if self._is_label(text[at:])), None)) is not None:
            ends.append(End(label, None))
        return min(ends, key=lambda end: end.at, default=None)

    def settled(self, text: str) -> str:
        """The part of a growing text that no later token changes: whole characters, and no beginning of an end.

        The start of a line waits as long as it may turn out to be a label.
        """
        text = whole(text)
        held = max(
            (size for stop in self.stops for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0
        )
        text = text[: len(text) - held]
        waits = next((at for at in _line_starts(text) if self._may_be_label(text[at:])), None)
        return self.trimmed(text[:waits])

    def _is_label(self, line: str) -> bool:
        """Whether a text begins with a label."""
        rest = _bare(line)
        opened = line[: len(line) - len(rest)][-1:]
        for size in self._sizes:
            if rest[:size] in self._known:
                after = rest[size:]
                if AFTER.match(after) or opened + after[:1] in ("[]", "<>"):
                    return True
        return False

    def _may_be_label(self, line: str) -> bool:
        """Whether a text may go on as one that begins with a label."""
        if not self._names:
            return False
        rest = _bare(line)
        near = bisect_left(self._names, rest)
        if near < len(self._names) and self._names[near].startswith(rest):
            return True
        return any(rest[:size] in self._known and not CLOSING.sub("", rest[size:]) for size in self._sizes)

    def trimmed(self, text: str) -> str:
        """A text as it stands at its end: without a part of a character, and without white space if that is trimmed."""
        return whole(text).rstrip() if self.trims else whole(text)


def whole(text: str) -> str:
    """A text without a part of a character at its end: bytes, half a flag, an emoji that is to be joined to another."""
    text = text.rstrip("\ufffd")
    while text.endswith(JOINER) and text[:-1].rstrip("\ufe0f") and text[:-1].rstrip("\ufe0f")[-1] >= ARROWS:
        text = text[:-1]
    if (flags := FLAG_LETTERS.search(text)) and len(flags[0]) % 2:
        text = text[:-1]
    return text


@lru_cache(64)
def _labels(names: frozenset[str]) -> tuple[frozenset[str], list[str], list[int]]:
    """The names that a label may have: as a set, in order, and their lengths."""
    known = frozenset(map(_bare, (*names, *ROLES) if names else ())) - {""}
    return known, sorted(known), sorted({len(name) for name in known}, reverse=True)


def _line_starts(text: str) -> Iterator[int]:
    """Where lines begin: at the beginning of a text, and at each of its line ends."""
    yield 0
    yield from (found.start() for found in re.finditer("\n", text))


def _bare(text: str) -> str:
    """A text in lower case, without what may stand before a name."""
    return OPENING.sub("", text).lower()
