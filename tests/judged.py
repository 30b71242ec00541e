"""A small study: an innkeeper, two runs, their base model and the humans, in a few conversations."""

from __future__ import annotations

from collections.abc import Sequence

from wolf_chatbox.conversation import Turn
from wolf_chatbox.evaluate.entries import Answer, Entry, Exchange, Study
from wolf_chatbox.evaluate.judging.pairs import Pair, Reply
from wolf_chatbox.evaluate.judging.votes import Choice, Vote
from wolf_chatbox.scene import Scene

ENTRIES = {"good": "run", "poor": "run", "base": "base", "humans": "humans"}


def study(
    conversations: int = 3, turns: int = 4, entries: Sequence[str] = tuple(ENTRIES), language: str = "en"
) -> Study:
    """Exchanges whose replies name their entry and place."""
    exchanges = [
        Exchange(
            Scene((Turn("Traveller", f"question {at} of day {number}"),), speaker="Grimbold"),
            Turn("Grimbold", f"humans says {number} {at}"),
            number,
        )
        for number in range(conversations)
        for at in range(turns)
    ]
    answers = {
        name: [Answer(f"{name} says {exchange.conversation} {at % turns}") for at, exchange in enumerate(exchanges)]
        for name in entries
    }
    made = [Entry(name, ENTRIES[name], answers[name]) for name in entries]  # type: ignore[arg-type]
    return Study("Grimbold", exchanges, made, [], language)


def vote(
    first: str, second: str, choice: Choice, at: int = 0, voter: str = "ann", conversation: int | None = None
) -> Vote:
    """A vote on the replies of two entries to question `at`."""
    replies = (Reply(name, f"{name} says {at}") for name in (first, second))
    pair = Pair((Turn("Traveller", f"question {at}"),), "Grimbold", *replies, conversation)
    return Vote(pair, choice, voter)
