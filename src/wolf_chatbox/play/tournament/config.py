"""The settings of tournaments and of self-play."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.play.casting import PlayersConfig
from wolf_chatbox.play.tournament.games import Order
from wolf_chatbox.play.tournament.schedule import Contest, Match
from wolf_chatbox.settings import AT_LEAST_0, AT_LEAST_1, LIMITS, PLAYERS, SAVING, Whole, check, unset
from wolf_chatbox.werewolf.table import TableConfig

Workers = Annotated[Whole | None, LIMITS, AT_LEAST_1, unset("1; 8 with a model")]
Keep = Literal["all", "winners"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TournamentConfig:
    """Let players play many games, and tell how good they are."""

    contestants: tuple[str, ...] = field(default=("rules", "random"), kw_only=False)
    """Who plays: random, rules, model:RUN, openai:URL#MODEL."""
    games: Annotated[Whole, PLAYERS, AT_LEAST_1] = 1000
    """Number of games; more than before goes on with a tournament."""
    match: Annotated[Match, PLAYERS] = "mixed"
    """Who meets: mixed (all at every table), or sides (one player has the villagers' side, another the wolves')."""
    seed: Annotated[Whole, PLAYERS, AT_LEAST_0] = 0
    """Random seed of the seats, the roles and the players."""
    workers: Workers = None
    """Processes that play; with a model: games at once in one process, whose seats share forward passes."""
    ray: Annotated[str | None, LIMITS] = None
    """Play on a Ray cluster, by its address; local = one in this computer."""
    output: Annotated[Path, SAVING] = Path("tournament")
    """Folder for the games; the same command again goes on where it was stopped."""
    conversations: Annotated[bool, SAVING] = False
    """Keep each game's conversation too."""
    html: Annotated[Path | None, SAVING] = None
    """Write a report page to this file."""
    json: Annotated[Path | None, SAVING] = None
    """Write all figures as JSON to this file."""
    fresh: Annotated[bool, SAVING] = False
    """Remove the games that are in the output folder, and play anew."""
    overwrite: Annotated[bool, SAVING] = False
    """Replace existing reports."""
    table: TableConfig = field(default_factory=TableConfig)
    playing: PlayersConfig = field(default_factory=PlayersConfig)

    def __post_init__(self) -> None:
        check(self)
        if len(set(self.contestants)) < max(1, len(self.contestants)):
            raise ConfigError("contestants", " ".join(self.contestants), "names a player twice. Name each once.")
        if not self.contestants:
            raise ConfigError("contestants", "(none)", "names no player. Give at least one.")

    def order(self) -> Order:
        """What is to be played."""
        return Order(Contest(self.contestants, self.table, self.seed, self.match), self.playing, self.conversations)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class SelfplayConfig:
    """Let players play, and write their games as conversations to train on."""

    contestants: tuple[str, ...] = field(default=("rules",), kw_only=False)
    """Who plays: random, rules, model:RUN, openai:URL#MODEL; several sit together."""
    games: Annotated[Whole, PLAYERS, AT_LEAST_1] = 100
    """Number of games."""
    seed: Annotated[Whole, PLAYERS, AT_LEAST_0] = 0
    """Random seed of the seats, the roles and the players."""
    keep: Annotated[Keep, SAVING] = "all"
    """Whose turns training learns of these games: all players', or the winners' alone; the others' are context then."""
    output: Annotated[Path, Parameter(name=["--output", "-o"]), SAVING] = Path("games.jsonl")
    """Output file, one game a line."""
    preferences: Annotated[Path | None, SAVING] = None
    """Also write choices between two lines of a player to this file: the one after which its side won more often."""
    rollouts: Annotated[Whole, LIMITS, AT_LEAST_1] = 8
    """With preferences: how often a game is played on after each of the two lines."""
    workers: Workers = None
    """Processes that play; with a model: games at once in one process, whose seats share forward passes."""
    overwrite: Annotated[bool, SAVING] = False
    """Replace existing files."""
    table: TableConfig = field(default_factory=TableConfig)
    playing: PlayersConfig = field(default_factory=PlayersConfig)

    def __post_init__(self) -> None:
        check(self)
        if not self.contestants:
            raise ConfigError("contestants", "(none)", "names no player. Give at least one.")

    def order(self) -> Order:
        """What is to be played."""
        return Order(Contest(tuple(dict.fromkeys(self.contestants)), self.table, self.seed), self.playing, True)
