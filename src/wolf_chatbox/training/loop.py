"""Fine-tuning: `train(config)`, from files to a finished folder, read top to bottom."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ConfigError, TrainingError
from wolf_chatbox.lock import alone
from wolf_chatbox.model.adaptation import adapt
from wolf_chatbox.model.load import check_finite, context_of, count_parameters, load_model
from wolf_chatbox.model.loss import SummedLoss, count_learnt, evaluating
from wolf_chatbox.model.record import read_run
from wolf_chatbox.model.tokenizer import pad_id
from wolf_chatbox.samples.dataset import make_rows, read
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.training.best import mend_best, write_best
from wolf_chatbox.training.devices import autocast, is_sharded, pass_tokens, peak_memory, start
from wolf_chatbox.training.interruption import interruption
from wolf_chatbox.training.optimization import clip, make_optimizer, make_schedule, step_schedule
from wolf_chatbox.training.progress import Evaluated, Event, Notice, Planned, Prepared, Step, Updated, log
from wolf_chatbox.training.publish import Metrics, describe_run, publish
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
from wolf_chatbox.training.update import count_tokens, halved, learn, seed_update, shuffled
from wolf_chatbox.training.validation import mean_loss, perplexity, sample_replies
from wolf_chatbox.visible import shortlist

MOST_SKIPPED = 3
"""Updates in a row without a number to learn from, after which a run stops."""
SECONDS_BETWEEN_SAVES = 600


@dataclass(frozen=True)
class Result:
    """What a run comes to; `interrupted` when it was stopped before its end and can be resumed."""

    output: Path
    metrics: dict[str, Any]
    interrupted: bool


def train(config: TrainConfig, tell: Callable[[Event], None] = log) -> Result:
    """Fine-tune a base model and write it to `config.output`; a dry run writes nothing.

    What goes on is given to `tell`; by default it goes to the logger `wolf_chatbox`, which has no handler of its own.
    Under `accelerate launch` or `torchrun` all processes call it; the first one tells and writes. Raises a
    WolfChatboxError when the data, the model, the folder or a setting will not do, before anything is written; and
    TrainingError when the loss stays no number, with the last good weights saved. The first Ctrl-C (or SIGTERM) stops
    at the next update with a usable model; the second stops at once.
    """
    check_tracker(config)
    folder = RunFolder(config.output)
    folder.check_place()
    accelerator = start(config.precision)
    if not accelerator.is_main_process or config.dry_run:
        return _train(config, tell if accelerator.is_main_process else lambda event: None, folder, accelerator)
    with alone(folder.output):
        folder.check(resume=config.resume, overwrite=config.overwrite)
        return _train(config, tell, folder, accelerator)


def _train(config: TrainConfig, tell: Callable[[Event], None], folder: RunFolder, accelerator: Accelerator) -> Result:
    writes, processes = accelerator.is_main_process, accelerator.num_processes

    def warn(text: str) -> None:
        tell(Notice(text))

    def step(text: str) -> None:
        tell(Step(text))

    if tell is log:
        tell = partial(log, every=config.log_every)

    # 1. The data and the model
    step(f"reading {shortlist(config.data, 3)}")
    with accelerator.main_process_first() if config.clean.pseudonyms is not None else nullcontext():
        material = read(
            config
        )  # the first process invents the names that are not in the key yet, the others find them there
    step(f"loading the base model {config.model}")
    with accelerator.main_process_first():
        base = load_model(
            config.model, trust_remote_code=config.trust_remote_code, allow_base=config.allow_base, tell=step
        )
    check_finite(base.name, base.model)
    context = context_of(base.model.config)
    if config.max_tokens > context:
        raise ConfigError("max_tokens", config.max_tokens, f"is over the context of {base.name}, {context} tokens.")
    torch.manual_seed(config.seed)
    adapt(base.model, config, base.name)
    if not is_sharded(accelerator):
        base.model.to(accelerator.device)
    learner = SummedLoss(base.model)
    former = read_run(base.folder) or {}
    step("making rows of tokens")
    dataset = make_rows(
        material, config, base.tokenizer, config.max_tokens, learner.apart != "alone", former.get("style")
    )
    del material  # the rows hold what is needed
    run = describe_run(config, dataset, base.model) | {
        "processes": processes,
        "base_fingerprint": fingerprint_base(base.model),
    }

    # 2. Where an interrupted run stood
    rows_an_update = config.batch_size * config.accumulate * processes
    metrics, done, place = Metrics(), 0, None
    if config.resume:
        place, progress = load_progress(folder, warn)
        check_settings(place, progress["run"], run)
        metrics, done = Metrics(**progress["metrics"]), int(progress["update"])
        if progress["run"]["rows_an_update"] != rows_an_update:
            warn(
                f"an update learns from {progress['run']['rows_an_update']} rows, as before, whatever the number of processes ({processes})"
            )
        rows_an_update = int(progress["run"]["rows_an_update"])
    run["rows_an_update"] = rows_an_update
    an_epoch = math.ceil(len(dataset.rows) / rows_an_update)
    updates = an_epoch * config.epochs

    # 3. What changes in training
    optimizer: Any = make_optimizer(config, base.model)
    schedule = make_schedule(config, optimizer, updates)
    forward, optimizer = accelerator.prepare(learner, optimizer)
    state = TrainingState(forward, optimizer, schedule, accelerator)
    trained = sum(each.numel() for each in base.model.parameters() if each.requires_grad)
    # A state is the learnt weights and two moments in fp32; then the best weights, and both again while they are replaced.
    state_bytes = 12 * trained
    disk = state_bytes * (config.keep + 1) + 8 * (trained if config.lora_rank else count_parameters(base.model))
    device, precision = str(accelerator.device), accelerator.mixed_precision
    if writes and not config.dry_run:
        folder.begin(disk, resume=config.resume)
    tell(
        Prepared(
            dataset,
            base.name,
            count_parameters(base.model),
            trained,
            precision,
            device,
            processes,
            rows_an_update,
            updates,
            done,
        )
    )
    budget = pass_tokens(accelerator.device, config.batch_size * config.max_tokens)
    if config.dry_run:
        moments = {"adamw": 8, "adamw8bit": 2, "adafactor": 0}[config.optimizer] * trained
        tell(
            plan(learner, forward, dataset, base.tokenizer, accelerator, rows_an_update, budget, updates, moments, disk)
        )
        return Result(config.output, {}, interrupted=False)
    accelerator.wait_for_everyone()

    def keep_best(update: int) -> None:
        weights = state.weights()
        if writes:
            write_best(folder, base, weights, dataset, config, update)

    if place:
        mend_best(folder, metrics, state, done, keep_best, warn)
        state.restore(load_state(place))
    figures = Figures(folder.metrics, config, run["settings"], accelerator, done, warn)

    def evaluate() -> None:
        """Measure, tell, and keep the weights when they are the best so far."""
        step("measuring on what is held out")
        loss = mean_loss(forward, learner, dataset.held_out_rows, budget, base.tokenizer, accelerator)
        before = metrics.best_loss()
        best = done > 0 and (loss is None or before is None or loss < before)
        epoch = done / an_epoch if done % an_epoch else done // an_epoch
        metrics.evaluations.append({"epoch": epoch, "update": done, "loss": loss, "perplexity": perplexity(loss)})
        if best:
            metrics.best_epoch, metrics.best_update = epoch, done
            keep_best(done)
        # Under FSDP no process has a whole model to talk with.
        at_epoch = done and done % an_epoch == 0
        replies = (
            sample_replies(base.model, dataset, config, autocast(accelerator))
            if at_epoch and writes and not is_sharded(accelerator)
            else []
        )
        event = Evaluated(done, epoch, loss, perplexity(loss), best, replies)
        figures.add(event)
        tell(event)
        if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau) and done and loss is not None:
            schedule.step(loss)

    def save() -> None:
        captured = state.capture()
        if writes and all(bool(each.isfinite().all()) for each in captured["model"].values()):
            folder.save_state(
                done, lambda place: save_state(place, captured, done, run, asdict(metrics)), config.keep, state_bytes
            )

    def end(*, finished: bool) -> Result:
        step("writing the model")
        mend_best(folder, metrics, state, done, keep_best, warn)
        weights = state.weights()
        if writes:
            publish(folder, base, weights, dataset, config, run, metrics, finished=finished)
            if finished and (strays := folder.finish()):
                warn(f"{folder.unfinished}: {', '.join(each.name for each in strays)}: not of this run, left there")
        figures.close()
        accelerator.wait_for_everyone()
        return Result(config.output, asdict(metrics), interrupted=not finished)

    # 4. The loop
    begun, saved = time.monotonic() - metrics.seconds, time.monotonic()
    if not metrics.evaluations:
        evaluate()
    order = lru_cache(maxsize=1)(lambda epoch: shuffled(dataset.rows, config.seed, epoch))
    with interruption() as interrupted:
        forward.train()
        while done < updates:
            started = time.monotonic()
            epoch, number = divmod(done, an_epoch)
            rows = order(epoch)[number * rows_an_update : (number + 1) * rows_an_update]
            seed_update(config.seed, done, accelerator.process_index)
            try:
                summed = learn(rows, learner, forward, base.tokenizer, accelerator, budget)
            except torch.OutOfMemoryError as error:
                budget = halved(budget, rows, config, accelerator, error)
                warn(
                    f"update {done + 1}: out of memory; passes of at most {budget} tokens from here on, the updates stay the same"
                )
                optimizer.zero_grad()
                continue
            accelerator.unscale_gradients(optimizer)
            norm = clip(base.model, config.max_grad_norm)
            # What every process must know alike: the loss, whether any was asked to stop, whether it is time to save.
            due = config.save_every == 0 and time.monotonic() - saved > SECONDS_BETWEEN_SAVES
            total, asked, late = accelerator.reduce(
                torch.stack([summed, summed.new_tensor(interrupted.is_set()), summed.new_tensor(due)])
            ).tolist()
            learnt = count_learnt(rows)
            loss, rate = total / learnt, optimizer.param_groups[0]["lr"]
            done += 1
            metrics.losses.append((done, loss))
            usable = math.isfinite(total) and math.isfinite(norm)
            if usable or (accelerator.scaler and math.isfinite(total) and accelerator.scaler.get_scale() > 1):
                optimizer.step()  # in fp16 an infinite gradient makes the scaler skip it and scale less
                step_schedule(schedule, loss)
            else:
                metrics.skipped.append(done)
                warn(
                    f"update {done}: the loss is {loss:.4g}, the norm of its gradient {norm:.4g}: nothing to learn from, skipped"
                )
                metrics.losses.pop()
            optimizer.zero_grad()
            event = Updated(
                done, updates, done / an_epoch, loss, norm, rate, count_tokens(rows), learnt, time.monotonic() - started
            )
            figures.add(event)
            tell(event)
            if metrics.skipped[-MOST_SKIPPED:] == [*range(done - MOST_SKIPPED + 1, done + 1)]:
                save()
                raise TrainingError(blame(rows, done, learner, forward, dataset, accelerator, folder, config))
            whole = done % an_epoch == 0
            if (done % config.eval_every == 0 if config.eval_every else whole) or done == updates:
                evaluate()
            metrics.seconds = time.monotonic() - begun
            if config.patience and metrics.since_best() >= config.patience:
                warn(
                    f"{config.patience} measurements in a row were no better than the best: stopped after update {done}"
                )
                break
            if (asked or (processes == 1 and interrupted.is_set())) and done < updates:
                save()
                return end(finished=False)
            if done < updates and (late or whole or (config.save_every and done % config.save_every == 0)):
                save()
                saved = time.monotonic()
    return end(finished=True)


def blame(
    rows: Sequence[Row],
    update: int,
    learner: SummedLoss,
    forward: torch.nn.Module,
    dataset: Dataset,
    accelerator: Accelerator,
    folder: RunFolder,
    config: TrainConfig,
) -> str:
    """What to tell when a run stops for want of numbers: which samples have none, and what is left of the run."""
    samples = [sample for row in rows for sample in row]
    pad = pad_id(dataset.renderer.tokenizer)
    with torch.no_grad(), evaluating(forward):
        losses = [float(forward(learner.collate([(sample,)], pad).to(accelerator.device))) for sample in samples]
    bad = [sample for sample, loss in zip(samples, losses) if not math.isfinite(loss)] or samples
    texts = ", ".join(repr(" ".join(dataset.renderer.decode(sample.ids[:40]).split())[:60]) for sample in bad[:3])
    more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
    states = folder.states()
    left = f"The last good state is in {states[-1]}." if states else "Nothing good was saved before."
    return (
        f"update {update}: {MOST_SKIPPED} updates in a row gave no number to learn from; the last one's samples: {texts}{more}. "
        f"Lower the learning rate (now {config.lr}) or take the samples out of the data. {left}"
    )


def plan(
    learner: SummedLoss,
    forward: torch.nn.Module,
    dataset: Dataset,
    tokenizer: Any,
    accelerator: Accelerator,
    rows_an_update: int,
    budget: int,
    updates: int,
    moments: int,
    disk: int,
) -> Planned:
    """Estimate a run from the passes of its first update, made twice without an update: the second time is taken."""
    rows = dataset.rows[:rows_an_update]
    forward.train()
    seconds = 0.0
    for _ in range(2):
        begun = time.monotonic()
        float(learn(rows, learner, forward, tokenizer, accelerator, budget))
        seconds = time.monotonic() - begun
        forward.zero_grad()
    epochs = updates / math.ceil(len(dataset.rows) / rows_an_update)
    a_token = seconds / count_tokens(rows)
    held_out = a_token / 3 * count_tokens(dataset.held_out_rows) / accelerator.num_processes * (epochs + 1)
    return Planned(
        a_token * count_tokens(dataset.rows) * epochs + held_out, peak_memory(accelerator.device) + moments, disk
    )
