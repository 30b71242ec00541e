"""How a model does on data that it does not learn from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from accelerate import Accelerator

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.engines.torch import TorchEngine
from wolf_chatbox.model.load import pad_id
from wolf_chatbox.model.loss import SummedLoss, count_learnt, evaluating
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.training.passes import share
from wolf_chatbox.training.progress import Reply


def mean_loss(
    forward: torch.nn.Module,
    learner: SummedLoss,
    rows: Sequence[Row],
    budget: int,
    tokenizer: Any,
    accelerator: Accelerator,
) -> float | None:
    """Cross-entropy in nats of a learnt token of these rows, each process taking its share; None when there are none.

    `forward` is `learner`, wrapped for several processes or not.
    """
    learnt = count_learnt(rows)
    if not learnt:
        return None
    summed = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    with torch.no_grad(), evaluating(forward):
        for part, weight in share(rows, budget, accelerator.num_processes, accelerator.process_index):
            summed += weight * forward(learner.collate(part, pad_id(tokenizer)).to(accelerator.device)).double()
    return float(accelerator.reduce(summed)) / learnt


def perplexity(loss: float | None) -> float | None:
    return None if loss is None else math.exp(min(loss, 700.0))


def sample_replies(model: Any, dataset: Dataset, config: TrainConfig, autocast: torch.autocast) -> list[Reply]:
    """One reply for each of the dataset's contexts, the same random numbers each time."""
    engine = TorchEngine(model, tokenizer=dataset.renderer.tokenizer)
    stop = {dataset.renderer.end_id}
    replies = []
    for part, turns in dataset.contexts:
        try:
            prompt = dataset.renderer.prompt(turns[:-1], turns[-1].speaker, engine.context - 1, part)
        except ChatError:  # a context of one enormous turn is no example
            continue
        with autocast:
            ids = list(engine.stream(prompt, config.sampling, stop, seed=config.seed))
        replies.append(Reply(turns[:-1], turns[-1], dataset.renderer.decode(ids).strip()))
    return replies
