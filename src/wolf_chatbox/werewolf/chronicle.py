"""A game while it is played: its players, what was said and done, and what each of them knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import NamedTuple

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.game import WEREWOLF, Event, Player
from wolf_chatbox.game import Kind as EventKind
from wolf_chatbox.werewolf.sight import Line, Sight, conversation_of
from wolf_chatbox.werewolf.table import TableConfig


class Thought(NamedTuple):
    """What a player thought; nobody else learns of it before the end."""

    at: int
    """How many lines came before it."""
    name: str
    text: str
    day: int = 0


class Chronicle:
    """What has happened in a game, and what everybody at the table knows of it."""

    def __init__(
        self,
        table: TableConfig,
        roles: Mapping[str, str],
        *,
        game_id: str = "",
        profiles: Mapping[str, str] | None = None,
    ) -> None:
        """`roles` are the players' in the order of their seats."""
        self.table, self.roles, self.game_id = table, dict(roles), game_id
        self.names = tuple(roles)
        self.profiles = dict(profiles or {})
        self.day = 0
        self.dead: set[str] = set()
        self.gone: dict[str, int] = {}
        """Players who are lost, and since which day: they do nothing any more, and nobody can name them; they count as
        alive."""
        self.lines: list[Line] = []
        self.events: list[Event] = []
        self.thoughts: list[Thought] = []
        self.invalid: Counter[str] = Counter()
        """Answers that name nobody who can be named, by player."""
        self.unanswered: Counter[str] = Counter()
        """Requests without an answer, by player."""
        self.winner = ""
        """The side that won; empty while the game goes on, and if nobody did."""
        self.over = False
        self.left: dict[str, int] = {}
        """Utterances that each player has left in this phase."""
        self.letters: dict[str, int] = {}
        """Characters that each player has left in this phase, where there is such a limit."""
        self.skips: Counter[str] = Counter()
        """How often in a row each player has skipped in this phase."""
        self.sights = {name: self.sight(name) for name in self.names}
        """What each player knows."""
        self.onlooker = self.sight("")
        """What everybody may know."""

    def sight(self, name: str) -> Sight:
        """What a player knows when the game begins."""
        role = self.roles.get(name, "")
        known = {who: its for who, its in self.roles.items() if who == name or its == role == WEREWOLF}
        counts, profile = self.table.counts(), self.profiles.get(name, "")
        return Sight(self.table, self.game_id, name, role, self.names, known, counts, profile)

    @property
    def alive(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in self.dead)

    def with_role(self, role: str) -> tuple[str, ...]:
        """The players of a role who are alive and there."""
        return tuple(name for name in self.alive if self.roles[name] == role and name not in self.gone)

    def seat(self, name: str) -> int:
        return self.names.index(name) + 1

    def lose(self, name: str) -> None:
        """A player is lost for good."""
        self.gone.setdefault(name, self.day)

    def think(self, name: str, text: str) -> None:
        """A player tells what it thinks, for the reveal at the end."""
        if text:
            self.thoughts.append(Thought(len(self.lines), name, text, self.day))

    def _present(self) -> tuple[str, ...]:
        return tuple(name for name in self.alive if name not in self.gone)

    def _happen(self, kind: EventKind, actor: str = "", target: str = "", result: str = "") -> None:
        event = Event(len(self.lines), self.day, kind, actor, target, result)
        if kind != "medium":  # no recording of a server has it: it follows from the execution
            self.events.append(event)
        for sight in (*self.sights.values(), self.onlooker):
            sight.learn(event)

    def _add(self, line: Line, who: Collection[str]) -> None:
        """A line is said: the wolves hear a whisper, everybody a talk, the dead too."""
        self.lines.append(line)
        for name, sight in self.sights.items():
            if not line.whisper or name in who:
                sight.hear(line)
        if not line.whisper:
            self.onlooker.hear(line)

    def conversation(self) -> Conversation:
        """The game as training data: everything that was said and happened. The thoughts are facts beside it.

        As of the events, it is said of each thought how many turns came before it.
        """
        players = tuple(Player(name, self.roles[name], self.seat(name)) for name in self.names)
        facts: dict[str, object] = {"game_id": self.game_id} if self.game_id else {}
        if self.thoughts:
            turns = [sum(line.is_speech for line in self.lines[: thought.at]) for thought in self.thoughts]
            facts["thoughts"] = [thought._replace(at=at)._asdict() for thought, at in zip(self.thoughts, turns)]
        group = self.game_id or "game"
        return conversation_of(self.lines, self.events, players, self.table, self.winner, group=group, facts=facts)
