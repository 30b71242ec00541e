"""What a person does to the messages of a chat; a known error becomes a line, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from nicegui import ui

from wolf_chatbox.errors import ChatError, WolfChatboxError
from wolf_chatbox.page.room import Drawing, Room
from wolf_chatbox.talk.server.refusals import Refusal
from wolf_chatbox.talk.session import ChatSession

if TYPE_CHECKING:
    from wolf_chatbox.page.pages.talk.message import Row

Begin = Callable[[ChatSession], Iterator[str]]


class Acts:
    """The deeds of one browser in a room.

    `problem` shows an error as a line ("" takes it away), `refresh` shows the room as it is now, `explain` opens the
    account of a message.
    """

    def __init__(
        self,
        room: Room,
        problem: Callable[[str], None],
        refresh: Callable[[], None],
        explain: Callable[[int], Awaitable[None]],
    ) -> None:
        self.room = room
        self.editing: Row | None = None
        """The message whose text is being changed."""
        self.why = explain
        self._problem, self._refresh = problem, refresh

    async def attempt(self, deed: Awaitable[object]) -> bool:
        """Do something; returns whether it was done."""
        self._problem("")
        try:
            await deed
        except (WolfChatboxError, Refusal) as error:
            self._problem(str(error))
            return False
        return True

    async def send(self, text: str, to: str | None, *, whispers: bool) -> bool:
        """Say something, to one of those present or to all; returns whether it was said."""

        def begin(session: ChatSession) -> Iterator[str]:
            return session.whisper(to, text) if whispers and to else session.stream(text, to=to)

        return await self._entered(begin, asked=text)

    async def speak(self, name: str | None = None) -> None:
        """Let somebody speak without a message."""
        await self._entered(lambda session: session.speak(name))

    async def retry(self, number: int) -> None:
        await self._entered(lambda session: session.retry(number), instead=number)

    async def go_on(self, number: int) -> None:
        """Let a reply go on where it ended."""
        begun = self.room.tree.messages[number].text
        await self._entered(lambda session: session.more(number), instead=number, begun=begun)

    async def edit(self, row: Row, text: str) -> None:
        """Put another text in place of a message; it comes back for editing where that fails."""
        number = row.number
        if text.strip() == self.room.tree.messages[number].text:
            row.leave()
            return
        row.leave()
        if row.line.mine:
            done = await self._entered(lambda session: session.reword(number, text), instead=number, asked=text)
        else:
            done = await self.attempt(self.room.change(lambda session: session.edit(number, text)))
        if not done:
            self._refresh()
            row.edit(text)

    async def swipe(self, number: int, step: int) -> None:
        """Go to what was said in a message's place, before or after it."""
        others = self.room.tree.siblings(number)
        at = others.index(number) + step
        if 0 <= at < len(others):
            await self.attempt(self.room.go(others[at]))

    async def back(self, number: int) -> None:
        """Let the chat end with a message; what followed stays as a branch."""
        await self.attempt(self.room.go(number, on=False))

    async def forward(self) -> None:
        """Go on to the end of the branch."""
        await self.attempt(self.room.go(self.room.tree.at))

    def copy(self, number: int) -> None:
        ui.clipboard.write(self.room.tree.messages[number].text)

    async def impersonate(self) -> str:
        """What the model would say in the person's place; empty where it says nothing."""
        drawing = Drawing(own=True)
        if await self.attempt(self.room.impersonate(drawing)):
            return drawing.text.strip()
        return ""

    async def _entered(self, begin: Begin, *, instead: int | None = None, begun: str = "", asked: str = "") -> bool:
        """Let a reply come about; returns whether it was begun, so that what was asked stands in the chat."""
        drawing = Drawing(instead=instead, begun=begun, asked=asked)
        await self.attempt(self.room.draw(begin, drawing))
        return drawing.entered


def last_own(room: Room) -> int | None:
    """The number of the person's last message."""
    own = [number for number in room.tree.path() if room.tree.messages[number].speaker == room.user]
    return own[-1] if own else None


def last_reply(room: Room) -> int:
    """The number of the last reply; raises ChatError where there is none."""
    replies = [number for number in room.tree.path() if room.tree.messages[number].speaker in room.present]
    if not replies:
        raise ChatError("there is no reply yet. Send a message first.")
    return replies[-1]
