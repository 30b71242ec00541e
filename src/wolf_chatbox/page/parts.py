"""What several pages are made of: a speaker's sign, a bubble, a section, a question before something is removed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from nicegui import ui

from wolf_chatbox.words import Words

HUES = (212, 28, 152, 340, 264, 188, 8, 96, 312, 48)
"""Of the speakers' signs; which one a name has follows from the name."""

MOST_SPEAKERS = 12
A_YEAR = 365 * 24 * 3600


def style(name: str) -> None:
    """Load a style sheet of static/ into the page that is built."""
    ui.add_head_html(f'<link rel="stylesheet" href="/static/{name}.css">')


def remember(cookie: str, value: str) -> None:
    """Keep a value in the browser for a year."""
    text = f"{cookie}={quote(value)};path=/;max-age={A_YEAR};samesite=lax"
    ui.run_javascript(f"document.cookie = {json.dumps(text)}")


def listed(words: Words, names: Iterable[str]) -> str:
    """Names in a row, with the comma of the language."""
    return words("parts.comma").join(names)


def language_name(words: Words, code: str) -> str:
    """A language by its name, where the words have one."""
    try:
        return words(f"parts.languages.{code}")
    except KeyError:
        return code


def why_dropped(words: Words, why: str) -> str:
    """Why turns were dropped, as the library counts it; in the reader's language where the words have it."""
    name, bracket, rest = why.partition(" (")
    key = re.sub(r"\W", "_", name)
    try:
        return words(f"parts.reasons.{key}") + bracket + rest
    except KeyError:
        return why


def avatar(name: str, *, small: bool = False, number: int | None = None) -> ui.element:
    """A speaker's sign: a disc with the first letter, in a colour that the name always has, or that of a number."""
    number = hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] if number is None else number
    hue = HUES[number % len(HUES)]
    disc = ui.element("div").classes("avatar small-avatar" if small else "avatar")
    disc.style(f"background: hsl({hue} 42% 42%)").props("aria-hidden=true")
    with disc:
        ui.label(name.strip()[:1].upper() or "?")
    return disc


def bubble(speaker: str, text: str, *, mine: bool = False) -> ui.label:
    """Something that was said, as text and never as markup; returns the label with the text."""
    with ui.element("div").classes("said mine" if mine else "said"):
        if not mine:
            avatar(speaker, small=True)
        with ui.element("div").classes("said-body"):
            ui.label(speaker).classes("said-name")
            return ui.label(text).classes("said-text")


async def sure(words: Words, question: str, action: str) -> bool:
    """Ask before something is removed; `action` names the button that does it."""
    with ui.dialog() as dialog, ui.card():
        ui.label(question)
        with ui.row().classes("full-width justify-end"):
            ui.button(words("parts.cancel"), on_click=lambda: dialog.submit(False)).props("flat autofocus")
            ui.button(action, color="negative", on_click=lambda: dialog.submit(True))
    answer = await dialog
    dialog.delete()
    return bool(answer)


def icon_button(icon: str, name: str, on_click: Callable[..., Any] | None = None) -> ui.button:
    """A button that shows an icon only; its name is read by screen readers, and shown on hover."""
    button = ui.button(icon=icon, on_click=on_click, color=None).props("flat round dense").classes("icon-button")
    button.props["aria-label"] = button.props["title"] = name
    return button


def menu_of(*, opens: bool = False) -> ui.menu:
    """A menu of acts at the element around it; `opens` where a click on that opens it, else it is opened by code."""
    return ui.menu().props("role=menu" if opens else "role=menu no-parent-event")


def menu_act(icon: str, text: str, act: Callable[[], object]) -> ui.menu_item:
    """One act of a menu; it may take longer than the menu is there."""
    client = ui.context.client

    async def do() -> None:
        with client:
            doing = act()
            if isinstance(doing, Awaitable):
                await doing

    with ui.menu_item(on_click=do).classes("menu-act").props("role=menuitem") as item:
        ui.icon(icon).props("aria-hidden=true")
        ui.label(text)
    return item


def section(title: str) -> ui.element:
    """A part of a page, under its heading."""
    part = ui.element("section").classes("section")
    with part:
        ui.label(title).classes("heading").props("role=heading aria-level=2")
    return part


def link_button(text: str, address: str, *, icon: str = "", quiet: bool = False) -> ui.button:
    """A link that looks like a button."""
    button = ui.button(text, icon=icon or None).props("unelevated no-caps" + (" flat" if quiet else ""))
    button.props["href"] = address
    return button


def speaker_bars(words: Words, speakers: Mapping[str, int]) -> None:
    """The speakers as bars, most turns first."""
    most, whole = max(speakers.values(), default=1), sum(speakers.values()) or 1
    with ui.element("div").classes("speakers"):
        for name, count in list(speakers.items())[:MOST_SPEAKERS]:
            with ui.element("div").classes("speaker"):
                ui.label(name).classes("one-line")
                with ui.element("div").classes("speaker-bar").props("aria-hidden=true"):
                    ui.element("i").style(f"width: {100 * count / most:.1f}%")
                ui.label(f"{count:,} · {count / whole:.0%}").classes("quiet small")
    if len(speakers) > MOST_SPEAKERS:
        ui.label(words("runs.more_speakers", count=len(speakers) - MOST_SPEAKERS)).classes("quiet small")
