"""New character: from dropped files to a character that answers, in five steps on one page."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import app, ui

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.importers import EXAMPLES
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import Reader, frame
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.parts import style

LOOKS = 5.0
"""Seconds between two looks whether the next training can begin: its process may have been killed."""


def add(desk: Desk) -> None:
    @ui.page("/new")
    def begin(request: Request) -> None:
        with frame(request, "new", Reader.of(request).words("new.title")) as reader:
            _style()
            page = NewCharacter(desk, reader.words, None)
            page.show()
            if (example := request.query_params.get("example", "")) in EXAMPLES:
                ui.timer(0, lambda: _take(page, example), once=True)

    @ui.page("/new/{id}")
    def go_on(request: Request, id: str) -> RedirectResponse | None:
        making = desk.queue.get(id)
        if making is None:
            return RedirectResponse("/new", 303)
        with frame(request, "new", making.name) as reader:
            _style()
            NewCharacter(desk, reader.words, making).show()
        return None

    async def serve_queue() -> None:
        while True:
            with suppress(CheckpointError):  # a full disk: whoever adds a training is told
                await asyncio.to_thread(desk.queue.go)
            await asyncio.sleep(LOOKS)

    app.on_startup(serve_queue)


def _take(page: NewCharacter, example: str) -> None:
    """Begin with a bundled script, as a link from home asks for."""
    page.change(example=example, persona=None)
    page.go(1)


def _style() -> None:
    style("new")
    style("runs")  # of the scorecard
