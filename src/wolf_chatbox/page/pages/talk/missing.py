"""Talk without a chat: whom to talk with, and what is shown where a chat is not there."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.pages.talk.chats import Chats
from wolf_chatbox.page.parts import avatar, icon_button
from wolf_chatbox.words import Words


def choose(desk: Desk, words: Words, gone: str = "") -> None:
    """The characters to begin a chat with; `gone` is the name of one that was asked for and is not there."""
    with ui.element("div").classes("talk"):
        Chats(desk, words)
        with ui.element("div").classes("talk-choice"):
            _open_chats(words)
            if gone:
                ui.label(words("talk.no_character", name=gone)).classes("note bad")
            runs = desk.characters.all()
            ui.label(words("talk.whom" if runs else "talk.nobody")).classes("title").props("role=heading aria-level=1")
            with ui.element("div").classes("grid"):
                for run in runs:
                    with ui.link(target=f"/talk?run={quote(run.name)}").classes("card talk-card"):
                        avatar(run.who)
                        with ui.element("div").classes("chats-about"):
                            ui.label(run.who).classes("heading")
                            ui.label(run.name).classes("quiet small")
            if not runs:
                ui.link(words("talk.make"), "/new")


def missing(desk: Desk, words: Words) -> None:
    """A page for an address that is no chat's."""
    with ui.element("div").classes("talk"):
        Chats(desk, words)
        with ui.element("div").classes("talk-choice"):
            _open_chats(words)
            ui.label(words("talk.missing")).classes("title").props("role=heading aria-level=1")
            ui.label(words("talk.missing_more")).classes("lead")
            with ui.row():
                ui.link(words("talk.new"), "/talk")
                ui.link(words("frame.home"), "/")


def _open_chats(words: Words) -> None:
    with ui.element("div").classes("talk-open"):
        open_chats(words)


def open_chats(words: Words) -> None:
    """The button that opens the column of chats on a phone."""
    button = icon_button("menu", words("talk.chats")).classes("chats-open-button")
    button.on("click", js_handler="() => document.body.classList.add('chats-open')")
