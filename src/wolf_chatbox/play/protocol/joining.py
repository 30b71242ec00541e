"""Joins the games of a server: connects the seats, plays game after game, and tells what became of each."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from cyclopts import Parameter

from wolf_chatbox.errors import CheckpointError, ConfigError, PlayError
from wolf_chatbox.play.casting import Make, PlayersConfig
from wolf_chatbox.play.protocol.agent import Agent, Outcome
from wolf_chatbox.settings import AT_LEAST_0, LIMITS, PLAYERS, SAVING, SERVER, Whole, Within, check, unset
from wolf_chatbox.visible import Tell

APART = 0.02
"""Seconds between two connections: the server of 2025 loses agents that connect at the same time."""
AGAIN = (0.5, 1, 2, 4, 8, 15, 30)
"""Seconds before each further try to connect for the next game."""
OPEN = 10.0
"""Seconds to connect in."""
LARGEST = 2**24
"""Bytes of a packet at most."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class JoinConfig:
    """Play at the tables of a server of the AIWolf NLP contest, or of `werewolf host`."""

    url: str = field(default="ws://127.0.0.1:8080/ws", kw_only=False)
    """The server, as ws://HOST:PORT/ws, or wss:// where the connection is encrypted."""
    player: Annotated[str, PLAYERS] = "rules"
    """Who plays: random, rules, model:RUN, openai:URL#MODEL."""
    games: Annotated[Whole, PLAYERS, AT_LEAST_0] = 1
    """Games that each seat plays, one after another; 0 = until Ctrl-C."""
    seats: Annotated[Whole, PLAYERS, Within(least=1, most=256)] = 1
    """Connections at the same time, each with a player of its own."""
    language: Annotated[Literal["auto", "en", "ja"], PLAYERS] = "auto"
    """Language to speak; auto = that of the profile, or of what is said first."""
    seed: Annotated[Whole | None, PLAYERS, unset("a new one each time")] = None
    """Random seed of the players."""
    name: Annotated[str, SERVER] = "wolf_chatbox"
    """Name of the team; each connection adds its number."""
    token: Annotated[str | None, SERVER, Parameter(env_var="WOLF_CHATBOX_TEAM_TOKEN"), unset("no token")] = field(
        default=None, repr=False
    )
    """Token of the team; better set as WOLF_CHATBOX_TEAM_TOKEN, as other users see a command line's flags."""
    token_file: Annotated[Path | None, SERVER, unset("no token")] = None
    """File with the token."""
    patience: Annotated[float, LIMITS, Within(above=0)] = 30
    """Minutes that the server may be silent in a game, before the game is given up."""
    log: Annotated[Path | None, SAVING, unset("not saved")] = None
    """Folder for what each agent saw and sent, a file a game (JSON lines)."""
    playing: PlayersConfig = field(default_factory=PlayersConfig)

    def __post_init__(self) -> None:
        check(self)
        try:
            parts = urlsplit(self.url)
            right = parts.scheme in ("ws", "wss") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            right = False
        if not right:
            raise ConfigError("url", self.url, "is no address of a server. Write it as ws://127.0.0.1:8080/ws.")
        if not self.name.strip() or self.name[-1].isdecimal() or not self.name.isprintable() or "," in self.name:
            problem = "must be a name without commas that does not end with a digit: the server takes digits off."
            raise ConfigError("name", self.name, problem)
        self.secret()

    def secret(self) -> str | None:
        """The token that is sent; raises ConfigError for a file without one, or one that no header can hold."""
        token = self.token
        if token is None and self.token_file is not None:
            try:
                token = self.token_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
                raise ConfigError("token_file", self.token_file, f"cannot be read ({reason}).") from error
        if token is not None and (not token or not token.isascii() or not token.isprintable() or " " in token):
            raise ConfigError("token", "(not shown)", "is no token: it has ASCII characters only, and no spaces.")
        return token


