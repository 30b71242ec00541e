"""The course of a game: what was said as bubbles, and between them what happened."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from wolf_chatbox.page.outlook import Entry
from wolf_chatbox.page.pages.werewolf.board import Signs, roles_said
from wolf_chatbox.words import Words


class Feed:
    """Shows the entries of an outlook; what stands there already stays as it is."""

    def __init__(self, words: Words, avatar: Signs, me: str = "") -> None:
        self._words, self._avatar, self._me = words, avatar, me
        self._shown: list[Entry] = []
        # Its children stand in reverse order, so the browser itself stays at the end, and where one reads.
        with ui.element("div").classes("ww-feed").props("tabindex=0 role=log aria-live=polite") as root:
            root.props["aria-label"] = words("werewolf_page.talk")
            self._list = ui.element("div").classes("ww-list")

    def show(self, entries: Sequence[Entry]) -> None:
        if list(entries[: len(self._shown)]) != self._shown:  # whoever dies sees what was hidden before
            self._list.clear()
            self._shown = []
        with self._list:
            for entry in entries[len(self._shown) :]:
                self._add(entry)
        self._shown = list(entries)

    def _add(self, entry: Entry) -> None:
        words = self._words
        if entry.what in ("day", "night"):
            with ui.element("div").classes(f"ww-break {entry.what}"):
                ui.icon("light_mode" if entry.what == "day" else "dark_mode").props("aria-hidden=true")
                ui.label(words(f"werewolf.{entry.what}", day=entry.text)).props("role=heading aria-level=2")
        elif entry.what == "told":
            ui.label(entry.text).classes("ww-told" + (" secret" if entry.secret else ""))
        else:
            self._add_said(entry)

    def _add_said(self, entry: Entry) -> None:
        words, mine = self._words, entry.who == self._me
        classes = f"said ww-said {entry.what}" + (" mine" if mine else "") + (" secret" if entry.secret else "")
        with ui.element("div").classes(classes):
            self._avatar(entry.who, small=True)
            with ui.element("div").classes("said-body"):
                with ui.element("div").classes("ww-head"):
                    ui.label(entry.who).classes("said-name")
                    if entry.what != "talk":
                        ui.icon("lock" if entry.what == "whisper" else "psychology").props("aria-hidden=true")
                        ui.label(words(f"werewolf_page.{entry.what}")).classes("ww-how")
                    if entry.claims:
                        claim = words("werewolf_page.claim", roles=roles_said(words, entry.claims))
                        ui.label(claim).classes("ww-claim")
                ui.label(entry.text).classes("said-text").props("dir=auto")
