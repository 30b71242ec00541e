"""One update: its rows, what is random in it, and its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import Setting, TrainingError
from wolf_chatbox.model.loss import SummedLoss, count_learnt
from wolf_chatbox.model.tokenizer import pad_id
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.training.passes import share


def learn(
    rows: Sequence[Row],
    learner: SummedLoss,
    forward: torch.nn.Module,
    tokenizer: Any,
    accelerator: Accelerator,
    budget: int,
) -> Tensor:
    """Add the gradient of an update's mean loss to the parameters; returns this process' part of the summed loss.

    Each token weighs the same, whichever pass and process it falls into: 8 × 1 rows teach what 1 × 8 rows do.
    """
    learnt = count_learnt(rows)
    mine = share(rows, budget, accelerator.num_processes, accelerator.process_index)
    summed = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    for number, (part, weight) in enumerate(mine, 1):
        batch = learner.collate(part, pad_id(tokenizer)).to(accelerator.device)
        # The processes exchange their gradients once an update; what they exchange is averaged, hence the factor.
        with accelerator.no_sync(forward) if number < len(mine) else nullcontext():
            loss = forward(batch)
            accelerator.backward(loss * (weight * accelerator.num_processes / learnt))
        summed += weight * loss.detach().double()
    return summed


def seed_update(seed: int, update: int, process: int) -> None:
    """Make what is random in an update (dropout) depend on these numbers alone: a resumed run needs to know no more."""
    torch.manual_seed(hash((seed, update, process)) % 2**63)


def halved(
    budget: int, rows: Sequence[Row], config: TrainConfig, accelerator: Accelerator, error: BaseException
) -> int:
    """A smaller pass after the memory ran out; raises TrainingError when it cannot be smaller."""
    largest = max(len(sample) for row in rows for sample in row)
    if accelerator.num_processes > 1 or budget // 2 < largest:
        raise TrainingError(
            f"out of memory on {accelerator.device} with passes of {budget} tokens ({str(error).splitlines()[0]}). Lower ",
            *(
                Setting("max_tokens"),
                " or ",
                Setting("batch_size"),
                ", or use ",
                Setting("gradient_checkpointing"),
                ", ",
            ),
            *(Setting("lora_rank"), " 16 or ", Setting("optimizer"), " adafactor."),
        ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return budget // 2


def count_tokens(rows: Sequence[Row]) -> int:
    return sum(len(sample) for row in rows for sample in row)


def shuffled(rows: Sequence[Row], seed: int, epoch: int) -> list[Row]:
    """The rows in the order of an epoch, which the seed and the epoch alone decide."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**64))
    return [rows[at] for at in order.tolist()]
