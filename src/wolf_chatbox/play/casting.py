"""Who plays: from what a person writes (random, rules, model:RUN, openai:URL#MODEL) to players."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from wolf_chatbox.config import AllowBase, EngineName, Overriding, Quantisation, SamplingConfig, TrustRemoteCode
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.play.player import Player
from wolf_chatbox.settings import ENGINE, PLAYERS, Whole, Within, check, optional
from wolf_chatbox.visible import Tell

Make = Callable[[int | str | None], Player]
"""Makes a player for one game, by a seed."""
KINDS = ("random", "rules", "model:RUN", "openai:URL#MODEL")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
@optional(SamplingConfig, "as saved with the model")
class PlayersConfig(Overriding):
    """How the players think that are language models."""

    mind: Annotated[Literal["model", "rules", "both"], PLAYERS] = "both"
    """Who chooses whom a model's player names: the model, the reasoning of the rules player, or both together."""
    slots: Annotated[Whole, ENGINE, Within(least=1, most=256)] = 16
    """Utterances that are drawn at once, for each run; they share forward passes."""
    engine: Annotated[EngineName, ENGINE] = "auto"
    """What computes the replies; auto = torch on a GPU, else llama.cpp where it is installed and knows the model."""
    quantise: Annotated[Quantisation, ENGINE] = "q8_0"
    """How llama.cpp and openvino store the weights: q8_0 (8 bits), q4_k (4 bits, for large models), f16 (16 bits)."""
    trust_remote_code: TrustRemoteCode = False
    allow_base: AllowBase = False

    def __post_init__(self) -> None:
        check(self)
        self.sampling(SamplingConfig())


class Cast:
    """Makes players by their names. A model is loaded once, for all its seats and all games."""

    def __init__(self, config: PlayersConfig, tell: Tell = lambda text: None) -> None:
        self._config, self._tell = config, tell
        self._made: dict[str, Make] = {}

    def make(self, name: str, setting: str = "players") -> Make:
        """What makes the player of this name; raises ConfigError for none, and what loading its model raises."""
        if name not in self._made:
            self._made[name] = self._load(name, setting)
        return self._made[name]

    def check(self, names: Sequence[str], setting: str = "players") -> None:
        """Raise ConfigError for the first name that is no player, before anything is loaded."""
        for name in names:
            kind, _, rest = name.partition(":")
            if not (name in ("random", "rules") or (kind in ("model", "openai") and rest)):
                raise ConfigError(setting, name, f"is no player. Choose among {', '.join(KINDS)}.")

    def _load(self, name: str, setting: str) -> Make:
        self.check([name], setting)
        kind, _, rest = name.partition(":")
        if kind == "random":
            from wolf_chatbox.play.players.chance import ChancePlayer

            return ChancePlayer
        if kind == "rules":
            from wolf_chatbox.play.players.rules import RulesPlayer

            return RulesPlayer
        if kind == "model":
            from wolf_chatbox.play.players.model import Mind, ModelPlayer

            mind = Mind.load(rest, self._config, self._tell)
            return lambda seed: ModelPlayer(mind, seed)
        from wolf_chatbox.play.players.openai import OpenAIPlayer, Server

        server = Server.named(rest, self._config, setting)
        return lambda seed: OpenAIPlayer(server, seed)
