"""The games of "Who wrote this?": made in the background, kept in a folder, played by several at once."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import DataError, ModelError, WolfChatboxError
from wolf_chatbox.evaluate.entries import Exchange
from wolf_chatbox.evaluate.judging.guesses import (
    Game,
    Guess,
    Round,
    add_clues,
    add_guess,
    read_game,
    read_guesses,
    write_game,
)
from wolf_chatbox.files import remove
from wolf_chatbox.page.away import away
from wolf_chatbox.page.judging.contest import draw
from wolf_chatbox.page.judging.held_out import held_out
from wolf_chatbox.reread import Reread
from wolf_chatbox.talk.server.refusals import Refusal
from wolf_chatbox.talk.server.roster import Served

if TYPE_CHECKING:
    from wolf_chatbox.page.desk import Desk

FEWEST, USUAL, MOST = 5, 10, 30
"""Rounds of a game."""
AT_ONCE = 4
"""Replies of a game that are drawn at once, so that chats go on beside it."""
SHOWN = 6
"""Turns before the replies that a game keeps."""
GUESSES = ".guesses.jsonl"
Step = Literal["reading", "loading", "drawing"]


@dataclass
class Making:
    """A game that comes about now."""

    run: str
    wanted: int
    step: Step = "reading"
    done: int = 0
    error: WolfChatboxError | Refusal | None = None


class Kept(NamedTuple):
    """A game of the folder, with what was guessed so far."""

    id: str
    game: Game
    guesses: list[Guess]

    @property
    def players(self) -> int:
        return len({guess.player for guess in self.guesses})

    def by(self, player: str) -> dict[int, Guess]:
        """A player's guesses by their rounds."""
        return {guess.round: guess for guess in self.guesses if guess.player == player}


@dataclass
class Games:
    """The games of a folder; all methods belong to one event loop."""

    folder: Path
    making: dict[str, Making] = field(default_factory=dict)
    listeners: dict[str, set[Callable[[], None]]] = field(default_factory=dict)
    """Called when something of a game is new, by its id; a browser's page adds itself and leaves when it is closed."""
    _game: Reread[Game | None] = field(default_factory=lambda: Reread(read_game), repr=False)
    _guessed: dict[Path, tuple[int, list[Guess]]] = field(default_factory=dict, repr=False)

    def path(self, id: str) -> Path:
        """The file of a game; raises DataError for what cannot be the id of one."""
        if not id or not all(sign.isascii() and (sign.isalnum() or sign == "-") for sign in id):
            raise DataError(f"{id}: no name of a game. Choose one of the list.")
        return self.folder / f"{id}.json"

    def get(self, id: str) -> Kept | None:
        """A game with its guesses; None where there is none. Raises DataError where a file cannot be read."""
        path = self.path(id)
        game = self._game(path)
        return None if game is None else Kept(id, game, self._guesses(path.with_name(id + GUESSES)))

    def all(self) -> list[Kept]:
        """The games that can be read, the newest first."""
        found, paths = [], set(self.folder.glob("[!.]*.json"))
        for gone in self._game.forget_others(paths):
            self._guessed.pop(gone.with_name(gone.stem + GUESSES), None)
        for path in paths:
            try:
                kept = self.get(path.stem)
            except DataError:
                continue
            if kept is not None:
                found.append(kept)
        return sorted(found, key=lambda kept: (kept.game.made, kept.id), reverse=True)

    def remove(self, id: str) -> None:
        """Remove a game and its guesses."""
        path = self.path(id)
        remove(path)
        remove(path.with_name(id + GUESSES))
        self.tell(id)

    async def guess(self, id: str, guess: Guess) -> None:
        """Keep a guess at once, unless the player has guessed the round before; raises CheckpointError."""
        kept = self.get(id)
        if kept is not None and guess.round not in kept.by(guess.player):
            await asyncio.to_thread(add_guess, self.path(id).with_name(id + GUESSES), guess)
            self.tell(id)

    async def name_clues(self, id: str, player: str, number: int, clues: Sequence[str]) -> None:
        """Keep what gave a round away; raises CheckpointError."""
        if self.get(id) is not None:
            await asyncio.to_thread(add_clues, self.path(id).with_name(id + GUESSES), player, number, clues)

    def tell(self, id: str) -> None:
        """Let everybody who looks at a game see what is new."""
        for listener in list(self.listeners.get(id, ())):
            listener()

    def listen(self, id: str, listener: Callable[[], None]) -> Callable[[], None]:
        """Be told of a game; gives what ends it."""
        self.listeners.setdefault(id, set()).add(listener)

        def leave() -> None:
            self.listeners.get(id, set()).discard(listener)
            if not self.listeners.get(id):
                self.listeners.pop(id, None)

        return leave

    def _guesses(self, path: Path) -> list[Guess]:
        try:
            size = path.stat().st_size  # it only grows
        except OSError:
            return []
        if path not in self._guessed or self._guessed[path][0] != size:
            self._guessed[path] = (size, read_guesses(path))
        return self._guessed[path][1]


