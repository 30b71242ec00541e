"""What tells a real reply from a model's without reading it: how often one measured cue alone would find it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wolf_chatbox.evaluate.judging.guesses import Round, wilson
from wolf_chatbox.evaluate.measure import Figure

Z_OF_ALL = 2.5758
"""How many standard errors an interval reaches so that all five hold at once in 95 % (Bonferroni: 1 %, two-sided)."""
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
"""Japanese, Chinese and Korean, which is looked at by pairs of characters: its words have no ends to see."""
ENDS = re.compile(r"[.!?…。！？♪~〜)）」』\"”']\s*\Z")


class Cue(NamedTuple):
    """How often the reply with more of something is the real one."""

    name: str
    share: Figure
    """Of the rounds, equal replies count a half; 0.5 says nothing, and below it the one with less is the real one."""
    rounds: int

    @property
    def tells(self) -> bool:
        """Whether that is more than chance, in view of how many cues are looked at."""
        return (
            self.share.low is not None and self.share.high is not None and not self.share.low <= 0.5 <= self.share.high
        )


def units(text: str) -> list[str]:
    """The words of a text in small letters, and pairs of characters where there are no spaces."""
    text = text.casefold()
    wide = [piece[at : at + 2] for piece in WIDE.findall(text) for at in range(max(1, len(piece) - 1))]
    return [*re.findall(r"[^\W_]+(?:['’][^\W_]+)?", WIDE.sub(" ", text)), *wide]


def _length(round: Round, text: str) -> float:
    return len(text.strip())


def _echo(round: Round, text: str) -> float:
    """The share of its words that stand in the turns before."""
    before = {unit for turn in round.context for unit in units(turn.text)}
    found = units(text)
    return sum(unit in before for unit in found) / len(found) if found else 0.0


def _repeats(round: Round, text: str) -> float:
    """The share of its words that it has already said."""
    found = units(text)
    return 1 - len(set(found)) / len(found) if found else 0.0


def _ends(round: Round, text: str) -> float:
    return bool(ENDS.search(text))


def _asks(round: Round, text: str) -> float:
    return "?" in text or "？" in text


CUES: dict[str, Callable[[Round, str], float]] = {
    "length": _length,
    "echo": _echo,
    "repeats": _repeats,
    "ends": _ends,
    "asks": _asks,
}


def cues(rounds: Sequence[Round]) -> list[Cue]:
    """What each cue alone finds. Which way a cue points is not fitted: that would find something in any rounds."""
    found = []
    for name, measure in CUES.items():
        points = 0.0
        for one in rounds:
            real, reply = measure(one, one.real.text), measure(one, one.reply)
            points += 0.5 if real == reply else float(real > reply)
        found.append(Cue(name, wilson(points, len(rounds), Z_OF_ALL), len(rounds)))
    return found
