"""Home: the characters, the chats, and what runs now."""

from __future__ import annotations

from fastapi import Request
from nicegui import ui

from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import frame


def add(desk: Desk) -> None:
    @ui.page("/")
    def home(request: Request) -> None:
        with frame(request, "home") as reader:
            words = reader.words
            ui.label(words("home.characters")).classes("title")
            for run in desk.characters.all():
                with ui.element("div").classes("card"):
                    ui.link(f"{run.who} ({run.name})", f"/talk?run={run.name}")
