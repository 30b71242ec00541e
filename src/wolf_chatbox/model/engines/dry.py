"""DRY ("don't repeat yourself"): the longer the copy that a token would go on with, the less likely it becomes.

As p-e-w proposed it (2024, https://github.com/oobabooga/text-generation-webui/pull/5677), and as llama.cpp has it: a
token that would go on with a copy of n tokens of the reply loses multiplier * base ** (n - allowed_length), from n =
allowed_length on. No copy reaches over a breaker: a line's end, a colon, a star, a quotation mark, and the names of
those who speak, which may be said as often as one likes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wolf_chatbox.config import SamplingConfig

if TYPE_CHECKING:
    from wolf_chatbox.samples.tokenizer import Tokenizer

BREAKERS = frozenset('\n:："*“”「」')
LONGEST = 64
"""Tokens of a copy that count at most: by then nothing would go on with it."""


class Dry:
    """Finds what would go on with a copy, for one tokenizer; `names` may be said as often as one likes."""

    def __init__(self, tokenizer: Tokenizer, names: Collection[str] = ()) -> None:
        self.tokenizer = tokenizer
        # Some tokenizers cut a Japanese quotation mark into bytes.
        forms = [*sorted(BREAKERS), *(form for name in names for form in (name, f" {name}"))]
        self._pieces = [ids for form in forms if (ids := list(tokenizer(form, add_special_tokens=False).input_ids))]
        self._breaks = lru_cache(4096)(lambda id: bool(BREAKERS & set(str(tokenizer.decode([id])))))

    def penalties(self, reply: Sequence[int], sampling: SamplingConfig) -> dict[int, float]:
        """What each id would lose if it came next, for those that would lose anything."""
        ids, breaks = np.asarray(reply), np.zeros(len(reply), bool)
        for start, end in self._broken(reply):
            breaks[start:end] = True
        lengths = copied(ids, breaks)
        return {
            id: sampling.dry_multiplier * sampling.dry_base ** (length - sampling.dry_allowed_length)
            for id, length in lengths.items()
            if length >= sampling.dry_allowed_length
        }

    def _broken(self, reply: Sequence[int]) -> Iterator[tuple[int, int]]:
        """The stretches that no copy reaches over."""
        for at, id in enumerate(reply):
            if self._breaks(id):
                yield at, at + 1
            for piece in self._pieces:
                if piece[0] == id and list(reply[at : at + len(piece)]) == piece:
                    yield at, at + len(piece)


def copied(ids: NDArray[np.int64], breaks: NDArray[np.bool_]) -> dict[int, int]:
    """The ids that would go on with a copy of the end of `ids`, each with the length of the longest such copy.

    `breaks` says of each id whether it is a breaker: none is part of a copy, or goes on with one.
    """
    last = len(ids) - 1
    if last < 1 or breaks[last]:
        return {}
    ends = np.flatnonzero((ids[:last] == ids[last]) & ~breaks[1:])
    lengths = np.ones(len(ends), int)
    for size in range(1, min(last, LONGEST - 1) + 1):
        grows = (lengths == size) & (ends >= size)
        grows[grows] = (ids[ends[grows] - size] == ids[last - size]) & (not breaks[last - size])
        if not grows.any():
            break
        lengths[grows] += 1
    found: dict[int, int] = {}
    for end, length in zip(ends.tolist(), lengths.tolist()):
        found[int(ids[end + 1])] = max(found.get(int(ids[end + 1]), 0), length)
    return found
