"""One update: its rows, its random numbers, and its gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from wolf_chatbox.errors import Setting, TrainingError
from wolf_chatbox.model.loss import evaluating
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.rendering import Sample
from wolf_chatbox.training.passes import Forward
from wolf_chatbox.training.run import Run


def learn(forward: Forward, rows: Sequence[Row]) -> Tensor:
    """Add the gradient of an update's mean loss to the parameters; returns this process's part of the summed loss.

    Every learnt token, or pair of replies, weighs the same, whichever pass and process it falls into: 8 × 1 rows teach
    what 1 × 8 rows do.
    """
    accelerator, count = forward.accelerator, forward.learner.count(rows)
    mine = forward.share(rows)
    summed = torch.zeros((), dtype=torch.float64, device=accelerator.device)
    for number, (part, weight) in enumerate(mine, 1):
        # The processes exchange gradients once per update; accelerate averages them, hence the factor.
        with accelerator.no_sync(forward.module) if number < len(mine) else nullcontext():
            loss = forward(part)
            accelerator.backward(loss * (weight * accelerator.num_processes / count))
        summed += weight * loss.detach().double()
    return summed


def seed_update(seed: int, update: int, process: int) -> None:
    """Make the random numbers of an update (dropout) follow from these three alone: no saved state has to keep any."""
    torch.manual_seed(mixed(seed, update, process) % 2**63)


def mixed(*numbers: int) -> int:
    """One number of 64 bits made from several, none of them negative.

    The rounds of xxHash64 (Collet, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md) as CPython 3.8 and
    later applies them to a tuple (Objects/tupleobject.c, Python/pyhash.c: a number counts modulo 2**61 - 1). Runs that
    were interrupted when this was `hash((seed, update, process))` go on with the same random numbers.
    """
    first, second, fifth = 11400714785074694791, 14029467366897019727, 2870177450012600261
    state = fifth
    for number in numbers:
        state = (state + number % (2**61 - 1) * second) % 2**64
        state = (state << 31 | state >> 33) % 2**64
        state = state * first % 2**64
    state = (state + (len(numbers) ^ fifth ^ 3527539)) % 2**64
    return state if state != 2**64 - 1 else 1546275796  # CPython keeps -1 for errors


def halve(forward: Forward, rows: Sequence[Row], error: BaseException) -> None:
    """Make the forward passes smaller after the memory ran out. Raises TrainingError when they cannot be smaller."""
    accelerator, budget = forward.accelerator, forward.budget
    largest = max(len(sample) for row in rows for sample in row)
    if accelerator.num_processes > 1 or budget // 2 < largest:
        reason = str(error).splitlines()[0]
        raise TrainingError(
            f"out of memory on {accelerator.device} with {budget} tokens per forward pass ({reason}). Lower ",
            *(Setting("max_tokens"), " or ", Setting("batch_size"), ", or use "),
            *(Setting("gradient_checkpointing"), ", ", Setting("lora_rank"), " 16 or "),
            *(Setting("optimizer"), " adafactor."),
        ) from error
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    forward.budget = budget // 2


def bad_samples(forward: Forward, rows: Sequence[Row]) -> list[Sample]:
    """The samples whose loss is NaN or infinite; all of them where none is, as it then was the gradient."""
    samples = [sample for row in rows for sample in row]
    with torch.no_grad(), evaluating(forward.module):
        losses = [float(forward([(sample,)])) for sample in samples]
    return [sample for sample, loss in zip(samples, losses) if not math.isfinite(loss)] or samples


def blame(run: Run, rows: Sequence[Row], skipped: int) -> str:
    """Why a run stops after so many skipped updates: the samples of the last one, and what can be resumed."""
    bad, decode = bad_samples(run.forward, rows), run.dataset.renderer.decode
    texts = ", ".join(repr(" ".join(decode(sample.ids[:40]).split())[:60]) for sample in bad[:3])
    more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
    states = run.folder.states()
    left = f"The last good state is in {states[-1]}." if states else "No good state was saved before."
    return (
        f"update {run.done}: the loss or the gradient of {skipped} updates in a row was NaN or infinite; "
        f"samples of the last one: {texts}{more}. "
        f"Lower the learning rate (now {run.recipe.lr:g}), or remove the samples from the data. {left}"
    )


def count_tokens(rows: Sequence[Row]) -> int:
    return sum(len(sample) for row in rows for sample in row)


def shuffled(rows: Sequence[Row], seed: int, epoch: int) -> list[Row]:
    """The rows in the order of an epoch, which the seed and the epoch alone decide."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**64))
    return [rows[place] for place in order.tolist()]
