"""To be written."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import frame


def add(desk: Desk) -> None:
    @ui.page("/data")
    def data(request: Request) -> None:
        with frame(request, "data"):
            ui.label("data")
