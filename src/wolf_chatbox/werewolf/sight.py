"""What one player of a running game knows: who learns what, as one law, and the scene the player answers from.

A table keeps a Sight for each player; an agent that plays over a network builds the same value from its packets. So a
player cannot tell the two apart, and cannot know more than it may.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.game import WEREWOLF, Event, Game, Player
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.table import TableConfig
from wolf_chatbox.werewolf.utterance import OVER, SKIP
from wolf_chatbox.werewolf.views import present

Kind = Literal["talk", "whisper", "vote", "divine", "guard", "attack"]
"""What a player can be asked for: an utterance, or the name of a player."""
SPEECH: tuple[Kind, ...] = ("talk", "whisper")
SOURCE = "wolf-chatbox"
"""The data set that our own games belong to."""


class Line(NamedTuple):
    """An utterance at the table; also Over and Skip, which nobody takes for speech."""

    idx: int
    """Counts the lines of a phase; in v1, of a day and kind."""
    day: int
    turn: int
    """The round; in talk at any time, how many of the speaker's lines came before."""
    speaker: str
    text: str
    whisper: bool = False

    @property
    def is_speech(self) -> bool:
        return self.text not in (OVER, SKIP)


@dataclass(slots=True, eq=False)
class Sight:
    """A game as one player knows it, while it goes on; `me` is empty for somebody who only watches."""

    table: TableConfig
    game_id: str
    me: str
    role: str
    names: tuple[str, ...]
    """All players, in the order of their seats."""
    roles: dict[str, str]
    """The roles that this player knows; after the end, all."""
    counts: Mapping[str, int]
    """How many players have each role."""
    profile: str = ""
    """Who the player is to be, in lines `label: value`."""
    day: int = 0
    dead: dict[str, int] = field(default_factory=dict)
    """Who is dead, and since which day, in order."""
    lines: list[Line] = field(default_factory=list)
    """What this player heard."""
    events: list[Event] = field(default_factory=list)
    """What this player learnt; `at` counts `lines`."""
    left: int = 0
    """Utterances that this player has left, the next one among them."""
    letters_left: int | None = None
    """Characters that it has left for the day, where there is such a limit."""
    skips_left: int = 0
    """How often it may skip, before Skip is Over."""
    rewritten: int = 0
    """How often something that was told late was put before what was known; who follows `lines` and `events` step by
    step begins anew then."""
    winner: str = ""
    over: bool = False

    @property
    def alive(self) -> list[str]:
        return [name for name in self.names if name not in self.dead]

    @property
    def lives(self) -> bool:
        return self.me not in self.dead

    @property
    def friends(self) -> list[str]:
        """The other wolves, for a wolf; they may be dead."""
        return [name for name in self.names if name != self.me and self.roles.get(name) == self.role == WEREWOLF]

    def targets(self, kind: Kind) -> list[str]:
        """Whom this player may sensibly name, in the order of the seats."""
        known = {self.me, *self.friends} if kind == "attack" else {self.me}
        return [name for name in self.names if name not in self.dead and name not in known]

    def hear(self, line: Line) -> None:
        self.lines.append(line)

    def learn(self, event: Event) -> None:
        """Take in what happens, as far as this player learns of it."""
        seen = seen_by(event, self.me, self.role, self.table.public_votes)
        if seen is None:
            return
        self.events.append(Event(len(self.lines), *seen[1:]))
        if seen.kind == "day":
            self.day = seen.day
        if seen.target and (seen.kind in ("execute", "death") or seen.result == "killed"):
            self.dead[seen.target] = seen.day

    def said(self, *, whisper: bool = False) -> Iterator[Line]:
        """What was really said, without Over and Skip."""
        return (line for line in self.lines if line.whisper == whisper and line.is_speech)

    def found(self, kind: Literal["divine", "medium"]) -> dict[str, str]:
        """What a seer, or a medium, found out: HUMAN or WEREWOLF, by name."""
        return {event.target: event.result for event in self.events if event.kind == kind and event.result}

    def conversation(self) -> Conversation:
        """The game as this player knows it. The medium's findings are told at dawn, as to the players of any log."""
        known = {**self.found("medium"), **self.roles} if not self.over else self.roles
        players = tuple(Player(name, known.get(name, ""), seat) for seat, name in enumerate(self.names, 1))
        events = [event for event in self.events if event.kind != "medium"]
        return conversation_of(self.lines, events, players, self.table, self.winner, group=self.game_id)

    def scene(self, kind: Kind | None = None) -> Scene:
        """What the player has before its eyes, as training data has it, when it is asked for this."""
        return present(self.conversation(), self.me or None, {"talk": "", "whisper": "whisper"}.get(kind or ""))


def seen_by(event: Event, name: str, role: str, votes_are_public: bool) -> Event | None:
    """An event as a player of this name and role learns of it; None if the player does not. See `game.Kind`."""
    match event.kind:
        case "vote":
            return event if votes_are_public or event.actor == name else None
        case "attack_vote":
            return event if role == WEREWOLF else None
        case "attack":
            return event if event.result == "killed" else event._replace(target="", result="")
        case "divine" | "medium" | "guard" | "know":
            return event if event.actor == name else None
        case _:
            return event


def conversation_of(
    lines: Sequence[Line],
    events: Iterable[Event],
    players: tuple[Player, ...],
    table: TableConfig,
    winner: str = "",
    *,
    group: str = "",
    facts: Mapping[str, object] | None = None,
) -> Conversation:
    """Lines and events as a conversation; Over and Skip are no turns, and blanks around a text are none of it."""
    kept = [at for at, line in enumerate(lines) if line.is_speech]
    turns = tuple(
        Turn(lines[at].speaker, lines[at].text.strip(), channel="whisper" if lines[at].whisper else "") for at in kept
    )
    game = Game(SOURCE, table.language, players, tuple(events), winner, table.public_votes, facts=facts or {})
    return Conversation(turns, group, game.kept(kept))
