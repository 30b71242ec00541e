"""Records put away on the disk by group, and taken back group by group.

For files in which what belongs together does not stand together. The memory holds the names of the groups, and the
records of the group that is taken.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any, Self

from wolf_chatbox.importers.files.pipes import Copy


class Shelf:
    """A temporary file of JSON Lines; each knows where the one before it of its group begins."""

    def __init__(self) -> None:
        self._copy = Copy()
        self._file = self._copy.path.open("w+b")
        self._copy.path.unlink()  # the open file outlives its name
        self._last: dict[Hashable, int] = {}
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._last)

    def put(self, group: Hashable, record: Any) -> None:
        """Add a JSON value to a group."""
        line = json.dumps([self._last.get(group, -1), record]).encode() + b"\n"
        self._file.write(line)
        self._last[group] = self._end
        self._end += len(line)

    def groups(self) -> Iterator[tuple[Any, list[Any]]]:
        """Yield each group with its records, both in the order in which they came."""
        for group, at in self._last.items():
            records = []
            while at >= 0:
                self._file.seek(at)
                at, record = json.loads(self._file.readline())
                records.append(record)
            records.reverse()
            yield group, records
