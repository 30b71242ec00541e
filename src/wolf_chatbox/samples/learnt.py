"""What a run learnt, as hashes beside the model: an evaluation must not ask what was learnt, and cannot have the text.

Two turns in a row are one hash: a single "Yes." is said everywhere. The key of the hashes follows from the data, so the
same line has another hash in another run; still, whoever guesses two turns word for word can test the guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from wolf_chatbox.conversation import Conversation, folded
from wolf_chatbox.errors import CheckpointError

LEARNT_FILE = "learnt.bin"
BEGINS = b"wolf_chatbox learnt 1\n"
KEY, HASH = 16, 8
"""Bytes of the key, and of a hash."""
SHORT = 30
"""Bytes of two turns together below which they prove nothing."""


@dataclass(frozen=True)
class Learnt:
    """The pairs of turns of a training split."""

    key: bytes
    hashes: frozenset[bytes]

    @classmethod
    def of(cls, conversations: Sequence[Conversation]) -> Learnt:
        """The pairs of these conversations."""
        whole = hashlib.blake2b(digest_size=KEY)
        for conversation in conversations:
            for turn in conversation.turns:
                whole.update(turn.text.encode(errors="surrogatepass") + b"\0")
        return cls(whole.digest(), frozenset()).more(conversations)

    def more(self, conversations: Sequence[Conversation]) -> Learnt:
        """These, and the pairs of further conversations, under the same key."""
        pairs = (pair for conversation in conversations for pair in _pairs(conversation, self.key))
        return Learnt(self.key, self.hashes.union(pair for pair in pairs if pair is not None))

    def knows(self, conversation: Conversation) -> list[bool | None]:
        """For each turn but the first, whether it was learnt after the one before it; None for two short ones."""
        return [None if pair is None else pair in self.hashes for pair in _pairs(conversation, self.key)]

    def write(self, folder: Path) -> None:
        (folder / LEARNT_FILE).write_bytes(BEGINS + self.key + b"".join(sorted(self.hashes)))

    @classmethod
    def read(cls, folder: Path) -> Learnt | None:
        """What the run in a folder learnt; None where it does not say. Raises CheckpointError for a damaged file."""
        path = folder / LEARNT_FILE
        if not path.is_file():
            return None
        content = path.read_bytes()
        rest = content[len(BEGINS) + KEY :]
        if not content.startswith(BEGINS) or len(content) < len(BEGINS) + KEY or len(rest) % HASH:
            raise CheckpointError(f"{path}: damaged. Train the model again, or restore the file.")
        key = content[len(BEGINS) : len(BEGINS) + KEY]
        return cls(key, frozenset(rest[at : at + HASH] for at in range(0, len(rest), HASH)))


def _pairs(conversation: Conversation, key: bytes) -> Iterable[bytes | None]:
    texts = [folded(turn.text).encode(errors="surrogatepass") for turn in conversation.turns]
    for one, other in pairwise(texts):
        told = len(one) + len(other) >= SHORT
        yield hashlib.blake2b(one + b"\0" + other, digest_size=HASH, key=key).digest() if told else None
