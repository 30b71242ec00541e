"""What a run on choices measures: how much likelier each chosen reply is, before the run and after an update."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import torch

from wolf_chatbox.model.loss import evaluating
from wolf_chatbox.model.preference_loss import PreferenceLoss, pairs_of, preference_loss
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.training.passes import Forward, passes


def remember(forward: Forward, dataset: Dataset) -> None:
    """Note at each pair what the model gives it now, as the reference of its loss; before the first update."""
    for rows in (dataset.rows, dataset.held_out_rows):
        ratios = iter(log_ratios(forward, rows))
        rows[:] = [tuple(replace(pair, reference=next(ratios)) for pair in pairs_of([row])) for row in rows]


def measure_pairs(forward: Forward, rows: Sequence[Row]) -> dict[str, float | None]:
    """The mean loss of pairs; the share whose chosen reply is the likelier one; and the mean margin.

    The margin is by how many nats the model prefers the chosen reply more than before the run. All None without pairs.
    """
    learner = forward.learner
    assert isinstance(learner, PreferenceLoss)
    ratios = log_ratios(forward, rows)
    if not ratios:
        return {"loss": None, "preferred": None, "margin": None}
    margins = [ratio - pair.reference for ratio, pair in zip(ratios, pairs_of(rows))]
    losses = preference_loss(torch.tensor(margins, dtype=torch.float64), learner.beta)
    return {
        "loss": float(losses.mean()),
        "preferred": fmean(ratio > 0 for ratio in ratios),
        "margin": fmean(margins),
    }


def log_ratios(forward: Forward, rows: Sequence[Row]) -> list[float]:
    """The log of how much likelier each chosen reply is than the rejected one, in the order of the pairs.

    Every process computes all of them: so each has the references of the rows that it learns.
    """
    found: list[float] = []
    with torch.no_grad(), evaluating(forward.module):
        for part in passes(rows, forward.budget):
            batch = forward.learner.collate(part, forward.pad_id).to(forward.accelerator.device)
            found += forward.module(batch, ratios=True).tolist()
    return found
