"""The characters: all of them, several beside each other, and one with everything that is known of it."""

from __future__ import annotations

import asyncio

from fastapi import Request
from fastapi.responses import FileResponse, Response
from nicegui import app, ui
from starlette.responses import RedirectResponse

from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import frame
from wolf_chatbox.page.jobs import Jobs
from wolf_chatbox.page.pages.runs.comparison import show_comparison
from wolf_chatbox.page.pages.runs.listing import show_all
from wolf_chatbox.page.pages.runs.sheet import read_sheet, show_sheet
from wolf_chatbox.page.parts import style
from wolf_chatbox.page.scores import scores_of
from wolf_chatbox.training.curves import read_curves


def add(desk: Desk) -> None:
    jobs = Jobs(desk.workspace.exports)
    app.on_shutdown(jobs.stop)

    @ui.page("/runs", response_timeout=20)
    async def runs(request: Request) -> None:
        """All characters; with `?run=NAME&run=NAME` those beside each other."""
        style("runs")
        found = desk.characters.all()
        wanted = request.query_params.getlist("run")
        chosen = [one for one in found if one.name in wanted]
        scores = await asyncio.to_thread(scores_of, chosen or found)
        if chosen:
            curves = await asyncio.to_thread(lambda: {one.name: read_curves(one.folder) for one in chosen})
            with frame(request, "runs") as reader:
                show_comparison(reader.words, chosen, curves, scores)
            return
        sizes = await asyncio.to_thread(lambda: {one.name: one.size for one in found})
        with frame(request, "runs") as reader:
            show_all(reader.words, found, desk.characters.damaged(), sizes, scores)

    @ui.page("/runs/{name}", response_timeout=20)
    async def one_run(request: Request, name: str) -> RedirectResponse | None:
        one = desk.characters.find(name)
        if one is None:
            return RedirectResponse("/runs", 303)
        style("runs")
        sheet = await asyncio.to_thread(read_sheet, desk, one)
        with frame(request, "runs", one.who) as reader:
            show_sheet(desk, jobs, reader.words, sheet)
        return None

    @app.get("/runs/{name}/files/{kind}/{file}", include_in_schema=False)
    async def made(name: str, kind: str, file: str) -> Response:
        """A file that was exported; always to be kept, never to be shown as a page of ours."""
        path = await asyncio.to_thread(jobs.file, name, kind, file)
        if path is None:
            return Response("There is no such file. Export the character again.", 404)
        return FileResponse(path, filename=path.name, headers={"X-Content-Type-Options": "nosniff"})