def begin(desk: Desk, run: str, wanted: int) -> str:
    """Begin to make a game in the background; returns its id."""
    id = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    making = desk.games.making[id] = Making(run, wanted)
    from nicegui import background_tasks  # it reads where it keeps things when it is imported (page/app.py)

    background_tasks.create(_made(desk, id, making))
    return id


async def _made(desk: Desk, id: str, making: Making) -> None:
    games = desk.games
    try:
        game = await make(desk, making, lambda: games.tell(id))
        await asyncio.to_thread(write_game, games.path(id), game)
        del games.making[id]
    except (WolfChatboxError, Refusal) as error:
        making.error = error
    except Exception:
        making.error = ModelError("the game could not be made; the terminal says why. Try it again.")
        raise
    finally:
        games.tell(id)


async def make(desk: Desk, making: Making, told: Callable[[], None] = lambda: None) -> Game:
    """A game of held-out exchanges, each with a reply by the run.

    Raises what reading the data and loading the run raise, and DataError when no exchange is left.
    """
    run = desk.characters.find(making.run)
    if run is None:
        raise DataError(f"{making.run}: there is no such character any more. Choose another one.")
    exchanges = await away(held_out, [str(run.folder)], desk.workspace.making)
    making.step = "loading"
    told()
    served = await desk.characters.served(making.run)
    making.step = "drawing"
    told()
    left = random.sample(exchanges, len(exchanges))
    rounds, dropped = list[Round](), 0
    while left and len(rounds) < making.wanted:
        most = making.wanted - len(rounds)
        asked, left = left[:most], left[most:]
        found = await _rounds(desk, served, asked, making, told)
        rounds += [one for one in found if one is not None]
        dropped += sum(one is None for one in found)
    if not rounds:
        raise DataError(f"{making.run}: says nothing of its own to any held-out turn. Train it on more data.")
    made = datetime.now().isoformat(timespec="seconds")
    return Game(making.run, tuple(rounds), secrets.token_hex(16), made, dropped)


async def _rounds(
    desk: Desk, served: Served, asked: Sequence[Exchange], making: Making, told: Callable[[], None]
) -> list[Round | None]:
    """A round for each exchange; None where the model says nothing, or what was really said."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(exchange: Exchange) -> Round | None:
        async with places:
            text = await draw(desk, served, exchange.scene, served.character.sampling)
        real = exchange.said.text.strip()
        if not text or " ".join(text.split()) == " ".join(real.split()):
            return None
        making.done += 1
        told()
        context = tuple(Turn(turn.speaker, turn.text) for turn in exchange.scene.turns[-SHOWN:])
        return Round(context, Turn(exchange.said.speaker, real), text)

    return list(await asyncio.gather(*map(one, asked)))
