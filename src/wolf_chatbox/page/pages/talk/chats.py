"""The column of all chats: the newest first, and a search through what was said in them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import quote

from nicegui import background_tasks, ui

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.pages.talk.files import drop
from wolf_chatbox.page.parts import avatar, icon_button, menu_act, menu_of, sure
from wolf_chatbox.talk.archive import Found, Kept
from wolf_chatbox.visible import visible
from wolf_chatbox.words import Words

SHOWN = 40
"""Chats that are listed at first, and that are added at a time."""


def address(id: str, at: int | None = None) -> str:
    """The address of a chat, and of a message in it."""
    return f"/talk/{quote(id)}" + (f"?at={at}" if at is not None else "")


class Chats:
    """The column; `refresh` reads the list anew. `here` is the chat that the page shows."""

    def __init__(self, desk: Desk, words: Words, here: str = "", run_name: str = "") -> None:
        self._desk, self._words, self._here = desk, words, here
        self._most = SHOWN
        self._asked = 0
        self._build(run_name)

    def _build(self, run_name: str) -> None:
        words = self._words
        with ui.element("aside").classes("chats") as self.root:
            self.root.props["aria-label"] = words("talk.chats")
            with ui.element("div").classes("chats-head"):
                new = ui.link(target=f"/talk?run={quote(run_name)}" if run_name else "/talk").classes("chats-new")
                with new:
                    ui.icon("edit_square").props("aria-hidden=true")
                    ui.label(words("talk.new"))
                close = icon_button("close", words("talk.close")).classes("chats-close")
                close.on("click", js_handler="() => document.body.classList.remove('chats-open')")
            self._search = ui.input(on_change=self._wanted).props("outlined dense clearable debounce=250")
            self._search.classes("chats-search").props["placeholder"] = words("talk.search")
            self._search.props["aria-label"] = words("talk.search")
            with self._search.add_slot("prepend"):
                ui.icon("search").props("aria-hidden=true")
            self._list = ui.element("nav").classes("chats-list")
            self._list.props["aria-label"] = words("talk.chats")
            with self._list:
                for _ in range(5):
                    ui.element("div").classes("chats-waiting")
            drop(self._desk, words)
        with ui.element("div").classes("chats-scrim") as scrim:
            scrim.on("click", js_handler="() => document.body.classList.remove('chats-open')")
        self.refresh()

    def refresh(self) -> None:
        background_tasks.create(self._fill(), name="list of chats", context=self._list)

    async def _wanted(self) -> None:
        self.refresh()

    async def _fill(self) -> None:
        self._asked += 1
        mine, wanted = self._asked, str(self._search.value or "").strip()
        archive = self._desk.archive
        found = await asyncio.to_thread(archive.find, wanted) if wanted else None
        kept = None if wanted else await asyncio.to_thread(archive.all)
        if mine != self._asked or self._list.is_deleted:
            return  # something else was typed meanwhile
        self._list.clear()
        with self._list:
            if found is not None:
                self._show_found(found)
            elif kept is not None:
                self._show_kept(kept)

    def _show_kept(self, kept: list[Kept]) -> None:
        for one in kept[: self._most]:
            self._entry(one)
        if not kept:
            ui.label(self._words("talk.no_chats")).classes("chats-none quiet small")
        if len(kept) > self._most:
            ui.button(self._words("talk.all_chats", count=len(kept)), on_click=self._show_more).props("flat")

    def _show_more(self) -> None:
        self._most += 10 * SHOWN
        self.refresh()

    def _entry(self, one: Kept) -> None:
        who = str(one.about.get("persona") or one.about.get("run") or "?")
        with ui.element("div").classes("chats-entry" + (" here" if one.id == self._here else "")):
            with ui.link(target=address(one.id)).classes("chats-link") as link:
                avatar(who, small=True)
                with ui.element("div").classes("chats-about"):
                    ui.label(visible(one.title) or who).classes("chats-title")
                    ui.label(f"{visible(who)} · {day(one.when)}").classes("quiet small")
            if one.id == self._here:
                link.props("aria-current=page")
            more = icon_button("more_horiz", self._words("talk.more_actions")).classes("chats-more")
            more.on("click", lambda: self._open_menu(one, more), [])

    def _show_found(self, found: list[Found]) -> None:
        ui.label(self._words("talk.found", count=len(found))).classes("chats-none quiet small").props("role=status")
        for one in found:
            speaker = one.kept.tree.messages[one.number].speaker
            with ui.link(target=address(one.kept.id, one.number)).classes("chats-link chats-found"):
                ui.label(visible(one.excerpt)).classes("chats-excerpt")
                ui.label(f"{visible(speaker)} · {day(one.kept.when)}").classes("quiet small")

    # One chat.

    def _open_menu(self, one: Kept, place: ui.element) -> None:
        words = self._words
        with place, menu_of() as menu:
            menu_act("drive_file_rename_outline", words("talk.rename"), lambda: self._rename(one))
            menu_act("delete", words("talk.delete"), lambda: self._remove(one))
        menu.on("hide", menu.delete)
        menu.open()

    async def _rename(self, one: Kept) -> None:
        title = await ask_title(self._words, one.title)
        if title is not None:
            await self._try(self._named(one.id, title))

    async def _named(self, id: str, title: str) -> None:
        if (room := self._desk.rooms.get(id)) is not None:
            await room.name(title)

    async def _remove(self, one: Kept) -> None:
        await self.remove(one.id, one.title)

    async def remove(self, id: str, title: str) -> None:
        """Ask, and remove a chat."""
        words = self._words
        if await sure(words, words("talk.sure", title=visible(title)), words("talk.delete")):
            try:
                self._desk.rooms.remove(id)
            except WolfChatboxError as error:
                tell(error)
            if id == self._here:
                ui.navigate.to("/talk")
            else:
                self.refresh()

    async def _try(self, deed: Awaitable[None]) -> None:
        try:
            await deed
        except WolfChatboxError as error:
            tell(error)
        self.refresh()


async def ask_title(words: Words, title: str) -> str | None:
    """Ask for a chat's title; None where the person leaves it."""
    with ui.dialog() as dialog, ui.card().classes("ask"):
        field = ui.input(words("talk.title_of"), value=title).props("outlined autofocus maxlength=120")
        accept: Callable[[], None] = lambda: dialog.submit(str(field.value or ""))  # noqa: E731
        field.on("keydown.enter", accept)
        with ui.row().classes("full-width justify-end"):
            ui.button(words("parts.cancel"), on_click=lambda: dialog.submit(None)).props("flat")
            ui.button(words("talk.rename"), on_click=accept).props("unelevated")
    answer = await dialog
    dialog.delete()
    return answer if isinstance(answer, str) else None


def day(when: datetime) -> str:
    """A time as a list shows it: the hour of today, else the day."""
    return f"{when:%H:%M}" if when.date() == datetime.now().date() else f"{when:%Y-%m-%d}"