class Seats:
    """The seats that one command fills; each is a thread, and plays its games one after another."""

    def __init__(self, config: JoinConfig, make: Make, say: Tell) -> None:
        """`say` takes a line about each game, and about what goes wrong."""
        self._config, self._make, self._say = config, make, say
        self._door = threading.Lock()
        self._over = threading.Event()
        self._errors: list[Exception] = []
        self.outcomes: list[Outcome] = []

    def play(self) -> None:
        """Play all games; raises PlayError for a server that cannot be joined, and for games that were broken off.

        Any other error of a seat is raised too, when all seats are left. Ctrl-C leaves them at once.
        """
        seats = range(1, self._config.seats + 1)
        threads = [threading.Thread(target=self._sit, args=(seat,), name=f"seat {seat}", daemon=True) for seat in seats]
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                for thread in threads:
                    thread.join(0.1)
        finally:
            self._over.set()
            for thread in threads:
                thread.join(2)
        if self._errors:
            raise self._errors[0]
        if lost := sum(not outcome.finished for outcome in self.outcomes):
            raise PlayError(f"{lost} of {len(self.outcomes)} games were broken off. See the lines above.")

    def _sit(self, seat: int) -> None:
        try:
            played = 0
            while not self._over.is_set() and (played < self._config.games or not self._config.games):
                played += self._play(seat, played + 1)
        except Exception as error:
            self._errors.append(error)
            self._over.set()

    def _play(self, seat: int, game: int) -> bool:
        """Play a game; whether there was one."""
        config, name = self._config, f"{self._config.name}{seat}"
        seed = None if config.seed is None else f"{config.seed} {seat} {game}"
        for wait in (*(AGAIN if game > 1 else ()), None):
            try:
                with Diary(config.log, name) as diary, self._connect() as wire:
                    outcome = Agent(
                        wire,
                        name,
                        self._make(seed),
                        language=None if config.language == "auto" else config.language,
                        patience=60 * config.patience,
                        note=diary.note,
                        tell=self._say,
                        stopped=self._over.is_set,
                    ).play()
                if outcome is None and not self._over.is_set():
                    remedy = "Check the token and the team's name, and that the server still plays."
                    raise PlayError(f"{config.url}: the server closed the connection before a game. {remedy}")
                break
            except PlayError:
                if wait is None or self._over.wait(wait):
                    raise
        if outcome is None:
            return False
        self.outcomes.append(outcome)
        self._say(line_of(name, outcome))
        return True

    def _connect(self) -> Any:
        """A connection; raises PlayError. It follows no redirection: the token is for the server that was named."""
        with self._door:
            time.sleep(APART)
            return connect(self._config.url, self._config.secret())


def connect(url: str, token: str | None) -> Any:
    """A websocket without pings of its own, which the server of 2025 does not answer; raises PlayError."""
    import ssl

    from websockets.exceptions import InvalidStatus, WebSocketException
    from websockets.sync.client import connect as open_websocket

    parts = urlsplit(url)
    place = (parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80))
    opened: socket.socket | None = None
    try:
        opened = socket.create_connection(place, timeout=OPEN)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # a dead line is noticed without pings
        return open_websocket(
            url,
            sock=opened,
            additional_headers={"Authorization": f"Bearer {token}"} if token else None,
            compression=None,
            proxy=None,
            ping_interval=None,
            open_timeout=OPEN,
            close_timeout=1,
            max_size=LARGEST,
        )
    except (WebSocketException, OSError, EOFError, ValueError) as error:
        if opened is not None:
            opened.close()
        if isinstance(error, InvalidStatus):
            status = error.response.status_code
            remedy = "Check the token." if status in (401, 403) else "Check the address: its path is mostly /ws."
            raise PlayError(f"{url}: the server refuses ({status}). {remedy}") from error
        if isinstance(error, ssl.SSLError):
            raise PlayError(f"{url}: no encrypted connection ({error.reason}). Is it ws://?") from error
        if isinstance(error, OSError) and not isinstance(error, TimeoutError):
            reason = error.strerror or type(error).__name__
            raise PlayError(f"{url}: cannot be reached ({reason}). Check the address, and that it runs.") from error
        raise PlayError(f"{url}: no websocket there ({type(error).__name__}). Check the address.") from error


def line_of(name: str, outcome: Outcome) -> str:
    """What became of a game, in a line."""
    who = f"{outcome.game_id or 'game'} · {name} = {outcome.me}, {outcome.role or '?'}"
    if not outcome.finished:
        return f"{who} · broken off on day {outcome.day}"
    won = f"{outcome.winner} won" if outcome.winner else "nobody won"
    late = f" · {outcome.instead} answers came too late" if outcome.instead else ""
    return f"{who} · {won} · day {outcome.day}{late}"


class Diary:
    """Keeps what an agent saw and sent, a line of JSON each; without a folder it keeps nothing."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._folder, self._name = folder, name
        self._lock = threading.Lock()
        self._early: list[str] = []
        self._file: Any = None

    def __enter__(self) -> Diary:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._folder = None
            if self._file is not None:
                self._file.close()

    def note(self, event: Mapping[str, Any]) -> None:
        """Keep an event, in the file of its game as soon as that has an id. Raises CheckpointError."""
        with self._lock:
            if self._folder is None:
                return
            self._early.append(json.dumps({"time": round(1000 * time.time()), **event}, ensure_ascii=False) + "\n")
            info = event.get("packet", {}).get("info")
            if self._file is None and isinstance(info, dict) and info.get("game_id"):
                self._open(str(info["game_id"]))
            if self._file is not None:
                self._file.writelines(self._early)
                self._file.flush()
                self._early = []

    def _open(self, game: str) -> None:
        assert self._folder is not None, "there is a folder"
        known = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in game)
        path = self._folder / f"{known}_{self._name}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Half a surrogate pair stays what it is in JSON.
            self._file = path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be written ({error.strerror}). Choose another folder.") from error
