"""What was read and what became of it: nothing is lost in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import DataError


class Truncated(DataError):
    """A file ends within something; what came before it was whole."""


@dataclass(frozen=True)
class Unread:
    """A file that could not be read, or not to its end."""

    path: str
    reason: str
    """One line: where, what is wrong there, and what to do."""
    turns: int
    """Turns that were read before that place."""

    def __str__(self) -> str:
        return f"read in part ({self.turns} turns): {self.reason}" if self.turns else f"not read: {self.reason}"


@dataclass
class Tally:
    """What was read and what became of it; `read == kept + joined + sum(dropped.values())`."""

    kept: int = 0
    joined: int = 0
    """Turns that became part of the one before them."""
    dropped: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    """What was replaced inside of turns, by kind."""
    notes: list[str] = field(default_factory=list)
    formats: list[tuple[str, str]] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    """Files that could not be read, or not to their end."""

    @property
    def read(self) -> int:
        return self.kept + self.joined + self.dropped.total()

    def record(self, *, hidden: bool = False) -> dict[str, Any]:
        """Everything that was counted, for JSON; `hidden` without names of files, and without notes, which may quote some."""
        counts = {"read": self.read, "kept": self.kept, "joined": self.joined, "dropped": dict(self.dropped)}
        replaced = {kind: count for kind, count in self.changed.items() if count}
        unread = [{"turns": each.turns} if hidden else asdict(each) for each in self.unread]
        told = {"replaced": replaced, "notes": [] if hidden else self.notes, "unread": unread}
        return {"files": self.files(hidden=hidden)} | counts | told

    def files(self, *, hidden: bool = False) -> list[tuple[str, str]]:
        """(path, format) of what was read; many files of one format in one folder as one. `hidden` only counts them: ("2 files", format)."""
        if hidden:
            return [
                (f"{count} file{'s' * (count > 1)}", title)
                for title, count in Counter(title for _, title in self.formats).items()
            ]
        folders: dict[tuple[str, str], list[str]] = {}
        for path, title in self.formats:
            folders.setdefault((str(Path(path).parent), title), []).append(path)
        found = []
        for (folder, title), paths in folders.items():
            found += (
                [(f"{folder} ({len(paths)} files)", title)] if len(paths) > 4 else [(path, title) for path in paths]
            )
        return found

    def told(self) -> list[str]:
        """All that was noticed, and the files that could not be read whole."""
        return [*self.notes, *map(str, self.unread)]

    def nothing_in(self, paths: Iterable[str]) -> DataError:
        """The error to raise when nothing was kept of what these names stand for."""
        why = (
            "".join(f", {count} dropped: {reason}" for reason, count in self.dropped.items() if count) or ", none kept"
        )
        files = "".join(f" {len(self.unread)} files could not be read; the first is {each}" for each in self.unread[:1])
        return DataError(f"{', '.join(paths)}: no turn of dialogue in it ({self.read} read{why}).{files}")

    def leave(self, place: object, error: DataError, turns: int, *, alone: bool, strict: bool) -> None:
        """Go on without the rest of a file, of which so many turns are read.

        Raises the error again when `strict`, and when the file stands alone, unless it is only cut off.
        """
        if strict or (alone and not isinstance(error, Truncated)):
            raise error
        self.unread.append(Unread(str(place), str(error), turns))

    def drop(self, turns: int, reason: str) -> None:
        """Take back turns that were kept."""
        self.kept -= turns
        self.dropped[reason] += turns
