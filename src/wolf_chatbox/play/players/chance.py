"""A player that says hello and acts by chance: what every other player is measured against."""

from __future__ import annotations

import random

from wolf_chatbox.play.player import Player
from wolf_chatbox.werewolf.sight import SPEECH, Kind, Sight
from wolf_chatbox.werewolf.utterance import OVER

GREETING = {"en": "I have nothing to tell yet.", "ja": "まだ何も言えません。"}


class ChancePlayer(Player):
    """Speaks once a day, then is silent; names anybody whom it sensibly may."""

    team = "random"

    def __init__(self, seed: int | str | None = None) -> None:
        super().__init__()
        self._chance = random.Random(seed)

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind in SPEECH:
            spoke = sight.left < sight.table.talks_of(kind)
            return OVER if spoke else GREETING[sight.table.language]
        return self._chance.choice(sight.targets(kind) or list(sight.names))
