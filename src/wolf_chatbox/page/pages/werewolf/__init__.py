"""Werewolf: the games of this server, and a table, at which people sit, or which they watch."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

from fastapi import HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from nicegui import app, ui

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.errors import DataError
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.entrance import A_MONTH, TABLE
from wolf_chatbox.page.frame import Reader, frame
from wolf_chatbox.page.pages.werewolf.lobby import Lobby
from wolf_chatbox.page.pages.werewolf.past import show_past
from wolf_chatbox.page.pages.werewolf.reveal import REPLAY
from wolf_chatbox.page.pages.werewolf.sitting import HIDDEN_COOKIE, Sitting
from wolf_chatbox.page.parts import style
from wolf_chatbox.page.table import Table
from wolf_chatbox.play.replay.page import to_html

SEAT_COOKIE = "wolf_chatbox_seat"
HEAD = '<script src="/static/werewolf.js"></script>'


def add(desk: Desk) -> None:
    @ui.page("/werewolf")
    def lobby(request: Request) -> None:
        style("werewolf")
        with frame(request, "werewolf") as reader:
            Lobby(desk, reader.words).build()

    @ui.page("/werewolf/table/{id}", response_timeout=10)
    async def table(request: Request, id: str, seat: str = "") -> RedirectResponse | None:
        found, guest = desk.tables.get(id), desk.entrance.is_guest(request)
        if found is not None and seat:
            return _seated(request, found, seat)
        style("werewolf")
        ui.add_head_html(HEAD)
        title = Reader.of(request).words("werewolf.title")
        with frame(request, "werewolf", title, guest=guest, full=True) as reader:
            if found is not None:
                chair = found.chair(request.cookies.get(SEAT_COOKIE, ""))
                hidden = request.cookies.get(HIDDEN_COOKIE, "") == "yes"
                Sitting(desk, reader.words, found, chair, Links(desk, request, guest), hidden=hidden).build()
            else:
                show_past(reader.words, await _kept(desk, id), guest=guest)
        return None

    @app.get(REPLAY + "{id}")
    async def replay(request: Request, id: str) -> HTMLResponse:
        if (game := await _kept(desk, id)) is None:
            raise HTTPException(404)
        return HTMLResponse(await asyncio.to_thread(to_html, game, Reader.of(request).words.language))


async def _kept(desk: Desk, id: str) -> Conversation | None:
    """A game that is over; None where there is none."""
    try:
        return await asyncio.to_thread(desk.tables.kept, id)
    except DataError:
        return None


def _seated(request: Request, table: Table, token: str) -> RedirectResponse:
    """Keep in the browser which seat it has, so that the address alone, which a neighbour sees, gives it to nobody."""
    path = TABLE + table.id
    response = RedirectResponse(path, 303)
    if table.chair(token) is not None:
        secure = request.url.scheme == "https"
        response.set_cookie(
            SEAT_COOKIE, token, max_age=A_MONTH, path=path, httponly=True, samesite="lax", secure=secure
        )
    return response


class Links:
    """The addresses of tables that one browser may be given."""

    def __init__(self, desk: Desk, request: Request, guest: bool) -> None:
        self.guest = guest
        """Whether the browser may have this table alone."""
        self.keyed = bool(desk.entrance.keys)
        """Whether others can be let in."""
        self._entrance, self._base = desk.entrance, str(request.base_url)

    def table(self, id: str, seat: str = "", *, whole: bool = False) -> str:
        """The address of a table, or of a seat there; a `whole` one is for somebody else, who has no key."""
        words = {"guest": self._entrance.guest_token(id, TABLE)} if self.keyed and (whole or self.guest) else {}
        words |= {"seat": seat} if seat else {}
        return (self._base.rstrip("/") if whole else "") + TABLE + id + (f"?{urlencode(words)}" if words else "")
