"""Step 1: drop files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from nicegui import ui
from nicegui.events import UploadEventArguments

from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.making.dropped import discard, keep
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.quantities import size
from wolf_chatbox.words import formats_in

PICK = "(event) => event.target.tagName === 'INPUT' || event.currentTarget.querySelector('input')?.click()"
"""The keyboard opens what the mouse does: the browser's choice of files, whose field lies over the button."""
FAMILIES = ("chats", "characters", "assistants", "scripts", "werewolf", "corpora")


def build(page: NewCharacter) -> None:
    """Where files are dropped, those that are there, and the way on."""
    ui.label(page.t("files.lead")).classes("lead")
    uploader = ui.upload(multiple=True, auto_upload=True, label=page.t("files.drop")).classes("new-drop")
    uploader.props("flat bordered color=transparent text-color=inherit")
    uploader.on("rejected", lambda: ui.notify(page.t("files.rejected"), type="negative"))
    uploader.on("failed", lambda: ui.notify(page.t("files.failed"), type="negative"))
    with uploader.add_slot("header"), ui.element("div").classes("new-drop-inner"):
        ui.icon("upload_file").classes("new-drop-icon").props("aria-hidden=true")
        ui.label(page.t("files.drop")).classes("new-drop-text")
        with ui.row().classes("new-drop-buttons"):
            with ui.button(page.t("files.choose")).props("unelevated") as pick:
                ui.element("q-uploader-add-trigger")
            pick.on("click", js_handler=PICK)
        ui.label(page.t("files.private")).classes("quiet small")
    with ui.row().classes("new-links"):
        for example in ("example", "example-ja"):
            key = f"bundled.{example.replace('-', '_')}"
            button = ui.button(page.t(key), icon="menu_book", on_click=lambda one=example: _use(page, one))
            button.props("outline")
        ui.button(page.t("files.formats"), icon="help_outline", on_click=lambda: formats(page)).props("flat")
    files = ui.element("ul").classes("new-files").props(f'aria-label="{page.t("files.here")}"')
    with ui.row().classes("new-next"):
        on = ui.button(page.t("files.next"), on_click=lambda: page.go(1)).props("unelevated")

    def refresh() -> None:
        files.clear()
        making = page.making
        with files:
            for path in making.dropped if making else []:
                _file(page, path, refresh)
        on.set_enabled(bool(making and making.data))

    async def upload(event: UploadEventArguments) -> None:
        try:
            making = page.must()
            if making.about.get("example"):
                page.change(example="")
            await keep(making, event.file.name, event.file.iterate())
        except Exception as error:
            with page.client:
                tell(error)
        refresh()

    uploader.on_upload(upload)
    refresh()


def _file(page: NewCharacter, path: Path, refresh: Any) -> None:
    making = page.must()

    async def remove() -> None:
        await asyncio.to_thread(discard, making, path.name)
        refresh()

    with ui.element("li").classes("new-file"):
        ui.icon("folder_zip" if path.suffix.lower() == ".zip" else "description").props("aria-hidden=true")
        ui.label(path.name).classes("new-file-name")
        ui.label(size(path.stat().st_size)).classes("quiet small")
        label = f"{page.t('files.remove')}: {path.name}".replace('"', "'")
        ui.button(icon="close", on_click=remove).props("flat round dense").props(f'aria-label="{label}"')


def _use(page: NewCharacter, example: str) -> None:
    """Take a bundled script instead of files."""
    page.change(example=example, persona=None)
    page.go(1)


async def formats(page: NewCharacter) -> None:
    """Which files can be read, and how one gets them."""
    known = await asyncio.to_thread(_known_formats, page.words.language)
    with ui.dialog() as dialog, ui.card().classes("new-dialog"):
        ui.label(page.t("files.formats")).classes("heading").props("role=heading aria-level=2")
        ui.label(page.t("files.zip")).classes("quiet")
        for family, entries in known.items():
            ui.label(page.t(f"families.{family}")).classes("new-family")
            for title, export in entries:
                with ui.element("div").classes("new-format"):
                    ui.label(title)
                    if export:
                        ui.markdown(export).classes("quiet small")
        with ui.row().classes("new-next"):
            ui.button(page.t("close"), on_click=dialog.close).props("flat autofocus")
    dialog.on("hide", dialog.delete)
    dialog.open()


def _known_formats(language: str) -> dict[str, list[tuple[str, str]]]:
    """Title and export of the formats by family, in a language where it has them."""
    from wolf_chatbox.format_names import FORMAT_FILES
    from wolf_chatbox.importers.registry import FORMATS

    told = formats_in(language)
    families: dict[str, list[tuple[str, str]]] = {family: [] for family in FAMILIES}
    for name, family in FORMAT_FILES.items():
        if family in families:
            here = {"title": FORMATS[name].title, "export": FORMATS[name].export, **told.get(name, {})}
            families[family].append((here["title"], here["export"]))
    return families
