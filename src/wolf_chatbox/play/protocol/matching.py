"""Who plays with whom: agents wait until a table is full, with those of their own team, or with those of others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class Guest(Protocol):
    """Somebody who waits."""

    @property
    def team(self) -> str: ...


Waits = TypeVar("Waits", bound=Guest)


class WaitingRoom(Generic[Waits]):
    """Holds those who wait, in the order in which they came."""

    def __init__(self, seats: int, *, same_team: bool = True) -> None:
        """A table needs so many of one team; without `same_team`, of as many different teams."""
        self.seats, self.same_team = seats, same_team
        self.waiting: list[Waits] = []

    def enter(self, guest: Waits) -> None:
        self.waiting.append(guest)

    def leave(self, guest: Waits) -> None:
        if guest in self.waiting:
            self.waiting.remove(guest)

    def table(self) -> list[Waits]:
        """Those who can begin a game, who wait no more; empty if nobody can. Who came first plays first."""
        groups: dict[str, list[Waits]] = {}
        for guest in self.waiting:
            groups.setdefault(guest.team, []).append(guest)
        if self.same_team:
            chosen = next((group[: self.seats] for group in groups.values() if len(group) >= self.seats), [])
        else:
            firsts = [group[0] for group in groups.values()]
            chosen = firsts[: self.seats] if len(firsts) >= self.seats else []
        for guest in chosen:
            self.waiting.remove(guest)
        return chosen

    def missing(self) -> Iterable[tuple[str, int]]:
        """How many wait, by team; without `same_team`, how many teams do, under the name of none."""
        teams = [guest.team for guest in self.waiting]
        if self.same_team:
            return [(team, teams.count(team)) for team in dict.fromkeys(teams)]
        return [("", len(set(teams)))] if teams else []
