"""The decisions of a recorded game of the contest, given to our rules again."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.steps import Answer, Ask
from wolf_chatbox.werewolf.table import TableConfig

ROW = re.compile(r"([0-9]+),(status|vote|attackVote|divine|guard|execute|attack|result),(.*)")
FIELDS = {"vote": "vote", "attackVote": "attack", "divine": "divine", "guard": "guard"}


@dataclass
class Recording:
    """What a log says of votes, nights and deaths; players are named by their numbers."""

    roles: dict[str, str] = field(default_factory=dict)
    said: dict[tuple[int, str, str], deque[str]] = field(default_factory=lambda: defaultdict(deque))
    """What each player answered, by day and request."""
    executed: dict[int, str] = field(default_factory=dict)
    attacked: dict[int, tuple[str, bool]] = field(default_factory=dict)
    found: dict[int, str] = field(default_factory=dict)
    """HUMAN or WEREWOLF, by the day of the divination."""
    missing: dict[str, int] = field(default_factory=dict)
    """From which day on a player was lost."""
    result: tuple[int, int, int, str] | None = None
    """Day, humans and wolves alive, winner."""

    @classmethod
    def read(cls, path: Path) -> Recording:
        game = cls()
        for line in path.read_text(encoding="utf-8").splitlines():
            if (row := ROW.match(line)) is None:
                continue
            day, kind, rest = int(row[1]), row[2], row[3].strip().split(",")
            if kind == "status":
                game.roles[rest[0]] = rest[1]
                if not rest[2]:
                    game.missing.setdefault(rest[0], day)
            elif kind in FIELDS:
                game.said[day, FIELDS[kind], rest[0]].append(rest[1])
                if kind == "divine":
                    game.found[day] = rest[2]
            elif kind == "execute":
                game.executed[day] = rest[0]
            elif kind == "attack":
                game.attacked[day] = ("" if rest[0] == "-1" else rest[0], rest[0] != "-1" and rest[1] == "true")
            elif kind == "result" and game.result is None:
                game.result = (day, int(rest[0]), int(rest[1]), "" if rest[2] == "NONE" else rest[2])
        return game

    def ballots(self, request: str) -> int:
        return max((len(said) for (_, kind, _), said in self.said.items() if kind == request), default=1)


class _AsRecorded(random.Random):
    """Ties fall as they did."""

    village: Village
    game: Recording

    def choice(self, seq: Sequence[str]) -> str:  # type: ignore[override]
        day, voted = self.village.day, self.village.events[-1].kind == "vote"
        was = self.game.executed.get(day, "") if voted else self.game.attacked.get(day, ("", False))[0]
        assert was in seq, f"day {day}: {was or 'nobody'} was chosen, of {', '.join(seq)}"
        return was


class OldVillage(Village):
    """The server of 2024 looked for a winner in the morning only: the night went on after an execution."""

    def _ends(self) -> bool:
        return False


def replay(game: Recording, *, old: bool = False) -> Village:
    """Play a recorded game again, without its talk."""
    roles = [f"{role}={count}" for role, count in Counter(game.roles.values()).items()]
    table = TableConfig(
        players=len(game.roles),
        roles=tuple(roles),
        talks=0,
        whispers=0,
        ballots=game.ballots("vote"),
        attack_ballots=game.ballots("attack"),
        lost_share=1.0 if game.result and game.result[3] else 0.2,
    )
    chance = _AsRecorded()
    village = (OldVillage if old else Village)(table, game.roles, chance=chance)
    chance.village, chance.game = village, game
    course = village.course()
    answer: Answer = None
    try:
        while True:
            step = course.send(answer)
            for name, day in game.missing.items():
                if day <= village.day:
                    village.lose(name)
            answer = None
            if isinstance(step, Ask):
                answer = {}
                for name in step.who:
                    said = game.said[village.day, step.kind, name]
                    answer[name] = said.popleft() if said else None
    except StopIteration:
        return village
