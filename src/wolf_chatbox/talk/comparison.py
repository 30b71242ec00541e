"""Two runs answer the same turns, and somebody says which reply is better before knowing whose it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NamedTuple

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.character import Character
from wolf_chatbox.model.voice import Voice
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.group import of_name
from wolf_chatbox.talk.session import ChatSession

Better = Literal["first", "second", "tie"]
ANSWERS: Final[dict[str, Better | None]] = {"1": "first", "2": "second", "=": "tie", "": None}
"""What a person types, and what it means; None is no vote."""


class Ballot(NamedTuple):
    """Two replies to the same turns, each with the run that gave it, in the order in which they are shown."""

    context: tuple[Turn, ...]
    speaker: str
    first: tuple[str, str]
    second: tuple[str, str]


@dataclass
class Rivals:
    """The runs that a chat is compared with; one is loaded at a time.

    `own` is the name of the run that answers in the chat, `load` loads another with its name, and `keep` writes a vote
    down and returns its file.
    """

    own: str
    load: Callable[[str], tuple[str, Character]]
    keep: Callable[[Ballot, Better], Path]
    _loaded: tuple[str, str, Character] | None = None

    def has(self, run: str) -> bool:
        """Whether a run is loaded; without a name, whether any is."""
        return self._loaded is not None and run in ("", self._loaded[0])

    def find(self, run: str) -> tuple[str, Character]:
        """A run by its folder, loaded if it is not; without one the last that was loaded. Raises what `load` raises."""
        if self._loaded is None or not self.has(run):
            self.close()
            self._loaded = (run, *self.load(run))
        _, name, character = self._loaded
        return (f"{name} ({self._loaded[0]})" if name == self.own else name), character

    def close(self) -> None:
        """Free the memory of the run that is loaded."""
        if self._loaded is not None:
            self._loaded[2].voice.engine.close()
            self._loaded = None


def ballot(session: ChatSession, own: str, name: str, rival: Character, chance: random.Random) -> Ballot:
    """What both answer to the last message, in random order; the chat stays as it is.

    Raises ChatError when nothing is said yet, or when it does not fit into a context.
    """
    tree = session.tree
    last = tree.last
    if last is None:
        raise ChatError("there is no message yet. Send one first.")
    replied = last.speaker in session.present
    speaker = last.speaker if replied else session.persona
    scene = Scene(tree.heard_by(speaker, last.after if replied else tree.at), speaker=speaker)
    texts = [
        (own, _reply(session.voice, scene, session.sampling, chance)),
        (name, _reply(rival.voice, _as_known(scene, session.user, rival), rival.sampling, chance)),
    ]
    chance.shuffle(texts)
    return Ballot(scene.turns, speaker, texts[0], texts[1])


def _reply(voice: Voice, scene: Scene, sampling: SamplingConfig, chance: random.Random) -> str:
    reply = voice.answer(scene, sampling, chance.getrandbits(32))
    for _ in reply:
        pass
    return reply.text.strip()


def _as_known(scene: Scene, user: str, rival: Character) -> Scene:
    """A scene with the names that a run knows: its persona in place of a speaker whom it does not."""
    speakers = rival.voice.speakers
    named = rival.voice.renderer.style.name == "named"
    speaker = (of_name(scene.speaker or "", tuple(speakers)) if named else None) or rival.persona
    names = {scene.speaker: speaker}
    if of_name(user, tuple(speakers)) is None and rival.user != speaker:
        names[user] = rival.user
    turns = tuple(Turn(names.get(turn.speaker, turn.speaker), turn.text) for turn in scene.turns)
    return Scene(turns, speaker=speaker)
