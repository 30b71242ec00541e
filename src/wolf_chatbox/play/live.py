"""Talk at any time with people at the table: the clock is a real one, and whoever is first speaks."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future

from wolf_chatbox.play.moderator import Clock, Deadline
from wolf_chatbox.play.player import Bid, Player
from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.werewolf.rules import Listen, Village

LOOK = 0.2
"""Seconds between two looks at whether the game is given up."""


class LiveClock(Clock):
    """Waits in real time. All players think side by side; a person's words count when they are said.

    Whoever is not a person thinks again after each line, about what was said meanwhile.
    """

    def __init__(
        self,
        village: Village,
        players: Mapping[str, Player],
        together: Executor,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """`together` needs a thread for each player."""
        self._village, self._players, self._together, self._stopped = village, players, together, stopped
        self._thinking: dict[str, Future[Bid | None]] = {}
        self._due: dict[str, tuple[Deadline, Bid]] = {}
        self._news = threading.Event()
        self.deadline: Deadline | None = None
        """When the talk ends; None outside of it."""

    def next(self, step: Listen) -> tuple[str, str] | None:
        if step.begins or self.deadline is None:
            self.deadline = Deadline(60 * self._village.table.talk_minutes)
            self._thinking.clear()
        self._due = {name: due for name, due in self._due.items() if self._is_person(name)}
        for name in step.who:
            if name not in self._thinking and name not in self._due:
                self._think(step, name)
        heard = self._wait(step)
        # A player does one thing at a time: who still thinks ends before anything else happens. A person may go on.
        for name in list(self._thinking):
            if heard is None or not self._is_person(name):
                self._thinking.pop(name).result()
        if heard is None:
            self.deadline = None
            self._due.clear()
        return heard

    def _is_person(self, name: str) -> bool:
        return isinstance(self._players[name], HumanPlayer)

    def _think(self, step: Listen, name: str) -> None:
        assert self.deadline is not None
        sight, left = self._village.sights[name], self.deadline.left
        thinking = self._together.submit(self._players[name].bid, sight, left, step.kind)
        thinking.add_done_callback(lambda _: self._news.set())
        self._thinking[name] = thinking

    def _wait(self, step: Listen) -> tuple[str, str] | None:
        """Who speaks first; None when the time is up, the game is given up, or nobody wants to speak any more."""
        assert self.deadline is not None
        while self.deadline.left and not self._stopped():
            self._news.clear()
            self._take()
            due = [name for name, (when, _) in self._due.items() if not when.left and name in step.who]
            if due:
                name = random.choice(due)
                return name, self._due.pop(name)[1].text
            waiting = [self._due[name][0].left for name in self._due if name in step.who]
            if not waiting and not any(name in self._thinking for name in step.who):
                return None
            self._news.wait(min([LOOK, self.deadline.left, *waiting]))
        return None

    def _take(self) -> None:
        """Note what the players who have thought would say; raises what thinking raised."""
        for name in [name for name, thinking in self._thinking.items() if thinking.done()]:
            bid = self._thinking.pop(name).result()
            if bid is not None:
                self._due[name] = (Deadline(bid.after), bid)
