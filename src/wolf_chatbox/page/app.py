"""The page on the server's app: who may enter, which pages there are, and what they share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI
from fastapi.dependencies import models
from fastapi.staticfiles import StaticFiles
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Scope

from wolf_chatbox.page.characters import Characters, Load
from wolf_chatbox.page.desk import Desk
from wolf_chatbox.page.entrance import API, Entrance
from wolf_chatbox.page.judging.games import Games
from wolf_chatbox.page.making.queue import Queue
from wolf_chatbox.page.rooms import Rooms
from wolf_chatbox.page.tables import Tables
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.talk.archive import Archive
from wolf_chatbox.talk.server.house import House

STATIC = Path(__file__).parent / "static"
RECONNECT = 30.0
"""Seconds that the server keeps what a browser sees after its connection is lost."""


def add_page(app: FastAPI, house: House, home: Path, named: Sequence[str], load: Load, keys: Sequence[str]) -> ASGIApp:
    """Add the page to the server's app; returns what stands around the app, inside the guard.

    To be called once a process: NiceGUI has one app. Raises CheckpointError where the page's folder cannot be made.
    """
    workspace = Workspace(home.expanduser())
    workspace.make()
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(workspace.root / ".page"))  # read when it is imported
    from nicegui import app as pages_app
    from nicegui import ui

    from wolf_chatbox.page.pages import compare, data, guess, lost, new, runs, talk, werewolf
    from wolf_chatbox.page.pages import home as home_page

    characters = Characters(workspace, named, house.roster, load)
    archive = Archive(workspace.chats)
    entrance = Entrance(app, keys)
    rooms, games, queue = Rooms(characters, archive), Games(workspace.games), Queue(workspace)
    tables = Tables(workspace.werewolf)
    desk = Desk(workspace, house, characters, rooms, archive, entrance, games, queue, tables)
    house.on_leaving.extend((rooms.stop, tables.stop))
    app.mount("/static", StaticFiles(directory=STATIC))
    for pages in (home_page, new, talk, compare, guess, werewolf, runs, data, lost):
        pages.add(desk)
    ui.add_head_html('<link rel="stylesheet" href="/static/page.css">', shared=True)
    ui.run_with(
        app,
        title="wolf_chatbox",
        favicon=STATIC / "moon.svg",
        dark=None,
        reconnect_timeout=RECONNECT,
        binding_refresh_interval=0.2,
        tailwind=False,
        show_welcome_message=False,
    )
    _leave_the_api_alone(app)
    pages_app.storage.max_tab_storage_age = 2 * RECONNECT  # nothing of ours is in it, and it would stay for a month
    pages_app.on_delete(_forget_functions)
    return entrance


def _forget_functions() -> None:
    """Let a page go when its browser has left: FastAPI remembers the last 4,096 functions that it looked at.

    Where files can be dropped on a page, one of them is the page's own, and holds all of it.
    """
    for name in ("_is_gen_callable_cached", "_is_async_gen_callable_cached", "_is_coroutine_callable_cached"):
        if (cached := getattr(models, name, None)) is not None:
            cached.cache_clear()


class _Pages(Mount):
    """NiceGUI's pages, which take all paths but those of the API; an unknown one there is answered as `serve` does."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE, {}) if scope["path"].startswith(API) else super().matches(scope)


def _leave_the_api_alone(app: FastAPI) -> None:
    at, mount = next((at, one) for at, one in enumerate(app.router.routes) if isinstance(one, Mount) and not one.path)
    app.router.routes[at] = _Pages(mount.path, mount.app)
