"""What is compared: the replies of each run, of the untrained base model, and of the humans, to the same exchanges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    """Which of the held-out conversations it stands in: the unit that the bootstrap draws."""
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


@dataclass(frozen=True)
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
    canaries: Mapping[str, float] = field(default_factory=dict)
    """For each canary its exposure in bits; only where a run learnt some."""


class Probe(NamedTuple):
    """A piece of training data, and how it goes on there."""

    scene: Scene
    begun: str
    """The first half of the words of the turn."""
    rest: str
    conversation: int


@dataclass(frozen=True)
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
