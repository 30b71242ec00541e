"""A table for a game of werewolf on this server: people sit down by their links, agents take the other seats."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from wolf_chatbox.errors import ChatError, WolfChatboxError
from wolf_chatbox.page.outlook import Outlook, outlook
from wolf_chatbox.play.casting import Make
from wolf_chatbox.play.clock import LiveClock
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.play.seating import check_name, deal_to, profile_for, seat
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.steps import Ask, Course, Step
from wolf_chatbox.werewolf.table import TableConfig

EVERY = 0.05
"""Seconds between two looks that the browsers are given at most."""
MISSED = 2
"""Answers that somebody who looks no more may owe; from then on nobody waits for this person."""
State = Literal["open", "begins", "plays", "over"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is settled of a game before anybody sits down."""

    table: TableConfig = field(default_factory=TableConfig)
    fill: tuple[str, ...] = ("rules",)
    """The players of the seats that nobody takes, in turn."""
    wish: str = ""
    """The role of the person on the first seat; empty leaves it to chance."""
    seconds: float | None = 180.0
    """For a person's answer; None: as long as it takes."""
    pace: float = 1.0
    """Seconds before an agent speaks, so that people can read."""
    seed: int | None = None


class Person(HumanPlayer):
    """Somebody at a browser. Nobody waits for one who has left, and has missed some answers."""

    def __init__(self, changed: Callable[[], None], seconds: float | None, is_there: Callable[[], bool]) -> None:
        super().__init__(changed, seconds)
        self.asks = 0
        """How often it was asked for something."""
        self._is_there, self._missed = is_there, 0

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if self._missed >= MISSED and not self._is_there():
            self.sight = sight
            return None
        self.asks += 1
        answer = super().answer(kind, sight)
        self._missed = 0 if answer is not None else self._missed + 1
        return answer


@dataclass
class Chair:
    """A seat that is kept for a person; whoever has its token sits there."""

    token: str
    name: str = ""
    """Empty until somebody sits down."""
    looking: int = 0
    """How many browsers show it."""
    person: Person | None = None
    """Once the game has begun."""


class Watched(Village):
    """A game that others look at from another thread: it changes only while the lock is held."""

    def __init__(
        self, table: TableConfig, roles: Mapping[str, str], seed: int, game_id: str, changed: Callable[[], None]
    ) -> None:
        super().__init__(table, roles, seed, game_id=game_id)
        self.lock = threading.RLock()
        self.step: Step | None = None
        """What the game waits for."""
        self._changed = changed

    def course(self) -> Course:
        course, answer = super().course(), None
        while True:
            with self.lock:
                try:
                    step = self.step = course.send(answer)
                except StopIteration:
                    self.step = None
                    return
            self._changed()
            answer = yield step

    def think(self, name: str, text: str) -> None:
        with self.lock:
            super().think(name, text)


