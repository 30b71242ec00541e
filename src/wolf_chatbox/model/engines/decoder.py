"""What an engine needs of a model: it reads ids, and gives the logits of what may come next.

A decoder draws nothing. So every setting of a reply means the same whatever computes the logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]


class Feed(NamedTuple):
    """Ids to read in one slot."""

    slot: int
    ids: Sequence[int]
    at: int
    """How many ids the slot keeps of those it has read; the others are forgotten, and `ids` follow."""
    every: bool = False
    """Whether the logits after each of the ids are wanted, not only those after the last."""


class Decoder(Protocol):
    """A model that reads ids; what it has read stays in numbered slots, each for one text.

    The caller holds the decoder alone: no method is called from two threads at once. A read that raises leaves the
    slots that it was to fill with at most `at` ids.
    """

    @property
    def name(self) -> str:
        """The engine's name, as `--engine` takes it."""
        ...

    @property
    def context(self) -> int:
        """Ids that one slot holds at most."""
        ...

    @property
    def slots(self) -> int: ...

    @property
    def room(self) -> int:
        """Ids that all slots hold together at most; one slot can always hold its `context`."""
        ...

    @property
    def fingerprint(self) -> str:
        """Names the weights and their form: a state that one decoder saved is read by those with the same one."""
        ...

    def read(self, feeds: Sequence[Feed]) -> Logits:
        """Read the ids of all feeds in one forward pass; each slot stands in one feed at most.

        Returns (rows, vocabulary) in fp32: for each feed, in order, one row, or as many as it has ids if it wants
        `every`.
        """
        ...

    def copy(self, source: int, target: int, length: int) -> None:
        """Let `target` hold the first `length` ids of `source`, and nothing else."""
        ...

    def keep(self, slot: int, length: int) -> None:
        """Let a slot hold only the first `length` ids of those that it holds, so that there is room for others."""
        ...

    def save(self, slot: int, length: int) -> bytes:
        """The state after the first `length` ids of a slot."""
        ...

    def restore(self, slot: int, state: bytes) -> None:
        """Put back a state that `save` gave; raises ValueError when it does not fit."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...
