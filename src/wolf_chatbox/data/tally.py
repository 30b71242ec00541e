"""Counts of the turns that were read and of what became of them: no turn is lost without a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from wolf_chatbox.errors import DataError
from wolf_chatbox.visible import shortlist

NAMED = 3
"""Files that are named in a line about many."""
LISTED = 12
"""Files, or formats, that a list on the terminal names."""


def listed(files: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Lines that tell what was read, as `Tally.files` gives it: the first ones by name, of the others the formats."""
    yield from (f"{path}: {title}" for path, title in files[:LISTED])
    if others := files[LISTED:]:
        titles = list(dict.fromkeys(title for _, title in others))
        more = f"; and {len(titles) - LISTED} more formats" if len(titles) > LISTED else ""
        yield f"… and {len(others):,} more: {'; '.join(titles[:LISTED])}{more}"


class Truncated(DataError):
    """A file ends in the middle of something; what comes before that is complete."""


@dataclass(frozen=True)
class Unread:
    """A file that could not be read, or only in part."""

    path: str
    reason: str
    """One line: where, what is wrong there, and the remedy."""
    turns: int
    """Turns that were read before the fault."""

    def __str__(self) -> str:
        return f"read in part ({self.turns} turns): {self.reason}" if self.turns else f"not read: {self.reason}"


class Note(str):
    """A line about one file; those that say the same of several files are told as one."""

    where: str
    what: str

    def __new__(cls, where: object, what: str) -> Self:
        note = super().__new__(cls, f"{where}: {what}")
        note.where, note.what = str(where), what
        return note

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return self.where, self.what


@dataclass
class Tally:
    """Turns read, and what became of them: `read == kept + joined + sum(dropped.values())`."""

    kept: int = 0
    joined: int = 0
    """Turns that became part of the turn before them."""
    dropped: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    """Replacements within turns, by kind."""
    notes: list[str] = field(default_factory=list)
    formats: list[tuple[str, str]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    """Files that could not be read, or only in part."""

    @property
    def read(self) -> int:
        return self.kept + self.joined + self.dropped.total()

    def record(self, *, hidden: bool = False) -> dict[str, Any]:
        """All counts, for JSON; `hidden` leaves out file names, and notes, which may quote names."""
        counts = {"read": self.read, "kept": self.kept, "joined": self.joined, "dropped": dict(self.dropped)}
        replaced = {kind: count for kind, count in self.changed.items() if count}
        unread = [{"turns": file.turns} if hidden else asdict(file) for file in self.unread]
        rest = {"replaced": replaced, "notes": [] if hidden else once(self.notes), "unread": unread}
        return {"files": self.files(hidden=hidden)} | counts | rest

    def files(self, *, hidden: bool = False) -> list[tuple[str, str]]:
        """(path, format) of what was read; many files of one format in a folder count as one entry.

        `hidden` gives only their number: ("2 files", format).
        """
        if hidden:
            counts = Counter(title for _, title in self.formats)
            return [(f"{count} file{'s' * (count > 1)}", title) for title, count in counts.items()]
        folders: dict[tuple[str, str], list[str]] = {}
        for path, title in self.formats:
            folders.setdefault((str(Path(path).parent), title), []).append(path)
        found = []
        for (folder, title), paths in folders.items():
            found += (
                [(f"{folder} ({len(paths)} files)", title)] if len(paths) > 4 else [(path, title) for path in paths]
            )
        return found

    def notices(self) -> list[str]:
        """All notes, and the files that could not be read completely; what is the same of several is one line."""
        return [*once(self.notes), *unread_once(self.unread)]

    def note(self, where: object, what: str) -> None:
        """Note something about a file."""
        self.notes.append(Note(where, what))

    def nothing_in(self, paths: Iterable[str]) -> DataError:
        """The error to raise if no turn of these files was kept."""
        dropped = [f"{count} dropped: {reason}" for reason, count in self.dropped.items() if count]
        counts = ", ".join([f"{self.read} read", *(dropped or ["none kept"])])
        files = f" {len(self.unread)} files could not be read; the first is {self.unread[0]}" if self.unread else ""
        return DataError(f"{', '.join(paths)}: no turns of dialogue found ({counts}).{files}")

    def leave(self, place: object, error: DataError, turns: int, *, alone: bool, strict: bool) -> None:
        """Go on without the rest of a file, of which this many turns are read.

        Raises the error again if `strict`, and if the file is the only one, unless it is merely truncated.
        """
        if strict or (alone and not isinstance(error, Truncated)):
            raise error
        self.unread.append(Unread(str(place), str(error), turns))

    def drop(self, turns: int, reason: str) -> None:
        """Count kept turns as dropped instead."""
        self.kept -= turns
        self.dropped[reason] += turns


def once(notes: Iterable[str]) -> list[str]:
    """Each note once: with the names of the files that it is about, or how often it was made.

    >>> once([Note("a.txt", "no names"), Note("b.txt", "no names"), "all is well", "all is well"])
    ['a.txt, b.txt: no names', 'all is well (2 times)']
    """
    groups: dict[str, list[str]] = {}
    for note in notes:
        groups.setdefault(note.what if isinstance(note, Note) else note, []).append(note)
    return [_together(text, group) for text, group in groups.items()]


def _together(text: str, group: list[str]) -> str:
    places = list(dict.fromkeys(note.where for note in group if isinstance(note, Note)))
    if places:
        return f"{shortlist(places, NAMED)}: {text}"
    return f"{text} ({len(group)} times)" if len(group) > 1 else text


def unread_once(files: Iterable[Unread]) -> list[str]:
    """The files that could not be read, one line each; those with one reason in one line."""
    groups: dict[tuple[int, str], list[Unread]] = {}
    for file in files:
        groups.setdefault((file.turns, file.reason.replace(file.path, "", 1)), []).append(file)
    return [
        str(group[0])
        if len(group) == 1
        else f"not read: {shortlist([Path(file.path).name for file in group], NAMED)}{reason}"
        if not turns
        else f"read in part ({turns} turns each): {shortlist([Path(file.path).name for file in group], NAMED)}{reason}"
        for (turns, reason), group in groups.items()
    ]
