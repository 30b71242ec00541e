"""The chats that are open: whoever looks at the same one sees the same."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from wolf_chatbox.page.characters import Characters
from wolf_chatbox.page.room import Room
from wolf_chatbox.talk.archive import Archive
from wolf_chatbox.talk.tree import Tree

AT_ONCE = 64
"""Threads that draw; an engine computes one step for all of them."""


@dataclass
class Rooms:
    """The chats that are open, by their ids."""

    characters: Characters
    archive: Archive
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "reply"))
    _open: dict[str, Room] = field(default_factory=dict)

    def new(self, run: str, persona: str | None = None, id: str | None = None) -> Room:
        """A chat that nobody has said anything in; under a new id, or one that is not taken."""
        about = {"run": run} | ({"persona": persona} if persona else {})
        return self._add(Room(id or self.archive.new_id(), about, Tree(), (), self))

    def get(self, id: str) -> Room | None:
        """A chat that is open or kept; raises ChatError for what cannot be the id of one."""
        if id not in self._open and (kept := self.archive.get(id)) is not None:
            self._add(Room(id, dict(kept.about), kept.tree, kept.present, self))
        return self._open.get(id)

    def remove(self, id: str) -> None:
        """Remove a chat and its file."""
        if (room := self._open.pop(id, None)) is not None:
            room.remove()
        self.archive.remove(id)

    def stop(self) -> None:
        """End all replies with what there is; the chats are kept so."""
        for room in self._open.values():
            room.stop()

    def leave(self, room: Room, listener: Callable[[], None] | None = None) -> None:
        """Somebody looks at a chat no more; one that nobody looks at is forgotten, and its file is read again."""
        if listener is not None:
            room.listeners.discard(listener)
        if room.idle and self._open.get(room.id) is room:
            del self._open[room.id]

    def _add(self, room: Room) -> Room:
        self._open[room.id] = room
        return room
