"""An address that is no page's."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.exception_handlers import http_exception_handler
from nicegui import Client, app, ui
from starlette.exceptions import HTTPException

from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import frame


def add(desk: Desk) -> None:
    @app.exception_handler(404)
    async def lost(request: Request, error: HTTPException) -> Response:
        if request.scope.get("endpoint") not in (None, app):  # a file or a component is asked for by a program
            return await http_exception_handler(request, error)
        with Client(ui.page(""), request=request) as client, frame(request, "home", "404") as reader, ui.column():
            ui.label(reader.words("frame.lost")).classes("title").props("role=heading aria-level=1")
            ui.label(reader.words("frame.lost_more")).classes("lead")
            ui.link(reader.words("frame.home"), "/")
        return client.build_response(request, 404)
