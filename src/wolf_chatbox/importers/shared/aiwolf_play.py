"""What the recordings of the AIWolf servers share: days and nights, markers that are no speech, a digest of the game.

The protocol: https://github.com/aiwolfdial/aiwolf-nlp-server/tree/main/doc
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.repair import pieces
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.game import Kind, Player
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.shared.games import Record
from wolf_chatbox.importers.shared.messages import from_unix
from wolf_chatbox.importers.shared.model_slips import slip_of, without_slips

SET = "aiwolf"
MARKS = {mark: f"{mark} (nothing to say)" for mark in ("Over", "Skip", "ForceSkip")}
"""What an agent sends when it has nothing to say, and the reasons it is counted under.

To the servers of all generations only these very words are marks: who says `over` has spoken, and may speak again.
"""
SIDES = ("VILLAGER", "WEREWOLF")
ULID = re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}")
"""The id of a game: https://github.com/ulid/spec"""
BY_DAY = ("vote", "execute")
"""What happens before the night begins."""


class Seat(NamedTuple):
    name: str
    role: str
    number: int | None
    connection: str = ""
    """The name the agent connected with, which begins with the team's."""
    facts: Mapping[str, Any] = {}

    @property
    def team(self) -> str:
        return str(self.facts.get("team") or re.sub(r"\d+$", "", self.connection))


class Play(Record):
    """A game of the servers while it is read."""

    def __init__(self, source: Source, config: ReadConfig, tally: Tally) -> None:
        super().__init__(str(source.path), tally)
        self.facts: dict[str, Any] = {}
        self.winner = ""
        self.votes_are_public = False
        self.over = False
        self._keeps_slips = "slips" in config.also_keep
        self._group = f"{source.folder.name}/{source.path.name.partition('.')[0]}".lstrip("/")
        self._open = self._talked = self._dark = False
        self._spaceless = 0
        self._course: list[tuple[int, str, str, str]] = []
        """What all recordings of a game share: who spoke and who voted for whom, by day."""

    def talk(self, day: int, name: str, text: str, channel: str, time: datetime | None = None) -> None:
        """Add an agent's reply to a request to talk or whisper; a whisper after the day's talk begins the night."""
        self.wake(day)
        self._talked |= channel == ""
        if channel and self._talked:
            self._nightfall()
        self._course.append((day, channel, name, ""))
        mark = MARKS.get(text.strip())
        slip = "" if mark or self._keeps_slips else slip_of(text)
        said = without_slips(text) if slip else text
        if mark or (slip and not said):
            self._tally.dropped[mark or slip] += 1
            return
        self._tally.changed[f"{slip}, removed from a line"] += bool(slip)
        text = said
        self._spaceless += bool(pieces(text))
        self.say(name, text, channel, time)

    def act(self, day: int, kind: Kind, actor: str = "", target: str = "", result: str = "") -> None:
        """Add another event of a day, or of the night after it."""
        self.wake(day)
        self._talked = True
        if kind not in BY_DAY:
            self._nightfall()
        if kind in BY_DAY:
            self._course.append((day, kind, actor, target))
        self.happen(kind, actor, target, result)

    def end(self, day: int, winner: str) -> None:
        self.day = day
        self.winner = winner if winner in SIDES else ""
        self.over = True
        self.happen("end")

    def finish(self, seats: list[Seat], number: int = 1) -> Iterator[Conversation]:
        """Yield the game, if it has turns."""
        known = {
            seat.name: json.dumps([seat.number if seat.number is not None else seat.name, seat.role, seat.team])
            for seat in seats
        }
        course = [
            [day, what, known.get(actor, actor), known.get(target, target)] for day, what, actor, target in self._course
        ]
        name = hashlib.sha256(json.dumps([sorted(known.values()), course]).encode(errors="replace")).hexdigest()[:16]
        players = [
            Player(
                seat.name,
                seat.role,
                seat.number,
                facts={k: v for k, v in {"connection": seat.connection, **seat.facts}.items() if v},
            )
            for seat in seats
        ]
        group = self._group if number == 1 else f"{self._group} {number}"
        made = self.conversation(
            SET, group, players, winner=self.winner, votes_are_public=self.votes_are_public, facts=self.facts
        )
        for conversation in made:
            yield replace(conversation, game=conversation.game and replace(conversation.game, same_as=f"{SET} {name}"))
        if not self.turns:
            self._tally.note(self.where, "skipped a game without turns")
        if self._spaceless:
            self._tally.note(
                self.where, f"{self._spaceless} lines seem to have lost their spaces; --repair restores them"
            )

    def wake(self, day: int) -> None:
        """Begin a day, unless it has begun."""
        if not self._open or day != self.day:
            self.day = day
            self._open, self._talked, self._dark = True, False, False
            self.happen("day")

    def _nightfall(self) -> None:
        if not self._dark:
            self._dark = True
            self.happen("night")


def time_of(stamp: Any) -> datetime | None:
    """The UTC time of seconds or milliseconds since 1970; None for anything else."""
    try:
        seconds = float(stamp)
    except (TypeError, ValueError, OverflowError):
        return None
    return from_unix(seconds / 1000 if seconds > 1e11 else seconds)
