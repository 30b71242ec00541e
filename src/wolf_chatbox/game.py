"""The facts of a werewolf game (mafia, one night): the players' roles, and what happened between the turns.

A game is a Conversation whose `game` is set. Everything that was said is in its turns, each with its channel; an event
knows how many turns came before it. So texts are in one place, and code that cleans turns need not know games.
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
"""The side that a role wins with. Importers translate the role names of a source into these, where one fits."""

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
"""What can happen, and who learns of it:

day, night    a day's talk, or the night after it, begins; everybody
vote          `actor` votes for `target`; everybody, after all have voted, if `Game.votes_are_public`
execute       `target` is voted out, or nobody (empty); everybody; `result` is the role, if it was revealed
attack_vote   `actor`, a wolf, wants `target` dead; the wolves
attack        `target` is attacked at night, or nobody (empty); `result` is "killed" or "guarded"; everybody learns
              only who was killed
divine        `actor` learns that `target` is `result` (HUMAN, WEREWOLF, or a role); the actor
medium        `actor` learns that the executed `target` was `result`; the actor
guard         `actor` guards `target`; the actor
know          `actor` learns `text`, or that `target` is `result`; only the actor
death         `target` dies in another way, `result` (poisoned, shot, left, …); everybody
announce      the moderator says `text` to everybody
end           the game is over: from here on, everybody knows everything
"""


class Event(NamedTuple):
    """One thing that happened. Names are player names; fields that do not apply are empty."""

    at: int
    """How many turns of the conversation came before it."""
    day: int
    kind: Kind
    actor: str = ""
    target: str = ""
    result: str = ""
    text: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without empty fields."""
        return {name: value for name, value in self._asdict().items() if value != "" or name in ("at", "day", "kind")}


@dataclass(frozen=True, slots=True)
class Player:
    """A player. `facts` holds everything else that the source says about the player, as JSON values."""

    name: str
    """Unique within the game."""
    role: str = ""
    """The role at the end of the game (`dealt` is the first one, where roles change); empty if unknown."""
    seat: int | None = None
    dealt: str = ""
    """The role at the beginning, if it is another."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    context: bool = False
    """Whether its turns are context alone, and nobody learns them: a loser's, in games that are kept for the winners'
    play."""

    @property
    def first_role(self) -> str:
        """The role that the player knows to have."""
        return self.dealt or self.role

    def to_dict(self) -> dict[str, Any]:
        form = {"name": self.name, "role": self.role, "seat": self.seat, "dealt": self.dealt, "facts": dict(self.facts)}
        form = {name: value for name, value in form.items() if value not in ("", None, {})}
        return form | {"context": True} if self.context else form


@dataclass(frozen=True, slots=True)
class Game:
    """Everything about a game except its turns."""

    source: str
    """The data set that it comes from, such as `aiwolf-nlp`."""
    language: str
    """ISO 639-1: en, ja, zh."""
    players: tuple[Player, ...]
    events: tuple[Event, ...]
    """In order: by `at`, and for equal `at` as listed."""
    winner: str = ""
    """The side that won; empty if the game was aborted or the source does not say."""
    votes_are_public: bool = False
    """Whether the players learnt who voted for whom; False if the source does not say."""
    same_as: str = ""
    """A name shared by records of the same game (translations): the split never divides them."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Everything else that the source says, as JSON values: settings, scores, unknown fields."""

    def player(self, name: str) -> Player | None:
        return next((player for player in self.players if player.name == name), None)

    def wolves(self) -> frozenset[str]:
        """The werewolves, who know each other and whisper."""
        return frozenset(player.name for player in self.players if player.first_role == WEREWOLF)

    def changed(self, name: Callable[[str], str], text: Callable[[str], str]) -> Game:
        """A copy with other names and texts."""
        players = tuple(replace(player, name=name(player.name)) for player in self.players)
        events = tuple(
            event._replace(
                actor=event.actor and name(event.actor),
                target=event.target and name(event.target),
                text=event.text and text(event.text),
            )
            for event in self.events
        )
        return replace(self, players=players, events=events)

    def without_facts(self) -> Game:
        """A copy without the other facts of the source, which may name people in any form."""
        return replace(self, players=tuple(replace(player, facts={}) for player in self.players), facts={})

    def kept(self, turns: Sequence[int]) -> Game:
        """A copy for a conversation that keeps only the turns at these positions (ascending), with its events."""
        return replace(self, events=tuple(event._replace(at=bisect_left(turns, event.at)) for event in self.events))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without empty fields."""
        form = {
            "source": self.source,
            "language": self.language,
            "winner": self.winner,
            "votes_are_public": self.votes_are_public,
            "same_as": self.same_as,
            "players": [player.to_dict() for player in self.players],
            "events": [event.to_dict() for event in self.events],
            "facts": dict(self.facts),
        }
        return {name: value for name, value in form.items() if value not in ("", {}, False)}

    @classmethod
    def from_dict(cls, value: Any, where: str) -> Game:
        """The inverse of `to_dict`; raises DataError, beginning with `where`, for any other value."""
        try:
            players = tuple(Player(**player) for player in value["players"])
            events = tuple(Event(**event) for event in value["events"])
            game = cls(**{**value, "players": players, "events": events})
            names = {player.name for player in players}
            known = [event.kind in get_args(Kind) and {event.actor, event.target} <= names | {""} for event in events]
        except (TypeError, KeyError, AttributeError) as error:
            raise DataError(f'{where}: "game" has an unknown structure ({error}). Convert the data again.') from error
        if not all(known) or len(names) < len(players):  # the error may be shown to people who must not see the names
            unknown = f"event {known.index(False) + 1} has an unknown kind or player" if not all(known) else ""
            problem = unknown or "two players have the same name"
            raise DataError(f'{where}: "game" is inconsistent ({problem}). Convert the data again.')
        return game
