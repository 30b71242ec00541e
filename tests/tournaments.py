"""What tests of tournaments share: games by chance, players of two names, a game to count by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from wolf_chatbox.play.casting import Cast, Make, PlayersConfig
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.tournament.games import Order, play_chunk
from wolf_chatbox.play.tournament.outcome import Outcome
from wolf_chatbox.play.tournament.schedule import Contest, Match
from wolf_chatbox.werewolf.sight import SPEECH, Kind, Sight
from wolf_chatbox.werewolf.table import TableConfig

LINES = ("I trust you.", "I do not know yet.", "Somebody here lies.", "Let us vote.")


class Chatty(Player):
    """Says one of a few lines a day, and names by chance."""

    def __init__(self, seed: Any) -> None:
        super().__init__()
        self._chance = random.Random(str(seed))

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind in SPEECH:
            return self._chance.choice(LINES) if sight.left == sight.table.talks else "Over"
        return self._chance.choice(sight.targets(kind))


class Named(Cast):
    """Gives every name the same player, or one of its own."""

    def __init__(self, **makes: Make) -> None:
        super().__init__(PlayersConfig())
        self._own = makes

    def make(self, name: str, setting: str = "players") -> Make:
        return self._own.get(name, Chatty)


def order(names: Sequence[str] = ("random",), *, match: Match = "mixed", keep: bool = False, **table: Any) -> Order:
    return Order(Contest(tuple(names), TableConfig(**table), match=match), PlayersConfig(), keep)


def played(games: int, names: Sequence[str] = ("ann", "bob"), first: int = 0, **table: Any) -> list[Outcome]:
    """Some games of players who do everything by chance."""
    return play_chunk(order(names, **table), range(first, first + games), Named())


def counted() -> Outcome:
    """Five players: ann is seats 0, 2 and 4, bob 1 and 3. The wolf, seat 0, is voted out on day 2."""
    return Outcome(
        game=0,
        players=("ann", "bob", "ann", "bob", "ann"),
        names=("Rin", "Ken", "Mio", "Jun", "Aoi"),
        roles=("WEREWOLF", "POSSESSED", "SEER", "VILLAGER", "VILLAGER"),
        winner="VILLAGER",
        days=3,
        divinations=((0, 2, 0), (1, 2, 1)),
        votes=((1, 0, 4), (1, 1, 0), (1, 2, 0), (1, 3, 4), (1, 4, 4), (2, 0, 2), (2, 2, 0), (2, 3, 0)),
        executed=((1, 4), (2, 0)),
        attack_votes=((1, 0, 1),),
        attacked=((1, 1, True),),
        said=(
            (0, 2, "Good morning, Ken and Jun."),
            (1, 2, "I found a wolf."),
            (1, 2, "I found a wolf."),
            (1, 0, "I found a wolf, said Mio."),
            (2, 2, "I really found a wolf."),
        ),
        invalid=(0, 0, 1, 0, 0),
        unanswered=(0, 2, 0, 0, 0),
        accounts=({}, {"fallback": 1, "said": 3}, {}, {}, {}),
    )
