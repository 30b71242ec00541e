"""What files say, read again only where they have changed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Reread(Generic[Value]):
    """Remembers what `read(path)` made of each file, until the file's time changes; several threads may ask.

    chats = Reread(read_chat)
    chats(Path("chat.jsonl"))               # None where there is no such file
    """

    def __init__(self, read: Callable[[Path], Value]) -> None:
        self._read = read
        self._known: dict[Path, tuple[int, Value]] = {}

    def __call__(self, path: Path) -> Value | None:
        """What a file says; raises what reading it raises, and remembers nothing then."""
        try:
            time = path.stat().st_mtime_ns
        except OSError:
            self._known.pop(path, None)
            return None
        known = self._known.get(path)
        if known is None or known[0] != time:
            known = self._known[path] = (time, self._read(path))
        return known[1]

    def forget_others(self, paths: Collection[Path]) -> list[Path]:
        """Forget all files but these; returns the forgotten ones."""
        gone = [path for path in list(self._known) if path not in paths]
        for path in gone:
            self._known.pop(path, None)
        return gone
