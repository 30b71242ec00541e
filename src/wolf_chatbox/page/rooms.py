"""Chats that browsers look at: one reply at a time in each, kept in a file after every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, cast

from wolf_chatbox.errors import ChatError
from wolf_chatbox.page.characters import Characters
from wolf_chatbox.talk.archive import Archive
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.tree import Tree

PATIENCE = 300.0
"""Seconds that a reply waits for a slot."""
AT_ONCE = 64
"""Threads that draw; an engine computes one step for all of them."""
EVERY = 0.05
"""Seconds between two looks that the browsers are given at most."""


@dataclass
class Drawing:
    """A reply that comes about now."""

    speaker: str = ""
    text: str = ""
    instead: int | None = None
    """The number of the message that it replaces or goes on with, until it is there."""
    begun: str = ""
    """What was there before of a reply that goes on."""
    stopped: bool = False
    own: bool = False
    """Whether it is written in the person's place, and goes into the field and not into the chat."""


class Room:
    """A chat, who looks at it, and the reply that is drawn in it; all methods belong to one event loop."""

    def __init__(self, id: str, about: dict[str, Any], tree: Tree, present: tuple[str, ...], rooms: Rooms) -> None:
        self.id, self.about = id, about
        self.session: ChatSession | None = None
        """None until the character is loaded."""
        self.drawing: Drawing | None = None
        self.listeners: set[Callable[[], None]] = set()
        """Called after every change; a browser's page adds itself and leaves when it is closed."""
        self._tree, self._present = tree, present
        self._rooms = rooms
        self._opening = asyncio.Lock()
        self._told = False

    @property
    def run(self) -> str:
        return str(self.about.get("run", ""))

    @property
    def persona(self) -> str:
        return self.session.persona if self.session else str(self.about.get("persona", self.run))

    @property
    def user(self) -> str:
        return self.session.user if self.session else str(self.about.get("user", ""))

    @property
    def tree(self) -> Tree:
        return self.session.tree if self.session else self._tree

    @property
    def present(self) -> tuple[str, ...]:
        return self.session.present if self.session else self._present

    @property
    def title(self) -> str:
        given = str(self.about.get("title") or "")
        first = next((turn.text for turn in self.tree.turns), "")
        return given or " ".join(first.split())[:80]

    async def ready(self) -> ChatSession:
        """The session with its character loaded; raises what loading raises."""
        async with self._opening:
            served = await self._rooms.characters.served(self.run)
            if self.session is None:
                session = ChatSession.of(served.character)
                if (persona := self.about.get("persona")) and persona != session.persona:
                    session.become(str(persona))
                if user := self.about.get("user"):
                    session.user = str(user)
                if self._present:
                    session.present = self._present
                session.tree = session.saved = self._tree
                self.session = session
                self._note()
                self.changed()
            self.session.voice = served.character.voice  # it may have been loaded anew
            return self.session

    async def draw(
        self, begin: Callable[[ChatSession], Iterator[str]], *, instead: int | None = None, begun: str = ""
    ) -> None:
        """Let a reply come about: `begin` asks the session for its pieces, and is called in a thread.

        `instead` is the message that it takes the place of, `begun` what is there of one that goes on. Raises
        ChatError while another reply is drawn, Refusal where too many wait, and what the session raises.
        """
        await self._draw(begin, Drawing(instead=instead, begun=begun))
        self.keep()

    async def impersonate(self) -> str:
        """What the model would say in the person's place; nothing is said."""
        drawing = Drawing(speaker=self.user, own=True)
        await self._draw(lambda session: session.impersonate(), drawing)
        return drawing.text

    async def _draw(self, begin: Callable[[ChatSession], Iterator[str]], drawing: Drawing) -> None:
        if self.drawing is not None:
            raise ChatError("a reply is being written. Stop it first.")
        self.drawing = drawing
        self.changed()
        try:
            session = await self.ready()
            gate = (await self._rooms.characters.served(self.run)).gate
            await gate.enter(1, PATIENCE)
            try:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._rooms.threads, self._collect, begin, session, drawing, loop)
            finally:
                gate.leave()
        finally:
            self.drawing = None
            self.changed()

    def _collect(
        self,
        begin: Callable[[ChatSession], Iterator[str]],
        session: ChatSession,
        drawing: Drawing,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Draw the pieces, in a thread."""
        if drawing.stopped:
            return
        pieces = cast("Generator[str]", begin(session))
        if not drawing.own:
            drawing.speaker = session.speaking
        loop.call_soon_threadsafe(self.changed)
        with closing(pieces):
            for piece in pieces:
                drawing.text += piece
                loop.call_soon_threadsafe(self.changed)
                if drawing.stopped:
                    break

    def stop(self) -> None:
        """End the reply that is drawn with what there is."""
        if self.drawing is not None:
            self.drawing.stopped = True

    def change(self, change: Callable[[ChatSession], object]) -> None:
        """Change the session at once: go to another branch, edit, invite, and keep the chat.

        Raises ChatError while a reply is drawn or the character is not loaded, and what the change raises.
        """
        if self.drawing is not None or self.session is None:
            raise ChatError("a reply is being written. Stop it first.")
        change(self.session)
        self._note()
        self.keep()
        self.changed()

    def name(self, title: str) -> None:
        """Give the chat a title."""
        self.about["title"] = title.strip()
        self.keep()
        self.changed()

    def keep(self) -> None:
        """Write the chat; one without a message is not kept. Raises CheckpointError."""
        if self.tree.messages:
            self._rooms.archive.keep(self.id, self.tree, self.present, self.about)

    def _note(self) -> None:
        if self.session is not None:
            self.about |= {"persona": self.session.persona, "user": self.session.user}

    def changed(self) -> None:
        """Let everybody who looks at the chat see what is new, soon; many changes are shown together."""
        if not self._told:
            self._told = True
            asyncio.get_running_loop().call_later(EVERY, self._tell)

    def _tell(self) -> None:
        self._told = False
        for listener in list(self.listeners):
            listener()


@dataclass
class Rooms:
    """The chats that are open, by their ids."""

    characters: Characters
    archive: Archive
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE, "reply"))
    _open: dict[str, Room] = field(default_factory=dict)

    def new(self, run: str, persona: str | None = None) -> Room:
        """A chat that nobody has said anything in."""
        about = {"run": run} | ({"persona": persona} if persona else {})
        return self._add(Room(self.archive.new_id(), about, Tree(), (), self))

    def get(self, id: str) -> Room | None:
        """A chat that is open or kept; raises ChatError for what cannot be the id of one."""
        if id not in self._open and (kept := self.archive.get(id)) is not None:
            self._add(Room(id, dict(kept.about), kept.tree, kept.present, self))
        return self._open.get(id)

    def remove(self, id: str) -> None:
        """Remove a chat and its file."""
        if (room := self._open.pop(id, None)) is not None:
            room.stop()
        self.archive.remove(id)

    def stop(self) -> None:
        """End all replies with what there is; the chats are kept so."""
        for room in self._open.values():
            room.stop()

    def leave(self, room: Room, listener: Callable[[], None]) -> None:
        """Somebody looks at a chat no more; one that nobody looks at is forgotten, and its file is read again."""
        room.listeners.discard(listener)
        if not room.listeners and room.drawing is None:
            self._open.pop(room.id, None)

    def _add(self, room: Room) -> Room:
        self._open[room.id] = room
        return room
