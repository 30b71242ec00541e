"""A chat that browsers look at: one reply at a time, kept in a file after every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast, get_args

from wolf_chatbox.config import NextSpeaker, SamplingConfig
from wolf_chatbox.errors import ChatError, ConfigError, WolfChatboxError
from wolf_chatbox.model.character import Character
from wolf_chatbox.talk.session import ChatSession, Drawn
from wolf_chatbox.talk.tree import Tree

if TYPE_CHECKING:
    from wolf_chatbox.page.rooms import Rooms

PATIENCE = 300.0
"""Seconds that a reply waits for a slot."""
EXPLAINED = 32
"""Replies of a room of which it is remembered how they came about."""
TITLE = 120
"""Characters of a title at most."""
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
    asked: str = ""
    """The message that it answers, until that stands in the tree."""
    entered: bool = False
    """Whether the session was asked for it: what was asked stands in the tree."""
    known: int = 0
    """How many messages the tree had then."""
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
        self.own_sampling = SamplingConfig()
        """What the character itself has, once it is loaded."""
        self.drawn: dict[int, Drawn] = {}
        """How the last replies came about that were drawn here, by their numbers."""
        self.listeners: set[Callable[[], None]] = set()
        """Called after every change; a browser's page adds itself and leaves when it is closed."""
        self._tree, self._present = tree, present
        self._rooms = rooms
        self._opening, self._writing = asyncio.Lock(), asyncio.Lock()
        self.removed = False
        self.kept = bool(tree.messages)
        """Whether there is a file of it."""
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
        return str(self.about.get("title") or "") or self.tree.title

    async def ready(self) -> ChatSession:
        """The session with its character loaded; raises what loading raises."""
        async with self._opening:
            served = await self._rooms.characters.served(self.run)
            if self.session is None:
                self.session = self._open(served.character)
                self._note()
                self.changed()
            self.session.voice = served.character.voice  # it may have been loaded anew
            return self.session

    def _open(self, character: Character) -> ChatSession:
        """A session with what is kept of the chat; what the character cannot be is left as it is with it."""
        session, self.own_sampling = ChatSession.of(character), character.sampling
        with suppress(WolfChatboxError):
            if persona := self.about.get("persona"):
                session.become(str(persona))
        if (user := self.about.get("user")) and user != session.persona:
            session.user = str(user)
        with suppress(ConfigError, TypeError):
            session.sampling = session.sampling.changed(**self.about.get("sampling", {}))
        if self.about.get("next") in get_args(NextSpeaker):
            session.next = self.about["next"]
        if self._present and session.persona in self._present:
            session.present = self._present
        tree = self._tree
        if not any(session.persona in message.heard for message in tree.messages):  # of another run, or a file
            for seat in {message.speaker for message in tree.messages} - {session.user}:
                tree = tree.recast(seat, session.persona)
        session.tree = session.saved = tree
        session.greet()
        return session

    async def draw(self, begin: Callable[[ChatSession], Iterator[str]], drawing: Drawing | None = None) -> None:
        """Let a reply come about: `begin` asks the session for its pieces, and is called in a thread.

        `drawing` says what it is to be, and what there is of it; where it was not `entered`, nothing was asked. Raises
        ChatError while another reply is drawn, Refusal where too many wait, and what the session raises.
        """
        drawing = drawing or Drawing()
        try:
            await self._draw(begin, drawing)
        finally:
            if drawing.entered:
                await self.keep()

    async def impersonate(self, drawing: Drawing | None = None) -> str:
        """What the model would say in the person's place; nothing is said. `drawing` has what there is so far."""
        drawing = drawing or Drawing(own=True)
        drawing.speaker = self.user
        await self._draw(lambda session: session.impersonate(), drawing)
        return drawing.text

    async def _draw(self, begin: Callable[[ChatSession], Iterator[str]], drawing: Drawing) -> None:
        self._check_free()
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
        session.over = lambda: drawing.stopped  # several candidates show nothing before the end
        pieces = cast("Generator[str]", begin(session))
        if not drawing.own:
            drawing.speaker, drawing.known = session.speaking, len(session.tree)
            drawing.entered = True
        loop.call_soon_threadsafe(self.changed)
        before = session.drawn
        with closing(pieces):
            for piece in pieces:
                drawing.text += piece
                loop.call_soon_threadsafe(self.changed)
                if drawing.stopped:
                    break
        if session.drawn is not None and session.drawn is not before:
            self.drawn[session.tree.at] = session.drawn
            for number in list(self.drawn)[:-EXPLAINED]:
                del self.drawn[number]

    def stop(self) -> None:
        """End the reply that is drawn with what there is."""
        if self.drawing is not None:
            self.drawing.stopped = True

    async def change(self, change: Callable[[ChatSession], object]) -> None:
        """Change the session at once: edit, invite, another name; and keep the chat.

        Raises ChatError while a reply is drawn or the character is not loaded, and what the change raises.
        """
        self._check_free()
        if self.session is None:
            raise ChatError(f"{self.persona} is not awake yet. Wait a moment.")
        change(self.session)
        self._note()
        self.changed()
        await self.keep()

    async def go(self, number: int, *, on: bool = True) -> None:
        """Go to a message, and `on` to the end of its branch; raises ChatError where there is none, or one is drawn.

        It needs no character, so chats of runs that are gone can be read too.
        """
        self._check_free()
        tree = self.tree
        moved = tree.go(tree.end(tree.known(number)) if on else tree.known(number))
        if self.session is not None:
            self.session.tree = moved
        else:
            self._tree = moved
        self.changed()
        await self.keep()

    async def hand_over(self, run: str) -> None:
        """Let another run's character go on with the chat, who has heard all of it."""
        self._check_free()
        self._tree, self._present, self.session = self.tree, self.present, None
        self.about = {key: value for key, value in self.about.items() if key not in ("persona", "sampling")}
        self.about["run"] = run
        self.drawn.clear()
        self.changed()
        await self.keep()

    async def tune(self, **settings: float) -> None:
        """Change how this chat's replies are drawn, from the next one on; raises ConfigError."""
        session = await self.ready()
        session.sampling = session.sampling.changed(**settings)
        own = asdict(self.own_sampling)
        self.about["sampling"] = {name: value for name, value in asdict(session.sampling).items() if value != own[name]}
        await self.keep()

    def _check_free(self) -> None:
        if self.drawing is not None:
            raise ChatError("a reply is being written. Stop it first.")

    async def name(self, title: str) -> None:
        """Give the chat a title."""
        self.about["title"] = " ".join(title.split())[:TITLE]
        self.changed()
        await self.keep()

    async def keep(self) -> None:
        """Write the chat, in a thread; one without a message is not kept. Raises CheckpointError."""
        try:
            async with self._writing:
                await self._write()
        finally:
            self._rooms.leave(self)

    async def _write(self) -> None:
        if self.tree.messages and not self.tree.greeted and not self.removed:
            archive, about = self._rooms.archive, dict(self.about)
            await asyncio.to_thread(archive.keep, self.id, self.tree, self.present, about)
            if not self.kept:
                self.kept = True
                self.changed()
            if self.removed:  # while it was written
                archive.remove(self.id)

    @property
    def idle(self) -> bool:
        """Whether nobody looks at it, and nothing is drawn or written."""
        return not self.listeners and self.drawing is None and not self._writing.locked()

    def remove(self) -> None:
        """Stop what is drawn, write nothing any more, and let those who look at it know."""
        self.removed = True
        self.stop()
        self.changed()

    def _note(self) -> None:
        if self.session is not None:
            self.about |= {"persona": self.session.persona, "user": self.session.user, "next": self.session.next}

    def changed(self) -> None:
        """Let everybody who looks at the chat see what is new, soon; many changes are shown together."""
        if not self._told:
            self._told = True
            asyncio.get_running_loop().call_later(EVERY, self._tell)

    def _tell(self) -> None:
        self._told = False
        for listener in list(self.listeners):
            listener()
