"""Pairs: two entries' replies to the same turns, in the order in which everybody is asked about them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations, zip_longest
from typing import NamedTuple

from wolf_chatbox.conversation import Turn
from wolf_chatbox.evaluate.entries import Study

Key = tuple[tuple[tuple[str, str], ...], str, frozenset[str]]


class Reply(NamedTuple):
    """A reply, and the entry that gave it."""

    entry: str
    text: str


class Pair(NamedTuple):
    """Two replies of one speaker to the same turns, in the order in which they are shown."""

    context: tuple[Turn, ...]
    speaker: str
    first: Reply
    second: Reply
    conversation: int | None = None
    """Which of the held-out conversations it stands in; None where that is not known."""

    def swapped(self) -> Pair:
        return self._replace(first=self.second, second=self.first)

    def key(self) -> Key:
        """What makes it the same pair for anybody, whatever is shown first."""
        turns = tuple((turn.speaker, turn.text) for turn in self.context)
        return turns, self.speaker, frozenset({self.first.text, self.second.text})


def pairs(study: Study, most: int | None = None) -> list[Pair]:
    """At most `most` pairs of a study, each way round with equal chance; two equal replies are no pair.

    Every two entries meet equally often, in changing conversations. The order and the sides follow from the study's
    seed, so that people and other models are asked about the same pairs.
    """
    chance = random.Random(study.seed)
    meetings = [_met(study, one, other, chance) for one, other in combinations(range(len(study.entries)), 2)]
    found = [pair for row in zip_longest(*meetings) for pair in row if pair is not None]
    return found[:most]


def _met(study: Study, one: int, other: int, chance: random.Random) -> Iterator[Pair]:
    """The pairs of two entries: one of each conversation, then the next of each."""
    left, right = study.entries[one], study.entries[other]
    shuffled = chance.sample(range(len(study.exchanges)), len(study.exchanges))
    sides = [chance.random() < 0.5 for _ in shuffled]
    seen: dict[int, int] = {}
    turns = []
    for at in shuffled:
        conversation = study.exchanges[at].conversation
        turns.append((seen.setdefault(conversation, 0), at))
        seen[conversation] += 1
    for _, at in sorted(turns, key=lambda turn: turn[0]):
        exchange = study.exchanges[at]
        first, second = (Reply(entry.name, entry.answers[at].text) for entry in (left, right))
        if first.text.strip() != second.text.strip():
            pair = Pair(exchange.scene.turns, exchange.said.speaker, first, second, exchange.conversation)
            yield pair.swapped() if sides[at] else pair
