"""What somebody sees, and who speaks next: the value that training and talking both start from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from wolf_chatbox.conversation import Conversation, Turn

NARRATOR = "system"
"""Who tells a character its briefing."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Turns as one observer heard them; what the observer did not hear is not in it.

    A chat is `Scene(history, speaker=persona)`, a whole conversation `Scene.of(conversation)`, and each day of a
    werewolf game a scene for each player (see werewolf/views.py).
    """

    turns: tuple[Turn, ...]
    speaker: str | None = None
    """Who speaks next; None in a scene that is only for training."""
    opening: str = ""
    """What the observer knows before the first turn. It is never learnt and takes at most half of the tokens; of one
    that is too long the lines after the first are left out, so the first and the last lines matter most."""
    narrator: str = ""
    """Who says the opening, and the turns that are not in the conversation."""
    observer: str | None = None
    """Who sees the scene, and is the assistant in the style chat; None leaves that to the style."""
    learners: frozenset[str] | None = None
    """Whose turns are learnt; None leaves that to the renderer: the persona's turns, or everybody's."""
    places: tuple[int, ...] = ()
    """The index of each turn in the conversation, -1 for the narrator's; empty where the turns are the conversation."""
    recalled: tuple[tuple[Turn, ...], ...] = ()
    """Pieces of earlier conversations that the observer remembers; a prompt has them before the turns."""

    @classmethod
    def of(cls, conversation: Conversation) -> Scene:
        """A whole conversation, as everybody in it heard it."""
        return cls(conversation.turns)

    @classmethod
    def each(cls, conversation: Conversation, learners: Collection[str]) -> list[Scene]:
        """A conversation as each of the `learners` knows it: what it heard, after its own briefing.

        Those who heard everything and have no briefing share one scene.
        """
        apart = [name for name in learners if conversation.briefings.get(name)]
        if any(turn.heard for turn in conversation.turns):
            apart = list(learners)
        if not apart:
            return [cls.of(conversation)]
        scenes = [cls._known_to(name, conversation) for name in apart]
        rest = frozenset(learners) - set(apart)
        return [*scenes, *([cls(conversation.turns, learners=rest)] if rest else [])]

    @classmethod
    def _known_to(cls, name: str, conversation: Conversation) -> Scene:
        places = tuple(at for at, turn in enumerate(conversation.turns) if not turn.heard or name in turn.heard)
        turns = tuple(conversation.turns[at] for at in places)
        scene = cls(turns, name, learners=frozenset({name}), places=places)
        return scene.briefed(conversation.briefings.get(name, ""))

    def briefed(self, briefing: str) -> Scene:
        """The scene after a briefing of its observer; a scene that has an opening keeps it."""
        if not briefing or self.opening:
            return self
        return replace(self, opening=briefing, narrator=NARRATOR)

    def before(self, at: int, most: int) -> Scene:
        """The scene in which turn `at` was said: at most `most` turns before it, and its speaker speaks next."""
        first = max(0, at - most)
        places = self.places[first:at]
        return replace(self, turns=self.turns[first:at], places=places, speaker=self.turns[at].speaker)

    def speakers(self) -> set[str]:
        return {turn.speaker for turn in self.turns}
