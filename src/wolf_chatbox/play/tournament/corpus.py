"""Games just played as training data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.game import SIDES
from wolf_chatbox.play.tournament.config import Keep
from wolf_chatbox.play.tournament.outcome import Outcome


def conversations(outcomes: Iterable[Outcome], keep: Keep = "all") -> Iterator[Conversation]:
    """The games as conversations, each player with the name of who played it.

    To keep the winners, the other players are context alone; a game that nobody won is left out then.
    """
    for outcome in outcomes:
        conversation = Conversation.from_dict(outcome.conversation, f"game {outcome.game}")
        game = conversation.game
        if game is None or (keep == "winners" and not outcome.winner):
            continue
        players = tuple(
            replace(
                player,
                facts={"team": outcome.players[seat]},
                context=keep == "winners" and SIDES[player.role] != outcome.winner,
            )
            for seat, player in enumerate(game.players)
        )
        yield replace(conversation, game=replace(game, players=players))
