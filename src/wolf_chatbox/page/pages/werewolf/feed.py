"""The course of a game: what was said as bubbles, and between them what happened."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from wolf_chatbox.page.outlook import Entry
from wolf_chatbox.page.pages.werewolf.board import Signs, roles_said
from wolf_chatbox.words import Words

SHOWN = 60
"""Entries that are shown at first, and that are added at a time."""


class Feed:
    """Shows the entries of an outlook; what stands there already stays as it is."""

    def __init__(self, words: Words, avatar: Signs, me: str = "") -> None:
        self._words, self._avatar, self._me = words, avatar, me
        self._known: list[Entry] = []
        self._first = 0
        """The place of the first entry that is shown."""
        # Its children stand in reverse order, so the browser itself stays at the end, and where one reads.
        with ui.element("div").classes("ww-feed").props("tabindex=0 role=log aria-live=polite") as root:
            root.props["aria-label"] = words("werewolf_page.talk")
            with ui.element("div").classes("ww-inner"):
                self._earlier = ui.button(words("werewolf_page.earlier"), on_click=self.show_earlier)
                self._earlier.props("flat").classes("ww-earlier")
                self._list = ui.element("div").classes("ww-list")

    def show(self, entries: Sequence[Entry]) -> None:
        if not self._known or list(entries[: len(self._known)]) != self._known:
            self._list.clear()  # whoever dies sees what was hidden before
            self._first = start = max(0, len(entries) - SHOWN)
        else:
            start = len(self._known)
        with self._list:
            for entry in entries[start:]:
                self._add(entry)
        self._known = list(entries)
        self._earlier.set_visibility(self._first > 0)

    def show_earlier(self) -> None:
        """Show more of what was before."""
        first = max(0, self._first - SHOWN)
        with self._list:
            for at, entry in enumerate(self._known[first : self._first]):
                self._add(entry).move(target_index=at)
        self._first = first
        self._earlier.set_visibility(first > 0)

    def _add(self, entry: Entry) -> ui.element:
        words = self._words
        if entry.what in ("day", "night"):
            with ui.element("div").classes(f"ww-break {entry.what}") as row:
                ui.icon("light_mode" if entry.what == "day" else "dark_mode").props("aria-hidden=true")
                ui.label(words(f"werewolf.{entry.what}", day=entry.text)).props("role=heading aria-level=2")
            return row
        if entry.what == "told":
            return ui.label(entry.text).classes("ww-told" + (" secret" if entry.secret else ""))
        if entry.what == "thought":
            return ui.label(words("werewolf_page.thought", name=entry.who, text=entry.text)).classes("ww-thought")
        return self._add_said(entry)

    def _add_said(self, entry: Entry) -> ui.element:
        words, mine = self._words, entry.who == self._me
        classes = f"said ww-said {entry.what}" + (" mine" if mine else "") + (" secret" if entry.secret else "")
        with ui.element("div").classes(classes) as row:
            self._avatar(entry.who, small=True)
            with ui.element("div").classes("said-body"):
                with ui.element("div").classes("ww-head"):
                    ui.label(entry.who).classes("said-name")
                    if entry.what == "whisper":
                        ui.icon("lock").props("aria-hidden=true")
                        ui.label(words("werewolf_page.whisper")).classes("ww-how")
                    if entry.claims:
                        claim = words("werewolf_page.claim", roles=roles_said(words, entry.claims))
                        ui.label(claim).classes("ww-claim")
                ui.label(entry.text).classes("said-text").props("dir=auto")
        return row
