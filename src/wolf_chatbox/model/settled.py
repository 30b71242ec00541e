"""Where a growing reply ends, and how much of it no later token changes."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

JOINER, ARROWS = "\u200d", "\u2190"
FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]+\\Z")
"""Two of these make a flag."""


class End(NamedTuple):
    """Where a text ends, and the stop string that follows; None where another speaker does."""

    at: int
    stop: str | None


class Ends:
    """What a reply ends before: a line that begins with a speaker's name and a colon, or a stop string.

    `trims` takes white space from the end of a text, as a turn has none there.
    """

    def __init__(self, names: Collection[str], stops: Collection[str] = (), *, trims: bool = True) -> None:
        self.trims = trims
        self.names = sorted(filter(None, names), key=len, reverse=True)
        self.stops = tuple(filter(None, stops))
        self._longest = max(map(len, self.names), default=-1)
        self._other = re.compile(rf"\n\s*(?:{'|'.join(map(re.escape, self.names))})\s*[:：]") if self.names else None

    def find(self, text: str) -> End | None:
        """The first end in a text, if there is one."""
        ends = [End(at, stop) for stop in self.stops if (at := text.find(stop)) >= 0]
        if self._other is not None and (found := self._other.search(text)):
            ends.append(End(found.start(), None))
        return min(ends, key=lambda end: end.at, default=None)

    def settled(self, text: str) -> str:
        """The part of a growing text that no later token changes: whole characters, and no beginning of an end.

        The start of a line waits as long as it may turn out to be the name of a speaker.
        """
        text = whole(text)
        held = max(
            (size for stop in self.stops for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0
        )
        text = text[: len(text) - held]
        at, settled = text.rfind("\n"), text
        # White space after a name may hold further lines.
        while at >= 0 and len(line := text[at:].strip()) <= self._longest:
            if any(name.startswith(line) for name in self.names):
                settled = text[:at]
            at = text.rfind("\n", 0, at)
        return self.trimmed(settled)

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
