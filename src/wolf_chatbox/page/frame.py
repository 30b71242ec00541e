"""What every page has around it: the way to the other pages, the language, light and dark."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from fastapi import Request
from nicegui import ui

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.page.entrance import LANGUAGE_COOKIE, language_of
from wolf_chatbox.page.parts import remember
from wolf_chatbox.talk.server.refusals import Refusal
from wolf_chatbox.words import Words, languages, words_of

DARK_COOKIE = "wolf_chatbox_dark"
Place = Literal["home", "new", "compare", "data", "runs", "talk", "game", "werewolf"]
NAVIGATION: dict[Place, tuple[str, str]] = {
    "home": ("/", "home"),
    "new": ("/new", "add_circle_outline"),
    "compare": ("/compare", "balance"),
    "werewolf": ("/werewolf", "nights_stay"),
    "runs": ("/runs", "insights"),
    "data": ("/data", "folder_open"),
}
"""The pages that each page leads to: address and icon."""
QUASAR = {"en": "en-US", "ja": "ja"}


@dataclass(frozen=True)
class Reader:
    """Who looks at a page: the language, and light, dark or as the system has it (None)."""

    words: Words
    dark: bool | None

    @classmethod
    def of(cls, request: Request) -> Reader:
        dark = {"dark": True, "light": False}.get(request.cookies.get(DARK_COOKIE, ""))
        return cls(words_of(language_of(request.headers)), dark)


@contextmanager
def frame(
    request: Request, place: Place, title: str = "", *, guest: bool = False, full: bool = False
) -> Iterator[Reader]:
    """Build a page: what is made in the block stands in its middle. A guest gets no way to other pages.

    A `full` page takes the whole window, without the way to other pages at its foot.

    @ui.page("/runs")
    def runs(request: Request) -> None:
        with frame(request, "runs") as reader:
            ui.label(reader.words("runs.none"))
    """
    reader = Reader.of(request)
    words = reader.words
    _prepare(reader, title or words(f"frame.{place}"))
    with ui.header(elevated=False).classes("frame-header"):
        with (
            ui.link(target="/" if not guest else "#").classes("frame-mark").props(f'aria-label="{words("frame.home")}"')
        ):
            ui.html('<span aria-hidden="true"></span>wolf_chatbox', sanitize=False)
        if not guest:
            _navigate(words, place, "frame-links", icons=False)
        ui.space()
        _settings(reader)
    if not guest and place != "talk" and not full:
        with ui.footer().classes("frame-tabs"):
            _navigate(words, place, "", icons=True)
    with ui.element("main").classes(f"frame-main at-{place}" + (" full" if full else "")) as main:
        ui.skip_link(words("frame.skip"), target=main)
        yield reader


def _prepare(reader: Reader, title: str) -> None:
    client = ui.context.client
    client.page = copy.copy(client.page)  # its language and its title are this reader's
    client.page.title = f"{title} · wolf_chatbox"
    client.page.language = QUASAR.get(reader.words.language, reader.words.language)  # type: ignore[assignment]
    client.page.dark = reader.dark
    ui.colors(primary="#3b5b92", secondary="#b7791f", accent="#b7791f", positive="#2f7d4f", negative="#b3362b")


def _navigate(words: Words, place: Place, classes: str, *, icons: bool) -> None:
    with ui.element("nav").classes(classes).props(f'aria-label="{words("frame.navigation")}"'):
        for name, (address, icon) in NAVIGATION.items():
            with ui.link(target=address).classes("frame-link" + (" here" if name == place else "")) as link:
                if icons:
                    ui.icon(icon).props("aria-hidden=true")
                ui.label(words("frame.new_short" if icons and name == "new" else f"frame.{name}"))
            if name == place:
                link.props("aria-current=page")


def _settings(reader: Reader) -> None:
    """The language, and light or dark."""
    words = reader.words
    nexts = {None: "dark", True: "light", False: "auto"}
    icons = {None: "brightness_auto", True: "dark_mode", False: "light_mode"}
    with ui.row().classes("frame-settings"):
        button = ui.button(icon=icons[reader.dark], on_click=lambda: _keep(DARK_COOKIE, nexts[reader.dark]))
        button.props(f'flat round dense aria-label="{words("frame.dark")}"').tooltip(words("frame.dark"))
        with ui.button(icon="translate").props(f'flat round dense aria-label="{words("frame.language")}"'), ui.menu():
            for code, name in languages().items():
                ui.menu_item(name, on_click=lambda code=code: _keep(LANGUAGE_COOKIE, code)).props(f"lang={code}")


def _keep(cookie: str, value: str) -> None:
    """Keep a choice in the browser, and show the page anew."""
    remember(cookie, value)
    ui.run_javascript("window.location.reload()")


def tell(error: Exception) -> None:
    """Show a known error as a line; raises any other one again."""
    if not isinstance(error, WolfChatboxError | Refusal):
        raise error
    ui.notify(str(error), type="negative", multi_line=True, timeout=10_000, close_button=True)
