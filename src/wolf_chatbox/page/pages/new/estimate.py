"""What a training will take on this machine, by a real dry run of its first update."""

from __future__ import annotations

import asyncio
from typing import Any

from nicegui import ui

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.page.away import away
from wolf_chatbox.page.making import background, choosing
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.quantities import duration, size

PAUSE = 0.8
"""Seconds after the last change before a dry run begins."""


class Estimate:
    """The line with time, memory and disk; it keeps its room while it is found."""

    def __init__(self, page: NewCharacter) -> None:
        self.page = page
        self.box = ui.element("div").classes("new-estimate").props("role=status")
        self._task: asyncio.Task[Any] | None = None

    def begin(self) -> None:
        """Estimate anew, as something was changed."""
        if self._task is not None:
            self._task.cancel()
        self._say("")
        self._task = self.page.run(self._find())

    async def fetch(self, model: str, *, agreed: bool) -> None:
        """Fetch a base model, and tell how that goes; raises ModelError."""
        if self._task is not None:
            self._task.cancel()
        self._say(self.page.t("estimate.fetching"), waits=True)

        def told(step: Any) -> None:
            self._say(str(step), waits=True)

        try:
            await away(background.fetch, model, agreed, tell=told)
        except Exception:
            self._say("")
            raise

    async def _find(self) -> None:
        page, making = self.page, self.page.must()
        model = str(making.about.get("base") or "")
        if not model or not await asyncio.to_thread(choosing.is_here, model):
            self._say(page.t("estimate.later") if model else "")
            return
        if await asyncio.to_thread(page.desk.queue.running) is not None:
            self._say(page.t("estimate.busy"))
            return
        self._say(page.t("estimate.finding"), waits=True)
        await asyncio.sleep(PAUSE)
        settings = choosing.settings_of(page.must(), page.desk.workspace.characters, page.look())
        try:
            await asyncio.to_thread(page.must().write_settings, settings)
            found = await away(background.plan, making.folder)
        except WolfChatboxError as error:
            self._say(str(error), bad=True)
            return
        except Exception:
            self._say(page.t("fault"), bad=True)
            raise
        self._show(found)

    def _show(self, found: dict[str, Any]) -> None:
        t = self.page.t
        self.box.clear()
        with self.box, ui.element("div"):
            line = t(
                "estimate.found",
                time=duration(self.page.words, found["seconds"]),
                memory=size(found["memory"]),
                disk=size(found["disk"]),
            )
            ui.label(line).classes("new-name")
            detail = t(
                "estimate.detail",
                epochs=found["epochs"],
                updates=f"{found['updates']:,}",
                learnt=f"{found['learnt']:,}",
            )
            ui.label(detail).classes("quiet small")
            for what in choosing.short_of(found, self.page.desk.workspace.characters):
                ui.label(t(f"estimate.short_{what}")).classes("bad-text small")

    def _say(self, text: str, *, waits: bool = False, bad: bool = False) -> None:
        self.box.clear()
        with self.box:
            if waits:
                ui.spinner(size="22px").props("aria-hidden=true")
            ui.label(text).classes("bad-text new-long" if bad else "quiet")
