"""What is seen in a file that no format claims, or two: values, which an error carries and `data inspect` shows."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, NamedTuple, Self

from wolf_chatbox.errors import FormatError, Setting

LIKELY = 0.35
"""Score from which on a guess is named in an error of one line."""
POSSIBLE = 0.05
"""Score from which on a guess is shown at all, if its format does not claim the file."""
ALL = 0.9
"""Share of the text from which on it is all of it."""
LONG = 160
"""Characters of an error among what speaks against a guess."""
UNSPOKEN = {"calendar", "code", "contacts", "key", "log", "patch", "pointer", "postscript", "rtf", "settings"}
"""Kinds that are no conversations, even if a format makes turns of their lines."""
SUPPORTED = (
    "Chat exports, scripts (lines NAME: text), subtitles, tables and JSON of conversations are read; "
    "`wolf-chatbox data formats` lists all formats."
)


class Seen(NamedTuple):
    """What a file is, for a person."""

    kind: str
    """A word for code: `pdf`, `picture`, `table`, …"""
    what: str
    """A phrase that may follow "it is": `a PDF document`."""
    remedy: str
    """One sentence or more."""


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a format makes of the beginning of a file, as counts."""

    format: str
    title: str
    claimed: bool
    """Whether the format claims the file."""
    suffix: str
    """The end of the file's name, if it is one of the format's."""
    turns: int
    dropped: dict[str, int]
    """Reasons why turns were dropped, and how many."""
    speakers: int
    once: int
    """Turns of speakers who speak only once."""
    alone: int
    """Turns of conversations in which nobody answers."""
    timed: int
    """Turns with a time."""
    share: float
    """Share of the text's characters that became turns: their names and words."""
    marked_up: bool
    """Whether it is JSON or XML, most of whose characters are no words."""
    error: str
    """What ended the reading."""
    first: tuple[tuple[str, str], ...]
    """The first turns: speaker and text."""

    @property
    def score(self) -> float:
        """From 0 to 1.2, by shares: of turns kept, answered, with times, of speakers who come back; and of the text.

        Turns that are nearly all of a JSON or HTML file have its marks among their words.
        """
        if not self.turns:
            return 0.0
        kept = self.turns / (self.turns + sum(self.dropped.values()))
        back, answered = 1 - self.once / self.turns, 1 - self.alone / self.turns
        part = float(self.share < ALL) if self.marked_up else min(1.0, 1.5 * self.share)
        score = kept * (0.25 + 0.75 * back) * (0.25 + 0.75 * answered) * (0.2 + 0.8 * part)
        score *= 0.1 if self.speakers < 2 else 1.0
        return (score + 0.2 * self.timed / self.turns) * (0.3 if self.error else 1.0)

    @property
    def likely(self) -> bool:
        return self.score >= LIKELY

    @property
    def for_(self) -> tuple[str, ...]:
        """What speaks for the format, in short phrases."""
        if not self.turns:
            return ()
        found = [f"{_counted(self.turns, 'turn')} of {_counted(self.speakers, 'speaker')}"]
        if self.once < self.turns / 2 and self.speakers > 1:
            found.append("most speakers come back")
        if self.timed:
            found.append("turns have times" if self.timed > self.turns / 2 else "some turns have times")
        if self.share > 0.5:
            found.append(f"{self.share:.0%} of the text")
        if self.suffix:
            found.append(f"the name ends in {self.suffix}")
        return tuple(found)

    @property
    def against(self) -> tuple[str, ...]:
        """What speaks against it."""
        found = [textwrap.shorten(self.error, LONG, placeholder=" …")] if self.error else []
        if not self.turns:
            found = found or ["no turn was found"]
        elif self.speakers == 1:
            found.append("only one speaker")
        elif self.once >= self.turns / 2:
            found.append("most speakers speak only once")
        elif self.alone > self.turns / 2:
            found.append("most conversations have one speaker")
        found += [f"{count:,} dropped: {reason}" for reason, count in Counter(self.dropped).most_common(2)]
        if self.turns and self.share < 0.2 and not self.marked_up:
            found.append(f"only {self.share:.0%} of the text")
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"for": self.for_, "against": self.against, "flag": f"--format {self.format}"}


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is seen in a file."""

    path: str
    seen: Seen
    claimed: tuple[str, ...] = ()
    """Names of the formats that claim it."""
    lines: tuple[str, ...] = ()
    """Its first lines."""
    guesses: tuple[Guess, ...] = ()
    """The formats that it may be of, the best one first."""

    @property
    def parts(self) -> tuple[str, ...]:
        """One line: what was seen, the best guess or what to do."""
        spoken = bool(self.guesses) and self.seen.kind not in UNSPOKEN
        best = self.guesses[0] if spoken and self.guesses[0].likely else None
        counts = f" ({best.for_[0]})" if best and best.for_ else ""
        if len(self.claimed) > 1:
            either = f"{self.path}: could be {' or '.join(self.claimed)}"
            if best:
                return (
                    f"{either}; it reads best as {best.format}{counts}. Pass ",
                    Setting("format"),
                    f" {best.format}.",
                )
            return (f"{either}. Pass ", Setting("format"), ".")
        what = f"{self.path}: not a known format, but {self.seen.what}."
        if best:
            return (f"{what} It reads best as {best.format}{counts}: pass ", Setting("format"), f" {best.format}.")
        return (f"{what} {self.seen.remedy}",)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"seen": self.seen._asdict(), "guesses": [guess.to_dict() for guess in self.guesses]}


class Unclaimed(FormatError):
    """No format claims a file, or several do; `looks` has what is seen in it, or in some files of a folder."""

    looks: tuple[Look, ...] = ()

    @classmethod
    def of(cls, *looks: Look, parts: tuple[str, ...] = ()) -> Self:
        error = cls(*(parts or looks[0].parts))
        error.looks = looks
        return error


def kinds_of(looks: Iterable[Look]) -> dict[str, str]:
    """What files are, by their names."""
    return {PurePath(look.path).name: look.seen.kind for look in looks}


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
