"""What becomes of a game that is over or was given up: a log, and a conversation that can be learnt.

    FOLDER/games.jsonl      one conversation a game: wolf-chatbox train --data FOLDER
    FOLDER/logs/ID.log      the log of each game, in the form of the contest's server

A log and a conversation of one game have one id, so who reads the whole folder reads each game once.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from wolf_chatbox.evaluate.judging.votes import add_line
from wolf_chatbox.files import writing
from wolf_chatbox.play.log import write_log
from wolf_chatbox.werewolf.rules import Village

GAMES = "games.jsonl"
LOGS = "logs"


class Saved(NamedTuple):
    """Where a game is saved."""

    log: Path
    games: Path | None
    """The file with its conversation; None if nothing was said, so there is nothing to learn."""


def prepare(folder: Path) -> None:
    """Make the folder of finished games, before a game begins; raises CheckpointError where no game could be saved."""
    logs = folder / LOGS
    with writing(logs):
        logs.mkdir(parents=True, exist_ok=True)
        if not os.access(logs, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def save(village: Village, folder: Path, teams: Mapping[str, str]) -> Saved:
    """Save a game, finished or not; raises CheckpointError where that cannot be. `teams` says who played each seat."""
    prepare(folder)
    log, games = folder / LOGS / f"{village.game_id or 'game'}.log", folder / GAMES
    conversation = village.conversation()
    if conversation.turns and not log.exists():
        add_line(games, conversation.to_dict())
    write_log(log, village, teams)
    return Saved(log, games if conversation.turns else None)
