"""What the pages of judging share: their two tabs, figures in words and as bars, and what a browser keeps."""

from __future__ import annotations

import json
from typing import Literal
from urllib.parse import quote

from nicegui import ui

from wolf_chatbox.evaluate.measure import Figure
from wolf_chatbox.words import Words

TABS = {"votes": ("/compare", "compare.tab"), "games": ("/guess", "game.title")}
A_YEAR = 365 * 24 * 3600


def look() -> None:
    """Load the look of these pages."""
    ui.add_head_html('<link rel="stylesheet" href="/static/judge.css">')


def tabs(words: Words, here: Literal["votes", "games"]) -> None:
    """The way between blind votes and games."""
    with ui.element("nav").classes("judge-tabs").props(f'aria-label="{words("compare.tabs")}"'):
        for name, (address, key) in TABS.items():
            link = ui.link(words(key), address).classes("judge-tab" + (" here" if name == here else ""))
            if name == here:
                link.props("aria-current=page")


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def spoken(figure: Figure) -> str:
    """A share with its interval: 68 % (52–81 %)."""
    if figure.low is None or figure.high is None:
        return percent(figure.value)
    return f"{percent(figure.value)} ({100 * figure.low:.0f}–{percent(figure.high)})"


def bar(figure: Figure, name: str) -> None:
    """A share between 0 and 1 as a point with its interval, on a line with a mark at the half."""
    with ui.element("div").classes("share").props("role=img") as line:
        line.props["aria-label"] = f"{name}: {spoken(figure)}"
        ui.element("div").classes("share-half")
        if figure.low is not None and figure.high is not None:
            sure = "" if figure.low <= 0.5 <= figure.high else " sure"
            reach = ui.element("div").classes("share-reach" + sure)
            reach.style(f"left: {100 * figure.low:.1f}%; width: {100 * (figure.high - figure.low):.1f}%")
        if figure.value is not None:
            ui.element("div").classes("share-point").style(f"left: {100 * figure.value:.1f}%")


def remember(cookie: str, value: str) -> None:
    """Keep a value in the browser for a year."""
    text = f"{cookie}={quote(value)};path=/;max-age={A_YEAR};samesite=lax"
    ui.run_javascript(f"document.cookie = {json.dumps(text)}")
