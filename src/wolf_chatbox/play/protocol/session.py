"""One game of a moderator with agents: who sits there, the game itself, and its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from wolf_chatbox.play.casting import Make
from wolf_chatbox.play.clock import LiveClock
from wolf_chatbox.play.log import Times, now, write_log, write_packets
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.protocol.connection import Connection
from wolf_chatbox.play.protocol.remote import Entries, LocalPlayer, RemotePlayer, WiredPlayer
from wolf_chatbox.play.seating import names_for, new_game_id, profile_for
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.steps import Step
from wolf_chatbox.werewolf.steps import Tell as Told
from wolf_chatbox.werewolf.table import TableConfig


class Session:
    """A game of agents, with players of this process in the other seats."""

    def __init__(
        self,
        table: TableConfig,
        guests: Sequence[Connection],
        fill: Sequence[Make],
        seed: int | str | None,
        output: Path,
    ) -> None:
        """Seats go to the agents in the order in which they came, then to those of `fill`."""
        names = names_for(table.players, table.language, seed)
        profiles = {name: profile_for(name, table.language, seed) for name in names}
        roles = deal(table, names, seed)
        self.village = Village(table, roles, seed, game_id=new_game_id(), profiles=profiles)
        self.entries: Entries = []
        self.times = Times()
        agents: list[WiredPlayer] = [RemotePlayer(guest, self.entries, self.times) for guest in guests]
        others = [LocalPlayer(make(f"{seed} {at}"), self.entries, self.times) for at, make in enumerate(fill)]
        self.players = dict(zip(names, [*agents, *others], strict=True))
        self.teams = dict(zip(names, [guest.name for guest in guests]))
        for number, (name, other) in enumerate(zip(names[len(guests) :], others), 1):
            self.teams[name] = f"{other.team}{number}"
        self._place = output / self.village.game_id
        self._stamped = 0

    def lead(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Play the game and write its files, also of a game that was stopped, or that an error ended."""
        village = self.village
        clock = LiveClock(village, self.players) if village.table.talk == "anytime" else None
        try:
            Moderator(village, self.players, watch=self._watch, clock=clock, stopped=stopped).lead()
        finally:
            self._write()
            write_packets(self._place.with_suffix(".json"), village, self.teams, self.entries)

    def _watch(self, village: Village, step: Step) -> None:
        for line in village.lines[self._stamped :]:
            self.times.setdefault(line, now())
        self._stamped = len(village.lines)
        if isinstance(step, Told) and step.what == "daily_initialize":
            self._write()

    def _write(self) -> None:
        times = self.times if self.village.table.protocol == "v1" else None
        write_log(self._place.with_suffix(".log"), self.village, self.teams, times)
