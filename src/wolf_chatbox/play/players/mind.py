"""A trained run that plays: one engine for all its seats, in all games. It draws lines, and says whom it would name.

Seats ask from threads of their own; whatever they ask at once shares forward passes, and what two prompts begin with is
read once (see model/engines/engine.py).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.model.character import load_character
from wolf_chatbox.model.hub import locate
from wolf_chatbox.model.record import read_run
from wolf_chatbox.model.voice import Reply, Voice
from wolf_chatbox.scene import Scene
from wolf_chatbox.visible import Tell
from wolf_chatbox.werewolf.narration import ENGLISH, JAPANESE
from wolf_chatbox.werewolf.sight import Kind, Sight

if TYPE_CHECKING:
    from wolf_chatbox.play.casting import PlayersConfig

SPARE = 1.3
"""How much longer than the table allows a line is drawn, to be cut at a sentence's end."""
SAYINGS: dict[str, dict[Kind, str]] = {
    "en": {
        "vote": "I will vote for {name}.",
        "divine": "I will vote for {name}.",
        "guard": "I believe {name} is the real seer.",
        "attack": "I believe {name} is the real seer.",
    },
    "ja": {
        "vote": "{name}に投票します。",
        "divine": "{name}に投票します。",
        "guard": "{name}が本物の占い師だと思います。",
        "attack": "{name}が本物の占い師だと思います。",
    },
}
"""What a player would say who is about to name somebody. Nobody announces a divination or an attack, so no log teaches
how: a seer wants to see whom it suspects, and the wolves want those dead who know most."""


@dataclass(frozen=True)
class Mind:
    """A run, and how it plays."""

    voice: Voice
    sampling: SamplingConfig
    choice: str = "both"
    """Who chooses whom its players name: model, rules, or both."""
    team: str = "model"

    @classmethod
    def load(cls, run: str | Path, config: PlayersConfig, tell: Tell = lambda text: None) -> Mind:
        """Load a run, or any model; one that did not learn games plays too, and `tell` says so.

        Raises what `load_character` raises.
        """
        folder = locate(str(run), tell)
        character = load_character(
            folder,
            engine=config.engine,
            quantise=config.quantise,
            slots=config.slots,
            trust_remote_code=config.trust_remote_code,
            allow_base=config.allow_base,
            tell=tell,
        )
        if problem := unfit(read_run(folder)):
            tell(f"{folder}: {problem}. Train a player on games: wolf-chatbox train --data GAMES --style named")
        return cls(character.voice, config.sampling(character.sampling), config.mind, team_of(folder))

    def draw(self, sight: Sight, kind: Kind, seeds: Sequence[int]) -> list[str]:
        """What the player might say, once for each seed; they are drawn together.

        Raises ChatError when the last turn fills the context.
        """
        scene = sight.scene(kind)
        replies = [self._begin(scene, sight, seed) for seed in seeds]
        streams = [iter(reply) for reply in replies]
        while streams:
            streams = [stream for stream in streams if next(stream, None) is not None]
        return [reply.text for reply in replies]

    def _begin(self, scene: Scene, sight: Sight, seed: int) -> Reply:
        """A reply that ends with its line, and where the table would cut it off."""
        begun: list[Reply] = []
        most = sight.table.letters * SPARE * (5 if sight.table.count_words else 1)

        def over() -> bool:
            text = begun[0].text
            return bool(most) and len(text) - text.count(" ") > most

        begun.append(self.voice.answer(scene, self.sampling, seed, stop=("\n",), over=over))
        return begun[0]

    def leanings(self, sight: Sight, kind: Kind) -> dict[str, float]:
        """The log-probability of each of `sight.targets(kind)` to be named, as the model sees it; their sum is 1.

        A line that names the player is scored after what was said today, less its score before anything was said: long
        and rare names have no disadvantage (pointwise mutual information). Raises ChatError as `draw` does.
        """
        names, scene = sight.targets(kind), sight.scene()
        if not names:
            return {}
        saying = SAYINGS.get(sight.table.language, SAYINGS["en"])[kind]
        turns = [Turn(sight.me, saying.format(name=name)) for name in names]
        asked = [(self.voice.prompt(scene, self.sampling), self.voice.renderer.words(turn, scene)) for turn in turns]
        before = self.voice.prompt(replace(scene, turns=()), self.sampling)
        neutral = [(before, ids) for _, ids in asked]
        sums = [math.fsum(scores) for scores in self.voice.engine.scores([*asked, *neutral])]
        gains = [after - without for after, without in zip(sums, sums[len(names) :])]
        return dict(zip(names, log_shares(gains)))

    def expected(self, sight: Sight, kind: Kind, names: Sequence[str]) -> dict[str, float]:
        """The probability of each of the names to speak next, as the model sees it."""
        return self.voice.who_speaks(sight.scene(kind), names)


def log_shares(logs: Sequence[float]) -> list[float]:
    """Logarithms of weights, shifted so that the weights have the sum 1."""
    most = max(logs)
    total = most + math.log(math.fsum(math.exp(log - most) for log in logs))
    return [log - total for log in logs]


def unfit(run: Mapping[str, Any] | None) -> str:
    """Why a run will not speak as a player of werewolf does; empty if it may."""
    if run is None:
        return "is no run: nobody taught it to play"
    speakers = run.get("data", {}).get("speakers", {})
    if run.get("style") == "dialogpt":
        return "has the style dialogpt, which does not say who speaks"
    if run.get("persona") in speakers:
        return f"learnt to be {run['persona']} alone"
    return ""


def team_of(folder: Path) -> str:
    """The name of a run's players; the contest's server takes digits at its end for the number of a seat."""
    name = re.sub(r"[^\w-]+", "-", folder.resolve().name) or "model"
    return f"{name}-" if name[-1].isdigit() else name


NARRATORS = frozenset({ENGLISH["narrator"], JAPANESE["narrator"]})
"""Who speaks in games beside the players."""
