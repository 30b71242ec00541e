"""The moderator behind a websocket: agents connect, tables fill, and each game is led in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Self

from wolf_chatbox.files import writing
from wolf_chatbox.play.casting import Make
from wolf_chatbox.play.log import NONE
from wolf_chatbox.play.protocol.config import HostConfig
from wolf_chatbox.play.protocol.connection import Connection
from wolf_chatbox.play.protocol.gate import Gate
from wolf_chatbox.play.protocol.matching import WaitingRoom
from wolf_chatbox.play.protocol.session import Session
from wolf_chatbox.talk.server.place import listen
from wolf_chatbox.visible import Tell


class Host:
    """Lets agents in and leads their games; to be used in a `with` block, which ends all of them."""

    def __init__(
        self,
        config: HostConfig,
        fill: Sequence[Make] = (),
        *,
        secret: str | None = None,
        tell: Tell = lambda text: None,
        done: Callable[[Session], None] = lambda session: None,
    ) -> None:
        """`fill` makes the players of `config.fill`; `tell` takes a line for what happens, and `done` each game that
        ended, both from any thread.

        Raises ConfigError for an address or a port that cannot be had.
        """
        self.config, self._tell, self._done = config, tell, done
        others = config.table.players - config.seats
        self._fill = [fill[at % len(fill)] for at in range(others)] if others else []
        self._room: WaitingRoom[Connection] = WaitingRoom(config.seats, same_team=config.teams == "same")
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._begun = 0
        self._stopped = False
        self.winners: list[str] = []
        """Who won, of the games that have ended."""
        self.failed: list[Exception] = []
        """What ended a game that is not its end."""
        self._place = listen(config.host, config.port)
        self._gate = Gate(self._place, self._enter, self._leave, secret=secret, tell=tell)

    @property
    def url(self) -> str:
        host, port = self._place.getsockname()[:2]
        return f"ws://[{host}]:{port}/ws" if ":" in host else f"ws://{host}:{port}/ws"

    def __enter__(self) -> Self:
        with writing(self.config.output):
            self.config.output.mkdir(parents=True, exist_ok=True)
        self._gate.open()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop all games, and write what there is of them."""
        with self._changed:
            self._stopped = True
        self._gate.close()  # games that wait for an answer find that there is nobody any more
        for thread in list(self._threads):
            thread.join()

    def wait(self) -> None:
        """Wait until all games are over that there shall be; raises what ended a game that is not its end."""
        with self._changed:
            self._changed.wait_for(lambda: self.failed or len(self.winners) == self.config.games)
        if self.failed:
            raise self.failed[0]

    def _enter(self, guest: Connection) -> None:
        with self._changed:
            self._room.enter(guest)
            self._seat()
            for team, number in self._room.missing():
                who = f"team {team}" if team else "teams"
                self._tell(f"waiting: {number} of {self._room.seats} ({who})")

    def _leave(self, guest: Connection) -> None:
        with self._changed:
            self._room.leave(guest)

    def _seat(self) -> None:
        """Begin the games that can begin; to be called with the lock held."""
        while not self._stopped and len(self._threads) < self.config.at_once and self._begun != self.config.games:
            guests = self._room.table()
            if not guests:
                return
            seed = None if self.config.seed is None else f"{self.config.seed} {self._begun}"
            self._begun += 1
            thread = threading.Thread(target=self._lead, args=(guests, seed), name=f"game {self._begun}")
            self._threads.append(thread)
            thread.start()

    def _lead(self, guests: Sequence[Connection], seed: str | None) -> None:
        winner = NONE
        try:
            session = Session(self.config.table, guests, self._fill, seed, self.config.output)
            game_id = session.village.game_id
            self._tell(f"game {game_id} begins: {', '.join(session.teams.values())}")
            session.lead(lambda: self._stopped)
            how = "ended" if session.village.over else "was stopped"
            winner = session.village.winner or NONE
            self._tell(f"game {game_id} {how}: {'nobody' if winner == NONE else winner} won")
            self._done(session)
        except Exception as error:
            self.failed.append(error)  # `wait` raises it
        with self._changed:
            self._threads.remove(threading.current_thread())
            self.winners.append(winner)
            self._seat()
            self._changed.notify_all()
