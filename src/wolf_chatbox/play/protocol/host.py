"""The moderator behind a websocket: agents connect, tables fill, and each game is led in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

from cyclopts import Parameter

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.files import writing
from wolf_chatbox.play.casting import Make, PlayersConfig
from wolf_chatbox.play.protocol.connection import Connection
from wolf_chatbox.play.protocol.matching import WaitingRoom
from wolf_chatbox.play.protocol.session import Session
from wolf_chatbox.play.protocol.socket import Gate
from wolf_chatbox.settings import AT_LEAST_1, LIMITS, PLAYERS, SAVING, SERVER, TABLE, Whole, Within, check, unset
from wolf_chatbox.talk.server.place import listen
from wolf_chatbox.visible import Tell
from wolf_chatbox.werewolf.table import TableConfig


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class HostConfig:
    """Lead games of agents that connect over the network, as the server of the AIWolf NLP contest does."""

    table: TableConfig = field(default_factory=TableConfig)
    brains: PlayersConfig = field(default_factory=PlayersConfig)
    fill: Annotated[tuple[str, ...], PLAYERS, Parameter(name="--with"), unset("nobody")] = ()
    """Players of this machine at each table, used in turn: random, rules, model:RUN, openai:URL#MODEL."""
    agents: Annotated[Whole | None, PLAYERS, AT_LEAST_1, unset("all players; 1 with --with")] = None
    """Seats at each table for agents of the network; the players of --with have the others."""
    teams: Annotated[Literal["same", "different"], PLAYERS] = "same"
    """Whether the agents at a table are of one team (their name without the digits at its end), or of different ones."""
    seed: Annotated[Whole | None, TABLE, unset("a new one each time")] = None
    """Number that decides on names, roles, orders and ties."""
    host: Annotated[str, SERVER] = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets other machines in, which needs --secret-file."""
    port: Annotated[Whole, SERVER, Within(least=0, most=65535)] = 8080
    """Port to listen on; 0 = any that is free."""
    secret_file: Annotated[Path | None, SERVER, unset("no tokens")] = None
    """File with the secret that signs the agents' tokens, readable by you only (chmod 600)."""
    invite: Annotated[tuple[str, ...], SERVER] = ()
    """Teams whose tokens are shown at the start; needs --secret-file."""
    games: Annotated[Whole | None, LIMITS, AT_LEAST_1, unset("any number, until Ctrl-C")] = None
    """Games to lead; then it ends."""
    at_once: Annotated[Whole, LIMITS, Within(least=1, most=256)] = 32
    """Games that go on at the same time at most; further agents wait."""
    output: Annotated[Path, SAVING] = Path("werewolf_games")
    """Folder for the .log and the .json of each game."""

    def __post_init__(self) -> None:
        check(self)
        if self.agents is not None and self.agents > self.table.players:
            raise ConfigError("agents", self.agents, f"are more than the {self.table.players} players. Take fewer.")
        if not self.fill and self.seats < self.table.players:
            problem = f"leaves {self.table.players - self.seats} seats empty. Fill them: --with rules"
            raise ConfigError("agents", self.agents, problem)
        if self.invite and self.secret_file is None:
            raise ConfigError(
                "invite", " ".join(self.invite), "needs --secret-file, with the secret that signs tokens."
            )

    @property
    def seats(self) -> int:
        """Agents of the network at each table."""
        return self.agents if self.agents is not None else 1 if self.fill else self.table.players


class Host:
    """Lets agents in and leads their games; to be used in a `with` block, which ends all of them."""

    def __init__(
        self,
        config: HostConfig,
        fill: Sequence[Make] = (),
        *,
        secret: str | None = None,
        tell: Tell = lambda text: None,
    ) -> None:
        """`fill` makes the players of `config.fill`; `tell` takes a line for what happens, from any thread.

        Raises ConfigError for an address or a port that cannot be had.
        """
        self.config, self._tell = config, tell
        others = config.table.players - config.seats
        self._fill = [fill[at % len(fill)] for at in range(others)] if others else []
        self._room: WaitingRoom[Connection] = WaitingRoom(config.seats, same_team=config.teams == "same")
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._begun = 0
        self._stopped = False
        self.sessions: list[Session] = []
        """Games that have ended."""
        self.failed: list[Exception] = []
        """What ended a game that is not its end."""
        self._place = listen(config.host, config.port)
        probe = config.table.probe_seconds
        self._gate = Gate(self._place, self._enter, self._leave, secret=secret, name_seconds=probe, tell=tell)

    @property
    def url(self) -> str:
        host, port = self._place.getsockname()[:2]
        return f"ws://[{host}]:{port}/ws" if ":" in host else f"ws://{host}:{port}/ws"

    def __enter__(self) -> Self:
        with writing(self.config.output):
            self.config.output.mkdir(parents=True, exist_ok=True)
        self._gate.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all games, and write what there is of them."""
        with self._changed:
            self._stopped = True
        self._gate.close()  # games that wait for an answer find that there is nobody any more
        for thread in self._threads:
            thread.join()

    def wait(self) -> None:
        """Wait until all games are over that there shall be; raises what ended a game that is not its end."""
        with self._changed:
            self._changed.wait_for(lambda: self.failed or len(self.sessions) == self.config.games)
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
            session = Session(self.config.table, guests, self._fill, seed, self.config.output)
            thread = threading.Thread(target=self._lead, args=(session,), name=session.village.game_id)
            self._threads.append(thread)
            thread.start()

    def _lead(self, session: Session) -> None:
        game_id = session.village.game_id
        self._tell(f"game {game_id} begins: {', '.join(session.teams.values())}")
        try:
            session.lead(lambda: self._stopped)
        except Exception as error:
            self.failed.append(error)  # `wait` raises it
        finally:
            with self._changed:
                self._threads.remove(threading.current_thread())
                self.sessions.append(session)
                self._seat()
                self._changed.notify_all()
        how = f"{session.winner} won" if session.village.winner else "nobody won"
        self._tell(f"game {game_id} {'ended' if session.village.over else 'was stopped'}: {how}")
