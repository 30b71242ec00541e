"""Data: look into any file of conversations, and into those that the page has, before anything is made of them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fastapi import Request
from nicegui import background_tasks, ui
from nicegui.events import MultiUploadEventArguments

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.model.bases import KNOWN
from wolf_chatbox.model.hub import is_cached
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import frame
from wolf_chatbox.page.looking import look
from wolf_chatbox.page.making.dropped import file_name
from wolf_chatbox.page.making.queue import Queue
from wolf_chatbox.page.pages.data.inspection import show_inspection
from wolf_chatbox.page.parts import style
from wolf_chatbox.words import Words

BUNDLED = {"en": "example", "ja": "example-ja"}
PICK = "(event) => event.currentTarget.closest('.q-uploader').querySelector('input[type=file]').click()"


def add(desk: Desk) -> None:
    for left in (desk.workspace.root / ".page").glob("look-*"):  # of a server that was killed
        shutil.rmtree(left, ignore_errors=True)

    @ui.page("/data")
    async def data(request: Request) -> None:
        style("runs")
        there = await asyncio.to_thread(files_of, desk.queue)
        models = await asyncio.to_thread(lambda: [name for name in KNOWN if is_cached(name)])
        with frame(request, "data") as reader:
            DataPage(desk, reader.words, models).show(there)


def files_of(queue: Queue) -> dict[str, list[Path]]:
    """The files that were given to make characters of, by the character."""
    found: dict[str, list[Path]] = {}
    for making in queue.all():
        if making.dropped:
            found.setdefault(making.name or f"{making.created:%Y-%m-%d %H:%M}", []).extend(making.dropped)
    return found


class DataPage:
    """The page as one browser has it; what is dropped is gone when it is left."""

    def __init__(self, desk: Desk, words: Words, models: Sequence[str]) -> None:
        self.words, self.models = words, models
        self._root = desk.workspace.root / ".page"
        self._folder: Path | None = None
        self._task: asyncio.Task[None] | None = None
        self._last: tuple[str, ...] = ()
        self._client = ui.context.client
        self._client.on_delete(self._leave)

    def show(self, there: dict[str, list[Path]]) -> None:
        words = self.words
        ui.label(words("data.title")).classes("title").props("role=heading aria-level=1")
        ui.label(words("data.lead")).classes("lead").style("margin-bottom: 18px")
        self._show_drop()
        with ui.element("div").classes("actions").style("margin: 14px 0"):
            example = BUNDLED.get(words.language, BUNDLED["en"])
            ui.button(words("data.example"), icon="menu_book", on_click=lambda: self.look([example])).props(
                "flat no-caps"
            )
            if self.models:
                options = {"": words("data.no_model"), **{name: name for name in self.models}}
                self.model = ui.select(
                    options, value="", label=words("data.model"), on_change=lambda: self.look(self._last)
                )
                self.model.props("outlined dense").style("min-width: 220px")
        if there:
            ui.label(words("data.given")).classes("quiet small")
        for name, paths in there.items():
            with ui.element("div").classes("actions"):
                ui.icon("folder_open").classes("quiet").props("aria-hidden=true")
                ui.label(name).style("font-weight: 600")
                for path in paths:
                    button = ui.button(path.name, on_click=lambda path=path: self.look([str(path)]))
                    button.props("flat dense no-caps")
        with ui.element("div").classes("note looking").props("aria-live=polite") as self.progress:
            ui.spinner(size="20px").props("aria-hidden=true")
            self.count = ui.label()
            ui.button(words("data.cancel"), on_click=self.cancel).props("flat dense no-caps")
        self.progress.set_visibility(False)
        self.result = ui.element("div").classes("looked")

    def _show_drop(self) -> None:
        words = self.words
        uploader = ui.upload(multiple=True, auto_upload=True, on_multi_upload=self._take, label=words("data.drop"))
        uploader.classes("drop").props("flat color=transparent text-color=inherit")
        for fault in ("rejected", "failed"):
            uploader.on(fault, lambda: ui.notify(words("data.failed"), type="negative"))
        with uploader.add_slot("header"), ui.element("div").classes("drop-inner"):
            ui.icon("search", size="30px").classes("quiet").props("aria-hidden=true")
            ui.label(words("data.drop"))
            with ui.button(words("data.choose")).props("unelevated no-caps") as pick:
                ui.element("q-uploader-add-trigger")
            pick.on("keydown.enter", js_handler=PICK)
            ui.label(words("data.private")).classes("quiet small")
        uploader.add_slot("list", "<div></div>")
        self.uploader = uploader

    async def _take(self, event: MultiUploadEventArguments) -> None:
        """Keep what was dropped as long as the page is open, and look into it."""
        await asyncio.to_thread(self._clear)
        self._folder = Path(await asyncio.to_thread(self._new_folder))
        names: list[str] = []
        for file in event.files:
            names.append(file_name(file.name, names))
            await file.save(self._folder / names[-1])
        self.uploader.reset()
        files = sorted(self._folder.iterdir())
        self.look([str(self._folder if len(files) > 1 else files[0])])

    def _new_folder(self) -> str:
        self._root.mkdir(mode=0o700, exist_ok=True)
        return tempfile.mkdtemp(prefix="look-", dir=self._root)

    def look(self, files: Sequence[str]) -> None:
        """Look into files, instead of what is looked into now."""
        if files:
            self.cancel()
            self._last = tuple(files)
            self._task = background_tasks.create(self._look(files), context=self._client)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self.progress.set_visibility(False)

    async def _look(self, files: Sequence[str]) -> None:
        words = self.words
        model = (self.model.value or None) if self.models else None
        self.result.clear()
        self.count.set_text(words("data.looking"))
        self.progress.set_visibility(True)
        self._come_to(self.progress)

        def tell(turns: int) -> None:
            self.count.set_text(words("data.read_so_far", count=f"{turns:,}"))

        try:
            found = await look(files, model=model, tell=tell)
        except WolfChatboxError as error:
            self._fail(self._shown(str(error)))
        except Exception:
            self._fail(words("new.fault"))
            raise
        else:
            with self.result:
                show_inspection(words, found, self._shown)
        self.progress.set_visibility(False)
        self._come_to(self.result)

    def _come_to(self, element: ui.element) -> None:
        """Scroll to an element that is out of sight: on a phone it stands below the list of files."""
        scroll = f"getHtmlElement({element.id})?.scrollIntoView({{block: 'nearest'}})"
        self._client.run_javascript(f"requestAnimationFrame(() => {scroll})")

    def _fail(self, text: str) -> None:
        self.progress.set_visibility(False)
        with self.result, ui.element("div").classes("note bad"):
            ui.label(text)

    def _shown(self, text: str) -> str:
        """A text without the folder that nobody gave a name."""
        return text.replace(f"{self._folder}/", "").replace(str(self._folder), "…") if self._folder else text

    def _leave(self) -> None:
        self.cancel()
        self._clear()

    def _clear(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
