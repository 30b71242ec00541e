"""The bar over a chat: whom one talks with, who else is there, and what can be done with the chat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui

from wolf_chatbox.page.pages.talk.chats import Chats, ask_title
from wolf_chatbox.page.pages.talk.files import save_lines, save_markdown
from wolf_chatbox.page.pages.talk.missing import open_chats
from wolf_chatbox.page.parts import avatar, icon_button, listed, menu_act, menu_of
from wolf_chatbox.page.room import Room
from wolf_chatbox.words import Words

Open = Callable[[], Any]


class Bar:
    """Follows the room with `show`."""

    def __init__(self, room: Room, chats: Chats, words: Words, *, people: Open, tuning: Open, keys: Open) -> None:
        self._room, self._chats, self._words = room, chats, words
        self._shown = ""
        with ui.element("div").classes("talk-bar"):
            open_chats(words)
            self._sign = ui.element("div").classes("talk-sign")
            with ui.element("div").classes("talk-who"):
                self._name = ui.label().classes("talk-name").props("role=heading aria-level=1")
                self._state = ui.label().classes("talk-state quiet small").props("role=status")
            icon_button("group", words("talk.people.title"), people)
            icon_button("tune", words("talk.tuning.title"), tuning)
            more = icon_button("more_vert", words("talk.more_actions"))
            more.props["aria-haspopup"] = "menu"
            with more, menu_of(opens=True):
                menu_act("drive_file_rename_outline", words("talk.rename"), self._rename)
                menu_act("description", words("talk.save_markdown"), lambda: save_markdown(room))
                menu_act("download", words("talk.save_lines"), lambda: save_lines(room))
                menu_act("keyboard", words("talk.keys.title"), keys)
                ui.separator()
                menu_act("delete", words("talk.delete"), self._remove)

    def show(self) -> None:
        room, words = self._room, self._words
        if room.persona != self._shown:
            self._shown = room.persona
            self._sign.clear()
            with self._sign:
                avatar(room.persona, small=True)
            self._name.set_text(room.persona)
        others = listed(words, (name for name in room.present if name != room.persona))
        if room.session is None:
            state = room.run
        elif others:
            state = words("talk.with", names=others)
        else:
            state = words("talk.as", name=room.user)
        self._state.set_text(state)

    async def _rename(self) -> None:
        title = await ask_title(self._words, self._room.title)
        if title is not None:
            await self._room.name(title)

    async def _remove(self) -> None:
        await self._chats.remove(self._room.id, self._room.title or self._room.persona)
