"""The settings of a table: who sits there, how much is said, how votes are counted, how long an answer may take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.settings import AT_LEAST_0, AT_LEAST_1, TABLE, Whole, Within, check, unset

ROLES = ("WEREWOLF", "POSSESSED", "SEER", "BODYGUARD", "VILLAGER", "MEDIUM")
"""The roles that can be played."""
SETS: dict[int, dict[str, int]] = {
    5: {"WEREWOLF": 1, "POSSESSED": 1, "SEER": 1, "VILLAGER": 2},
    9: {"WEREWOLF": 2, "POSSESSED": 1, "SEER": 1, "MEDIUM": 1, "BODYGUARD": 1, "VILLAGER": 3},
    13: {"WEREWOLF": 3, "POSSESSED": 1, "SEER": 1, "MEDIUM": 1, "BODYGUARD": 1, "VILLAGER": 6},
}
"""The contest's role sets, by number of players (aiwolf-nlp-server, config/)."""
MOST = 30
"""Players at a table at most."""


@Parameter(name="*", group=TABLE.group)
@dataclass(frozen=True, kw_only=True)
class TableConfig:
    """The rules of a table. The defaults are those of the AIWolf NLP contest."""

    players: Annotated[Whole, Within(least=3, most=MOST)] = 5
    """Players at the table; 5, 9 and 13 have the contest's roles, another number needs --roles."""
    roles: Annotated[tuple[str, ...], unset("the contest's for 5, 9 and 13 players")] = ()
    """Roles, such as werewolf=2 seer=1 villager=4; together as many as players."""
    language: Literal["en", "ja"] = "en"
    """Language that is spoken at the table."""
    talk: Literal["turns", "anytime"] = "turns"
    """How players talk: in turns, or whenever they want, until the time is up."""
    talks: Annotated[Whole, AT_LEAST_0] = 4
    """Utterances of a player a day."""
    talk_rounds: Annotated[Whole | None, AT_LEAST_1, unset("as many as talks of all players")] = None
    """Rounds of talk a day at most, when players talk in turns."""
    talk_minutes: Annotated[float, Within(above=0)] = 10.0
    """Minutes of a day's talk, when players talk anytime."""
    whispers: Annotated[Whole | None, AT_LEAST_0, unset("4; 0 for a single wolf")] = None
    """Utterances of a wolf among the wolves, each time that they whisper."""
    letters: Annotated[Whole, AT_LEAST_0] = 125
    """Characters of an utterance, without spaces; the rest is cut off; 0 = any number."""
    letters_after_name: Annotated[Whole | None, AT_LEAST_0, unset("as many as letters")] = None
    """Characters after an @Name, which an utterance may have beside those before it; 0 = any number."""
    letters_a_day: Annotated[Whole | None, AT_LEAST_0, unset("none")] = None
    """Characters of a player a day, beyond the free ones of each utterance."""
    letters_at_once: Annotated[Whole | None, AT_LEAST_1, unset("any number")] = None
    """Characters of an utterance at most, whatever else is left."""
    count_spaces: bool = False
    """Count spaces as characters too."""
    count_words: bool = False
    """Count words, not characters."""
    skips: Annotated[Whole, AT_LEAST_0] = 0
    """Times in a row that a player may say Skip; then it is Over."""
    ballots: Annotated[Whole, AT_LEAST_1] = 1
    """Ballots of an execution at most, while the vote is tied; then chance decides."""
    attack_ballots: Annotated[Whole, AT_LEAST_1] = 1
    """Ballots of the wolves at most, while their vote is tied."""
    self_votes: bool = True
    """Players may vote for themselves."""
    no_attack: bool = False
    """Wolves whose vote stays tied attack nobody."""
    public_votes: bool = True
    """Players learn who voted for whom."""
    days: Annotated[Whole | None, AT_LEAST_1, unset("any number")] = None
    """Days at most; after them nobody has won."""
    quiet_days: Annotated[Whole, AT_LEAST_1] = 10
    """Days in a row without a death after which nobody has won; the contest's server would go on for ever."""
    answer_seconds: Annotated[float, Within(above=0)] = 60.0
    """Seconds that an answer may take."""
    probe_seconds: Annotated[float, Within(above=0)] = 120.0
    """Seconds that a silent player has to say its name, before it counts as gone."""
    lost_share: Annotated[float, Within(above=0, most=1)] = 0.2
    """Share of the players whose loss ends the game."""
    protocol: Literal["v0", "v1"] = "v1"
    """Generation of the contest's server that is followed: v0 (2025, turns only) or v1 (2026)."""

    def __post_init__(self) -> None:
        check(self)
        if self.talk == "anytime" and self.protocol == "v0":
            raise ConfigError("protocol", "v0", "has talk in turns only. Leave it out, or choose --talk turns.")
        counts = self.counts()
        if sum(counts.values()) != self.players:
            problem = f"are {sum(counts.values())} roles for {self.players} players. Give as many roles as players."
            raise ConfigError("roles", " ".join(self.roles), problem)
        wolves = counts.get(WEREWOLF, 0)
        if not 0 < wolves < self.players - wolves:
            problem = "must hold at least one werewolf, and more others than werewolves, or the game is over at once."
            raise ConfigError("roles", " ".join(self.roles), problem)

    def counts(self) -> dict[str, int]:
        """How many players have each role, without roles that nobody has; raises ConfigError for no such role."""
        if not self.roles:
            if self.players not in SETS:
                raise ConfigError("players", self.players, "has no roles of its own. Give them: --roles werewolf=1 …")
            return dict(SETS[self.players])
        counts: Counter[str] = Counter()
        for word in self.roles:
            name, _, number = word.partition("=")
            if name.upper() not in ROLES or not (number or "1").isdecimal():
                problem = f"is not such as werewolf=1. The roles: {', '.join(ROLES).lower()}."
                raise ConfigError("roles", word, problem)
            counts[name.upper()] += int(number or 1)
        return {role: counts[role] for role in ROLES if counts[role]}

    @property
    def wolves(self) -> int:
        return self.counts()[WEREWOLF]

    def talks_of(self, kind: str) -> int:
        """Utterances of a player in one phase of `kind`, talk or whisper."""
        if kind == "talk":
            return self.talks
        return self.whispers if self.whispers is not None else 4 if self.wolves > 1 else 0

    def rounds_of(self, kind: str) -> int:
        """Rounds of one phase of `kind` at most: 20 for five players who talk, as in the contest."""
        if kind == "talk":
            return self.talk_rounds if self.talk_rounds is not None else self.talks * self.players
        return self.talks_of(kind) * self.wolves

    def lost_at_most(self) -> int:
        """From how many lost players on a game is given up; at least one."""
        return max(1, int(self.players * self.lost_share))


def roles_in_order(counts: Mapping[str, int]) -> list[str]:
    """The roles, each as often as somebody has it."""
    return [role for role, number in counts.items() for _ in range(number)]
