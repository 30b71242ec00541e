"""The clocks of talk at any time: who speaks next, simulated or in real time; and deadlines."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import NamedTuple

from wolf_chatbox.play.player import Bid, LivePlayer, Player
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.steps import Listen

BREATH = 0.2
"""Seconds between two looks at whether a person has left."""


class Deadline:
    """A time by which something must be done; it does not change when the system's clock does."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._end - time.monotonic())


class Clock:
    """Says who speaks next in talk at any time."""

    def next(self, step: Listen) -> tuple[str, str] | None:
        """Who says what; None when the time is up."""
        raise NotImplementedError

    def thinking(self, name: str) -> bool:
        """Whether a player is busy with a bid, so that nothing can be told to it now: its Sight has it anyway."""
        return False

    def rest(self) -> None:
        """The talk is over: wait until nobody is busy any more."""

    def close(self) -> None:
        """The game is over."""


class SimulatedClock(Clock):
    """Does not wait: the player who would speak first does, and the time goes on by as much."""

    def __init__(self, village: Village, players: Mapping[str, Player], seed: int | str | None = None) -> None:
        self._village, self._players = village, players
        self._chance = random.Random(seed)
        self._left = 0.0

    def next(self, step: Listen) -> tuple[str, str] | None:
        if step.begins:
            self._left = 60 * self._village.table.talk_minutes
        bids: list[tuple[float, float, str, Bid]] = []
        for name in step.who:
            bid = self._players[name].bid(self._village.sights[name], self._left, step.kind)
            if bid is not None:
                bids.append((bid.after, self._chance.random(), name, bid))
        if not bids:
            return None
        after, _, name, bid = min(bids)
        self._left -= after
        return (name, bid.text) if self._left > 0 else None


class _Bidding(NamedTuple):
    """An agent that thinks about what to say, or knows it."""

    since: float
    bid: Future[Bid | None]

    @property
    def silent(self) -> bool:
        """Whether it has nothing to say, for now."""
        return self.bid.done() and self.bid.result() is None


class LiveClock(Clock):
    """People, and agents of the network, speak when they send a line; others when the time of their bid has come.

    A bid is asked for again when somebody has spoken; but who still thinks goes on, or a slow player never spoke.
    """

    def __init__(self, village: Village, players: Mapping[str, Player], *, pace: float = 1.0) -> None:
        """`pace` is the share of the time until an agent speaks that really passes; 0: none."""
        self._village, self._pace = village, pace
        self._people = {name: player for name, player in players.items() if isinstance(player, LivePlayer)}
        self._agents = {name: player for name, player in players.items() if name not in self._people}
        self._said: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._woken = threading.Event()
        self._bids: dict[str, _Bidding] = {}
        self._threads = ThreadPoolExecutor(max(1, len(self._agents)), "bid")
        self.deadline: Deadline | None = None
        """When the talk ends that goes on."""

    def next(self, step: Listen) -> tuple[str, str] | None:
        if step.begins or self.deadline is None:
            while self._heard(()) is not None:
                pass
            self.deadline = Deadline(60 * self._village.table.talk_minutes)
        self._invite(step, self.deadline)
        while self.deadline.left:
            self._woken.clear()
            if (line := self._heard(step.who) or self._due(step.who)) is not None:
                return line
            there = any(player.there for name, player in self._people.items() if name in step.who)
            if not there and all(self._bids[name].silent for name in step.who if name in self._agents):
                return None
            self._woken.wait(min(self._pause(), self.deadline.left))
        return None

    def thinking(self, name: str) -> bool:
        return name in self._bids and not self._bids[name].bid.done()

    def rest(self) -> None:
        for person in self._people.values():
            person.end_talk()
        wait([bidding.bid for bidding in self._bids.values()])
        self._bids.clear()
        self.deadline = None

    def close(self) -> None:
        self._threads.shutdown()

    def _invite(self, step: Listen, deadline: Deadline) -> None:
        """Let those speak who may: people by a line, agents by a bid."""
        for name, person in self._people.items():
            if name in step.who:
                person.let_talk(step.kind, self._village.sights[name], deadline, partial(self._hear, name))
            else:
                person.end_talk()
        for name in step.who:
            if name in self._agents and not self.thinking(name):
                sight = self._village.sights[name]
                bid = self._threads.submit(self._agents[name].bid, sight, deadline.left, step.kind)
                bid.add_done_callback(lambda _: self._woken.set())
                self._bids[name] = _Bidding(time.monotonic(), bid)

    def _hear(self, name: str, text: str) -> None:
        self._said.put((name, text))
        self._woken.set()

    def _heard(self, who: tuple[str, ...]) -> tuple[str, str] | None:
        """A person's line; None if there is none. Lines of others than `who` come too late."""
        while not self._said.empty():
            name, text = self._said.get()
            if name in who:
                return name, text
        return None

    def _due(self, who: tuple[str, ...]) -> tuple[str, str] | None:
        """The bid of an agent whose time has come first; None if there is none."""
        now = time.monotonic()
        ready = [(at, name) for name, at in self._times().items() if at <= now and name in who]
        if not ready:
            return None
        name = min(ready)[1]
        bid = self._bids.pop(name).bid.result()
        assert bid is not None
        return name, bid.text

    def _times(self) -> dict[str, float]:
        """When each agent speaks that knows what to say."""
        bids = {name: bidding.bid.result() for name, bidding in self._bids.items() if bidding.bid.done()}
        return {name: self._bids[name].since + self._pace * bid.after for name, bid in bids.items() if bid is not None}

    def _pause(self) -> float:
        """How long nothing is to be done, unless somebody speaks."""
        soonest = min(self._times().values(), default=float("inf")) - time.monotonic()
        return min(max(0.0, soonest), BREATH)
