"""What is kept of a game: every choice and every line, by seat, so that any measure can be taken later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from wolf_chatbox.errors import DataError
from wolf_chatbox.game import Kind
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.tournament.schedule import Seating
from wolf_chatbox.werewolf.rules import Village

Deed = tuple[int, int, int]
"""On which day, from which seat, to which seat. Seats count from 0."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One finished game. It follows from the contest and the game's number, where players answer the same each time."""

    game: int
    players: tuple[str, ...]
    """Who sat at each seat."""
    names: tuple[str, ...]
    """What each seat was called at the table."""
    roles: tuple[str, ...]
    winner: str
    """The side that won; empty if nobody did."""
    days: int
    votes: tuple[Deed, ...] = ()
    attack_votes: tuple[Deed, ...] = ()
    divinations: tuple[Deed, ...] = ()
    guards: tuple[Deed, ...] = ()
    executed: tuple[tuple[int, int], ...] = ()
    """On which day who was voted out."""
    attacked: tuple[tuple[int, int, bool], ...] = ()
    """On which day who was attacked, and whether it was killed."""
    said: tuple[tuple[int, int, str], ...] = ()
    """On which day who said what to everybody."""
    invalid: tuple[int, ...] = ()
    """Answers of each seat that named nobody who could be named."""
    unanswered: tuple[int, ...] = ()
    """Requests to each seat without an answer."""
    gone: tuple[int, ...] = ()
    """Who was lost."""
    accounts: tuple[dict[str, int], ...] = ()
    """What each player counted of its own answers."""
    conversation: dict[str, Any] | None = field(default=None, repr=False)
    """The game as training data, if it was asked for."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without what is empty."""
        return {name: value for name, value in asdict(self).items() if value not in ((), None)}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any], where: str) -> Outcome:
        """The inverse of `to_dict`; raises DataError, beginning with `where`, for anything else."""
        try:
            made: dict[str, Any] = {
                name: tupled(each) if isinstance(each, list) else each for name, each in form.items()
            }
            return cls(**made)
        except (TypeError, AttributeError) as error:
            raise DataError(f"{where}: is no finished game ({error}). Choose another output folder.") from error

    def alive(self, day: int) -> set[int]:
        """The seats that live on the morning of a day."""
        dead = {seat for on, seat in self.executed if on < day}
        return set(range(len(self.roles))) - dead - {seat for on, seat, killed in self.attacked if killed and on < day}

    def alive_at_night(self, day: int) -> set[int]:
        """The seats that live in the night after a day."""
        return self.alive(day) - {seat for on, seat in self.executed if on == day}


def kept(village: Village, seating: Seating, players: Mapping[str, Player], *, conversation: bool) -> Outcome:
    """What is kept of a finished game; `players` are by name."""
    at = {name: seat for seat, name in enumerate(village.names)}

    def deeds(kind: Kind) -> tuple[Deed, ...]:
        return tuple((each.day, at[each.actor], at[each.target]) for each in village.events if each.kind == kind)

    def counts(counter: Mapping[str, int]) -> tuple[int, ...]:
        return tuple(counter.get(name, 0) for name in village.names)

    return Outcome(
        game=seating.game,
        players=seating.players,
        names=village.names,
        roles=seating.roles,
        winner=village.winner,
        days=village.day,
        votes=deeds("vote"),
        attack_votes=deeds("attack_vote"),
        divinations=deeds("divine"),
        guards=deeds("guard"),
        executed=tuple((each.day, at[each.target]) for each in village.events if each.kind == "execute"),
        attacked=tuple(
            (each.day, at[each.target], each.result == "killed")
            for each in village.events
            if each.kind == "attack" and each.target
        ),
        said=tuple(
            (line.day, at[line.speaker], line.text) for line in village.lines if line.is_speech and not line.whisper
        ),
        invalid=counts(village.invalid),
        unanswered=counts(village.unanswered),
        gone=tuple(at[name] for name in village.names if name in village.gone),
        accounts=tuple(dict(players[name].account) for name in village.names),
        conversation=village.conversation().to_dict() if conversation else None,
    )


def tupled(value: Sequence[Any]) -> tuple[Any, ...]:
    """Lists of lists as tuples of tuples, as JSON lost them."""
    return tuple(tupled(each) if isinstance(each, list) else each for each in value)
