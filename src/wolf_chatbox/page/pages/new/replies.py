"""Sample replies of a training as they get better: the base model's, those after each epoch, and the real one."""

from __future__ import annotations

from nicegui import ui

from wolf_chatbox.page.making.story import Story
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.training.progress import Evaluated, Reply

BEFORE = 2
"""Turns of the context that are shown."""


class Replies:
    """For each context what was said before, what was really said, and what the model said when."""

    def __init__(self, page: NewCharacter) -> None:
        self.page = page
        self._shown = 0
        self._first: tuple[Reply, ...] = ()
        self.box = ui.element("div").classes("new-replies")
        self._lists: list[ui.element] = []

    def show(self, story: Story) -> None:
        """Add the replies that are new."""
        found = story.evaluations
        if not found or (self._shown == len(found) and self._lists):
            return
        first = tuple(found[0].replies)
        if first != self._first or self._shown > len(found):
            self._begin(first)
        for evaluated in found[self._shown :]:
            self._add(evaluated)
        self._shown = len(found)

    def _begin(self, replies: tuple[Reply, ...]) -> None:
        self._first, self._shown, self._lists = replies, 0, []
        self.box.clear()
        with self.box:
            ui.label(self.page.t("training.replies")).classes("heading").props("role=heading aria-level=3")
            ui.label(self.page.t("training.replies_lead")).classes("lead")
            with ui.element("div").classes("new-exchanges"):
                for reply in replies:
                    self._exchange(reply)

    def _exchange(self, reply: Reply) -> None:
        with ui.element("div").classes("card new-exchange"):
            for turn in reply.context[-BEFORE:]:
                with ui.element("p").classes("new-said quiet"):
                    ui.label(f"{turn.speaker}: ").classes("new-side-speaker")
                    ui.label(turn.text)
            with ui.element("dl").classes("new-tries"):
                with ui.element("div").classes("new-real"):
                    with ui.element("dt"):
                        ui.label(self.page.t("training.real"))
                    with ui.element("dd"):
                        ui.label(f"{reply.said.speaker}: {reply.said.text}")
                self._lists.append(ui.element("div"))

    def _add(self, evaluated: Evaluated) -> None:
        t = self.page.t
        when = t("training.base_says") if not evaluated.update else t("training.after", epoch=f"{evaluated.epoch:g}")
        for place, reply in zip(self._lists, evaluated.replies):
            with place, ui.element("div").classes("new-try"):
                with ui.element("dt"):
                    ui.label(when)
                with ui.element("dd"):
                    ui.label(reply.generated or "…")
