"""What is compared: the replies of each run, of the untrained base model, and of the humans, to the same exchanges.

Entries and studies are compared by identity, so that what is found out about one can be cached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.scene import Scene

Kind = TypeVar("Kind")
EntryKind = Literal["run", "base", "humans"]


class Exchange(NamedTuple):
    """A place in a held-out conversation: what stands before it, and what was really said there."""

    scene: Scene
    """The turns before; `scene.speaker` speaks next."""
    said: Turn
    conversation: int
    """The unit that the bootstrap draws: a held-out conversation, or a block of one where there are few."""
    references: tuple[str, ...] = ()
    """Other real replies to the same turns, if there are any."""


class Answer(NamedTuple):
    """One reply."""

    text: str
    ended: bool = True
    """Whether the turn ended by itself, and not at the most tokens that a reply may have."""


class Fitted(NamedTuple):
    """How well a model expected what was really said in one exchange."""

    nats: float
    """The sum of the negative log-probabilities of the turn's tokens and its end."""
    tokens: int
    bytes: int
    """UTF-8 bytes of the turn's text."""


class Exposure(NamedTuple):
    """How much better than by chance a model knows a canary: a made-up secret in the training data of a run."""

    secret: str
    copies: int
    """How often it stood in the training data of the run that learnt it."""
    bits: float


@dataclass(frozen=True, eq=False)
class Entry:
    """One row of the table. What is not asked of an entry is empty: the humans have no fit."""

    name: str
    kind: EntryKind
    answers: Sequence[Answer]
    """One for each exchange."""
    fitted: Sequence[Fitted] = ()
    """One for each exchange."""
    chats: Sequence[Sequence[Turn]] = ()
    """Chats of the character with another speaker, both drawn from the model; equally many for each entry."""
    continued: Sequence[bool] = ()
    """For each of the study's probes, whether the model went on as the training data does, word for word."""
    exposures: Sequence[Exposure] = ()
    """One for each canary, in the same order for all entries; only where a run learnt some."""


class Probe(NamedTuple):
    """A turn of the data in two pieces: what a model is given, and how the data goes on."""

    scene: Scene
    begun: str
    """The first half of the words of the turn, without the white space before the rest."""
    rest: str
    """The other half, with that white space: begun + rest is the turn's text."""
    conversation: int
    held_out: bool = False
    """Whether no run learnt it: what a model goes on with here is luck, or common speech."""


@dataclass(frozen=True, eq=False)
class Study:
    """All that the measures look at."""

    persona: str | None
    """Whose replies are judged; None: those of whoever speaks in the exchange."""
    exchanges: Sequence[Exchange]
    entries: Sequence[Entry]
    training: Sequence[Conversation]
    """Conversations of the training split, as they are in the data."""
    language: str
    """ISO 639-1 code of the language of most of the replies, such as en, ja, zh."""
    probes: Sequence[Probe] = ()
    seed: int = 0
    conversations: int = 0
    """Held-out conversations that the exchanges stand in."""

    def by_conversation(self, values: Sequence[Kind]) -> list[list[Kind]]:
        """One value an exchange, as lists: one a conversation, in order."""
        groups: dict[int, list[Kind]] = {}
        for exchange, value in zip(self.exchanges, values, strict=True):
            groups.setdefault(exchange.conversation, []).append(value)
        return [groups[number] for number in sorted(groups)]

    @property
    def humans(self) -> Entry:
        """The real replies."""
        return next(entry for entry in self.entries if entry.kind == "humans")
