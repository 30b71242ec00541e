"""Talk: a chat with one or several characters, and all chats that are kept."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse
from nicegui import ui

from wolf_chatbox.errors import ChatError
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.frame import frame
from wolf_chatbox.page.pages.talk.missing import choose, missing
from wolf_chatbox.page.pages.talk.view import Talk
from wolf_chatbox.page.room import Room

HEAD = '<link rel="stylesheet" href="/static/talk.css"><script src="/static/talk.js"></script>'


def add(desk: Desk) -> None:
    @ui.page("/talk", response_timeout=10)
    def begin(request: Request, run: str = "", persona: str = "") -> RedirectResponse | None:
        if run and desk.characters.find(run):
            wanted = urlencode({"run": run} | ({"persona": persona} if persona else {}))
            return RedirectResponse(f"/talk/{desk.archive.new_id()}?{wanted}", 303)
        with frame(request, "talk") as reader:
            ui.add_head_html(HEAD)
            choose(desk, reader.words, gone=run)
        return None

    @ui.page("/talk/{id}", response_timeout=10)
    async def talk(request: Request, id: str, run: str = "", persona: str = "", at: int = -1) -> None:
        room = await _room(desk, id, run, persona)
        title = (room.title or room.persona) if room else ""
        with frame(request, "talk", title) as reader:
            ui.add_head_html(HEAD)
            if room is None:
                missing(desk, reader.words)
            else:
                Talk(desk, room, reader.words).build(at)


async def _room(desk: Desk, id: str, run: str, persona: str) -> Room | None:
    """The chat of an address; a new one where there is none yet, and the address says with whom."""
    try:
        await asyncio.to_thread(desk.archive.get, id)  # a long one is not read in the event loop
        room = desk.rooms.get(id)
    except ChatError:
        return None
    if room is None and (found := desk.characters.find(run)):
        room = desk.rooms.new(found.name, persona or found.who, id)
    return room
