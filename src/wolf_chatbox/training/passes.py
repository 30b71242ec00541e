"""Rows to forward passes: what a process computes at once of an update, without any effect on what is learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from accelerate import Accelerator
from torch import Tensor, nn

from wolf_chatbox.model.loss import SummedLoss
from wolf_chatbox.samples.packing import Row


@dataclass
class Forward:
    """The model as the processes of a run compute it, one forward pass at a time."""

    learner: SummedLoss
    module: nn.Module
    """The learner as accelerate wraps it: with autocast, and with the exchange of gradients between processes."""
    pad_id: int
    accelerator: Accelerator
    budget: int
    """Tokens per forward pass, at most; a longer sample has a pass of its own."""

    def __call__(self, rows: Sequence[Row]) -> Tensor:
        """The summed loss of one forward pass, a scalar in nats."""
        loss: Tensor = self.module(self.learner.collate(rows, self.pad_id).to(self.accelerator.device))
        return loss

    def share(self, rows: Sequence[Row]) -> list[tuple[list[Row], float]]:
        """This process's forward passes of the rows, each with its weight."""
        return share(rows, self.budget, self.accelerator.num_processes, self.accelerator.process_index)


def share(rows: Sequence[Row], budget: int, processes: int = 1, process: int = 0) -> list[tuple[list[Row], float]]:
    """The forward passes of one process, each with its weight: 1, or 0 where it only keeps step with the others.

    Row n goes to process n modulo `processes`. All processes get equally many passes: they exchange gradients in step.
    """
    shares = [list(passes(rows[number::processes], budget)) for number in range(processes)]
    mine = [(part, 1.0) for part in shares[process]]
    idle = next(part for parts in shares for part in parts)
    return mine + [(idle, 0.0)] * (max(map(len, shares)) - len(mine))


def passes(rows: Sequence[Row], budget: int) -> Iterator[list[Row]]:
    """Cut rows into passes of at most `budget` tokens; a longer row is cut between its samples, a sample never."""
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
