"""Fine-tuning: `train(config)`, from files to a finished folder, read top to bottom."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed

from wolf_chatbox import models
from wolf_chatbox.checkpoint import RunFolder, read_run, write_folder
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.dataset import Dataset, prepare
from wolf_chatbox.engines.torch_engine import TorchEngine
from wolf_chatbox.errors import ChatError, ConfigError, TrainingError
from wolf_chatbox.events import Evaluated, Event, Notice, Prepared, Reply, Updated
from wolf_chatbox.loss import SummedLoss, collate, count_learnt, evaluating, packs_cleanly
from wolf_chatbox.optimization import fused_adamw, make_schedule, step_schedule
from wolf_chatbox.packing import Row
from wolf_chatbox.publish import Metrics, describe_run, publish, save_model
from wolf_chatbox.training_state import TrainingState, load_state, save_state

MAX_GRAD_NORM = 1.0
WEIGHT_DECAY = 0.01


@dataclass(frozen=True)
class Result:
    """What a run comes to; `interrupted` when it was stopped before its end and can be resumed."""

    output: Path
    metrics: dict[str, Any]
    interrupted: bool


def train(config: TrainConfig, tell: Callable[[Event], None] = lambda event: None) -> Result:
    """Fine-tune a base model and write it to `config.output`.

    Raises a WolfChatboxError when the data, the model, the folder or a setting will not do, before anything is
    written; and TrainingError when the loss stops being a number, with the last good state saved. The first Ctrl-C
    (or SIGTERM) stops at the next update with a usable model; the second stops at once.
    """
    folder = RunFolder(config.output)
    folder.check(resume=config.resume, overwrite=config.overwrite)
    accelerator = Accelerator(mixed_precision=choose_precision())
    set_seed(config.seed)

    base = models.load(config.model, trust_remote_code=config.trust_remote_code, tell=lambda text: tell(Notice(text)))
    context = models.context_of(base.model.config)
    if config.max_tokens > context:
        raise ConfigError("max_tokens", config.max_tokens, f"is over the context of {base.name}, {context} tokens.")
    former = read_run(base.folder) or {}
    dataset = prepare(config, base.tokenizer, config.max_tokens, packs_cleanly(base.model), former.get("style"))
    rows_an_update = config.batch_size * config.accumulate
    updates = math.ceil(len(dataset.rows) / rows_an_update) * config.epochs
    run = describe_run(config, dataset, base.model)

    learner = SummedLoss(base.model)
    optimizer = fused_adamw(base.model, config.lr, WEIGHT_DECAY)
    schedule = make_schedule(config, optimizer, updates)
    learner, optimizer = accelerator.prepare(learner, optimizer)
    state = TrainingState(base.model, optimizer, schedule)
    metrics = Metrics()
    done = 0
    if config.resume:
        done, saved = load_state(folder, state, run)
        metrics = Metrics(**saved)
    # A state is weights and two moments in fp32; with the best weights, and both again while they are being replaced.
    folder.begin(8 * 4 * models.count_parameters(base.model), resume=config.resume)
    tell(Prepared(dataset, base.name, models.count_parameters(base.model), accelerator.mixed_precision, str(accelerator.device), updates, done))

    def evaluate(epoch: int) -> float | None:
        """Measure, tell, and keep the weights when they are the best so far."""
        loss = mean_loss(learner, dataset.held_out_rows, config.batch_size, base.tokenizer, accelerator)
        known = [each["loss"] for each in metrics.evaluations[1:] if each["loss"] is not None]
        best = epoch > 0 and (loss is None or not known or loss < min(known))
        if best:
            metrics.best_epoch = epoch
            write_folder(folder.best, lambda place: save_model(place, base, dataset, config))
        replies = sample_replies(base.model, dataset, config) if epoch else []
        metrics.evaluations.append({"epoch": epoch, "update": done, "loss": loss, "perplexity": perplexity(loss)})
        tell(Evaluated(epoch, loss, perplexity(loss), best, replies))
        return loss

    def save() -> None:
        folder.save_state(done, lambda place: save_state(place, state, done, run, asdict(metrics)))

    begun = time.monotonic() - metrics.seconds
    if not metrics.evaluations:
        evaluate(0)
    learner.train()
    with interruption() as interrupted:
        for epoch in range(config.epochs):
            chosen = list(batched(shuffled(dataset.rows, config.seed, epoch), rows_an_update))
            for number, rows in enumerate(chosen, epoch * len(chosen) + 1):
                if number <= done:
                    continue
                started = time.monotonic()
                learnt = count_learnt(rows)
                summed = 0.0
                for part in batched(rows, config.batch_size):
                    batch = collate(part, models.pad_id(base.tokenizer)).to(accelerator.device)
                    # Each token weighs the same, whichever pass it falls into: 8 × 1 rows teach what 1 × 8 rows do.
                    loss = learner(batch)
                    accelerator.backward(loss / learnt)
                    summed += float(loss.detach())
                norm = accelerator.clip_grad_norm_(learner.parameters(), MAX_GRAD_NORM)
                if not (math.isfinite(summed) and math.isfinite(float(norm))):
                    saved_at = folder.states()
                    remedy = f"Lower the learning rate (now {config.lr}). " + (f"The state before is in {saved_at[-1]}." if saved_at else "")
                    raise TrainingError(
                        f"update {number}: the loss is {summed / learnt}, its gradient {float(norm)}: no numbers to learn from. {remedy.strip()}"
                    )
                optimizer.step()
                optimizer.zero_grad()
                rate = optimizer.param_groups[0]["lr"]
                step_schedule(schedule, summed / learnt)
                done = number
                metrics.losses.append((done, summed / learnt))
                tokens = sum(len(sample) for row in rows for sample in row)
                tell(Updated(done, updates, done / len(chosen), summed / learnt, rate, tokens, time.monotonic() - started))
                if done == (epoch + 1) * len(chosen):
                    measured = evaluate(epoch + 1)
                    if isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau) and measured is not None:
                        schedule.step(measured)
                metrics.seconds = time.monotonic() - begun
                end_of_epoch = done == (epoch + 1) * len(chosen) and epoch + 1 < config.epochs
                if interrupted.is_set() and done < updates:
                    save()
                    publish(folder, base, dataset, config, run, metrics, finished=False)
                    return Result(config.output, asdict(metrics), interrupted=True)
                if end_of_epoch or (config.save_every and done % config.save_every == 0 and done < updates):
                    save()
    publish(folder, base, dataset, config, run, metrics, finished=True)
    folder.finish()
    return Result(config.output, asdict(metrics), interrupted=False)


def choose_precision() -> str:
    """bf16 where the hardware computes in it, else fp32 ("no", as accelerate calls it)."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no"
    if torch.backends.mps.is_available():
        return "no"
    return "bf16" if models.computes_bf16_on_cpu() else "no"


