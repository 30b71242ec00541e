"""Near-duplicates: conversations with almost the same text.

MinHash (Broder 1997, "On the resemblance and containment of documents") with locality-sensitive hashing (datasketch).
"""

from __future__ import annotations

from collections.abc import Sequence

from wolf_chatbox.conversation import Conversation

NEAR = 0.8
"""Jaccard similarity of the sets of five-character shingles from which two conversations are near-duplicates."""
SHINGLE = 5
FEW = 3
"""Conversations of fewer turns are never duplicates: "Hi!" "Hi!" is said often."""
MOST_COMPARED = 1000
"""The most conversations of each side of a split that are compared."""


class NearDuplicates:
    """An index of texts that finds near-duplicates of those added to it."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH

        self._index = MinHashLSH(threshold=NEAR, num_perm=128)
        self._count = 0

    def add(self, text: str) -> None:
        self._index.insert(self._count, _sketch(text))
        self._count += 1

    def find(self, text: str) -> bool:
        """Whether a near-duplicate of this text was added."""
        return bool(self._index.query(_sketch(text)))


def text_of(conversation: Conversation) -> str:
    """What is compared of a conversation."""
    return "\n".join(turn.text for turn in conversation.turns)


def leak(training: Sequence[Conversation], held_out: Sequence[Conversation]) -> float | None:
    """The share of the held-out conversations that are near-duplicates of training data: the loss will look too good.

    Compares at most MOST_COMPARED conversations of each side, evenly spaced; None if a side has none with FEW turns.
    """
    known, asked = _some_texts(training), _some_texts(held_out)
    if not known or not asked:
        return None
    index = NearDuplicates()
    for text in known:
        index.add(text)
    return sum(map(index.find, asked)) / len(asked)


def _some_texts(conversations: Sequence[Conversation]) -> list[str]:
    long = [conversation for conversation in conversations if len(conversation.turns) >= FEW]
    return [text_of(conversation) for conversation in long[:: max(1, -(-len(long) // MOST_COMPARED))]]


def _sketch(text: str) -> object:
    from datasketch import MinHash

    text = " ".join(text.casefold().split())
    shingles = {text[at : at + SHINGLE].encode() for at in range(max(1, len(text) - SHINGLE + 1))}
    sketch = MinHash(num_perm=128, seed=1)
    sketch.update_batch(sorted(shingles))
    return sketch
