"""Votes of an evaluation: read from files, cast on the terminal, asked of a model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from wolf_chatbox.config import EvaluateConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.evaluate.judging.blind import vote
from wolf_chatbox.evaluate.judging.judge import Judge, ask
from wolf_chatbox.evaluate.judging.pairs import Pair
from wolf_chatbox.evaluate.judging.votes import Vote, add_vote, not_voted, read_votes
from wolf_chatbox.screen import Screen, painted

Keep = Callable[[Vote], None]
VOTES = "votes.jsonl"
"""Where votes are kept if no file is named."""


def check(config: EvaluateConfig) -> None:
    """Raise ConfigError for a vote without a terminal, or a judge without an address; DataError for damaged votes."""
    if config.vote and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("vote", True, "needs a terminal. Vote on the page of --html instead.")
    if config.judge is not None:
        Judge.of(config.judge)
    read(config)


def gather(config: EvaluateConfig, asked: Sequence[Pair], language: str, screen: Screen) -> None:
    """Have the votes cast that are asked for, on the terminal and by a judge; each is saved at once.

    Raises ModelError when a judge cannot be reached, and CheckpointError when a vote cannot be saved.
    """
    votes, place = read(config), _place(config)

    def keep(cast: Vote) -> None:
        add_vote(place, cast)

    if config.vote:
        open_ = not_voted(asked, votes, config.voter or place.stem)
        cast = vote(open_, config.voter or "", screen, keep, len(asked) - len(open_))
        votes_cast = "1 vote" if cast == 1 else f"{cast} votes"
        screen.say(f"{votes_cast} added to {place}.", "dim")
    if config.judge is not None:
        _ask(Judge.of(config.judge), asked, votes, language, screen, keep)


def _ask(judge: Judge, asked: Sequence[Pair], votes: Sequence[Vote], language: str, screen: Screen, keep: Keep) -> None:
    """Ask a model about the pairs that it has not judged yet."""
    open_ = not_voted(asked, votes, judge.voter)
    console = Screen(stderr=True)
    with console.status("") as status:
        unread = 0
        for number, cast in enumerate(ask(judge, open_, language), 1):
            if cast is None:
                unread += 1
            else:
                keep(cast)
            status.update(f"{judge.model} judges: {number}/{len(open_)} pairs")
    if unread:
        screen.say(f"note: {judge.model} gave no readable answer about {unread} of {len(open_)} pairs", "yellow")


def _place(config: EvaluateConfig) -> Path:
    return Path(config.votes[0] if config.votes else VOTES)


def read(config: EvaluateConfig) -> list[Vote]:
    """The votes of the files that are named; the one that votes are added to need not be there yet."""
    adds = config.vote or config.judge is not None
    files = [*map(Path, config.votes)] or ([_place(config)] if adds else [])
    return read_votes(file for file in files if file.exists() or not (adds and file == _place(config)))


def show(votes: Mapping[str, Any], screen: Screen) -> None:
    """Print what the votes say (`ranking.summary`)."""
    tables = {"People": votes["people"]} if votes["people"] else {}
    for title, ranks in (tables | votes["judges"]).items():
        made = Table(title, "score", "95 % interval", "won", "lost", "tied", box=None, pad_edge=False)
        for rank in ranks:
            score = rank["score"]
            bounds = "" if score["low"] is None else f"{score['low']:+.0f} to {score['high']:+.0f}"
            counts = (str(rank[part]) for part in ("wins", "losses", "ties"))
            made.add_row(rank["entry"], f"{score['value']:+.0f}", painted((bounds, "dim")), *counts)
        screen.print()
        screen.print(made)
        if title in votes["steady"]:
            screen.say(f"the same with both replies swapped: {votes['steady'][title]:.0%}; the others are ties", "dim")
    for row in votes["agreement"]:
        kappa = "" if row["kappa"] is None else f", kappa {row['kappa']:.2f}"
        screen.say(f"{row['voter']} agrees with {row['other']}: {row['share']:.0%} of {row['pairs']} pairs{kappa}")
    screen.say("score: Bradley-Terry; who has 100 points more is preferred 64 times of 100", "dim")
