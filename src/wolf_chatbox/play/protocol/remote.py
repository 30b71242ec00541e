"""A player behind a network, and one of this process at the same table: both are sent the server's packets.

What is sent and answered is kept, for the `.json` of the game.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wolf_chatbox.play.clock import Deadline
from wolf_chatbox.play.log import now
from wolf_chatbox.play.player import Bid, LivePlayer, Player
from wolf_chatbox.play.protocol.connection import Connection, Lost, Silent
from wolf_chatbox.play.protocol.packets import NAME, NOTHING, encode, packet_of, request_of
from wolf_chatbox.werewolf.sight import Kind, Line, Sight
from wolf_chatbox.werewolf.steps import Tell

GRACE = 5.0
"""Seconds that an answer may be late (the server's `acceptable`)."""
Entries = list[dict[str, Any]]
"""Packets with their answers, in the order in which they were sent."""


class WiredPlayer(Player):
    """A player that is sent packets."""

    def __init__(self, entries: Entries, times: Mapping[Line, int]) -> None:
        super().__init__()
        self._entries, self._times = entries, times
        self._cursor = NOTHING

    def packet(self, request: str, sight: Sight) -> str:
        packet, self._cursor = packet_of(request, sight, self._cursor, self._times)
        return encode(packet)

    def keep(self, me: str, packet: str, asked: int, reply: str | None = None, error: str = "") -> None:
        """Keep a packet, asked at that time, with its answer; its keys are in the server's order."""
        answered = {"response": reply} if reply is not None else {}
        wrong = {"error": error} if error else {}
        entry = {"agent": me, **wrong, "request": packet, "request_timestamp": asked, **answered}
        self._entries.append({**entry, "response_timestamp": now()})


class RemotePlayer(WiredPlayer, LivePlayer):
    """An agent on a connection. One that does not answer is asked for its name; without it, it is gone."""

    def __init__(self, connection: Connection, entries: Entries, times: Mapping[Line, int]) -> None:
        super().__init__(entries, times)
        self.connection = connection
        self.team = connection.team

    @property
    def there(self) -> bool:
        """Whether it can still say something."""
        self.gone = self.gone or not self.connection.there
        return not self.gone

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if not self.there:
            return None
        packet, asked = self.packet(kind.upper(), sight), now()
        try:
            self.connection.send(packet)
            reply = self.connection.receive(sight.table.answer_seconds + GRACE).rstrip("\n")
        except Silent:
            self.account["late"] += 1
            self.keep(sight.me, packet, asked, error="timeout")
            self._probe(sight.table.probe_seconds)
            return None
        except Lost:
            self.gone = True
            self.keep(sight.me, packet, asked, error="websocket: closed")
            return None
        self.keep(sight.me, packet, asked, reply)
        return reply

    def _probe(self, seconds: float) -> None:
        """Ask a silent agent for its name; its late answer is none, and then it counts as lost, as on the server."""
        try:
            self.connection.send(encode({"request": NAME}))
            self.gone = self.connection.receive(seconds).rstrip("\n") != self.connection.name
        except (Silent, Lost):
            self.gone = True
        if self.gone:
            self.connection.close()

    def told(self, tell: Tell, sight: Sight) -> None:
        if tell.what == "phase_end":
            self.connection.listen(None)
        if not self.there:
            return
        packet, asked = self.packet(request_of(tell), sight), now()
        try:
            self.connection.send(packet)
        except Lost:
            self.gone = True
            self.keep(sight.me, packet, asked, error="websocket: closed")
        else:
            self.keep(sight.me, packet, asked)

    def let_talk(self, kind: Kind, sight: Sight, deadline: Deadline, hear: Callable[[str], None]) -> None:
        """Talk at any time goes on, and it may speak: hand on what it sends."""
        self.connection.listen(hear)

    def end_talk(self) -> None:
        """Until the talk ends, the clock drops what it sends."""

    def close(self) -> None:
        self.connection.close()


class LocalPlayer(WiredPlayer):
    """A player of this process at a table of agents. It needs no packets; they are kept, as those of the others."""

    def __init__(self, player: Player, entries: Entries, times: Mapping[Line, int]) -> None:
        super().__init__(entries, times)
        self.player, self.team = player, player.team

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        packet, asked = self.packet(kind.upper(), sight), now()
        reply = self.player.answer(kind, sight)
        self._take_thought()
        self.keep(sight.me, packet, asked, reply, error="" if reply is not None else "timeout")
        return reply

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
        bid = self.player.bid(sight, seconds, kind)
        self._take_thought()
        return bid

    def told(self, tell: Tell, sight: Sight) -> None:
        packet, asked = self.packet(request_of(tell), sight), now()
        self.player.told(tell, sight)
        self.keep(sight.me, packet, asked)

    def close(self) -> None:
        self.player.close()

    def _take_thought(self) -> None:
        self.thought, self.player.thought = self.player.thought, ""
