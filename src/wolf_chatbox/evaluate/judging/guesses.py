"""The game "Who wrote this?": a real reply beside a model's, who found the real one, and what that says.

Each round is a two-alternative forced choice: both replies are there, and chance is a half. Asked of one reply alone
("person or model?"), people lean to one answer, and so much that the share of right ones says little (Clark et al.
2021, https://aclanthology.org/2021.acl-long.565/); a choice between two does away with the leaning (Green & Swets 1966,
"Signal detection theory and psychophysics").
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from wolf_chatbox.conversation import Turn, parse_json
from wolf_chatbox.errors import DataError
from wolf_chatbox.evaluate.judging.votes import add_line
from wolf_chatbox.evaluate.measure import LEVEL, RESAMPLES, Figure, draws
from wolf_chatbox.files import new_file

CLUES = ("short", "topic", "repeats", "voice", "grammar", "good", "other")
"""What may have given a reply away, in a player's eyes."""
Z = 1.959964
"""How many standard errors a 95 % interval reaches."""
PRIVATE = 0o600
FORM = "a game has run, made, secret, dropped and rounds, each with context, speaker, real and reply"


class Round(NamedTuple):
    """A held-out exchange: what was said before, what was really said then, and what the model says."""

    context: tuple[Turn, ...]
    real: Turn
    reply: str


@dataclass(frozen=True)
class Game:
    """Rounds of one run."""

    run: str
    rounds: tuple[Round, ...]
    secret: str
    """What the sides follow from; a player never gets it."""
    made: str = ""
    """When (ISO 8601)."""
    dropped: int = 0
    """Exchanges left out because the model said nothing, or the very words that were really said."""

    def real_first(self, player: str, number: int) -> bool:
        """Whether a player is shown the real reply first: always the same, and each way with equal chance."""
        what = f"{player} {number}".encode("utf-8", "replace")
        return bool(hmac.new(self.secret.encode(), what, hashlib.sha256).digest()[0] & 1)


class Guess(NamedTuple):
    """What a player made of a round."""

    player: str
    round: int
    right: bool
    """Whether the real reply was taken for the real one."""
    clues: tuple[str, ...] = ()
    """Some of CLUES."""


class Fooled(NamedTuple):
    """How many took the model's reply of a round for the real one."""

    round: int
    fooled: int
    asked: int


# Files.


def write_game(path: Path, game: Game) -> None:
    """Write a game whole, readable by its owner only; raises CheckpointError."""
    form = {"run": game.run, "made": game.made, "secret": game.secret, "dropped": game.dropped}
    rounds = [
        {
            "context": [{"speaker": turn.speaker, "text": turn.text} for turn in one.context],
            "speaker": one.real.speaker,
            "real": one.real.text,
            "reply": one.reply,
        }
        for one in game.rounds
    ]
    with new_file(path, overwrite=True, mode=PRIVATE) as file:
        json.dump(form | {"rounds": rounds}, file, ensure_ascii=False, indent=1)


def read_game(path: Path) -> Game:
    """The game of a file; raises DataError."""
    try:
        form = parse_json(path.read_text(encoding="utf-8"), str(path))
        rounds = tuple(map(_round, form["rounds"]))
        return Game(_text(form["run"]), rounds, _text(form["secret"]), _text(form["made"]), int(form["dropped"]))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read. Make another game.") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: no game ({FORM}). Make another one.") from error


def _round(form: Mapping[str, Any]) -> Round:
    context = tuple(Turn(_text(turn["speaker"]), _text(turn["text"])) for turn in form["context"])
    return Round(context, Turn(_text(form["speaker"]), _text(form["real"])), _text(form["reply"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def add_guess(path: Path, guess: Guess) -> None:
    """Write a guess at the end of a file, at once; the first of a player about a round counts."""
    add_line(path, {"player": guess.player, "round": guess.round, "right": guess.right}, mode=PRIVATE)


def add_clues(path: Path, player: str, number: int, clues: Sequence[str]) -> None:
    """Write what gave a round away, at once; the last line of a player about a round counts."""
    add_line(path, {"player": player, "round": number, "clues": list(clues)}, mode=PRIVATE)


def read_guesses(path: Path) -> list[Guess]:
    """The guesses of a file in their order, none where there is no file; raises DataError."""
    found: dict[tuple[str, int], Guess] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read. Remove the game.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        form = parse_json(line, str(path), number)
        try:
            key = _text(form["player"]), int(form["round"])
            if "right" in form:
                found.setdefault(key, Guess(*key, form["right"] is True))
            elif key in found:
                found[key] = found[key]._replace(clues=tuple(clue for clue in form["clues"] if clue in CLUES))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path}, line {number}: no guess. Remove the line.") from error
    return list(found.values())


# What guesses say.


def wilson(right: float, count: int, z: float = Z) -> Figure:
    """A share with its score interval: right also for few, and for all or none.

    Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953; why this one: Brown, Cai & DasGupta 2001,
    https://doi.org/10.1214/ss/1009213286. `right` may hold halves, for ties.
    """
    if not count:
        return Figure(None)
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Figure(share, max(0.0, middle - reach), min(1.0, middle + reach))


def share_found(guesses: Sequence[Guess], seed: int = 0) -> Figure:
    """How often the real reply was found, by all players together; chance is 0.5.

    Guesses of one player are alike, and guesses about one round are: the interval is that of resampled players and
    resampled rounds at once (Owen 2007, "The pigeonhole bootstrap", https://doi.org/10.1214/07-AOAS122), and at least
    Wilson's, as resamples of a few are all alike. With one player it is Wilson's.
    """
    whole = wilson(sum(guess.right for guess in guesses), len(guesses))
    players = {player: at for at, player in enumerate(dict.fromkeys(guess.player for guess in guesses))}
    rounds = {number: at for at, number in enumerate(sorted({guess.round for guess in guesses}))}
    if len(players) < 2 or whole.low is None or whole.high is None:
        return whole
    right, asked = np.zeros((2, len(players), len(rounds)))
    for guess in guesses:
        place = players[guess.player], rounds[guess.round]
        right[place], asked[place] = guess.right, 1
    drawn, counted = _weights(len(players), seed), _weights(len(rounds), seed + 1)
    found, of = (np.einsum("rp,pn,rn->r", drawn, table, counted) for table in (right, asked))
    shares = found[of > 0] / of[of > 0]
    low, high = np.quantile(shares, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(whole.value, min(whole.low, float(low)), max(whole.high, float(high)))


@lru_cache(16)
def _weights(units: int, seed: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How often each unit is in each resample, shape (RESAMPLES, units)."""
    return np.stack([np.bincount(row, minlength=units) for row in draws(units, RESAMPLES, seed)]).astype(float)


def fooled(guesses: Sequence[Guess]) -> list[Fooled]:
    """How many each round fooled, the hardest first."""
    asked, wrong = Counter[int](), Counter[int]()
    for guess in guesses:
        asked[guess.round] += 1
        wrong[guess.round] += not guess.right
    found = [Fooled(number, wrong[number], asked[number]) for number in asked]
    return sorted(found, key=lambda one: (-one.fooled / one.asked, one.round))


def clue_counts(guesses: Sequence[Guess]) -> dict[str, tuple[int, int]]:
    """How often each clue was named, and how often by somebody who was right; the most named first."""
    named, right = Counter[str](), Counter[str]()
    for guess in guesses:
        for clue in guess.clues:
            named[clue] += 1
            right[clue] += guess.right
    return {clue: (count, right[clue]) for clue, count in named.most_common()}
