"""The tables of werewolf on this server: those where people sit, and the games that are over, in a folder."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from wolf_chatbox.conversation import Conversation, parse_conversations
from wolf_chatbox.errors import ChatError
from wolf_chatbox.page.table import Plan, Table
from wolf_chatbox.play.casting import Cast, Make, PlayersConfig
from wolf_chatbox.play.finished import GAMES, save
from wolf_chatbox.play.seating import new_game_id
from wolf_chatbox.reread import Reread
from wolf_chatbox.werewolf.rules import Village

MOST = 24
"""Tables at which a game may be played at once."""
REMEMBERED = 40
"""Tables in memory, games that are over among them; those are read from their file later."""


class Tables:
    """All methods belong to the event loop but `finished`, which reads a file."""

    def __init__(self, folder: Path, config: PlayersConfig | None = None) -> None:
        self.folder = folder
        self._tables: dict[str, Table] = {}
        self._cast = Cast(config or PlayersConfig())
        self._casting = threading.Lock()
        self._saving = threading.Lock()
        self._games = Reread(_read)

    def new(self, plan: Plan) -> Table:
        """Set a table; raises ChatError where there are too many, and ConfigError for a player that is none."""
        self._cast.check(plan.fill)
        if len(self.running) >= MOST:
            raise ChatError(f"there are {MOST} games already. End one of them first.")
        for old in [table for table in self._tables.values() if table.state == "over" and not table.listeners]:
            if len(self._tables) >= REMEMBERED:
                del self._tables[old.id]
        table = Table(new_game_id(), plan, self._make, self._keep)
        self._tables[table.id] = table
        return table

    def again(self, table: Table) -> Table:
        """A table where those of another one can go on; their links stay good there."""
        following = self._tables.get(table.next)
        if following is None or following.state == "over":
            new = self.new(table.again())
            for chair in table.chairs:
                kept = new.invite(chair.token)
                if chair.name:
                    new.sit(kept, chair.name)
            table.next = new.id
            table.changed()
        return self._tables[table.next]

    def get(self, id: str) -> Table | None:
        return self._tables.get(id)

    @property
    def running(self) -> list[Table]:
        """The tables that are set, and whose game is not over, the newest first."""
        return [table for table in reversed(self._tables.values()) if table.state != "over"]

    def finished(self) -> list[Conversation]:
        """The games that were played to an end, the newest first; raises DataError where they cannot be read."""
        return list(reversed((self._games(self.folder / GAMES) or {}).values()))

    def kept(self, id: str) -> Conversation | None:
        """A game that is over; raises what `finished` raises."""
        return (self._games(self.folder / GAMES) or {}).get(id)

    def stop(self) -> None:
        """Give all games up; each writes its log before the process ends."""
        for table in self._tables.values():
            if table.state != "over":
                table.stop()

    def _make(self, name: str) -> Make:
        with self._casting:  # a model is loaded once, also for two games that begin at once
            return self._cast.make(name)

    def _keep(self, village: Village, teams: Mapping[str, str]) -> object:
        with self._saving:
            return save(village, self.folder, teams)


def _read(path: Path) -> dict[str, Conversation]:
    with path.open(encoding="utf-8") as file:
        games = [game for game in parse_conversations(file, str(path)) if game.game is not None]
    return {game.group: game for game in games}
