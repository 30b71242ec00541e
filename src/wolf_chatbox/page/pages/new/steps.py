"""The five steps: the one that is open, and one line for each of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from nicegui import background_tasks, ui

from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.making.making import Making, read_json
from wolf_chatbox.page.parts import listed, sure
from wolf_chatbox.words import Words

STEPS = ("files", "content", "base", "training", "score")
"""The steps by their names in the words."""


class NewCharacter:
    """The page of one making: what is chosen so far, and which step is open."""

    def __init__(self, desk: Desk, words: Words, making: Making | None) -> None:
        self.desk, self.words, self.making = desk, words, making
        self.client = ui.context.client
        self._tasks: set[asyncio.Task[Any]] = set()
        self.client.on_delete(self.stop)
        self._box: ui.element | None = None
        self._foot: ui.element | None = None
        self.on_next: ui.button | None = None
        """The way on from a step that must be completed first."""

    def t(self, key: str, **values: Any) -> str:
        """A text of this page."""
        return self.words(f"new.{key}", **values)

    def must(self) -> Making:
        """The making, begun if there is none yet; the address of the page becomes its own."""
        if self.making is None:
            self.making = self.desk.queue.begin()
            if self._foot is not None:
                self._foot.set_visibility(True)
            with self.client:
                ui.navigate.history.replace(f"/new/{self.making.id}")
        return self.making

    def change(self, **about: Any) -> None:
        """Keep choices; what cannot be written is told."""
        try:
            now = self.desk.queue.get(self.must().id) or self.must()
            if now.fixed and not about.keys() <= {"look_key", "step"}:  # it was started in another tab
                self.making = now
                self.show()
                return
            self.making = now.change(**about)
        except Exception as error:
            tell(error)

    def look(self) -> dict[str, Any]:
        """What is known of the files; empty before they are read."""
        return (read_json(self.making.look) if self.making else None) or {}

    @property
    def reached(self) -> int:
        """The step that comes next, from 0 to 4."""
        making = self.making
        if making is None or not making.data:
            return 0
        if making.state == "done":
            return 4
        if making.state != "draft":
            return 3
        return min(int(making.about.get("step") or 0), 2)

    def show(self, step: int | None = None, *, focus: bool = False) -> None:
        """Build all steps, with one of them open: the one that comes next, if none is named."""
        self.stop()
        step = self.reached if step is None else step
        if self._box is None:
            ui.label(self.t("title")).classes("title").props("role=heading aria-level=1")
            self._box = ui.element("div").classes("new-steps")
        self._box.clear()
        with self._box:
            for number, name in enumerate(STEPS):
                self._section(number, name, step, focus)
            with ui.row().classes("new-foot") as self._foot:
                ui.button(self.t("remove"), icon="delete_outline", on_click=self._remove).props("flat color=grey-7")
            self._foot.set_visibility(self.making is not None and self.making.state not in ("waiting", "running"))

    def _section(self, number: int, name: str, step: int, focus: bool) -> None:
        finished, open_ = number < self.reached or (number == 4 == self.reached), number == step
        state = "open" if open_ else "finished" if finished else "ahead"
        with ui.element("section").classes(f"new-step {state}").props(f'aria-labelledby="new-{name}"'):
            with ui.element("div").classes("new-head"):
                with ui.element("div").classes("new-number").props("aria-hidden=true"):
                    ui.icon("check") if finished and not open_ else ui.label(str(number + 1))
                with ui.element("div").classes("new-names"):
                    heading = ui.label(self.t(f"steps.{name}")).classes("new-heading")
                    heading.props(f'role=heading aria-level=2 id="new-{name}" tabindex=-1')
                    if not open_ and finished and (line := _summary(self, name)):
                        ui.label(line).classes("new-summary")
                if finished and not open_:
                    self._again(number, name)
            if open_:
                with ui.element("div").classes("new-body"):
                    _body(self, name)
                if focus:
                    self.client.run_javascript(
                        f"requestAnimationFrame(() => document.getElementById('new-{name}')?.focus())"
                    )

    def _again(self, number: int, name: str) -> None:
        """The way back to a finished step: to change it, or to look at it where something is trained."""
        making = self.making
        fixed = making is not None and making.fixed
        if fixed and name in ("files", "base"):
            return
        label = self.t("look_again" if fixed else "change")
        button = ui.button(label, on_click=lambda: self.show(number, focus=True)).props("flat dense")
        button.props(f'aria-label="{label}: {self.t(f"steps.{name}")}"').classes("new-again")

    def go(self, step: int) -> None:
        """Go on to a step, and keep that it was reached."""
        if self.making is None:  # the disk refused it, which was told
            return
        self.change(step=max(step, int(self.making.about.get("step") or 0)))
        self.show(step, focus=True)

    def run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[Any]:
        """Do something in the background, until it is done or the step is left; a known error is told."""

        async def telling() -> None:
            try:
                await work
            except Exception as error:
                with self.client:
                    tell(error)

        task = background_tasks.create(telling())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def tell(self, error: Exception) -> None:
        """Show a known error, from wherever it comes."""
        with self.client:
            tell(error)

    def refresh(self) -> None:
        """Read the making anew: its state changes in other processes."""
        if self.making is not None:
            self.making = self.desk.queue.get(self.making.id) or self.making

    def stop(self) -> None:
        """End what runs for the step that is left."""
        for task in self._tasks:
            task.cancel()
        self._tasks = set()

    async def _remove(self) -> None:
        making = self.making
        if making is None:
            return
        question = self.t("remove_done" if making.state == "done" else "remove_question")
        if not await sure(self.words, question, self.t("remove")):
            return
        try:
            self.stop()
            await asyncio.to_thread(self.desk.queue.remove, making)
            ui.navigate.to("/")
        except Exception as error:
            tell(error)


def _body(page: NewCharacter, name: str) -> None:
    from wolf_chatbox.page.pages.new import choosing, content, dropping, scorecard, training

    builders: dict[str, Callable[[NewCharacter], None]] = {
        "files": dropping.build,
        "content": content.build,
        "base": choosing.build,
        "training": training.build,
        "score": scorecard.build,
    }
    builders[name](page)


def _summary(page: NewCharacter, name: str) -> str:
    """One line of a step that is folded: what was chosen there."""
    making, look = page.making, page.look()
    if making is None:
        return ""
    if name == "files":
        if example := making.about.get("example"):
            return page.t(f"bundled.{str(example).replace('-', '_')}")
        names = [path.name for path in making.dropped]
        shown = listed(page.words, names[:2])
        return page.t("and_more", names=shown, count=len(names) - 2) if len(names) > 2 else shown
    if name == "content" and look:
        who = str(making.about.get("persona") or page.t("everybody"))
        return page.t("content_line", turns=f"{look['inspection']['kept']:,}", who=who)
    if name == "base":
        return page.t("base_line", base=making.about.get("base", ""), name=making.name)
    return page.t("trained_line") if name == "training" else ""
