"""The measures of a tournament: each player's figure with its 95 % interval, from a bootstrap over games.

Many seats of one game share its end, so games are drawn, not seats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from wolf_chatbox.evaluate.measure import LEAST_UNITS, LEVEL, RESAMPLES, Better, Figure, draws
from wolf_chatbox.game import SIDES, VILLAGER, WEREWOLF
from wolf_chatbox.play.tournament.counts import PLACE, Counts, Numbers
from wolf_chatbox.play.tournament.needed import wilson
from wolf_chatbox.werewolf.table import ROLES

Unit = Literal["", "%"]
ENDS = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]


class Totals(NamedTuple):
    """Sums over all games (first), and over those of each resample; shapes (1 + resamples, players, roles, …)."""

    above: Numbers
    below: Numbers
    composition: Mapping[str, int]
    """How many players of a table have each role."""

    def share(self, quantity: str, roles: Iterable[str] = ROLES) -> Numbers:
        """A quantity of each player in some roles, shape (1 + resamples, players); NaN where there is nothing."""
        places = [ROLES.index(role) for role in roles]
        above = self.above[:, :, places, PLACE[quantity]].sum(2)
        below = self.below[:, :, places, PLACE[quantity]].sum(2)
        return ratio(above, below)

    def over_roles(self, weights: Mapping[str, int]) -> Numbers:
        """The win rates in the roles that a player had, averaged with these weights."""
        rates = np.stack([self.share("win", [role]) for role in weights])
        there = ~np.isnan(rates) * np.array(list(weights.values()), float)[:, None, None]
        sums = there.sum(0)
        return ratio(np.nansum(rates * there, 0), sums)


def ratio(above: Numbers, below: Numbers) -> Numbers:
    """The quotients; NaN where there is nothing below."""
    found: Numbers = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
    return found


class Column(NamedTuple):
    """One measure: what it is called, what it says, and how it is taken."""

    name: str
    title: str
    group: str
    means: str
    take: Callable[[Totals], Numbers]
    better: Better = "none"
    unit: Unit = "%"
    digits: int = 3
    roles: tuple[str, ...] = ()
    """Of a win rate: the roles that it is about."""


def columns(composition: Mapping[str, int]) -> Iterator[Column]:
    """All measures of a table with this composition."""
    yield from _wins(composition)
    yield from _contest_averages(composition)
    yield from _ratios(composition)
    yield from _judgement(composition)
    yield from _mistakes(composition)
    yield from _talk()


def _of(quantity: str, roles: Iterable[str] = ROLES) -> Callable[[Totals], Numbers]:
    some = tuple(roles)
    return lambda totals: totals.share(quantity, some)


def _wins(composition: Mapping[str, int]) -> Iterator[Column]:
    group = "Games won"

    def won(name: str, title: str, means: str, roles: Iterable[str]) -> Column:
        some = tuple(roles)
        return Column(name, title, group, means, _of("win", some), "higher", roles=some)

    yield won("win", "All seats", "The share of seats whose side won.", composition)
    for side, title in ((VILLAGER, "Villagers' side"), (WEREWOLF, "Wolves' side")):
        roles = [role for role in composition if SIDES[role] == side]
        means = f"The share of seats with the roles {', '.join(roles).lower()} whose side won."
        yield won(f"win_side_{side.lower()}", title, means, roles)
    for role in composition:
        means = f"The share of seats with the role {role.lower()} whose side won."
        yield won(f"win_role_{role.lower()}", f"As {role.lower()}", means, [role])
    yield Column("alive", "Alive at the end", group, "The share of seats that lived to see the end.", _of("alive"))


def _contest_averages(composition: Mapping[str, int]) -> Iterator[Column]:
    group = "The contest's averages"
    yield Column(
        *("contest_macro", "Macro (games won)", group, "What the contest calls macro: seats won of all seats."),
        *(_of("win"), "higher"),
    )
    yield Column(
        *("contest_micro", "Micro (mean of roles)", group, "What the contest calls micro: the mean over the roles."),
        *(lambda totals: totals.over_roles(dict.fromkeys(composition, 1)), "higher"),
    )
    means = "The mean over the roles, each as often as a table has it: without the luck of the draw."
    yield Column(
        *("contest_weighted_micro", "Weighted micro (roles as dealt)", group, means),
        *(lambda totals: totals.over_roles(composition), "higher"),
    )


def _ratios(composition: Mapping[str, int]) -> Iterator[Column]:
    group = "Chosen by others, as a ratio to chance"
    chosen = {
        "voted": ("Votes received", "votes of others for it"),
        "executed": ("Voted out", "executions of it"),
        "attacked": ("Attacked", "attacks on it"),
        "attack_named": ("Named by wolves", "votes of wolves to attack it"),
        "divined": ("Divined", "divinations of it"),
        "guarded": ("Guarded", "guards of it"),
        "mentioned": ("Mentioned", "utterances of others with its name"),
    }
    if "BODYGUARD" not in composition:
        del chosen["guarded"]
    if composition.get(WEREWOLF, 0) < 2:  # a single wolf attacks whom it names
        del chosen["attack_named"]
    for name, (title, what) in chosen.items():
        means = f"How many {what} there were, for one that chance gives; 1 is chance."
        yield Column(name, title, group, means, _of(name), unit="", digits=2)


def _judgement(composition: Mapping[str, int]) -> Iterator[Column]:
    group = "Judgement"
    ratio = "How many {} hit a wolf, for one that chance hits; 1 is chance."
    yield Column(
        *("vote_accuracy", "Villagers' votes, to chance", group, ratio.format("votes of the villagers' side")),
        *(_of("vote_accuracy"), "higher", "", 2),
    )
    means = "The share of votes of the villagers' side that hit a wolf."
    yield Column("vote_hit", "Villagers' votes that hit", group, means, _of("vote_hit"), "higher")
    yield Column(
        *("divine_accuracy", "Divinations, to chance", group, ratio.format("divinations")),
        *(_of("divine_accuracy"), "higher", "", 2),
    )
    means = "The share of divinations that found a wolf."
    yield Column("divine_hit", "Divinations that hit", group, means, _of("divine_hit"), "higher")
    means = "The share of the possessed's votes that spared the wolves."
    yield Column("possessed_spares", "Possessed spares wolves", group, means, _of("possessed_spares"), "higher")
    if composition.get(WEREWOLF, 0) > 1:
        means = "The share of a wolf's votes for another wolf: a mistake, or a disguise."
        yield Column("wolf_betrays", "Wolf votes for a wolf", group, means, _of("wolf_betrays"))


def _mistakes(composition: Mapping[str, int]) -> Iterator[Column]:
    group = "Mistakes"
    shares = {
        "no_vote": ("No vote", "days without a vote"),
        "self_vote": ("Votes for itself", "votes for itself"),
        "no_attack_vote": ("No attack named", "nights as a wolf without a vote"),
        "attack_on_wolf": ("Attack on a wolf", "a wolf's votes to attack a wolf"),
        "no_divination": ("No divination", "nights as a seer without a divination"),
        "no_guard": ("No guard", "nights as a bodyguard without a guard"),
        "silent_day": ("Silent days", "days on which it said nothing"),
        "said_again": ("Said twice in a row", "lines that are the line before, to the letter"),
    }
    for name, (title, what) in shares.items():
        if name != "no_guard" or "BODYGUARD" in composition:
            yield Column(name, title, group, f"The share of {what}.", _of(name), "lower")
    for name, (title, means) in {
        "fallback": (
            "Fallbacks",
            "The share of lines that were a template, as none that the model drew passed the checks.",
        ),
        "drawn_again": ("Drawn again", "How often lines were drawn again, for each line."),
    }.items():
        yield Column(name, title, group, means, _of(name), "lower")
    for name, (title, means) in {
        "invalid": ("Invalid answers", "Answers a seat and game that named nobody who could be named."),
        "unanswered": ("No answers", "Requests a seat and game without an answer."),
    }.items():
        yield Column(name, title, group, means, _of(name), "lower", "", 3)


def _talk() -> Iterator[Column]:
    group = "Talk"
    yield Column("lines", "Lines", group, "Lines a seat and game.", _of("lines"), unit="", digits=1)
    yield Column("words", "Words", group, "Words a line.", _of("words"), unit="", digits=1)
    means = "The share of lines that are nearly one of its own earlier lines in the game."
    yield Column("near_copy", "Near copies", group, means, _of("near_copy"), "lower")
    means = "The share of lines that it said in another game too, to the letter."
    yield Column("said_elsewhere", "Said in other games", group, means, _of("said_elsewhere"), "lower")
    means = "How many of a seat's pairs of words in a game are different ones."
    yield Column("distinct_2", "Dist-2 in a game", group, means, _of("distinct_2"), "higher")


def weights(games: int, resamples: int, seed: int) -> Numbers:
    """How often each resample holds each game, shape (1 + resamples, games); the first holds each once."""
    chosen = draws(games, resamples, seed)
    return np.stack([np.ones(games), *(np.bincount(row, minlength=games) for row in chosen)])


def totals(counts: Counts, composition: Mapping[str, int], seed: int, resamples: int = RESAMPLES) -> Totals:
    """The sums over all games, and over resamples of them."""
    times = weights(len(counts.above), resamples, seed)
    return Totals(np.tensordot(times, counts.above, 1), np.tensordot(times, counts.below, 1), composition)


def measured(counts: Counts, sums: Totals, measures: Iterable[Column]) -> list[dict[str, Any]]:
    """The JSON form of every measure that somebody has a figure of, as evaluate/report takes it."""
    found = []
    for column in measures:
        values = column.take(sums)
        if not np.isnan(values[0]).all():
            figures = {
                player: figure(values[:, at], len(counts.above), _won_in(counts, at, column.roles))
                for at, player in enumerate(counts.players)
            }
            found.append(form(column, figures, differences(counts.players, values, len(counts.above))))
    return found


def form(column: Column, figures: Mapping[str, Figure], p: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """A measure with its figures, as the results of an evaluation have them."""
    about = {name: getattr(column, name) for name in ("name", "title", "group", "means", "better", "unit", "digits")}
    return about | {"figures": {player: each._asdict() for player, each in figures.items()}, "p": p}


def figure(values: Numbers, games: int, won_in: int = 0) -> Figure:
    """The first of some values, with the interval of the others, which are those of resamples.

    Where all games have the same winner, so have all resamples; `won_in` so many games the interval is Wilson's then.
    """
    value = None if np.isnan(values[0]) else float(values[0])
    spread = values[1:][~np.isnan(values[1:])]
    if value is None or games < LEAST_UNITS or not len(spread):
        return Figure(value)
    if won_in and value in (0, 1):
        return Figure(value, *wilson(round(value * won_in), won_in))
    low, high = np.quantile(spread, ENDS)
    return Figure(value, float(low), float(high))


def differences(players: Sequence[str], values: Numbers, games: int) -> dict[str, dict[str, float]]:
    """The p value of "both are equally good" for each two players, two-sided, by paired bootstrap."""
    found: dict[str, dict[str, float]] = {player: {} for player in players}
    for at, one in enumerate(players):
        for place, other in enumerate(players[at + 1 :], at + 1):
            gap = values[:, at] - values[:, place]
            spread = gap[1:][~np.isnan(gap[1:])]
            if games >= LEAST_UNITS and len(spread) and not np.isnan(gap[0]):
                far = np.abs(spread - np.median(spread)) >= abs(gap[0])
                found[one][other] = float((far.sum() + 1) / (len(spread) + 1))
    return found


def _won_in(counts: Counts, player: int, roles: Sequence[str]) -> int:
    """In how many games that somebody won a player had one of these roles."""
    places = [ROLES.index(role) for role in roles]
    return int((counts.below[:, player, places, PLACE["win"]].sum(1) > 0).sum())
