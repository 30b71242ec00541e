"""Step 4: the training while it runs, and what to do when it was stopped or failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui

from wolf_chatbox.page.making.making import INTERRUPTED, Making
from wolf_chatbox.page.making.story import Story
from wolf_chatbox.page.pages.new.curves import Curves
from wolf_chatbox.page.pages.new.parts import fold
from wolf_chatbox.page.pages.new.replies import Replies
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.parts import sure
from wolf_chatbox.page.quantities import duration

EVERY = 1.0
"""Seconds between two looks at the journal."""
WORKING = ("reading", "fetching", "loading", "packing", "comparing", "validating", "writing", "scoring")
"""The steps that have words; another one is shown as it says itself."""


def build(page: NewCharacter) -> None:
    """How far it is, live; it is read from files, so it does not matter who started it."""
    Watch(page)


class Watch:
    """Looks at a training until it ends."""

    def __init__(self, page: NewCharacter) -> None:
        self.page, self.story = page, Story()
        self.state = ""
        self.head = ui.element("div").classes("new-now").props("role=status")
        self.rest = ui.element("div").classes("new-content")
        with self.rest:
            self._build_rest()
        self._said = 0
        self._look()
        ui.timer(EVERY, self._follow)

    def _build_rest(self) -> None:
        """What is there once it has begun."""
        page = self.page
        with ui.element("div").classes("new-progress"):
            self.bar = ui.linear_progress(0.0, show_value=False, size="8px").props("rounded instant-feedback")
            self.bar.props(f'aria-label="{page.t("training.progress")}"')
            with ui.element("div").classes("new-progress-line"):
                self.where, self.left = ui.label("").classes("quiet small"), ui.label("").classes("quiet small")
        self.figures = ui.element("dl").classes("new-facts")
        with self.figures:
            self.numbers = {name: _figure(page.t(f"training.{name}")) for name in ("loss", "perplexity", "speed")}
        self.curves = Curves(page.t)
        self.replies = Replies(page)
        with fold(page.t("training.notices")):
            self.notices = ui.element("ul").classes("new-list")

    async def _follow(self) -> None:
        making = self.page.making
        if making is None or self.head.is_deleted:
            return
        now = await asyncio.to_thread(self.page.desk.queue.get, making.id)
        if now is None or self.head.is_deleted:
            return
        await asyncio.to_thread(self.story.follow, now.journal)
        if self.head.is_deleted:
            return
        before, self.page.making = making, now
        if now.state == "done" and before.state != "done":
            self.page.show(4, focus=True)
            return
        if _active(now) != _active(before):
            self.page.show(3)
            return
        self._look()

    def _look(self) -> None:
        making, story, t = self.page.making, self.story, self.page.t
        assert making is not None
        fresh = story.told >= making.since
        state = f"{making.state} {making.pid is not None} {making.error} {story.step} {story.update > 0} {fresh}"
        if state != self.state:
            self.state = state
            self.head.clear()
            with self.head:
                _head(self.page, making, story)
        alive = making.pid is not None
        self.rest.set_visibility(alive or story.begun is not None)
        self.bar.set_value(1.0 if making.state == "done" else round(story.share, 4))
        if story.updates:
            self.where.set_text(
                t(
                    "training.where",
                    update=f"{story.update:,}",
                    updates=f"{story.updates:,}",
                    epoch=f"{story.epoch:.1f}",
                    epochs=story.begun.epochs if story.begun else 0,
                )
            )
        left = story.left if alive and fresh and not story.scoring else None
        self.left.set_text(t("training.left", time=duration(self.page.words, left)) if left is not None else "")
        if story.losses:
            recent = [loss for _, loss in story.losses[-10:]]
            self.numbers["loss"].set_text(f"{sum(recent) / len(recent):.2f}")
        if story.perplexities:
            self.numbers["perplexity"].set_text(f"{story.perplexities[-1][1]:.1f}")
        if story.speed is not None:
            self.numbers["speed"].set_text(f"{story.speed:,.0f}")
        self.curves.show(story)
        self.replies.show(story)
        with self.notices:
            for text in story.notices[self._said :]:
                with ui.element("li"):
                    ui.label(text)
        self._said = len(story.notices)


def _active(making: Making) -> bool:
    """Whether it is trained, or will be without anybody's doing."""
    return making.pid is not None or making.state in ("waiting", "running")


def _figure(name: str) -> ui.label:
    with ui.element("div"):
        with ui.element("dt"):
            ui.label(name)
        with ui.element("dd"):
            return ui.label("—")


def _head(page: NewCharacter, making: Making, story: Story) -> None:
    """What happens now, and what one can do."""
    t = page.t
    if _active(making):
        with ui.element("div").classes("new-wait"):
            ui.spinner(size="26px").props("aria-hidden=true")
            with ui.element("div"):
                ui.label(now_said(page, making, story)).classes("new-name")
                ui.label(t("training.leave")).classes("quiet small")
            ui.space()
            _button(page, "stop", "stop", lambda: _stop(page, making)).props("outline")
        return
    if making.state == "failed":
        said = t("training.interrupted") if making.error == INTERRUPTED else making.error
        with ui.element("div").classes("note bad new-long").props("role=alert"):
            ui.label(said)
            if making.error == INTERRUPTED and (end := making.log_end()):
                ui.label(end).classes("small")
    elif making.state == "stopped":
        ui.label(t("training.stopped" if making.fixed else "training.stopped_early")).classes("note")
    with ui.row().classes("new-links"):
        if making.state in ("stopped", "failed"):
            _button(page, "go_on" if making.fixed else "try_again", "play_arrow", lambda: _go_on(page, making)).props(
                "unelevated"
            )
            if not making.fixed:
                _button(page, "settings", "tune", lambda: page.show(2, focus=True)).props("outline")
            if making.output is not None and (name := trained_name(page, making)) is not None:
                ui.button(t("training.try"), icon="chat", on_click=lambda: ui.navigate.to(talk(name))).props("outline")


def _button(page: NewCharacter, name: str, icon: str, act: Callable[[], Any]) -> ui.button:
    return ui.button(page.t(f"training.{name}"), icon=icon, on_click=act)


def now_said(page: NewCharacter, making: Making, story: Story) -> str:
    """What is done now; what was reported before it was started last is no news."""
    if making.state == "waiting" and making.pid is None:
        return page.t("training.waiting")
    step = story.step
    if story.told < making.since:
        return page.t("working.starting")
    if step is not None:
        kind = step.kind if step.kind in WORKING else ""
        return page.t(f"working.{kind}") if kind else step.text
    return page.t("working.learning") if story.update else page.t("working.starting")


async def _stop(page: NewCharacter, making: Making) -> None:
    if not await sure(page.words, page.t("training.stop_question"), page.t("training.stop")):
        return
    await asyncio.to_thread(page.desk.queue.stop, making)
    ui.notify(page.t("training.stopping"))


async def _go_on(page: NewCharacter, making: Making) -> None:
    try:
        await asyncio.to_thread(page.desk.queue.add, making)
    except Exception as error:
        page.tell(error)
        return
    page.refresh()
    page.show(3)


def trained_name(page: NewCharacter, making: Making) -> str | None:
    """The name under which the page knows the trained character; None where there is none."""
    output = making.output
    if output is None:
        return None
    return next((run.name for run in page.desk.characters.all() if run.folder.resolve() == output.resolve()), None)


def talk(name: str) -> str:
    """The address of a chat with a character."""
    from urllib.parse import quote

    return f"/talk?run={quote(name)}"
