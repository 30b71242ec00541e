"""The settings of a game at the terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wolf_chatbox.config import HOME
from wolf_chatbox.play.casting import PlayersConfig
from wolf_chatbox.play.seating import check_name
from wolf_chatbox.settings import AT_LEAST_0, PLAYERS, SAVING, TABLE, Whole, Within, check, unset
from wolf_chatbox.werewolf.table import TableConfig


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class PlayConfig:
    """Play werewolf yourself, at a table with models and other players."""

    fill: Annotated[tuple[str, ...], PLAYERS, Parameter(name="--with")] = ("rules",)
    """Who takes the other seats: random, rules, model:RUN, openai:URL#MODEL; with fewer than seats, in turn."""
    name: Annotated[str | None, PLAYERS, unset("one in the table's language")] = None
    """Your name at the table."""
    seat_role: Annotated[
        Literal["any", "villager", "seer", "medium", "bodyguard", "werewolf", "possessed"], PLAYERS
    ] = "any"
    """The role that you get; any = by chance."""
    thinking_time: Annotated[float | None, TABLE, Within(above=0), unset("as long as you like")] = None
    """Seconds that you have for an answer; then it is none."""
    pace: Annotated[float, TABLE, AT_LEAST_0] = 1.0
    """How slowly the others talk, for reading: 2 = twice as slowly, 0 = at once."""
    seed: Annotated[Whole | None, TABLE, unset("a new one each time")] = None
    """Random seed of names, seats, roles and ties, to get the same table again."""
    home: Annotated[Path, SAVING] = HOME
    """Folder where games are kept, in its folder werewolf."""
    page: Annotated[bool, PLAYERS] = False
    """Open the page and play there: the game is set up on it, and other people can join."""
    table: TableConfig = field(default_factory=TableConfig)
    minds: PlayersConfig = field(default_factory=PlayersConfig)

    def __post_init__(self) -> None:
        check(self)
        if self.name is not None:
            object.__setattr__(self, "name", check_name(self.name))
