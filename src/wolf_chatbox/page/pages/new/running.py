"""What is being made now, as home shows it."""

from __future__ import annotations

import asyncio

from nicegui import ui

from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.making.making import Making
from wolf_chatbox.page.making.story import Story
from wolf_chatbox.page.parts import style, sure
from wolf_chatbox.page.quantities import duration
from wolf_chatbox.words import Words

EVERY = 2.0
"""Seconds between two looks."""


def panel(desk: Desk, words: Words) -> None:
    """What is trained, what waits, and drafts that were begun, live; nothing where there are none."""
    Panel(desk, words)


class Panel:
    """Looks at the queue as long as somebody looks at the page."""

    def __init__(self, desk: Desk, words: Words) -> None:
        self.desk, self.words = desk, words
        style("new")
        self.box = ui.element("div").classes("new-running")
        self.stories: dict[str, Story] = {}
        self.rows: dict[str, _Row] = {}
        self._shown: list[tuple[str, str]] = []
        ui.timer(EVERY, self._follow, immediate=True)

    async def _follow(self) -> None:
        makings = [making for making in await asyncio.to_thread(self.desk.queue.all) if making.state != "done"]
        for making in makings:
            story = self.stories.setdefault(making.id, Story())
            await asyncio.to_thread(story.follow, making.journal)
        if self.box.is_deleted:
            return
        makings.sort(key=lambda each: (each.pid is None, each.state != "waiting", each.state == "draft", each.since))
        shown = [(making.id, f"{making.state} {making.pid is not None} {making.name}") for making in makings]
        if shown != self._shown:
            self._shown = shown
            self.box.clear()
            with self.box:
                if makings:
                    ui.label(self.words("new.running.title")).classes("heading").props("role=heading aria-level=2")
                self.rows = {making.id: _Row(self, making) for making in makings}
        for making in makings:
            self.rows[making.id].update(making, self.stories[making.id])


class _Row:
    """A making: its name, how far it is, and what one can do."""

    def __init__(self, panel: Panel, making: Making) -> None:
        words, self.words = panel.words, panel.words
        name = making.name or making.first_file or words("new.running.nameless")
        with ui.element("div").classes("card new-row"):
            with ui.element("div").classes("new-row-text"):
                ui.label(name).classes("new-name")
                self.line = ui.label("").classes("quiet small")
                self.bar = ui.linear_progress(0.0, show_value=False, size="6px").props("rounded")
                self.bar.props(f'aria-label="{words("new.training.progress")}"')
                self.bar.set_visibility(making.pid is not None)
            label = words("new.running.open" if making.pid or making.state == "waiting" else "new.running.go_on")
            ui.button(label, on_click=lambda: ui.navigate.to(f"/new/{making.id}")).props("flat")
            if making.pid is not None or making.state == "waiting":
                stop = ui.button(icon="stop", on_click=lambda: _stop(panel, making)).props("flat round")
                stop.props(f'aria-label="{words("new.training.stop")}"')

    def update(self, making: Making, story: Story) -> None:
        words = self.words
        if making.pid is None:
            self.line.set_text(words(f"new.running.{making.state}"))
            return
        self.bar.set_value(round(story.share, 4))
        left = story.left
        if story.scoring:
            self.line.set_text(words("new.working.scoring"))
        elif left is not None:
            self.line.set_text(words("new.training.left", time=duration(words, left)))
        else:
            self.line.set_text(words("new.working.starting"))


async def _stop(panel: Panel, making: Making) -> None:
    if await sure(panel.words, panel.words("new.training.stop_question"), panel.words("new.training.stop")):
        try:
            await asyncio.to_thread(panel.desk.queue.stop, making)
        except Exception as error:
            tell(error)
