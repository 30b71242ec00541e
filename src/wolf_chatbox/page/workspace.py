"""The page's folder: where characters, data, chats, games and votes are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wolf_chatbox.files import writing


@dataclass(frozen=True)
class Workspace:
    """The folders of a page; only their owner can look into them.

    characters/     trained models, each a run folder as `wolf-chatbox train` writes it
    making/         a folder for each character that is being made: its files, settings, and how far it is
    chats/          one file a chat (talk/archive.py)
    games/          one file a game of "Who wrote this?", and the guesses beside it
    votes/          votes of comparisons
    werewolf/       games of werewolf that are over: a log each, and all of them in games.jsonl
    exports/        a folder for each run: what was exported of it
    """

    root: Path

    @property
    def characters(self) -> Path:
        return self.root / "characters"

    @property
    def making(self) -> Path:
        return self.root / "making"

    @property
    def chats(self) -> Path:
        return self.root / "chats"

    @property
    def games(self) -> Path:
        return self.root / "games"

    @property
    def votes(self) -> Path:
        return self.root / "votes"

    @property
    def werewolf(self) -> Path:
        return self.root / "werewolf"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    def make(self) -> None:
        """Make the folders; raises CheckpointError where that cannot be."""
        with writing(self.root, "Choose another folder with --home."):
            kept = (self.characters, self.making, self.chats, self.games, self.votes, self.werewolf, self.exports)
            for folder in (self.root, *kept):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
