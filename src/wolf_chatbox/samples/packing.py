"""Samples to rows of at most max_tokens tokens.

Best-fit decreasing (Johnson 1974): the longest sample first, each into the fullest row that still has room. No token
attends to another sample: positions restart with each, and the model masks by them (see model/loss.py).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from wolf_chatbox.samples.rendering import Sample

Row = tuple[Sample, ...]
"""Samples packed to at most max_tokens tokens."""


def pack(samples: Sequence[Sample], max_tokens: int) -> list[Row]:
    """Put every sample into exactly one row; raises ValueError when one is longer than `max_tokens`."""
    rows: list[list[int]] = []
    free: list[tuple[int, int]] = []  # (tokens free, row), sorted
    for at in sorted(range(len(samples)), key=lambda at: -len(samples[at])):
        size = len(samples[at])
        if size > max_tokens:
            raise ValueError(f"sample {at} has {size} tokens, more than a row of {max_tokens}")
        place = bisect_left(free, (size, -1))
        room, row = free.pop(place) if place < len(free) else (max_tokens, len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(at)
        insort(free, (room - size, row))
    # Rows in the order of the data, so that the same data always gives the same rows.
    return [tuple(samples[at] for at in sorted(row)) for row in sorted(map(sorted, rows))]


def share_filled(rows: Sequence[Row], max_tokens: int) -> float:
    """The share of tokens that are not padding."""
    return sum(len(sample) for row in rows for sample in row) / (len(rows) * max_tokens) if rows else 1.0
