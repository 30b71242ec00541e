"""How players of each role behave: what exact inference weighs the possible worlds by.

The figures are rounded counts over the 122 contest games of the AIWolf NLP viewer (`bench/werewolf_behaviour.py` prints
them), smoothed where there are few, and where our own rules player has another habit, between the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from wolf_chatbox.game import WEREWOLF

SPECIAL = ("SEER", "MEDIUM", "BODYGUARD", "POSSESSED", WEREWOLF)
"""Roles whose claim says something."""

CLAIMS: Mapping[str, Mapping[str, float]] = {
    "SEER": {"SEER": 0.93, "MEDIUM": 0.005, "BODYGUARD": 0.005, "POSSESSED": 0.005, WEREWOLF: 0.005},
    "MEDIUM": {"SEER": 0.01, "MEDIUM": 0.85, "BODYGUARD": 0.005, "POSSESSED": 0.005, WEREWOLF: 0.005},
    "BODYGUARD": {"SEER": 0.01, "MEDIUM": 0.01, "BODYGUARD": 0.3, "POSSESSED": 0.005, WEREWOLF: 0.005},
    "VILLAGER": {"SEER": 0.02, "MEDIUM": 0.01, "BODYGUARD": 0.01, "POSSESSED": 0.005, WEREWOLF: 0.005},
    "POSSESSED": {"SEER": 0.7, "MEDIUM": 0.06, "BODYGUARD": 0.02, "POSSESSED": 0.06, WEREWOLF: 0.04},
    WEREWOLF: {"SEER": 0.2, "MEDIUM": 0.05, "BODYGUARD": 0.03, "POSSESSED": 0.02, WEREWOLF: 0.01},
}
"""P(a player of this role claims that one at last). What is missing to 1 claims nothing special."""
SILENT: Mapping[str, tuple[float, float, float]] = {
    "SEER": (0.6, 0.12, 0.08),
    "MEDIUM": (0.9, 0.5, 0.2),
    "POSSESSED": (0.7, 0.35, 0.3),
    WEREWOLF: (0.95, 0.8, 0.75),
}
"""P(nothing special claimed by the end of day 0, 1, 2 or later); for the other roles what CLAIMS leave."""
RESULTS: Mapping[str, tuple[float, float]] = {
    "SEER": (0.02, 0.98),
    "MEDIUM": (0.02, 0.98),
    "POSSESSED": (0.5, 0.4),
    WEREWOLF: (0.45, 0.1),
}
"""P(a told result is WEREWOLF), when its target is none, and when it is one. The others guess: a half."""
VOTES: Mapping[str, float] = {"SEER": 2.0, "POSSESSED": 0.9, WEREWOLF: 0.35}
"""How much more often a wolf is voted for than another player; for roles that are missing, 1.5."""
SUSPECTS: Mapping[str, float] = {"SEER": 1.6, "POSSESSED": 0.9, WEREWOLF: 0.5}
"""How much more often a wolf is called suspicious than another player; for roles that are missing, 1.2."""
TRUSTS: Mapping[str, float] = {"SEER": 0.5, "POSSESSED": 1.1, WEREWOLF: 1.1}
"""How much more often a wolf is called trustworthy; for roles that are missing, 0.8."""
ATTACKED: Mapping[str, float] = {"SEER": 2.0, "MEDIUM": 1.5, "BODYGUARD": 1.2, "POSSESSED": 0.6}
"""How much more often this role is attacked than a villager."""
UNGUARDED = 0.35
"""How much rarer a night without a victim is, when the bodyguard is dead or guards somebody else."""


def claim_weight(role: str, claimed: str) -> float:
    """P(a player of `role` claims `claimed`)."""
    return CLAIMS.get(role, CLAIMS["VILLAGER"]).get(claimed, 0.01)


def silence_weight(role: str, days: int) -> float:
    """P(a player of `role` has claimed nothing special after so many days of talk)."""
    if not days:
        return 1.0
    left = 1 - sum(CLAIMS.get(role, CLAIMS["VILLAGER"]).values())
    return SILENT[role][min(days, 3) - 1] if role in SILENT else left


def result_weight(role: str, told: str, wolf: bool) -> float:
    """P(a player of `role` tells this result of somebody who is a wolf, or none)."""
    black = RESULTS.get(role, (0.5, 0.5))[wolf]
    return black if told == WEREWOLF else 1 - black