class Table:
    """One game, from the first guest to its end. Its methods belong to the event loop; the game has a thread."""

    def __init__(
        self,
        id: str,
        plan: Plan,
        make: Callable[[str], Make],
        keep: Callable[[Village, Mapping[str, str]], object],
    ) -> None:
        """`make` gives what makes a player of a name, `keep` keeps a game that is over; both are called in a thread."""
        self.id, self.plan = id, plan
        self.chairs: list[Chair] = []
        self.state: State = "open"
        self.error = ""
        """Why the game ended early, or was not kept."""
        self.village: Watched | None = None
        self.clock: LiveClock | None = None
        self.teams: dict[str, str] = {}
        """Who plays, by name."""
        self.next = ""
        """The table at which the same people play again."""
        self.listeners: set[Callable[[], None]] = set()
        """Called in the event loop after every change; a browser's page adds itself and leaves when it is closed."""
        self._make, self._keep = make, keep
        self._loop = asyncio.get_running_loop()
        self._told = False
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    # Who sits there

    def chair(self, token: str) -> Chair | None:
        """The seat that a token opens."""
        given = token.encode("utf-8", "replace")
        return next((chair for chair in self.chairs if hmac.compare_digest(chair.token.encode(), given)), None)

    def invite(self, token: str = "") -> Chair:
        """Keep one more seat for a person; raises ChatError where there is none left."""
        if self.state != "open" or len(self.chairs) >= self.plan.table.players:
            raise ChatError("there is no free seat. Watch the game instead.")
        chair = Chair(token or secrets.token_urlsafe(12))
        self.chairs.append(chair)
        self.changed()
        return chair

    def withdraw(self, chair: Chair) -> None:
        """Keep a seat no more; its link opens nothing."""
        if self.state == "open" and chair in self.chairs:
            self.chairs.remove(chair)
            self.changed()

    def sit(self, chair: Chair, name: str) -> None:
        """Take a seat under a name; raises ChatError where somebody has it, and ConfigError for one that is none."""
        if self.state != "open" or chair not in self.chairs:
            raise ChatError("this seat is not free any more. Watch the game, or join the next one.")
        name = check_name(name)
        if any(name.casefold() == other.name.casefold() for other in self.chairs if other is not chair):
            raise ChatError(f"{name}: somebody has this name. Take another one.")
        chair.name = name
        self.changed()

    @property
    def people(self) -> list[str]:
        return [chair.name for chair in self.chairs if chair.name]

    # The game

    def start(self) -> None:
        """Begin the game; agents take the seats that nobody has taken."""
        if self.state != "open":
            return
        self.state = "begins"
        self._thread = threading.Thread(target=self._run, name=f"werewolf {self.id}")
        self._thread.start()
        self.changed()

    def _run(self) -> None:
        try:
            makes = {name: self._make(name) for name in self.plan.fill}
            if not self._stopped.is_set():
                self._play(makes)
        except WolfChatboxError as error:
            self.error = str(error)
        except Exception:
            self.error = "the game broke off; the terminal says why. Set another table."
            raise
        finally:
            self._end()

    def _play(self, makes: Mapping[str, Make]) -> None:
        seed = self.plan.seed if self.plan.seed is not None else secrets.randbits(48)
        seats, roles = self._seats(seed)
        village = Watched(self.plan.table, roles, seed, self.id, self.changed)
        village.profiles = {name: profile_for(name, self.plan.table.language, seed) for name in roles if seats[name]}
        players = self._players(makes, seats, seed)
        self.teams = {name: player.team for name, player in players.items()}
        with ThreadPoolExecutor(len(players), f"werewolf {self.id}") as together:
            self.clock = LiveClock(village, players, pace=min(1.0, self.plan.pace))
            moderator = Moderator(
                village,
                players,
                watch=self._watch,
                together=together,
                clock=self.clock,
                stopped=self._stopped.is_set,
            )
            self.village, self.state = village, "plays"
            if self._stopped.is_set():
                self._dismiss()
            moderator.lead()

    def _seats(self, seed: int) -> tuple[dict[str, str], dict[str, str]]:
        """Who plays each seat, empty for a person, and the roles; a wish is granted where the table has that role."""
        table, people = self.plan.table, self.people
        seats = seat(table, people, self.plan.fill[: table.players - len(people)], seed)
        first = self.chairs[0].name if self.chairs else ""
        wish = self.plan.wish if self.plan.wish in table.counts() else ""
        return seats, deal_to(table, list(seats), seed, {first: wish} if first and wish else {})

    def _players(self, makes: Mapping[str, Make], seats: Mapping[str, str], seed: int) -> dict[str, Player]:
        chairs = {chair.name: chair for chair in self.chairs if chair.name}
        return {
            name: makes[word](f"{name} {seed}") if word else self._person(chairs[name]) for name, word in seats.items()
        }

    def _person(self, chair: Chair) -> Person:
        chair.person = Person(self.changed, self.plan.seconds, lambda: chair.looking > 0)
        return chair.person

    def _watch(self, village: Village, step: Step) -> None:
        """Let an agent take a moment before it speaks."""
        if isinstance(step, Ask) and step.kind == "talk" and self.teams[step.who[0]] != Person.team:
            self._stopped.wait(self.plan.pace)

    def _end(self) -> None:
        if self.village is not None:
            try:
                self._keep(self.village, self.teams)
            except WolfChatboxError as error:
                self.error = str(error)
        self.state = "over"
        self.changed()

    def stop(self) -> None:
        """Give the game up; its log is written. It takes until the agents have said what they are about to say."""
        self._stopped.set()
        if self._thread is None:
            self.state = "over"
        self._dismiss()
        self.changed()

    def _dismiss(self) -> None:
        for chair in self.chairs:
            if chair.person is not None:
                chair.person.leave()

    def wait(self) -> None:
        """Wait until the game's thread has ended."""
        if self._thread is not None:
            self._thread.join()

    # What a browser sees

    def outlook(self, chair: Chair | None, language: str) -> Outlook | None:
        """The game as somebody on a seat, or without one, sees it now; None before it begins."""
        village = self.village
        if village is None:
            return None
        me = chair.name if chair is not None and chair.name in village.roles else ""
        with village.lock:
            return outlook(village, me, village.step, language, self.teams if self.state == "over" else None)

    def look(self, chair: Chair | None, listener: Callable[[], None]) -> Callable[[], None]:
        """Be told of every change; gives what ends it."""
        self.listeners.add(listener)
        if chair is not None:
            chair.looking += 1

        def leave() -> None:
            if listener in self.listeners:
                self.listeners.discard(listener)
                if chair is not None:
                    chair.looking -= 1
                self.changed()

        return leave

    def again(self) -> Plan:
        """The plan of another game of the same kind."""
        return replace(self.plan, seed=None)

    def changed(self) -> None:
        """Let everybody who looks see what is new, soon; any thread may call it."""
        if not self._told:
            self._told = True
            with suppress(RuntimeError):  # the loop is closed: nobody looks any more
                self._loop.call_soon_threadsafe(self._loop.call_later, EVERY, self._tell)

    def _tell(self) -> None:
        self._told = False
        for listener in list(self.listeners):
            listener()
