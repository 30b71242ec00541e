"""Who the rules player pretends to be: what it claims, the results that it makes up, what it says that it believes."""

from __future__ import annotations

import random

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.inference.evidence import Evidence
from wolf_chatbox.play.inference.reasoning import ENEMIES, Beliefs
from wolf_chatbox.play.players.agenda import Mask
from wolf_chatbox.werewolf.rules import HUMAN
from wolf_chatbox.werewolf.sight import Sight

BLUFFS = 0.08
"""How often a wolf pretends to be the seer, without need."""
COUNTERS = 0.5
"""How often a wolf that was found out claims to be the seer itself."""
BLACKS = 0.9
"""How often a made-up result is a wolf, without a better reason: it tells the wolf who its helper is."""


class Disguise:
    """What one player pretends in one game."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.fakes: dict[str, str] = {}
        """Results that were made up, by target."""
        self._bluffs, self._counters = chance.random() < BLUFFS, chance.random() < COUNTERS

    def mask(self, sight: Sight, evidence: Evidence, beliefs: Beliefs) -> Mask:
        """Who this player pretends to be today."""
        if sight.role in ("SEER", "MEDIUM"):
            return Mask(sight.role)
        if sight.role == "POSSESSED":
            left = sum(beliefs.wolf(name) for name in sight.alive)
            if left >= 0.5 and 2 * (round(left) + 1) > len(sight.alive):
                return Mask("POSSESSED", honest=False)
        if sight.role in ENEMIES and "SEER" in sight.counts and self._pretends(sight, evidence):
            self._make_up(sight, evidence, beliefs)
            return Mask("SEER", self.fakes, honest=False)
        return Mask("VILLAGER", honest=sight.role not in ENEMIES)

    def _pretends(self, sight: Sight, evidence: Evidence) -> bool:
        """Whether an enemy of the village plays the seer: the possessed does, a wolf by chance, or when it must."""
        claimed = evidence.claims.get(sight.me)
        if claimed or sight.role == "POSSESSED":
            return claimed in (None, "SEER")
        claimants = evidence.claimants("SEER")
        accused = any(told.target == sight.me and told.result == WEREWOLF for told in evidence.results.values())
        if any(name in sight.friends for name in claimants) or len(claimants) > 1:
            return False
        if accused:
            return self._counters
        return self._bluffs and sight.day == 1 and not claimants and len(sight.friends) < 2

    def _make_up(self, sight: Sight, evidence: Evidence, beliefs: Beliefs) -> None:
        """A result for each night, as a seer would have it."""
        while len(self.fakes) < sight.day:
            free = [name for name in sight.alive if name != sight.me and name not in self.fakes]
            if not free:
                return
            blacks = sum(result == WEREWOLF for result in self.fakes.values())
            name, result = self._lie(sight, evidence, beliefs, free)
            if result == WEREWOLF and blacks >= sight.counts[WEREWOLF]:
                result = HUMAN
            self.fakes[name] = result

    def _lie(self, sight: Sight, evidence: Evidence, beliefs: Beliefs, free: list[str]) -> tuple[str, str]:
        """Whom to call what: a wolf whom a rival found is human, and an innocent player is a wolf."""
        for told in evidence.results.values():
            if told.role == "SEER" and told.teller != sight.me and told.target in free:
                if told.result == WEREWOLF and beliefs.wolf(told.target) > 0.5:
                    return told.target, HUMAN
                if told.result == HUMAN and beliefs.wolf(told.target) < 0.2 and self._chance.random() < 0.6:
                    return told.target, WEREWOLF
        harmless = sorted(free, key=lambda name: beliefs.wolf(name) + 0.1 * self._chance.random())
        if self._chance.random() < BLACKS:
            return harmless[0], WEREWOLF
        return (harmless[-1] if sight.role == WEREWOLF and self._chance.random() < 0.3 else harmless[0]), HUMAN

    def view(self, sight: Sight, beliefs: Beliefs, public: Beliefs, mask: Mask) -> dict[str, float]:
        """How suspicious this player says that others are: what it believes, or what suits it."""
        others = [name for name in sight.alive if name != sight.me]
        if sight.role not in ENEMIES:
            return {name: beliefs.wolf(name) for name in others}
        view = {name: public.wolf(name) * (1 - beliefs.wolf(name)) for name in others}
        for name, result in mask.fakes.items():
            view[name] = 1.0 if result == WEREWOLF else 0.0
        return view
