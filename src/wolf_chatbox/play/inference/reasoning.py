"""Who is what: what a player may conclude, and how good it is to name somebody."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.inference.evidence import Evidence
from wolf_chatbox.play.inference.worlds import Worlds
from wolf_chatbox.werewolf.sight import Kind, Sight

ENEMIES = (WEREWOLF, "POSSESSED")
"""Roles that win with the wolves."""


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


def worth(kind: Kind, sight: Sight, beliefs: Beliefs) -> dict[str, float]:
    """How good it is to name each of `sight.targets(kind)`: the log of a chance or of a use; higher is better."""
    judge = _JUDGES.get(kind, _vote)
    return {name: judge(name, sight, beliefs) for name in sight.targets(kind)}


def _log(value: float) -> float:
    return math.log(max(value, 1e-6))


def _vote(name: str, sight: Sight, beliefs: Beliefs) -> float:
    """The village wants a wolf out; its enemies want the seer out, and no wolf."""
    role = beliefs.roles[name]
    if sight.role in ENEMIES:
        use = 1.0 + 1.5 * role.get("SEER", 0) + 0.5 * role.get("MEDIUM", 0) - 0.6 * role.get("POSSESSED", 0)
        return _log(use * (1 - role.get(WEREWOLF, 0)) ** 2)
    return _log(role.get(WEREWOLF, 0) + 0.08 * role.get("POSSESSED", 0) + 0.01)


def _divine(name: str, sight: Sight, beliefs: Beliefs) -> float:
    """Where the answer is least certain, most is learnt."""
    return _log(beliefs.wolf(name) * (1 - beliefs.wolf(name)))


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
