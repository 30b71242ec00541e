"""What was voted on two sides: files of votes, a score for each, and a summary for a run's own page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.evaluate.judging.guesses import share_found, wilson
from wolf_chatbox.evaluate.judging.ranking import ranking
from wolf_chatbox.evaluate.judging.votes import JUDGE, Vote, read_votes
from wolf_chatbox.evaluate.measure import Figure
from wolf_chatbox.files import new_file, remove
from wolf_chatbox.page.judging.contest import Match, Side

if TYPE_CHECKING:
    from wolf_chatbox.page.desk import Desk

SURE = 0.05
"""A p value below which one of two is called better."""
NAME = 40
"""Characters of a voter's name."""
PRIVATE = 0o600


class Score(NamedTuple):
    """How the first of two sides fares against the second.

    The interval is that of the Bradley-Terry scores, and at least Wilson's of the plain votes: resamples of a few votes
    that agree are all alike.
    """

    votes: int
    wins: int
    losses: int
    ties: int
    share: Figure
    """Of the votes, ties counted as halves, as the Bradley-Terry scores give it; with its interval."""
    better: int
    """1 or -1 where one is better for sure, else 0."""


class Compared(NamedTuple):
    """A comparison that was begun, and its votes."""

    match: Match
    path: Path
    when: datetime
    votes: list[Vote]

    @property
    def score(self) -> Score:
        return score(self.votes, self.match.one.entry, self.match.other.entry)


@dataclass(frozen=True)
class Summary:
    """What people said of a run, in one comparison or game."""

    address: str
    """Of the page that shows it."""
    sides: tuple[Side, Side] | None
    """Who was compared; None for a game."""
    answers: int
    """Votes, or guesses."""
    share: Figure
    """How often the first side wins, or how often the real reply was found; 0.5 is no difference."""


def score(votes: Sequence[Vote], one: str, other: str) -> Score:
    """What some votes say of two entries."""
    ranks = {rank.entry: rank for rank in ranking(votes)}
    if not ranks:
        return Score(0, 0, 0, 0, Figure(None), 0)
    rank = ranks[one]
    found = [_chance(2 * part) for part in rank.score if part is not None]  # points are about the mean of the two
    plain = wilson(rank.wins + rank.ties / 2, len(votes))
    ends = [end for end in (*found, plain.low, plain.high) if end is not None]
    share = Figure(found[0], min(ends), max(ends))
    told = not min(ends) <= 0.5 <= max(ends) and sign_test(rank.wins, rank.losses) < SURE
    better = 0 if not told else 1 if rank.wins > rank.losses else -1
    return Score(len(votes), rank.wins, rank.losses, rank.ties, share, better)


def _chance(points: float) -> float:
    """How often somebody wins who has so many points more, as Elo's formula has it."""
    return float(1 / (1 + 10 ** (-points / 400)))


def sign_test(wins: int, losses: int) -> float:
    """The p value of "both win equally often", two-sided, without ties (the exact sign test).

    Beside the interval, as resamples of a few votes that all agree are all alike. Dixon & Mood 1946,
    https://doi.org/10.1080/01621459.1946.10501898.
    """
    count, most = wins + losses, max(wins, losses)
    return min(1.0, 2 * sum(comb(count, at) for at in range(most, count + 1)) / 2**count) if count else 1.0


def votes_path(folder: Path, match: Match) -> Path:
    return folder / f"{match.id}.jsonl"


def note_match(folder: Path, match: Match) -> None:
    """Write who is compared beside the votes, once; raises CheckpointError."""
    place = votes_path(folder, match).with_suffix(".json")
    if not place.exists():
        with new_file(place, overwrite=True, mode=PRIVATE) as file:
            json.dump(asdict(match), file, ensure_ascii=False)


def compared(folder: Path) -> list[Compared]:
    """The comparisons with votes, the newest first; those whose files cannot be read are left out."""
    found = []
    for path in folder.glob("*.jsonl"):
        try:
            form = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            match = Match(Side(**form["one"]), Side(**form["other"]), str(form["records"]))
            votes = _nameless(read_votes([path]), path)
            if votes:
                found.append(Compared(match, path, datetime.fromtimestamp(path.stat().st_mtime), votes))
        except (OSError, ValueError, KeyError, TypeError, WolfChatboxError):
            continue
    return sorted(found, key=lambda one: one.when, reverse=True)


def _nameless(votes: list[Vote], path: Path) -> list[Vote]:
    """Votes without a name, which the reader gives the file's."""
    return [vote._replace(voter="") if vote.voter == path.stem else vote for vote in votes]


def remove_votes(one: Compared) -> None:
    """Remove the votes of a comparison."""
    remove(one.path)
    remove(one.path.with_suffix(".json"))


def voter_name(given: str) -> str:
    """A name as it stands in a vote: one line, not too long, and never taken for a model's."""
    name = " ".join(given.split())[:NAME].strip()
    return name.removeprefix(JUDGE) if name.startswith(JUDGE) else name


def summaries(desk: Desk, run: str) -> list[Summary]:
    """The comparisons and games of a run that somebody answered, the newest first of each."""
    found = [
        Summary(f"/compare?id={one.path.stem}", (one.match.one, one.match.other), len(one.votes), one.score.share)
        for one in compared(desk.workspace.votes)
        if run in (one.match.one.run, one.match.other.run)
    ]
    games = [kept for kept in desk.games.all() if kept.game.run == run and kept.guesses]
    return found + [Summary(f"/guess/{k.id}", None, len(k.guesses), share_found(k.guesses)) for k in games]
