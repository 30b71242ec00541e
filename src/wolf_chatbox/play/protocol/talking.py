"""What an agent waits for, and when it speaks in talk at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Any, Literal, NamedTuple

from wolf_chatbox.importers.shared.games import fields
from wolf_chatbox.play.clock import Deadline
from wolf_chatbox.play.player import Bid
from wolf_chatbox.play.protocol.knowledge import CHAT
from wolf_chatbox.werewolf.sight import Kind, Sight

ECHO = 5.0
"""Seconds in which a line of talk at any time comes back from the server; after them it is not waited for."""


class Request:
    """What the server waits for. `sent` is what it was answered; None while there is no answer, or never one."""

    def __init__(self, kind: Kind, packet: Mapping[str, Any], seconds: float) -> None:
        self.kind, self.packet, self.deadline = kind, packet, Deadline(seconds)
        self.sent: str | None = None


class Phase(NamedTuple):
    """Talk at any time, as long as the agent may speak."""

    kind: Literal["talk", "whisper"]
    deadline: Deadline


Item = tuple[Mapping[str, Any], Request | None, Phase | None]
"""A packet, the request that it is, and the phase that it belongs to."""


class Chat:
    """Decides, while no packet comes, whether the agent speaks in talk at any time."""

    def __init__(
        self,
        todo: SimpleQueue[Item | None],
        bid: Callable[[Phase, Sight], Bid | None],
        speak: Callable[[Phase, str], bool],
    ) -> None:
        """`bid` asks the player what it would say; `speak` says it, unless its time is up."""
        self._todo, self._ask, self._speak = todo, bid, speak
        self._phase: Phase | None = None
        self._sight: Sight | None = None
        self._echo: Deadline | None = None
        """Until when the line that was sent last may come back; None if nothing is awaited."""
        self._unheard = 0
        """Lines that did not come back in this phase; after two of them it says no more."""

    def follow(self, what: str, phase: Phase | None, packet: Mapping[str, Any], sight: Sight) -> None:
        """Note what a packet says of the phase."""
        self._sight = sight
        if what.endswith("PHASE_START"):
            self._phase, self._echo, self._unheard = phase, None, 0
        elif what not in CHAT or what.endswith("PHASE_END"):
            self._phase = None
        said = fields(packet.get("new_talk") or packet.get("new_whisper"))
        if said.get("agent") == sight.me:
            self._echo = None

    def wait(self) -> Item | None:
        """The next packet; until it comes, the player may speak."""
        while self._todo.empty():
            bid = self._bid() if self._echo is None else None
            seconds = bid.after if bid else self._echo.left if self._echo else None
            try:
                return self._todo.get(timeout=None if seconds is None else max(0.001, seconds))
            except Empty:
                if bid is None:
                    self._echo, self._unheard = None, self._unheard + 1
                elif self._phase is not None and self._speak(self._phase, bid.text):
                    self._echo = Deadline(ECHO)
                else:
                    self._phase = None
        return self._todo.get()

    def _bid(self) -> Bid | None:
        """What the player would say in the time that is left."""
        phase, sight = self._phase, self._sight
        if phase is None or sight is None or sight.left <= 0 or self._unheard > 1 or not phase.deadline.left:
            return None
        bid = self._ask(phase, sight)
        return bid if bid is not None and bid.after < phase.deadline.left else None
