"""The settings of a moderator that agents connect to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wolf_chatbox.errors import ConfigError
from wolf_chatbox.play.casting import PlayersConfig
from wolf_chatbox.settings import AT_LEAST_1, LIMITS, PLAYERS, SAVING, SERVER, TABLE, Whole, Within, check, unset
from wolf_chatbox.werewolf.table import TableConfig


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class HostConfig:
    """Lead games of agents that connect over the network, as the server of the AIWolf NLP contest does."""

    table: TableConfig = field(default_factory=TableConfig)
    minds: PlayersConfig = field(default_factory=PlayersConfig)
    fill: Annotated[tuple[str, ...], PLAYERS, Parameter(name="--with"), unset("nobody")] = ()
    """Players of this machine at each table, used in turn: random, rules, model:RUN, openai:URL#MODEL."""
    agents: Annotated[Whole | None, PLAYERS, AT_LEAST_1, unset("all players; 1 with --with")] = None
    """Seats at each table for agents of the network; the players of --with have the others."""
    teams: Annotated[Literal["same", "different"], PLAYERS] = "same"
    """Whether agents of one team meet (their names without the digits at the end), or those of different teams."""
    seed: Annotated[Whole | None, TABLE, unset("a new one each time")] = None
    """Number that decides on names, roles, orders and ties."""
    host: Annotated[str, SERVER] = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets other machines in, which needs --secret-file."""
    port: Annotated[Whole, SERVER, Within(least=0, most=65535)] = 8080
    """Port to listen on; 0 = any that is free."""
    secret_file: Annotated[Path | None, SERVER, unset("no tokens")] = None
    """File with the secret that signs the agents' tokens, readable by you only (chmod 600)."""
    invite: Annotated[tuple[str, ...], SERVER] = ()
    """Teams whose tokens are shown at the start; needs --secret-file."""
    games: Annotated[Whole | None, LIMITS, AT_LEAST_1, unset("any number, until Ctrl-C")] = None
    """Games to lead; then it ends."""
    at_once: Annotated[Whole, LIMITS, Within(least=1, most=256)] = 32
    """Games that go on at the same time at most; further agents wait."""
    output: Annotated[Path, SAVING] = Path("werewolf_games")
    """Folder for the .log and the .json of each game."""

    def __post_init__(self) -> None:
        check(self)
        if self.agents is not None and self.agents > self.table.players:
            raise ConfigError("agents", self.agents, f"are more than the {self.table.players} players. Take fewer.")
        if not self.fill and self.seats < self.table.players:
            problem = f"leaves {self.table.players - self.seats} seats empty. Fill them: --with rules"
            raise ConfigError("agents", self.agents, problem)
        if self.invite and self.secret_file is None:
            raise ConfigError(
                "invite", " ".join(self.invite), "needs --secret-file, with the secret that signs tokens."
            )

    @property
    def seats(self) -> int:
        """Agents of the network at each table."""
        return self.agents if self.agents is not None else 1 if self.fill else self.table.players
