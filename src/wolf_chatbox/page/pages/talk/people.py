"""Who is in a chat: whom one talks with, who else hears it, who speaks next, and as whom one talks."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from nicegui import ui

from wolf_chatbox.config import NextSpeaker
from wolf_chatbox.errors import ChatError
from wolf_chatbox.page.pages.talk.acts import Acts
from wolf_chatbox.page.pages.talk.sheet import sheet
from wolf_chatbox.page.parts import avatar, icon_button
from wolf_chatbox.page.room import Room
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.words import Words

LISTED = 300
"""Speakers that a list offers at most, those with the most turns."""
NAME = 60
"""Characters of a person's name at most."""


class People:
    """The sheet of those who are there."""

    def __init__(self, room: Room, acts: Acts, words: Words) -> None:
        self._room, self._acts, self._words = room, acts, words

    async def open(self, place: ui.element) -> None:
        """Show the sheet, once the character is awake."""
        if not await self._acts.attempt(self._room.ready()):
            return
        with sheet(place, self._words, self._words("talk.people.title")) as self._body:
            self._fill()

    def _fill(self) -> None:
        session, words = self._room.session, self._words
        assert session is not None
        self._body.clear()
        named = session.voice.renderer.style.name == "named"
        others = [name for name in session.speakers if name not in (*session.present, session.user)][:LISTED]
        with self._body:
            ui.label(words("talk.people.here")).classes("sheet-label")
            for name in session.present:
                self._member(name, alone=len(session.present) == 1)
            if not named:
                ui.label(words("talk.people.one_voice")).classes("quiet small")
            elif others:
                self._choice(words("talk.people.invite"), others, self._invite)
                self._choice(words("talk.people.become"), others, self._become)
            if len(session.present) > 1:
                self._order(session)
            ui.label(words("talk.people.you")).classes("sheet-label")
            field = ui.input(value=session.user).props(f"outlined dense maxlength={NAME}")
            field.props["aria-label"] = words("talk.people.you")
            rename: Callable[[], object] = lambda: self._call_me(str(field.value or ""))  # noqa: E731
            field.on("keydown.enter", rename)
            field.on("blur", rename)

    def _member(self, name: str, *, alone: bool) -> None:
        words = self._words
        with ui.element("div").classes("sheet-row"):
            avatar(name, small=True)
            ui.label(name).classes("sheet-grow")
            icon_button("record_voice_over", words("talk.people.speak", name=name), lambda: self._acts.speak(name))
            if not alone:
                icon_button("person_remove", words("talk.people.dismiss", name=name), lambda: self._dismiss(name))

    def _choice(self, label: str, names: list[str], act: Callable[[str], object]) -> None:
        """A list of names with a search; choosing one acts at once."""
        field = ui.select(names, label=label, with_input=True, on_change=lambda event: act(event.value))
        field.props("outlined dense options-dense").classes("sheet-select")

    def _order(self, session: ChatSession) -> None:
        words = self._words
        ui.label(words("talk.people.next")).classes("sheet-label")
        orders = {order: words(f"talk.people.order.{order}") for order in get_args(NextSpeaker)}
        ui.radio(orders, value=session.next, on_change=lambda event: self._set_order(event.value)).classes(
            "sheet-radio"
        )

    async def _change(self, change: Callable[[ChatSession], object]) -> None:
        await self._acts.attempt(self._room.change(change))
        if not self._body.is_deleted:
            self._fill()

    async def _invite(self, name: str) -> None:
        await self._change(lambda session: session.invite(name))

    async def _become(self, name: str) -> None:
        await self._change(lambda session: session.become(name))

    async def _dismiss(self, name: str) -> None:
        await self._change(lambda session: session.dismiss(name))

    async def _set_order(self, order: NextSpeaker) -> None:
        await self._change(lambda session: setattr(session, "next", order))

    async def _call_me(self, name: str) -> None:
        name = " ".join(name.split())
        if name != self._room.user:
            await self._change(lambda session: call(session, name, self._words))


def call(session: ChatSession, name: str, words: Words) -> None:
    """Let the person have a name; raises ChatError for one that cannot be."""
    if not name:
        raise ChatError(words("talk.people.no_name"))
    if name in session.present:
        raise ChatError(words("talk.people.taken", name=name))
    session.tree = session.tree.recast(session.user, name)  # who was there under the old name has heard it
    session.user = name
