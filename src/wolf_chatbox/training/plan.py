"""What is known of a run before its first update: its size, and with a dry run its time, memory and disk space."""

from __future__ import annotations

import time

from wolf_chatbox.model.load import count_parameters
from wolf_chatbox.training.devices import peak_memory
from wolf_chatbox.training.progress import Planned, Prepared
from wolf_chatbox.training.run import Run
from wolf_chatbox.training.update import count_tokens, learn


def describe(run: Run) -> Prepared:
    """The size of a run: its data, its model, its updates."""
    return Prepared(
        dataset=run.dataset,
        model=run.base.name,
        parameters=count_parameters(run.base.model),
        trained=run.trained,
        precision=run.accelerator.mixed_precision,
        device=str(run.accelerator.device),
        processes=run.accelerator.num_processes,
        rows_an_update=run.course.rows_an_update,
        lr=run.recipe.lr,
        epochs=run.recipe.epochs,
        updates=run.updates,
        done=run.done,
    )


def plan(run: Run) -> Planned:
    """Estimate a run from the passes of its first update, made twice and timed once, without changing the weights."""
    rows = run.course.epochs[0][: run.course.rows_an_update]
    run.forward.module.train()
    seconds = 0.0
    for _ in range(2):
        begun = time.monotonic()
        float(learn(run.forward, rows))
        seconds = time.monotonic() - begun
        run.forward.module.zero_grad()
    a_token, epochs = seconds / count_tokens(rows), run.recipe.epochs
    read = sum(map(count_tokens, run.course.epochs))
    held_out = a_token / 3 * count_tokens(run.dataset.held_out_rows) / run.accelerator.num_processes * (epochs + 1)
    moments = {"adamw": 8, "adamw8bit": 2, "adafactor": 0}[run.config.optimizer] * run.trained
    memory = peak_memory(run.accelerator.device) + moments
    return Planned(a_token * read + held_out, memory, run.disk)
