"""Who sits where in each game of a tournament: a balanced schedule, in which game k follows from the seed and k."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import permutations
from typing import Literal, NamedTuple, TypeVar

from wolf_chatbox.game import SIDES, VILLAGER
from wolf_chatbox.werewolf.table import TableConfig, roles_in_order

Match = Literal["mixed", "sides"]
Item = TypeVar("Item")


class Seating(NamedTuple):
    """Who plays which role at each seat of one game."""

    game: int
    """Counts from 0."""
    players: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Contest:
    """What is played: two equal contests have the same games, wherever they are played."""

    players: tuple[str, ...]
    """The names of those compared, as `Cast` makes them."""
    table: TableConfig = field(default_factory=TableConfig)
    seed: int = 0
    match: Match = "mixed"
    """Whether all sit together at each table, or one has the villagers' side and another the wolves'."""

    def seed_of(self, game: int, what: object = "") -> str:
        """The seed of a game, or of something in it."""
        return f"{self.seed}/{game}/{what}"

    def mark(self) -> str:
        """A short name, which other contests do not have."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]

    def seating(self, game: int) -> Seating:
        """Who sits where in a game.

        Mixed: in a block of as many games as there are players each of them has each place once: in a set of roles with
        two villagers there are two places of a villager. From block to block chance says who sits together with whom.
        After as many blocks as there are seats each has had each place at each seat once.
        """
        roles = roles_in_order(self.table.counts())
        block, at = divmod(game, self.round_games())
        players = self._sides(roles, block, at) if self.match == "sides" else self._mixed(len(roles), block, at)
        turn, shift = divmod(block, len(roles))
        seats = shuffled(range(len(roles)), f"seats {self.seed} {turn}")
        place_at = sorted(range(len(roles)), key=lambda place: (seats[place] + shift) % len(roles))
        return Seating(game, tuple(players[place] for place in place_at), tuple(roles[place] for place in place_at))

    def round_games(self) -> int:
        """After how many games everybody has had each place equally often."""
        many = len(self.players)
        return many * max(1, many - 1) if self.match == "sides" else many

    def _mixed(self, places: int, block: int, at: int) -> list[str]:
        """The player of each place."""
        many = len(self.players)
        order = shuffled(range(many), f"order {self.seed} {block}")
        offsets = shuffled([place % many for place in range(places)], f"places {self.seed} {block}")
        return [self.players[order[(offset + at) % many]] for offset in offsets]

    def _sides(self, roles: list[str], block: int, at: int) -> list[str]:
        pairs = list(permutations(self.players, 2)) or [(self.players[0],) * 2]
        villagers, wolves = shuffled(pairs, f"pairs {self.seed} {block}")[at]
        return [villagers if SIDES[role] == VILLAGER else wolves for role in roles]


def shuffled(items: Iterable[Item], seed: str) -> list[Item]:
    """The items in an order that follows from the seed."""
    order = list(items)
    random.Random(seed).shuffle(order)
    return order
