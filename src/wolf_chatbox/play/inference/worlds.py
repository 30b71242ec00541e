"""All ways to deal the roles that fit what is known, each with its weight, and the sum over all of them.

What a player does depends on its own role, and on whether those whom it names are wolves (`behaviour`); so, once the
wolves are given, the players are independent but for the number of each role. The sum over all worlds is a sum over the
sets of wolves, and for each of them over the ways to hand out the other roles, one player after the other: forward and
backward, as in a hidden Markov model.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.inference import behaviour
from wolf_chatbox.play.inference.evidence import Ballot, Evidence

MOST_SETS = 4000
"""Sets of wolves that are looked at; where there are more (not at the contest's tables), so many of them, by chance."""
Array = NDArray[Any]


class Worlds:
    """All ways to deal the roles, with their weights."""

    def __init__(self, evidence: Evidence, counts: Mapping[str, int], me: str, over: bool) -> None:
        self.evidence, self.me = evidence, me
        self.counts = {role: number for role, number in counts.items() if number}
        others = sorted((role for role in self.counts if role != WEREWOLF), key=lambda role: self.counts[role])
        self.roles = [WEREWOLF, *others]
        """The last one is the role that most of those have who are no wolves."""
        self.seat = {name: at for at, name in enumerate(evidence.names)}
        private = bool(me) or over
        known = evidence.revealed | (evidence.known if private else {})
        self.known = {name: role for name, role in known.items() if role in self.roles}
        species = evidence.species if private else dict.fromkeys(evidence.killed, False)
        self._own = {(told.teller, told.target) for told in evidence.results.values()}
        self._black = {told.target for told in evidence.results.values() if told.result == WEREWOLF}
        self.species = species | {name: role == WEREWOLF for name, role in self.known.items()}

    def shares(self, *, strict: bool) -> Array | None:
        """P(role), players × roles; None if no world is possible. Without `strict`, only the numbers of roles count."""
        names = self.evidence.names
        species = self.species if strict else {}
        surely = frozenset(self.seat[name] for name, wolf in species.items() if wolf)
        never = frozenset(self.seat[name] for name, wolf in species.items() if not wolf)
        wolves = wolf_sets(len(names), self.counts[WEREWOLF], surely, never)
        if strict:
            wolves = wolves[self._goes_on(wolves)]
        if not len(wolves):
            return None
        logs = self._weights(wolves) if strict else np.zeros((len(self.roles), len(names), len(wolves)))
        for name, role in self.known.items() if strict else ():
            at, number = self.seat[name], self.roles.index(role)
            logs[[other for other in range(len(self.roles)) if other != number], at] = -np.inf
        return _sum_over(wolves.T, logs, [self.counts[role] for role in self.roles[1:]])

    def _goes_on(self, wolves: Array) -> Array:
        """Which sets of wolves let the game go on, each time that it did."""
        fits = np.ones(len(wolves), bool)
        for alive in self.evidence.tables:
            left = wolves @ self._marked(alive)
            fits &= (left > 0) & (2 * left < len(alive))
        return fits

    def _marked(self, names: Sequence[str]) -> Array:
        marked = np.zeros(len(self.seat))
        marked[[self.seat[name] for name in names]] = 1
        return marked

    def _weights(self, wolves: Array) -> Array:
        """Log-weight of each role for each player, given who the wolves are: roles × players × sets of wolves."""
        players, roles = len(self.seat), len(self.roles)
        alone, pairs = np.zeros((roles, players)), np.zeros((roles, players, players, 2))
        for name, at in self.seat.items():
            alone[:, at] = self._alone(name) if name != self.me else self._fate(name)
        for who, whom, table in self._pairs():
            pairs[:, self.seat[who], self.seat[whom]] += table
        base = alone + pairs[..., 0].sum(2)
        logs: Array = base[:, :, None] + (pairs[..., 1] - pairs[..., 0]) @ wolves.T.astype(float)
        for ballot in self.evidence.ballots.values():
            self._add_ballot(logs, wolves, ballot.alive, [voter for voter, _ in self._free_votes(ballot)])
        return logs

    def _alone(self, name: str) -> Array:
        """What a player's claim, or its silence, says about its role, and what befell it."""
        evidence = self.evidence
        claimed, days = evidence.claims.get(name), evidence.days[name]
        if claimed:
            return _claims(tuple(self.roles), claimed) + self._fate(name)
        return _silence(tuple(self.roles), min(days, 3)) + self._fate(name)

    def _fate(self, name: str) -> Array:
        logs = np.zeros(len(self.roles))
        if name in self.evidence.killed:
            logs += np.log([behaviour.ATTACKED.get(role, 1.0) for role in self.roles])
        for guarded, alive in self.evidence.quiet_nights:
            if "BODYGUARD" in self.roles and name not in alive:
                logs[self.roles.index("BODYGUARD")] += math.log(behaviour.UNGUARDED)
            if self.me and guarded == name:
                logs[0] += math.log(behaviour.UNGUARDED)
        return logs

    def _pairs(self) -> list[tuple[str, str, Array]]:
        """Who said or did what to whom, with its log-weight: roles of the one × whether the other one is a wolf."""
        roles, found = tuple(self.roles), []
        for result in self.evidence.results.values():
            found.append((result.teller, result.target, _results(roles, result.role, result.result)))
        for (who, whom), role in self.evidence.estimates.items():
            if not self._led(who, whom):
                found.append((who, whom, _estimates(roles, role)))
        for ballot in self.evidence.ballots.values():
            found += [(voter, target, _votes(roles)) for voter, target in self._free_votes(ballot)]
        return [(who, whom, table) for who, whom, table in found if who != self.me and who in self.seat]

    def _free_votes(self, ballot: Ballot) -> list[tuple[str, str]]:
        """The votes that nothing but the voter's mind explains."""
        return [(voter, target) for voter, target in ballot.votes if voter != target and not self._led(voter, target)]

    def _led(self, who: str, whom: str) -> bool:
        """Whether a result that was told explains that `who` names `whom`: an own one, or a wolf that others found."""
        return (who, whom) in self._own or whom in self._black

    def _add_ballot(self, logs: Array, wolves: Array, alive: Sequence[str], voters: Sequence[str]) -> None:
        """Divide the votes' weights by their sum over all whom a voter could have named."""
        seats = [self.seat[name] for name in voters if name != self.me]
        if not seats:
            return
        there = (wolves @ self._marked(alive)).astype(int)
        could = _normalisers(tuple(self.roles), len(alive) - 1, self.counts[WEREWOLF])
        logs[:, seats] -= could[:, there[None, :] - wolves.T[seats].astype(int)]


@lru_cache(maxsize=256)
def wolf_sets(players: int, wolves: int, surely: frozenset[int], never: frozenset[int]) -> Array:
    """All sets of wolves among the players: sets × players, 1 for a wolf; a sample of them where there are too many."""
    free = [seat for seat in range(players) if seat not in surely and seat not in never]
    more = wolves - len(surely)
    if more < 0 or more > len(free) or surely & never:
        return np.zeros((0, players), np.int8)
    if math.comb(len(free), more) <= MOST_SETS:
        chosen = list(combinations(free, more))
    else:
        chance = random.Random(f"{players} {wolves} {sorted(surely)} {sorted(never)}")
        chosen = sorted({tuple(sorted(chance.sample(free, more))) for _ in range(MOST_SETS)})
    sets = np.zeros((len(chosen), players), np.int8)
    for row, seats in enumerate(chosen):
        sets[row, [*seats, *surely]] = 1
    return sets


@lru_cache(maxsize=256)
def _claims(roles: tuple[str, ...], claimed: str) -> Array:
    return np.log([behaviour.claim_weight(role, claimed) for role in roles])


@lru_cache(maxsize=64)
def _silence(roles: tuple[str, ...], days: int) -> Array:
    return np.log([behaviour.silence_weight(role, days) for role in roles])


@lru_cache(maxsize=256)
def _results(roles: tuple[str, ...], of: str, told: str) -> Array:
    """A true seer's divinations are true; somebody else who tells such things makes them up, the medium too."""
    weights = [[behaviour.result_weight(role, told, wolf) for wolf in (False, True)] for role in roles]
    for number, role in enumerate(roles):
        if role in ("SEER", "MEDIUM") and role != of:
            weights[number] = [0.5, 0.5]
    return np.log(weights)


@lru_cache(maxsize=64)
def _estimates(roles: tuple[str, ...], role: str) -> Array:
    table, usual = (
        (behaviour.SUSPECTS, behaviour.USUAL_SUSPECT) if role == WEREWOLF else (behaviour.TRUSTS, behaviour.USUAL_TRUST)
    )
    return np.log([[1.0, table.get(role, usual)] for role in roles])


@lru_cache(maxsize=64)
def _votes(roles: tuple[str, ...]) -> Array:
    return np.log([[1.0, behaviour.VOTES.get(role, behaviour.USUAL_VOTE)] for role in roles])


@lru_cache(maxsize=256)
def _normalisers(roles: tuple[str, ...], others: int, most: int) -> Array:
    """Log of the sum of the weights of all whom a voter of each role can name, by how many of them are wolves."""
    wolves = np.arange(most + 1)
    lift = np.array([behaviour.VOTES.get(role, behaviour.USUAL_VOTE) for role in roles])[:, None]
    sums: Array = np.maximum(others - wolves, 0) + lift * wolves + 1e-9
    return np.log(sums)


def _sum_over(wolves: Array, logs: Array, counts: Sequence[int]) -> Array | None:
    """P(role), players × roles, from log-weights roles × players × sets; `wolves` is players × sets.

    `counts` are those of the roles but the wolves'. Nothing is approximated: a state is how many players have each
    role so far, but for the last one, which the others have.
    """
    is_wolf = wolves.astype(bool)
    others = logs[1:].max(0)
    total = np.where(is_wolf, logs[0], others).sum(0)
    if not np.isfinite(total).any():
        return None
    with np.errstate(invalid="ignore"):
        parts = np.nan_to_num(np.where(is_wolf, 0.0, np.exp(logs[1:] - others)))
    parts[-1][is_wolf] = 1.0
    shape = [number + 1 for number in counts[:-1]]
    full = tuple(number - 1 for number in shape)
    first = np.zeros((*shape, wolves.shape[1]))
    first[(0,) * len(shape)] = np.exp(total - total[np.isfinite(total)].max())
    ahead = _ahead(first, parts)
    worlds = ahead[-1][full]
    if not worlds.sum() > 0:
        return None
    behind = np.zeros_like(first)
    behind[full] = 1.0
    shares = np.zeros((len(wolves), len(counts) + 1))
    shares[:, 0] = is_wolf @ worlds
    _add_behind(shares, ahead, behind, parts)
    shares /= worlds.sum()
    shares[:, -1] = np.maximum(0.0, 1 - shares[:, :-1].sum(1))
    return shares


def _ahead(first: Array, parts: Array) -> list[Array]:
    """The sums over all ways to give roles to the players before each one, and to all; states × sets."""
    ahead = [first]
    for seat in range(parts.shape[1]):
        following = ahead[-1] * parts[-1, seat]
        for role, (fewer, more) in enumerate(_steps(first.ndim - 1)):
            following[more] += ahead[-1][fewer] * parts[role, seat]
        ahead.append(following)
    return ahead


def _add_behind(shares: Array, ahead: list[Array], behind: Array, parts: Array) -> None:
    """Go back from the last player, and add to `shares` the weight of each role but the first and the last."""
    for seat in reversed(range(parts.shape[1])):
        before = behind * parts[-1, seat]
        for role, (fewer, more) in enumerate(_steps(behind.ndim - 1)):
            come = behind[more] * parts[role, seat]
            shares[seat, role + 1] = np.vdot(ahead[seat][fewer], come)
            before[fewer] += come
        behind = before


@lru_cache(maxsize=16)
def _steps(roles: int) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """For each role: the states that one more of it leads away from, and those that it leads to."""
    every = slice(None)
    return [((every,) * axis + (slice(None, -1),), (every,) * axis + (slice(1, None),)) for axis in range(roles)]
