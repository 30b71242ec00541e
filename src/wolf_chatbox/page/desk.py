"""What the pages share."""

from __future__ import annotations

from dataclasses import dataclass

from wolf_chatbox.page.characters import Characters
from wolf_chatbox.page.entrance import Entrance
from wolf_chatbox.page.judging.games import Games
from wolf_chatbox.page.making.queue import Queue
from wolf_chatbox.page.rooms import Rooms
from wolf_chatbox.page.tables import Tables
from wolf_chatbox.page.workspace import Workspace
from wolf_chatbox.talk.archive import Archive
from wolf_chatbox.talk.server.house import House


@dataclass(frozen=True)
class Desk:
    """What the pages share; there is one for each server."""

    workspace: Workspace
    house: House
    characters: Characters
    rooms: Rooms
    archive: Archive
    entrance: Entrance
    games: Games
    queue: Queue
    tables: Tables
