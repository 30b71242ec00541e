"""Who is what: exact inference over all worlds, which are the ways to deal the roles that fit what a player knows.

Each world is weighed by how players of its roles behave (`behaviour`). What a player does depends on its own role, and
on whether those whom it names are wolves; so, once the wolves are given, the players are independent but for the number
of each role. The sum over all worlds is a sum over the sets of wolves, and for each of them over the ways to hand out
the other roles, one player after the other (forward and backward, as in a hidden Markov model).
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.players import behaviour
from wolf_chatbox.play.players.evidence import Ballot, Evidence
from wolf_chatbox.werewolf.sight import Kind, Sight

MOST_SETS = 4000
"""Sets of wolves that are looked at; where there are more (not at the contest's tables), so many of them, by chance."""
Array = NDArray[Any]


@dataclass(frozen=True)
class Beliefs:
    """What somebody may conclude."""

    roles: Mapping[str, Mapping[str, float]]
    """P(role), by player and role."""

    def wolf(self, name: str) -> float:
        return self.roles[name].get(WEREWOLF, 0.0)

    def role(self, name: str, role: str) -> float:
        return self.roles[name].get(role, 0.0)


class Reasoner:
    """Draws conclusions from one growing Sight; it reads again only what is new."""

    def __init__(self) -> None:
        self._evidence: Evidence | None = None
        self._rewritten = 0
        self._known: dict[bool, tuple[int, Beliefs]] = {}

    def evidence(self, sight: Sight) -> Evidence:
        """What was seen and heard until now."""
        if self._evidence is None or sight.rewritten != self._rewritten:
            self._evidence, self._rewritten, self._known = Evidence(sight.names), sight.rewritten, {}
        self._evidence.read(sight)
        return self._evidence

    def beliefs(self, sight: Sight) -> Beliefs:
        """What this player may conclude from all that it knows."""
        return self._conclude(sight, sight.me)

    def public(self, sight: Sight) -> Beliefs:
        """What anybody may conclude who knows only what everybody does."""
        return self._conclude(sight, "")

    def _conclude(self, sight: Sight, me: str) -> Beliefs:
        evidence = self.evidence(sight)
        version, beliefs = self._known.get(bool(me), (-1, None))
        if beliefs is None or version != evidence.version:
            beliefs = conclude(evidence, sight.counts, me, sight.over)
            self._known[bool(me)] = evidence.version, beliefs
        return beliefs


def conclude(evidence: Evidence, counts: Mapping[str, int], me: str, over: bool = False) -> Beliefs:
    """Weigh all worlds; `me` is who knows what it knows, or empty: nobody in particular."""
    worlds = Worlds(evidence, counts, me, over)
    shares = worlds.shares(strict=True)
    if shares is None:  # what was read contradicts itself: better a guess than none
        shares = worlds.shares(strict=False)
    assert shares is not None, "without what was seen, each way to deal the roles is possible"
    return Beliefs(
        {
            name: {role: float(shares[at, number]) for number, role in enumerate(worlds.roles)}
            for at, name in enumerate(evidence.names)
        }
    )


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

    `counts` are those of the roles but the wolves'. Nothing is approximated.
    """
    is_wolf = wolves.astype(bool)
    others = logs[1:].max(0)
    scale = np.where(is_wolf, logs[0], others)
    total = scale.sum(0)
    if not np.isfinite(total).any():
        return None
    weight = np.exp(total - total[np.isfinite(total)].max())
    with np.errstate(invalid="ignore"):
        parts = np.where(is_wolf, 0.0, np.exp(logs[1:] - others))
    parts = np.nan_to_num(parts)
    special, rest = parts[:-1], np.where(is_wolf, 1.0, parts[-1])
    shape = [number + 1 for number in counts[:-1]]
    above = [tuple([slice(None)] * axis + [slice(1, None)]) for axis in range(len(shape))]
    below = [tuple([slice(None)] * axis + [slice(None, -1)]) for axis in range(len(shape))]
    players = len(wolves)
    ahead = [np.zeros((*shape, wolves.shape[1]))]
    ahead[0][(0,) * len(shape)] = weight
    for seat in range(players):
        following = ahead[-1] * rest[seat]
        for number, part in enumerate(special):
            following[above[number]] += ahead[-1][below[number]] * part[seat]
        ahead.append(following)
    full = tuple(number - 1 for number in shape)
    worlds = ahead[-1][full]
    sum_of_all = float(worlds.sum())
    if not sum_of_all > 0:
        return None
    behind = np.zeros_like(ahead[0])
    behind[full] = 1.0
    shares = np.zeros((players, len(counts) + 1))
    shares[:, 0] = is_wolf @ worlds
    for seat in reversed(range(players)):
        before = behind * rest[seat]
        for number, part in enumerate(special):
            come = behind[above[number]] * part[seat]
            shares[seat, number + 1] = np.vdot(ahead[seat][below[number]], come)
            before[below[number]] += come
        behind = before
    shares /= sum_of_all
    shares[:, -1] = np.maximum(0.0, 1 - shares[:, :-1].sum(1))
    return shares


def worth(kind: Kind, sight: Sight, beliefs: Beliefs) -> dict[str, float]:
    """How good it is to name each of `sight.targets(kind)`: the log of a chance or of a use; higher is better."""
    judge = _JUDGES.get(kind, _vote)
    return {name: judge(name, sight, beliefs) for name in sight.targets(kind)}


def _log(value: float) -> float:
    return math.log(max(value, 1e-6))


def _vote(name: str, sight: Sight, beliefs: Beliefs) -> float:
    """The village wants a wolf out; its enemies want the seer out, and no wolf."""
    role = beliefs.roles[name]
    if sight.role in (WEREWOLF, "POSSESSED"):
        use = 1.0 + 1.5 * role.get("SEER", 0) + 0.5 * role.get("MEDIUM", 0) - 0.6 * role.get("POSSESSED", 0)
        return _log(use * (1 - role.get(WEREWOLF, 0)) ** 2)
    return _log(role.get(WEREWOLF, 0) + 0.08 * role.get("POSSESSED", 0) + 0.01)


def _divine(name: str, sight: Sight, beliefs: Beliefs) -> float:
    """Where the answer is least certain, most is learnt; better a wolf found than an innocent one."""
    chance = beliefs.wolf(name)
    return _log(chance * (1 - chance) + 0.1 * chance * (1 - chance)) if 0 < chance < 1 else _log(0)


def _guard(name: str, sight: Sight, beliefs: Beliefs) -> float:
    """Whom the wolves want dead: the seer above all."""
    role = beliefs.roles[name]
    return _log((0.15 + 3 * role.get("SEER", 0) + 1.2 * role.get("MEDIUM", 0)) * (1 - role.get(WEREWOLF, 0)) ** 2)


def _attack(name: str, sight: Sight, beliefs: Beliefs) -> float:
    """The seer, then the bodyguard and the medium; the possessed is worth more alive."""
    role = beliefs.roles[name]
    use = 0.3 + 2 * role.get("SEER", 0) + 0.8 * role.get("BODYGUARD", 0) + 0.8 * role.get("MEDIUM", 0)
    return _log(use * (1 - 0.95 * role.get("POSSESSED", 0)) * (1 - role.get(WEREWOLF, 0)))


_JUDGES = {"vote": _vote, "divine": _divine, "guard": _guard, "attack": _attack}