def mean_loss(learner: torch.nn.Module, rows: Sequence[Row], batch_size: int, tokenizer: Any, accelerator: Accelerator) -> float | None:
    """Cross-entropy in nats of a learnt token of these rows; None when there are none."""
    learnt = count_learnt(rows)
    if not learnt:
        return None
    with torch.no_grad(), evaluating(learner):
        parts = (collate(part, models.pad_id(tokenizer)).to(accelerator.device) for part in batched(rows, batch_size))
        return sum(float(learner(part)) for part in parts) / learnt


def perplexity(loss: float | None) -> float | None:
    return None if loss is None else math.exp(min(loss, 700.0))


def sample_replies(model: Any, dataset: Dataset, config: TrainConfig) -> list[Reply]:
    """One reply for each of the dataset's contexts, the same random numbers each time."""
    engine = TorchEngine(model)
    stop = {dataset.renderer.end_id}
    replies = []
    for turns in dataset.contexts:
        try:
            prompt = dataset.renderer.prompt(turns[:-1], turns[-1].speaker, engine.context - 1)
        except ChatError:  # a context of one enormous turn is no example
            continue
        with torch.autocast(model.device.type, torch.bfloat16, enabled=choose_precision() == "bf16"):
            ids = list(engine.stream(prompt, config.sampling, stop, seed=config.seed))
        replies.append(Reply(turns[:-1], turns[-1], dataset.renderer.decode(ids).strip()))
    return replies


def shuffled(rows: Sequence[Row], seed: int, epoch: int) -> list[Row]:
    """The rows in the order of an epoch, which the seed and the epoch alone decide."""
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
    return [rows[at] for at in order.tolist()]


def batched(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


@contextmanager
def interruption() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets; the second Ctrl-C raises KeyboardInterrupt as usual."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: object) -> None:
        asked.set()
        for each, handler in former.items():
            signal.signal(each, handler)

    for number in former:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
