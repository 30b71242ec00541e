"""The facts of a game of werewolf (mafia, one night): who plays what, and what happened between the turns of the talk.

A game is a Conversation whose `game` is set. What was said stands in its turns alone, in the order in which it was said,
each with its channel; an event stands beside them and knows how many turns came before it. So text has one place, and
whatever cleans turns needs to know nothing of games.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

from wolf_chatbox.errors import DataError

VILLAGER, WEREWOLF = "VILLAGER", "WEREWOLF"
"""The two sides, and the plain role of each."""

SIDES: dict[str, str] = {
    "VILLAGER": VILLAGER,
    "SEER": VILLAGER,
    "MEDIUM": VILLAGER,
    "BODYGUARD": VILLAGER,
    "MASON": VILLAGER,
    "HUNTER": VILLAGER,
    "WITCH": VILLAGER,
    "IDIOT": VILLAGER,
    "ROBBER": VILLAGER,
    "TROUBLEMAKER": VILLAGER,
    "DRUNK": VILLAGER,
    "INSOMNIAC": VILLAGER,
    "WEREWOLF": WEREWOLF,
    "POSSESSED": WEREWOLF,
    "MINION": WEREWOLF,
    "FOX": "FOX",
    "TANNER": "TANNER",
}
"""The side that a role wins with. Importers translate what a source calls a role into these names, where one fits."""

Kind = Literal[
    "day",
    "night",
    "vote",
    "execute",
    "attack_vote",
    "attack",
    "divine",
    "medium",
    "guard",
    "know",
    "death",
    "announce",
    "end",
]
"""What can happen, and who is told of it:

day, night    a day's talk, or the night after it, begins; everybody
vote          `actor` votes for `target`; everybody, after all have voted, where `Game.votes_are_public`
execute       `target` is voted out, or nobody (empty); everybody; `result` is the role that was shown, where it was
attack_vote   `actor`, a wolf, wants `target` dead; the wolves
attack        `target` is attacked at night, or nobody (empty); `result` is "killed" or "guarded"; everybody learns who was killed, and no more
divine        `actor` learns that `target` is `result` (HUMAN, WEREWOLF, or a role); the actor
medium        `actor` learns that the executed `target` was `result`; the actor
guard         `actor` guards `target`; the actor
know          `actor` is told `text` (or that `target` is `result`) and nobody else is
death         `target` dies in another way, told by `result` (poisoned, shot, left, …); everybody
announce      the moderator says `text` to everybody
end           the game is over: from here on everybody knows everything
"""


class Event(NamedTuple):
    """One thing that happened. Names are those of players; what does not apply is empty."""

    at: int
    """How many of the conversation's turns were said before it."""
    day: int
    kind: Kind
    actor: str = ""
    target: str = ""
    result: str = ""
    text: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without what is empty."""
        return {name: value for name, value in self._asdict().items() if value != "" or name in ("at", "day", "kind")}


@dataclass(frozen=True, slots=True)
class Player:
    """A seat at the table. `facts` keeps what else the source tells of the player, as JSON holds it."""

    name: str
    """In the game; no two players of a game have the same."""
    role: str = ""
    """At the game's end where roles change hands (the one at its beginning is in `dealt`); empty where it is not known."""
    seat: int | None = None
    dealt: str = ""
    """The role at the beginning, where it is another."""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def first_role(self) -> str:
        """The role that the player knows itself to have."""
        return self.dealt or self.role

    def to_dict(self) -> dict[str, Any]:
        form = {"name": self.name, "role": self.role, "seat": self.seat, "dealt": self.dealt, "facts": dict(self.facts)}
        return {name: value for name, value in form.items() if value not in ("", None, {})}


@dataclass(frozen=True, slots=True)
class Game:
    """Everything about a game but its talk."""

    source: str
    """The set that it comes from, such as `aiwolf-nlp`."""
    language: str
    """ISO 639-1: en, ja, zh."""
    players: tuple[Player, ...]
    events: tuple[Event, ...]
    """In the order in which they happened: by `at`, and where that is equal, as listed."""
    winner: str = ""
    """The side that won; empty where the game was broken off, or the source does not tell."""
    votes_are_public: bool = False
    """Whether the players were told who voted for whom; False where the source does not tell."""
    same_as: str = ""
    """A name shared by recordings of one and the same game (translations): they stay on one side of a split."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else the source tells, as JSON holds it: its settings, scores, fields that we do not know."""

    def player(self, name: str) -> Player | None:
        return next((each for each in self.players if each.name == name), None)

    def wolves(self) -> frozenset[str]:
        """Those who know each other and whisper."""
        return frozenset(each.name for each in self.players if each.first_role == WEREWOLF)

    def changed(self, name: Callable[[str], str], text: Callable[[str], str]) -> Game:
        """A copy under other names and with other texts."""
        players = tuple(replace(each, name=name(each.name)) for each in self.players)
        events = tuple(
            each._replace(
                actor=each.actor and name(each.actor),
                target=each.target and name(each.target),
                text=each.text and text(each.text),
            )
            for each in self.events
        )
        return replace(self, players=players, events=events)

    def without_facts(self) -> Game:
        """A copy without what else the source tells: it may name people in any form."""
        return replace(self, players=tuple(replace(each, facts={}) for each in self.players), facts={})

    def kept(self, turns: Sequence[int]) -> Game:
        """A copy for a conversation that keeps only the turns at these places (ascending): events stand where they stood among them."""
        return replace(self, events=tuple(each._replace(at=bisect_left(turns, each.at)) for each in self.events))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without what is empty."""
        form = {
            "source": self.source,
            "language": self.language,
            "winner": self.winner,
            "votes_are_public": self.votes_are_public,
            "same_as": self.same_as,
            "players": [each.to_dict() for each in self.players],
            "events": [each.to_dict() for each in self.events],
            "facts": dict(self.facts),
        }
        return {name: value for name, value in form.items() if value not in ("", {}, False)}

    @classmethod
    def from_dict(cls, value: Any, where: str) -> Game:
        """The inverse of `to_dict`; raises DataError, beginning with `where`, when the value has another shape."""
        try:
            players = tuple(Player(**each) for each in value["players"])
            events = tuple(Event(**each) for each in value["events"])
            game = cls(**{**value, "players": players, "events": events})
            names = {each.name for each in players}
            strange = next(
                (
                    at
                    for at, each in enumerate(events, 1)
                    if each.kind not in get_args(Kind) or {each.actor, each.target} - names - {""}
                ),
                0,
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise DataError(f'{where}: "game" has another shape ({error}). Convert the data again.') from error
        if strange or len(names) < len(players):
            # Who reads an error may not be meant to read the names.
            problem = (
                f"event {strange} is of no known kind or names no player" if strange else "two players of one name"
            )
            raise DataError(f'{where}: "game" does not fit together ({problem}). Convert the data again.')
        return game
