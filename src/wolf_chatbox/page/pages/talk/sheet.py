"""A sheet at the side of the page, for what is looked at beside a chat."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from wolf_chatbox.page.parts import icon_button
from wolf_chatbox.words import Words


@contextmanager
def sheet(place: ui.element, words: Words, title: str) -> Iterator[ui.element]:
    """Open a sheet over the right side; it is removed when it is closed. What is made in the block stands in it."""
    with place, ui.element("div").classes("sheet-holder") as holder:
        with ui.dialog().props("position=right full-height") as dialog, ui.element("div").classes("sheet") as panel:
            panel.props["aria-label"] = title
            with ui.element("div").classes("sheet-head"):
                ui.label(title).classes("heading").props("role=heading aria-level=2")
                icon_button("close", words("talk.close"), dialog.close)
            with ui.element("div").classes("sheet-body") as body:
                yield body

        def leave() -> None:
            dialog.delete()
            holder.delete()

        dialog.on("hide", leave)
        dialog.open()
