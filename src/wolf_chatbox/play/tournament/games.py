"""One game of a tournament, and chunks of them, in whatever process they are played."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import lru_cache

from wolf_chatbox.play.casting import Cast, PlayersConfig
from wolf_chatbox.play.clock import SimulatedClock
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.seating import names_for
from wolf_chatbox.play.tournament.outcome import Outcome, kept
from wolf_chatbox.play.tournament.schedule import Contest, Seating
from wolf_chatbox.visible import Tell
from wolf_chatbox.werewolf.rules import Village

Stopped = Callable[[], bool]
"""Whether the games are to be given up; asked between the steps of a game."""


@dataclass(frozen=True)
class Order:
    """What is to be played, and what to keep; processes and machines send it to each other."""

    contest: Contest
    config: PlayersConfig
    conversation: bool = False
    """Whether the conversation of each game is kept."""


def game_of(contest: Contest, seating: Seating) -> Village:
    """A game before it begins."""
    names = names_for(contest.table.players, contest.table.language, contest.seed_of(seating.game))
    game_id = f"{contest.mark()}-{seating.game}"
    return Village(contest.table, dict(zip(names, seating.roles)), contest.seed_of(seating.game), game_id=game_id)


def play_game(order: Order, game: int, cast: Cast, stopped: Stopped = lambda: False) -> Outcome:
    """Play one game; raises CancelledError when it is stopped before its end."""
    contest = order.contest
    seating = contest.seating(game)
    village = game_of(contest, seating)
    players = {
        name: cast.make(player)(contest.seed_of(game, seat))
        for seat, (name, player) in enumerate(zip(village.names, seating.players))
    }
    clock = SimulatedClock(village, players, seed=contest.seed_of(game, "clock"))
    Moderator(village, players, clock=clock, stopped=stopped).lead()
    if not village.over:
        raise CancelledError
    return kept(village, seating, players, conversation=order.conversation)


def play_chunk(
    order: Order, games: Sequence[int], cast: Cast | None = None, stopped: Stopped = lambda: False
) -> list[Outcome]:
    """Play some games one after another; without a cast, this process keeps one for the order."""
    made = cast or cast_of(order)
    return [play_game(order, game, made, stopped) for game in games]


@lru_cache(1)
def cast_of(order: Order) -> Cast:
    """The players of an order, loaded once a process."""
    return loaded(order)


def loaded(order: Order, tell: Tell = lambda text: None) -> Cast:
    """The players of an order, with their models; raises ConfigError for one that is none."""
    cast = Cast(order.config, tell)
    cast.check(order.contest.players, "contestants")
    for player in order.contest.players:
        cast.make(player, "contestants")
    return cast


def chunks(games: Sequence[int], workers: int, most: int = 20) -> Iterator[Sequence[int]]:
    """The games in pieces, of which each worker gets several."""
    size = max(1, min(most, len(games) // (4 * workers)))
    return (games[at : at + size] for at in range(0, len(games), size))
