"""What the characters of one chat remember of earlier ones: each only what it has heard itself."""

from __future__ import annotations

from collections.abc import Sequence

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.talk.memory import Memory, Recalled, new_chat
from wolf_chatbox.talk.tree import Tree

OFTEN = 10
"""The chat is kept after this many new messages, so that what has left the prompt can come back."""


class Recollection:
    """A memory, the chat that is going on, and what each character was reminded of last."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.begin()

    def begin(self) -> None:
        """Another chat begins."""
        self._chat = new_chat()
        self._before: dict[str, tuple[Recalled, ...]] = {}
        self._kept = 0

    def recall(self, speaker: str, user: str, turns: Sequence[Turn]) -> tuple[Recalled, ...]:
        """What fits the turns that the speaker's prompt holds; the same as last time where nothing else fits."""
        before = self._before.get(speaker, ())
        self._before[speaker] = self.memory.recall(turns, (speaker, user), chat=self._chat, present=before)
        return self._before[speaker]

    def keep(self, tree: Tree, present: Sequence[str], user: str, *, now: bool = False) -> None:
        """Keep what each of those present has heard, after a few messages, or `now`; raises CheckpointError."""
        if tree.greeted or len(tree) == self._kept or not (now or len(tree) >= self._kept + OFTEN):
            return
        self._kept = len(tree)
        for name in present:
            alone = (name,) if len(present) > 1 else None
            self.memory.keep(Conversation(tree.heard_by(name), self._chat), (name, user), alone)

    def forget(self, present: Sequence[str], user: str) -> int:
        """Forget the chats of the person with each of those present; returns how many."""
        self.begin()
        return sum(self.memory.forget((name, user)) for name in present)
