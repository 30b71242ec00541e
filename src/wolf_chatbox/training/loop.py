"""Fine-tuning: `train(config)`, from files to an output folder, read top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch.optim.lr_scheduler import ReduceLROnPlateau

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import TrainingError
from wolf_chatbox.lock import alone
from wolf_chatbox.model.adaptation import relative_scale
from wolf_chatbox.model.load import BaseModel
from wolf_chatbox.model.loss import SummedLoss, count_learnt
from wolf_chatbox.model.preference_loss import PreferenceLoss
from wolf_chatbox.model.record import read_run
from wolf_chatbox.model.tokenizer import pad_id
from wolf_chatbox.samples.dataset import make_rows, read
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.rows import Dataset, learnt_tokens
from wolf_chatbox.training.averaging import Average
from wolf_chatbox.training.base import load_base
from wolf_chatbox.training.best import mend_best, write_best
from wolf_chatbox.training.choices import Choices, make_pairs, read_choices, sampling_of
from wolf_chatbox.training.devices import autocast, is_sharded, pass_tokens, start
from wolf_chatbox.training.interruption import interruption
from wolf_chatbox.training.optimization import clip, make_optimizer, make_schedule, step_schedule
from wolf_chatbox.training.passes import Forward
from wolf_chatbox.training.plan import describe, plan
from wolf_chatbox.training.preference import measure_pairs, remember
from wolf_chatbox.training.progress import Evaluated, Listener, Notice, Progress, Step, Updated, log, thinned
from wolf_chatbox.training.publish import describe_run, publish
from wolf_chatbox.training.recipe import choose
from wolf_chatbox.training.run import Course, Metrics, Run
from wolf_chatbox.training.run_folder import RunFolder
from wolf_chatbox.training.tracking import Figures, check_tracker
from wolf_chatbox.training.training_state import (
    TrainingState,
    check_settings,
    fingerprint_base,
    load_progress,
    load_state,
    save_state,
)
from wolf_chatbox.training.update import blame, count_tokens, halve, learn, seed_update, shuffled
from wolf_chatbox.training.validation import bits_per_byte, mean_loss, perplexity, sample_replies
from wolf_chatbox.visible import shortlist

MOST_SKIPPED = 3
"""Updates skipped in a row, after which a run stops."""
SECONDS_BETWEEN_SAVES = 600


@dataclass(frozen=True)
class Result:
    """What a run made; `interrupted` when it was stopped early and can be resumed."""

    output: Path
    metrics: dict[str, Any]
    interrupted: bool


def train(config: TrainConfig, tell: Listener = log) -> Result:
    """Fine-tune a base model and write it to `config.output`; a dry run writes nothing.

    Progress goes to `tell`; by default to the logger `wolf_chatbox`, which has no handler of its own. Under
    `accelerate launch` or `torchrun` all processes call it; the first one reports and writes. Raises a WolfChatboxError
    before anything is written when the data, the model, the folder or a setting does not fit, and TrainingError when
    the loss stays NaN or infinite, with the last good weights saved. The first Ctrl-C (or SIGTERM) stops after the
    update under way with a usable model; the second stops at once.
    """
    check_tracker(config)
    folder = RunFolder(config.output)
    folder.check_place()
    accelerator = start(config.precision)
    tell = thinned(tell, config.log_every) if accelerator.is_main_process else lambda progress: None
    if not accelerator.is_main_process or config.dry_run:
        return _train(config, tell, folder, accelerator)
    with alone(folder.output):
        folder.check(resume=config.resume, overwrite=config.overwrite)
        return _train(config, tell, folder, accelerator)


def _train(config: TrainConfig, tell: Listener, folder: RunFolder, accelerator: Accelerator) -> Result:
    run = prepare(config, tell, folder, accelerator)
    if run.writes and not config.dry_run:
        folder.begin(run.disk, resume=config.resume)
    tell(describe(run))
    if config.dry_run:
        tell(plan(run))
        return Result(config.output, {}, interrupted=False)
    accelerator.wait_for_everyone()
    if run.saved:
        mend_best(run)
        run.state.restore(load_state(run.saved))
    figures = Figures(folder.metrics, config, run.record["settings"], accelerator, run.done, run.warn)

    def tell_and_write(progress: Progress) -> None:
        figures.add(progress)
        tell(progress)

    run.tell = tell_and_write
    finished = loop(run)
    run.step("writing the model", "writing")
    mend_best(run)
    publish(run, finished=finished)
    if finished and run.writes and (strays := folder.finish()):
        names = ", ".join(stray.name for stray in strays)
        run.warn(f"{folder.unfinished}: not written by this run, kept: {names}")
    figures.close()
    accelerator.wait_for_everyone()
    return Result(config.output, asdict(run.metrics), interrupted=not finished)


def prepare(config: TrainConfig, tell: Listener, folder: RunFolder, accelerator: Accelerator) -> Run:
    """The run before its next update: its data, its model, and where it stands."""
    # 1. The data and the model
    base, learner, dataset = gather(config, tell, accelerator)
    if config.preferences:
        config = replace(config, sampling=sampling_of(config, base))

    # 2. Where it stands: at its beginning, or where it was interrupted
    saved, progress = load_progress(folder, lambda text: tell(Notice(text))) if config.resume else (None, {})
    taken = progress["run"]["settings"] if saved else {}
    # Adafactor's steps are relative to the weights' size by themselves.
    scale = 1.0 if config.optimizer == "adafactor" else min(1.0, relative_scale(base.model))
    recipe = choose(config, dataset.learnt_tokens, taken, scale)
    config = replace(config, lr=recipe.lr, epochs=recipe.epochs)
    processes = accelerator.num_processes
    record = describe_run(config, dataset, base.model)
    record |= {"processes": processes, "base_fingerprint": fingerprint_base(base.model)}
    rows_an_update, metrics, done = config.batch_size * config.accumulate * processes, Metrics(), 0
    if saved:
        check_settings(saved, progress["run"], record)
        metrics, done = Metrics(**progress["metrics"]), int(progress["update"])
        former = int(progress["run"]["rows_an_update"])
        if former != rows_an_update:
            tell(Notice(f"an update has {former} rows, as before the interruption, for any number of processes"))
        rows_an_update = former
    record["rows_an_update"] = rows_an_update

    # 3. What an update changes
    course = Course(dataset.epochs(recipe.epochs), rows_an_update)
    optimizer: Any = make_optimizer(config, recipe.lr, base.model)
    schedule = make_schedule(config, recipe.lr, optimizer, sum(course.updates))
    module, optimizer = accelerator.prepare(learner, optimizer)
    budget = pass_tokens(accelerator.device, config.batch_size * config.max_tokens)
    forward = Forward(learner, module, pad_id(base.tokenizer), accelerator, budget)
    if config.preferences:
        tell(Step("scoring the replies before training", "comparing"))
        remember(forward, dataset)
    state = TrainingState(module, optimizer, schedule, Average(module, config.ema), accelerator)
    return Run(
        config, recipe, course, tell, folder, accelerator, base, dataset, forward, state, record, saved, metrics, done
    )


def gather(config: TrainConfig, tell: Listener, accelerator: Accelerator) -> tuple[BaseModel, SummedLoss, Dataset]:
    """The base model, what learns with it, and the rows: of conversations, or of choices between replies."""
    tell(Step(f"reading {shortlist(config.data or config.preferences, 3)}", "reading"))
    # The first process invents the pseudonyms that the key lacks; the others find them there.
    with accelerator.main_process_first() if config.clean.pseudonyms is not None else nullcontext():
        material = read_choices(config.preferences) if config.preferences else read(config)
    tell(Step(f"loading the base model {config.model}", "loading"))
    base = load_base(config, tell, accelerator)
    if isinstance(material, Choices):
        tell(Step("packing rows", "packing"))
        return base, PreferenceLoss(base.model, config.beta, config.chosen_weight), make_pairs(material, config, base)
    learner = SummedLoss(base.model, config.label_smoothing, config.neftune)
    tell(Step("packing rows", "packing"))
    style = (read_run(base.folder) or {}).get("style")
    dataset = make_rows(material, config, base.tokenizer, config.max_tokens, learner.apart != "alone", style)
    return base, learner, dataset


def loop(run: Run) -> bool:
    """Make the updates that are left; returns False when the run was interrupted before its end."""
    config, metrics, accelerator = run.config, run.metrics, run.accelerator
    begun, saved = time.monotonic() - metrics.seconds, time.monotonic()
    if not metrics.evaluations:
        evaluate(run)
    course = run.course
    order = lru_cache(maxsize=1)(lambda epoch: shuffled(course.epochs[epoch], config.seed, epoch))
    with interruption() as interrupted:
        run.forward.module.train()
        while run.done < run.updates:
            started = time.monotonic()
            epoch, number = course.place(run.done)
            rows = order(epoch)[number * course.rows_an_update : (number + 1) * course.rows_an_update]
            seed_update(config.seed, run.done, accelerator.process_index)
            try:
                summed = learn(run.forward, rows)
            except torch.OutOfMemoryError as error:
                halve(run.forward, rows, error)
                run.warn(
                    f"update {run.done + 1}: out of memory; "
                    f"from here on {run.forward.budget} tokens per forward pass, and the same updates"
                )
                run.state.optimizer.zero_grad()
                continue
            # What every process must know alike: the loss, whether any was asked to stop, whether it is time to save.
            due = config.save_every == 0 and time.monotonic() - saved > SECONDS_BETWEEN_SAVES
            shared = torch.stack([summed, summed.new_tensor(interrupted.is_set()), summed.new_tensor(due)])
            total, asked, late = accelerator.reduce(shared).tolist()
            step(run, rows, total, started)
            whole = run.is_whole
            if (run.done % config.eval_every == 0 if config.eval_every else whole) or run.done == run.updates:
                evaluate(run)
            metrics.seconds = time.monotonic() - begun
            if config.patience and metrics.since_best() >= config.patience:
                run.warn(f"no better held-out loss in {config.patience} evaluations: stopped after update {run.done}")
                break
            if run.done == run.updates:
                break
            if asked or (accelerator.num_processes == 1 and interrupted.is_set()):
                save(run)
                return False
            if late or whole or (config.save_every and run.done % config.save_every == 0):
                save(run)
                saved = time.monotonic()
    return True


def step(run: Run, rows: Sequence[Row], total: float, started: float) -> None:
    """Change the weights by the gradient, unless it is NaN or infinite, as the loss `total` of all rows may be.

    Raises TrainingError when too many updates in a row were skipped.
    """
    accelerator, optimizer, metrics = run.accelerator, run.state.optimizer, run.metrics
    accelerator.unscale_gradients(optimizer)
    norm = clip(run.base.model, run.config.max_grad_norm)
    loss, rate = total / run.forward.learner.count(rows), optimizer.param_groups[0]["lr"]
    run.done += 1
    usable = math.isfinite(total) and math.isfinite(norm)
    if usable or (accelerator.scaler and math.isfinite(total) and accelerator.scaler.get_scale() > 1):
        optimizer.step()  # in fp16 an infinite gradient makes the scaler skip it and scale less
        step_schedule(run.state.schedule, loss)
        metrics.losses.append((run.done, loss))
        run.state.average.add(len(metrics.losses))
    else:
        metrics.skipped.append(run.done)
        run.warn(f"update {run.done}: the loss is {loss:.4g}, the gradient norm {norm:.4g}: update skipped")
    optimizer.zero_grad()
    tokens, seconds = count_tokens(rows), time.monotonic() - started
    run.tell(Updated(run.done, run.updates, run.epoch, loss, norm, rate, tokens, learnt_tokens(rows), seconds))
    if metrics.skipped[-MOST_SKIPPED:] == [*range(run.done - MOST_SKIPPED + 1, run.done + 1)]:
        save(run)
        raise TrainingError(blame(run, rows, MOST_SKIPPED))


def evaluate(run: Run) -> None:
    """Measure the held-out loss, and keep the weights when they are the best so far."""
    run.step("evaluating the held-out split", "validating")
    metrics, done, schedule = run.metrics, run.done, run.state.schedule
    rows, size = run.dataset.held_out_rows, run.dataset.held_out_bytes
    with run.state.average.in_place():
        if run.config.preferences:
            found = measure_pairs(run.forward, rows)
        else:
            loss = mean_loss(run.forward, rows)
            bits = bits_per_byte(loss, count_learnt(rows), size)
            found = {"loss": loss, "perplexity": perplexity(loss), "bits_per_byte": bits}
    loss, before = found["loss"], metrics.best_loss()
    best = done > 0 and (run.config.keep_last or loss is None or before is None or loss < before)
    metrics.evaluations.append({"epoch": run.epoch, "update": done, **found})
    if best:
        metrics.best_epoch, metrics.best_update = run.epoch, done
        write_best(run, done)
    replies = []
    # Those of the base model show what training changes. Sharded by FSDP, no process has a whole model to reply with.
    if run.is_whole and run.writes and not is_sharded(run.accelerator):
        with run.state.average.in_place():
            replies = sample_replies(run.base.model, run.dataset, run.config, autocast(run.accelerator))
    run.tell(Evaluated(done, run.epoch, best=best, replies=replies, **found))
    if isinstance(schedule, ReduceLROnPlateau) and done and loss is not None:
        schedule.step(loss)


def save(run: Run) -> None:
    """Save the state, unless its weights are NaN or infinite; all processes must call it."""
    captured = run.state.capture()
    if run.writes and all(bool(tensor.isfinite().all()) for tensor in captured["model"].values()):
        run.folder.save_state(
            run.done,
            lambda place: save_state(place, captured, run.done, run.record, asdict(run.metrics)),
            run.config.keep,
            run.state_bytes,
        )
