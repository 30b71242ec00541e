"""A game that is over and kept: everything about it."""

from __future__ import annotations

from nicegui import ui

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.page.outlook import finished
from wolf_chatbox.page.pages.werewolf.board import Board, Signs
from wolf_chatbox.page.pages.werewolf.feed import Feed
from wolf_chatbox.page.pages.werewolf.reveal import show_reveal
from wolf_chatbox.words import Words


def show_past(words: Words, game: Conversation | None, *, guest: bool) -> None:
    """Show a game; None is one that is not there."""
    if game is None:
        with ui.element("div").classes("ww-waiting"):
            ui.label(words("werewolf_page.gone")).classes("title").props("role=heading aria-level=1")
            if not guest:
                ui.link(words("werewolf_page.to_lobby"), "/werewolf")
        return
    seen = finished(game, words.language)
    signs = Signs([seat.name for seat in seen.seats])
    with ui.element("div").classes("ww over"):
        with ui.element("div").classes("ww-left"):
            Board(words, signs, "", lambda name: None).show(seen)
            show_reveal(words, signs, seen, game.group, replay=not guest)
        with ui.element("section").classes("ww-right"):
            Feed(words, signs).show(seen.entries)
