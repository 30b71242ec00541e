"""How players of each role behave: what exact inference weighs the possible worlds by.

The figures are rounded counts over 102 contest games of the AIWolf NLP viewer, without translations, as
`bench/werewolf_behaviour.py` prints them. They are smoothed where there are few, and where our own rules player has
another habit, they lie between the two.
"""

from __future__ import annotations

from collections.abc import Mapping

from wolf_chatbox.game import WEREWOLF

SPECIAL = ("SEER", "MEDIUM", "BODYGUARD", "POSSESSED", WEREWOLF)
"""Roles whose claim says something."""

CLAIMS: Mapping[str, Mapping[str, float]] = {
    "SEER": {"SEER": 0.93, "MEDIUM": 0.003, "BODYGUARD": 0.003, "POSSESSED": 0.002, WEREWOLF: 0.002},
    "MEDIUM": {"SEER": 0.02, "MEDIUM": 0.8, "BODYGUARD": 0.003, "POSSESSED": 0.002, WEREWOLF: 0.002},
    "BODYGUARD": {"SEER": 0.015, "MEDIUM": 0.005, "BODYGUARD": 0.15, "POSSESSED": 0.002, WEREWOLF: 0.005},
    "VILLAGER": {"SEER": 0.02, "MEDIUM": 0.005, "BODYGUARD": 0.005, "POSSESSED": 0.003, WEREWOLF: 0.01},
    "POSSESSED": {"SEER": 0.7, "MEDIUM": 0.02, "BODYGUARD": 0.01, "POSSESSED": 0.06, WEREWOLF: 0.01},
    WEREWOLF: {"SEER": 0.14, "MEDIUM": 0.025, "BODYGUARD": 0.01, "POSSESSED": 0.01, WEREWOLF: 0.02},
}
"""P(a player of this role claims that one at last). What is missing to 1 claims nothing special.

Counted: seers 0.85, mediums 0.58, possessed 0.60 and wolves 0.13 claim their part; our own seers always do."""
SILENT: Mapping[str, tuple[float, float, float]] = {
    "SEER": (0.85, 0.12, 0.07),
    "MEDIUM": (0.95, 0.75, 0.3),
    "POSSESSED": (0.85, 0.3, 0.25),
    WEREWOLF: (0.95, 0.85, 0.82),
}
"""P(nothing special claimed by the end of day 0, 1, 2 or later); for the other roles what CLAIMS leave."""
RESULTS: Mapping[str, tuple[float, float]] = {
    "SEER": (0.01, 0.98),
    "MEDIUM": (0.01, 0.97),
    "POSSESSED": (0.5, 0.25),
    WEREWOLF: (0.4, 0.06),
}
"""P(a told result is WEREWOLF), when its target is none, and when it is one. The others guess: a half."""
USUAL_VOTE, USUAL_SUSPECT, USUAL_TRUST = 1.2, 1.1, 0.85
"""What stands below for the roles that are missing there: the village."""
VOTES: Mapping[str, float] = {"SEER": 1.6, "POSSESSED": 1.0, WEREWOLF: 0.5}
"""How much more often a wolf is voted for than another player.

Counted: seers 2.3, villagers 1.3, wolves 0.5. These and the next two are nearer to 1 than what was counted, because
players follow each other: many votes for one player are not so many independent opinions."""
SUSPECTS: Mapping[str, float] = {"SEER": 1.2, "POSSESSED": 1.0, WEREWOLF: 0.8}
"""How much more often a wolf is called suspicious than another player. Counted: villagers 1.6."""
TRUSTS: Mapping[str, float] = {"SEER": 0.75, "POSSESSED": 0.95, WEREWOLF: 1.0}
"""How much more often a wolf is called trustworthy than another player. Counted: villagers 0.4."""
ATTACKED: Mapping[str, float] = {"SEER": 2.0, "MEDIUM": 1.8, "BODYGUARD": 1.0, "POSSESSED": 1.1}
"""How much more often this role is attacked than a villager. Counted: 2.1, 2.1, 1.0, 1.8."""
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
