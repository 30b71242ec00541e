"""What can be done with a character: evaluate and export it, give it another name, remove it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from nicegui import background_tasks, ui

from wolf_chatbox.errors import CheckpointError, WolfChatboxError
from wolf_chatbox.evaluate import library
from wolf_chatbox.files import remove, writing
from wolf_chatbox.page import jobs as made
from wolf_chatbox.page.characters import TrainedRun
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import tell
from wolf_chatbox.page.jobs import Job, Jobs, Kind
from wolf_chatbox.page.parts import sure
from wolf_chatbox.page.quantities import size
from wolf_chatbox.words import Words

NEEDS = {"evaluate": library.NEEDED, "onnx": ("onnx", "onnxscript", "onnxruntime")}
"""The packages without which a job is not offered."""
ICONS: dict[Kind, str] = {
    "evaluate": "fact_check",
    "gguf": "memory",
    "card": "badge",
    "model": "folder_zip",
    "onnx": "hub",
}
LONGEST_NAME = 80


def show_jobs(jobs: Jobs, words: Words, one: TrainedRun) -> None:
    """A row for each export with its files, and the output of what runs now."""
    offered: list[Kind] = [kind for kind in ICONS if all(map(find_spec, NEEDS.get(kind, ())))]
    with ui.element("div").classes("card list-card"):
        rows = {kind: _row(jobs, words, one, kind) for kind in offered}
    show_progress = _progress(jobs, words, one)
    seen: list[tuple[Job | None, str, int]] = []

    def refresh() -> None:
        job = jobs.latest
        now = (job, job.state if job else "", len(job.lines) if job else 0)
        if seen == [now]:
            return
        seen[:] = [now]
        show_progress(job)
        running = jobs.running is not None
        made = {} if running else jobs.made(one.name)
        for kind, (button, place) in rows.items():
            button.set_enabled(not running)
            if not running:
                _show_files(one, kind, made.get(kind, []), place)

    refresh()
    ui.timer(0.5, refresh)


def _row(jobs: Jobs, words: Words, one: TrainedRun, kind: Kind) -> tuple[ui.button, ui.element]:
    """What a job is good for; returns its button, and the place of its files."""
    with ui.element("div").classes("run-row"):
        ui.icon(ICONS[kind], size="24px").props("aria-hidden=true").classes("quiet")
        with ui.element("div").classes("narrow"):
            ui.label(words(f"runs.job.{kind}.title")).style("font-weight: 600")
            ui.label(words(f"runs.job.{kind}.means")).classes("quiet small")
            place = ui.element("div").classes("actions")
        button = ui.button(words(f"runs.job.{kind}.do")).props("outline no-caps")
        button.props["aria-label"] = f"{words(f'runs.job.{kind}.title')}: {words(f'runs.job.{kind}.do')}"
    button.on_click(lambda: background_tasks.create(_do(jobs, kind, one, button)))
    return button, place


def _progress(jobs: Jobs, words: Words, one: TrainedRun) -> Callable[[Job | None], None]:
    """What runs now or ran last, with its output and a way to stop it; returns what shows it anew."""
    with ui.element("div").classes("notes").style("margin-top: 12px") as box:
        with ui.element("div").classes("headed").style("margin: 0"):
            with ui.element("div").classes("character-head"):
                spinner = ui.spinner(size="22px").props("aria-hidden=true")
                state = ui.label().props("aria-live=polite")
            stop = ui.button(words("runs.stop"), icon="stop", on_click=jobs.stop).props("flat no-caps")
        with ui.element("div").classes("log").props("tabindex=0 role=region") as field:
            log = ui.label()
        field.props["aria-label"] = words("runs.output")

    def show(job: Job | None) -> None:
        running = jobs.running is not None
        box.set_visibility(job is not None and (running or job.run == one.name))
        if job is not None:
            title = words(f"runs.job.{job.kind}.title")
            state.set_text(words(f"runs.state.{job.state}", what=title, name=job.run))
            spinner.set_visibility(running)
            stop.set_visibility(running)
            log.set_text("\n".join(job.lines))

    return show


async def _do(jobs: Jobs, kind: Kind, one: TrainedRun, button: ui.button) -> None:
    try:
        await jobs.do(kind, one.name, one.folder)
    except WolfChatboxError as error:
        with button:
            tell(error)


def _show_files(one: TrainedRun, kind: Kind, made: Sequence[Path], place: ui.element) -> None:
    """The files that can be had, as links."""
    place.clear()
    with place:
        for path in made:
            address = f"/runs/{quote(one.name, safe='')}/files/{kind}/{quote(path.name, safe='')}"
            button = ui.button(f"{path.name} · {size(path.stat().st_size)}", icon="download").props(
                "flat dense no-caps"
            )
            button.props["href"] = address
            button.props["download"] = path.name


def show_changes(desk: Desk, jobs: Jobs, words: Words, one: TrainedRun) -> None:
    """Another name, and the way out."""

    async def rename() -> None:
        try:
            name = await _rename(desk, jobs, one, field.value)
        except WolfChatboxError as error:
            tell(error)
        else:
            ui.navigate.to(f"/runs/{quote(name, safe='')}")

    async def delete() -> None:
        if not await sure(words, words("runs.sure", name=one.name), words("runs.delete")):
            return
        try:
            _check_idle(jobs, one)
            await desk.characters.forget(one.name)
            with writing(one.folder):
                await asyncio.to_thread(remove, one.folder)
                await asyncio.to_thread(made.forget, desk.workspace.exports, one.name)
        except WolfChatboxError as error:
            tell(error)
        else:
            ui.navigate.to("/runs")

    with ui.element("div").classes("card"), ui.element("div").classes("headed").style("margin: 0"):
        with ui.element("div").classes("actions narrow"):
            field = ui.input(words("runs.name"), value=one.name).props(f"outlined dense maxlength={LONGEST_NAME}")
            ui.button(words("runs.rename"), on_click=rename).props("flat no-caps")
        ui.button(words("runs.delete"), icon="delete_outline", color="negative", on_click=delete).props("flat no-caps")


def _check_idle(jobs: Jobs, one: TrainedRun) -> None:
    """Raise CheckpointError while something works on the run's folder."""
    running = jobs.running
    if one.folder.with_name(one.folder.name + ".unfinished").exists():
        raise CheckpointError(f"{one.name}: is being trained. Stop that, or wait for its end.")
    if running is not None and running.run == one.name:
        raise CheckpointError(f"{one.name}: is being exported or evaluated. Stop that, or wait for its end.")


async def _rename(desk: Desk, jobs: Jobs, one: TrainedRun, given: str) -> str:
    """Rename a run's folder, and what chats and exports know of it. Raises CheckpointError."""
    name = " ".join(given.split()).strip(". ")
    if not name or any(sign in name for sign in "/\\:\0") or len(name) > LONGEST_NAME:
        raise CheckpointError(f"{given}: no name for a folder. Use letters, digits, spaces and -.")
    place = desk.workspace.characters / name
    if name == one.name:
        return name
    if place.exists() or desk.characters.find(name) is not None:
        raise CheckpointError(f"{name}: another character has that name. Choose another one.")
    _check_idle(jobs, one)
    await desk.characters.forget(one.name)
    with writing(place):
        await asyncio.to_thread(one.folder.rename, place)
        exports = desk.workspace.exports / one.name
        if exports.exists():
            await asyncio.to_thread(exports.rename, exports.with_name(name))
    for kept in await asyncio.to_thread(desk.archive.all):
        if kept.about.get("run") == one.name and (room := desk.rooms.get(kept.id)) is not None:
            room.about["run"] = name
            await room.keep()
    return name
