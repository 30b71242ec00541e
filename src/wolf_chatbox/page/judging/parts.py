"""What the pages of judging share: their look, their two tabs, and shares as bars."""

from __future__ import annotations

from typing import Literal

from nicegui import ui

from wolf_chatbox.evaluate.measure import Figure
from wolf_chatbox.page.judging.contest import Side
from wolf_chatbox.page.parts import listed, style
from wolf_chatbox.page.quantities import spoken
from wolf_chatbox.words import Words

TABS = {"votes": ("/compare", "compare.tab"), "games": ("/guess", "game.title")}


def look() -> None:
    """Load the look of these pages."""
    style("judge")


def tabs(words: Words, here: Literal["votes", "games"]) -> None:
    """The way between blind votes and games."""
    with ui.element("nav").classes("judge-tabs").props(f'aria-label="{words("compare.tabs")}"'):
        for name, (address, key) in TABS.items():
            link = ui.link(words(key), address).classes("judge-tab" + (" here" if name == here else ""))
            if name == here:
                link.props("aria-current=page")


def side_name(words: Words, side: Side) -> str:
    """A side's name, as people read it."""
    parts = [words("compare.base", name=side.run) if side.base else side.run]
    for name in ("temperature", "top_p"):
        value = getattr(side, name)
        parts += [] if value is None else [f"{words(f'compare.{name}')} {value:g}"]
    return listed(words, parts)


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
