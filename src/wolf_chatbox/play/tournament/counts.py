"""What each player did in each game, as numbers that add up: how often, and of how many times or of what chance gives.

The contest's own measures are those of aiwolf-nlp-calculate-score (doc/en/metrics.md),
https://github.com/aiwolfdial/aiwolf-nlp-calculate-score. What chance gives spreads each choice that was made over all
who could have been chosen then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from wolf_chatbox.game import SIDES, VILLAGER, WEREWOLF
from wolf_chatbox.play.tournament.outcome import Deed, Outcome
from wolf_chatbox.werewolf.table import ROLES

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Pairs = tuple[tuple[str, str], ...]
Add = Callable[[str, int, float, float], None]
"""Adds to a quantity of a seat: how often, and of how many."""
QUANTITIES = (
    *("win", "alive", "voted", "executed", "divined", "guarded", "attacked", "attack_named", "mentioned"),
    *("vote_hit", "vote_accuracy", "divine_hit", "divine_accuracy", "possessed_spares", "wolf_betrays"),
    *("no_vote", "self_vote", "no_attack_vote", "attack_on_wolf", "no_divination", "no_guard", "silent_day"),
    *("invalid", "unanswered", "fallback", "drawn_again", "lines", "words", "said_again", "near_copy", "distinct_2"),
    "said_elsewhere",
)
"""What is counted, each as a numerator and a denominator."""
PLACE = {quantity: place for place, quantity in enumerate(QUANTITIES)}
ALIKE = 0.7
"""Two lines are near copies from this share of common word pairs on (Jaccard)."""


class Counts(NamedTuple):
    """Sums for each game, player, role and quantity; shapes (games, players, roles, quantities)."""

    players: tuple[str, ...]
    above: Numbers
    below: Numbers


def count(outcomes: Sequence[Outcome], players: Sequence[str]) -> Counts:
    """Count all games."""
    shape = (len(outcomes), len(players), len(ROLES), len(QUANTITIES))
    found = Counts(tuple(players), np.zeros(shape), np.zeros(shape))
    heard = _said_in(outcomes)
    for at, outcome in enumerate(outcomes):
        places = [(players.index(player), ROLES.index(role)) for player, role in zip(outcome.players, outcome.roles)]

        def add(quantity: str, seat: int, above: float, below: float) -> None:
            place = (at, *places[seat], PLACE[quantity])  # noqa: B023 - called within this turn of the loop
            found.above[place] += above
            found.below[place] += below

        for counting in (_ends, _choices, _nights, _errors, _answers):
            counting(outcome, add)
        _talk(outcome, add)
        _elsewhere(outcome, add, heard)
    return found


def is_wolf(outcome: Outcome, seat: int) -> bool:
    return outcome.roles[seat] == WEREWOLF


def _ends(outcome: Outcome, add: Add) -> None:
    """Who won and who lives; games that nobody won count for nobody."""
    alive = outcome.alive(outcome.days + 1)
    for seat, role in enumerate(outcome.roles):
        add("alive", seat, seat in alive, 1)
        if outcome.winner:
            add("win", seat, SIDES[role] == outcome.winner, 1)


def _spread(add: Add, quantity: str, target: int, candidates: Iterable[int]) -> None:
    """Somebody was chosen among candidates."""
    among = set(candidates)
    for seat in among:
        add(quantity, seat, 0, 1 / len(among))
    add(quantity, target, 1, 0)


def _hit(outcome: Outcome, add: Add, kind: str, actor: int, target: int, candidates: Iterable[int]) -> None:
    """Somebody tried to find a wolf among candidates: how often, and how often chance does."""
    among = set(candidates)
    chance = sum(is_wolf(outcome, seat) for seat in among) / len(among) if among else 0
    add(f"{kind}_hit", actor, is_wolf(outcome, target), 1)
    add(f"{kind}_accuracy", actor, is_wolf(outcome, target), chance)


def _choices(outcome: Outcome, add: Add) -> None:
    """Votes, and executions."""
    for day, voter, target in outcome.votes:
        others = outcome.alive(day) - {voter}
        add("self_vote", voter, voter == target, 1)
        if voter != target:
            _spread(add, "voted", target, others)
        if SIDES[outcome.roles[voter]] == VILLAGER:
            _hit(outcome, add, "vote", voter, target, others)
        elif outcome.roles[voter] == "POSSESSED":
            add("possessed_spares", voter, not is_wolf(outcome, target), 1)
        elif outcome.roles.count(WEREWOLF) > 1:
            add("wolf_betrays", voter, is_wolf(outcome, target) and voter != target, 1)
    for day, seat in outcome.executed:
        _spread(add, "executed", seat, outcome.alive(day))


def _nights(outcome: Outcome, add: Add) -> None:
    """Divinations, guards, attacks, and whom the wolves named."""
    for day, seer, target in outcome.divinations:
        others = outcome.alive_at_night(day) - {seer}
        _spread(add, "divined", target, others)
        _hit(outcome, add, "divine", seer, target, others)
    for day, guard, target in outcome.guards:
        _spread(add, "guarded", target, outcome.alive_at_night(day) - {guard})
    for day, target, _ in outcome.attacked:
        _spread(add, "attacked", target, _prey(outcome, day))
    for day, wolf, target in outcome.attack_votes:
        add("attack_on_wolf", wolf, is_wolf(outcome, target), 1)
        if not is_wolf(outcome, target):
            _spread(add, "attack_named", target, _prey(outcome, day))


def _prey(outcome: Outcome, day: int) -> set[int]:
    return {seat for seat in outcome.alive_at_night(day) if not is_wolf(outcome, seat)}


def _errors(outcome: Outcome, add: Add) -> None:
    """What was not done though it was time to: votes, and the deeds of a night."""

    def missing(quantity: str, deeds: Sequence[Deed], day: int, who: Iterable[int]) -> None:
        did = {actor for on, actor, _ in deeds if on == day}
        for seat in who:
            add(quantity, seat, seat not in did, 1)

    def living(day: int, role: str) -> list[int]:
        return [seat for seat in outcome.alive_at_night(day) if outcome.roles[seat] == role]

    for day in sorted({day for day, _, _ in outcome.votes}):
        missing("no_vote", outcome.votes, day, outcome.alive(day) - set(outcome.gone))
    for day in sorted({0, *(day for day, _, _ in outcome.divinations), *_whole_nights(outcome)}):
        missing("no_divination", outcome.divinations, day, living(day, "SEER"))
    for day in _whole_nights(outcome):
        missing("no_guard", outcome.guards, day, living(day, "BODYGUARD"))
        missing("no_attack_vote", outcome.attack_votes, day, living(day, WEREWOLF))


def _whole_nights(outcome: Outcome) -> list[int]:
    """The days after which wolves could attack: not the first, and not the last of a game that its vote ended."""
    return [
        day
        for day in range(1, outcome.days)
        if (wolves := sum(is_wolf(outcome, seat) for seat in outcome.alive_at_night(day)))
        and 2 * wolves < len(outcome.alive_at_night(day))
    ]


def _answers(outcome: Outcome, add: Add) -> None:
    """Answers that could not be taken, and what players count themselves."""
    for seat, account in enumerate(outcome.accounts):
        add("invalid", seat, outcome.invalid[seat], 1)
        add("unanswered", seat, outcome.unanswered[seat], 1)
        if drawn := account.get("said", 0) + account.get("fallback", 0):
            add("fallback", seat, account.get("fallback", 0), drawn)
            add("drawn_again", seat, account.get("drawn again", 0), drawn)


def _talk(outcome: Outcome, add: Add) -> None:
    """What each player said: how much, how often the same again, how many different pairs of words; whom it named."""
    own: dict[int, list[tuple[int, str]]] = {seat: [] for seat in range(len(outcome.roles))}
    for day, seat, text in outcome.said:
        own[seat].append((day, text))
        _mentions(outcome, add, day, seat, text)
    for day in range(outcome.days):
        for seat in outcome.alive(day) - set(outcome.gone):
            add("silent_day", seat, all(on != day for on, _ in own[seat]), 1)
    for seat, lines in own.items():
        add("lines", seat, len(lines), 1)
        pairs = [word_pairs(text) for _, text in lines]
        for at, (line, mine) in enumerate(zip(lines, pairs)):
            add("words", seat, len(mine) - 1, 1)
            add("said_again", seat, at > 0 and line == lines[at - 1], 1)
            add("near_copy", seat, any(alike(mine, earlier) for earlier in pairs[:at]), 1)
        everything = [pair for mine in pairs for pair in mine]
        add("distinct_2", seat, len(set(everything)), len(everything))


def _mentions(outcome: Outcome, add: Add, day: int, speaker: int, text: str) -> None:
    listeners = outcome.alive(day) - {speaker}
    named = {seat for seat in listeners if outcome.names[seat] in text}
    for seat in listeners if named else ():
        add("mentioned", seat, seat in named, len(named) / len(listeners))


def _said_in(outcomes: Sequence[Outcome]) -> Mapping[tuple[str, str], int]:
    """In how many games each player said each line."""
    return Counter(
        each for outcome in outcomes for each in {(outcome.players[seat], text) for _, seat, text in outcome.said}
    )


def _elsewhere(outcome: Outcome, add: Add, heard: Mapping[tuple[str, str], int]) -> None:
    for _, seat, text in outcome.said:
        add("said_elsewhere", seat, heard[outcome.players[seat], text] > 1, 1)


def words_of(text: str) -> list[str]:
    """Words in small letters; where words have no spaces between them, characters."""
    return re.findall(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+", text.lower())


@lru_cache(1 << 16)
def word_pairs(text: str) -> Pairs:
    """All neighbours among the words and the ends of a text."""
    return tuple(pairwise(["", *words_of(text), ""]))


def alike(one: Pairs, other: Pairs) -> bool:
    """Whether two lines are near copies."""
    if one == other:
        return True
    mine, others = set(one), set(other)
    return len(mine & others) >= ALIKE * len(mine | others)
