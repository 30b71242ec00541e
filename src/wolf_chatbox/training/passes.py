"""Rows to passes: what a process computes at once of an update, without any effect on what the update learns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wolf_chatbox.samples.packing import Row


def share(rows: Sequence[Row], budget: int, processes: int = 1, process: int = 0) -> list[tuple[list[Row], float]]:
    """The passes of one process, each with its weight: 1, or 0 where it only keeps step with the other processes.

    Row n goes to process n modulo `processes`. All processes get equally many passes: they exchange gradients in step.
    """
    shares = [list(passes(rows[each::processes], budget)) for each in range(processes)]
    mine = [(part, 1.0) for part in shares[process]]
    idle = next(part for each in shares for part in each)
    return mine + [(idle, 0.0)] * (max(map(len, shares)) - len(mine))


def passes(rows: Sequence[Row], budget: int) -> Iterator[list[Row]]:
    """Cut rows into passes of at most `budget` tokens; a row above it is cut between its samples, a sample never."""
    part: list[Row] = []
    size = 0
    for row in rows:
        whole = sum(len(sample) for sample in row)
        for unit in [row] if whole <= budget else [(sample,) for sample in row]:
            tokens = sum(len(sample) for sample in unit)
            if part and size + tokens > budget:
                yield part
                part, size = [], 0
            part.append(unit)
            size += tokens
    if part:
        yield part
