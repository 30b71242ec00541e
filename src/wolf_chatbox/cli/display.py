"""How a training run looks on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import yaml
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from wolf_chatbox.cli.pulse import Pulse, clock
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.data.tally import listed
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.settings import flat, typed
from wolf_chatbox.training.progress import Evaluated, Notice, Planned, Prepared, Progress, Step, Updated, figures
from wolf_chatbox.visible import shortlist

if TYPE_CHECKING:
    from wolf_chatbox.samples.rows import Dataset


def quiet_transformers() -> None:
    """Silence transformers' progress bars and warnings, which would appear between our lines.

    It is not imported for that, which takes seconds: when it is imported, it reads the settings that are made here.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    if "huggingface_hub" in sys.modules:
        from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

        disable_progress_bars()
    else:
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    if "transformers" in sys.modules:
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]


class Display:
    """Prints the progress of a run: the data, a bar, the losses, and sample replies after each epoch."""

    def __init__(self, console: Screen, config: TrainConfig, resume_command: str) -> None:
        self.console = console
        self.resume_command = resume_command
        self.soft_wrap = not console.is_terminal  # a log keeps its lines whole
        self.config = config
        moves = console.is_interactive
        self.progress = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not moves,
        )
        self.task = self.progress.add_task("training", total=None, speed="")
        self.set_up = Bar(SpinnerColumn(), TimeElapsedColumn(), console=console, transient=True, disable=not moves)
        self.set_up.add_task("")
        self.pulse = Pulse(lambda text: self.say(text, "dim"))
        self.alive: Bar | Pulse = self.set_up if moves else self.pulse
        self.updates = 0
        self.made = 0
        self.since_log: list[Updated] = []

    def __enter__(self) -> Display:
        self.alive.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()
        self.alive.__exit__(kind, error, trace)

    def say(self, text: str, style: str = "") -> None:
        self.console.say(text, style)
        self.pulse.said()

    def tell(self, event: Progress) -> None:
        match event:
            case Step():
                self._step(event)
            case Notice():
                self.say(event.text, "dim")
            case Prepared():
                self.set_up.stop()
                self._prepared(event)
                self.progress.start()
                self.progress.update(self.task, total=event.updates, completed=event.done)
                self.updates = event.updates
                self._training(event.done)
            case Planned():
                self._planned(event)
            case Updated():
                self._updated(event)
            case Evaluated():
                self._evaluated(event)

    def _step(self, event: Step) -> None:
        """A line for each step of the set-up; later a label beside the bar."""
        self.pulse.begin(event.text)
        if not self.updates:
            self.say(event.text, "dim")
        else:
            self.progress.update(self.task, description=event.text)

    def _training(self, done: int) -> None:
        self.progress.update(self.task, description="training")
        self.pulse.begin(f"training, update {min(done + 1, self.updates)} of {self.updates}")

    def _prepared(self, event: Prepared) -> None:
        """The data as it was understood, with one sample."""
        data = event.dataset
        turns, dropped = data.turns(), data.dropped()
        for line in listed(data.tally.files()):
            self.say(line)
        speakers = shortlist([f"{name} {count}" for name, count in data.speakers.most_common()], 6)
        if data.unit == "turns":
            said = f"{turns['read']:,} turns of {len(data.speakers)} speakers ({speakers})"
            self.say(f"{data.conversations} conversations, {said}")
        parts = " + ".join(f"{count:,} {fate}" for fate, count in turns.items() if fate not in ("read", "canaries"))
        added = f" + {turns['canaries']:,} of canaries" if data.canaries else ""
        self.say(f"{turns['read']:,} {data.unit} read{added} = {parts}")
        for reason, count in dropped.items():
            self.say(f"  dropped: {count:,} ({reason})")
        for kind, count in data.tally.changed.items():
            if count:
                self.say(f"  replaced: {count:,} ({kind})")
        self._rows(data)
        self._model(event)
        self._recipe(event)
        show_sample(self.console, "One sample", first_sample(data))
        if event.done:
            self.say(f"resuming after update {event.done:,} of {event.updates:,}")
        if not self.config.dry_run:
            self.say(f"Ctrl-C is safe: it stops after the current update, and {self.resume_command} continues the run.")

    def _rows(self, data: Dataset) -> None:
        """What is learnt, and what is held out."""
        cut = data.training.cut + data.held_out.cut
        if cut:
            self.say(f"  truncated: {cut:,} turns longer than {data.max_tokens} tokens")
        share = data.held_out.learnt / max(1, data.held_out.learnt + data.training.learnt)
        rows = f"{len(data.first_rows or data.rows):,} rows of {data.max_tokens} tokens"
        self.say(f"{data.tokens:,} tokens, {data.learnt_tokens:,} learnt in each epoch, in {rows}")
        leak = (
            "" if data.leak is None else f"; {data.leak:.1%} of its conversations are near-duplicates of training data"
        )
        remedy = " (--duplicates near drops them)" if data.leak else ""
        self.say(f"held-out split: {share:.0%} of the learnable {data.unit}{leak}{remedy}")
        for notice in data.notices:
            self.say(f"note: {notice}", "yellow")
        weight = self.config.others_weight or float(self.config.persona_last)
        others = f", the others at weight {weight:g}" if weight else ""
        others += " in all epochs but the last" if self.config.persona_last else ""
        learning = f"learning {data.persona or 'every speaker'}{others}"
        self.say(f"style {data.renderer.style.name} ({data.style_reason}), {learning}")

    def _model(self, event: Prepared) -> None:
        """What is trained, and where."""
        precision = "fp32" if event.precision == "no" else event.precision
        size = f"{event.parameters / 1e6:.0f}M parameters" + (
            f", {event.trained / 1e6:.1f}M trained" if event.trained < event.parameters else ""
        )
        where = event.device + (f" ({event.processes} processes)" if event.processes > 1 else "")
        rows = f"{event.rows_an_update} row" + ("s" if event.rows_an_update > 1 else "")
        self.say(f"{event.model}: {size}, {precision} on {where}, {event.updates:,} updates of {rows}")

    def _recipe(self, event: Prepared) -> None:
        """The learning rate and the epochs, and whether they were chosen."""
        chosen = self.config.lr is None or self.config.epochs is None
        data = event.dataset
        size = f"{data.learnt_tokens:,} learnt tokens" if data.unit == "turns" else f"{data.training.learnt:,} choices"
        why = f", for {size}" if chosen else ""
        epochs = f"{event.epochs} epoch" + ("s" if event.epochs > 1 else "")
        self.say(f"learning rate {typed(event.lr)} and {epochs}{why}")
        self.config = replace(self.config, lr=event.lr, epochs=event.epochs)

    def _planned(self, event: Planned) -> None:
        self.progress.stop()
        self.console.print(painted(("\nSettings", "bold"), (" (in the form that --config reads):", "")))
        self.say(yaml.safe_dump(as_settings(self.config), sort_keys=False, allow_unicode=True).rstrip())
        self.console.print(painted(("\nEstimated", "bold"), (" from the passes of one update, measured twice:", "")))
        memory, disk = (f"{size / 2**30:.1f} GiB" for size in (event.memory, event.disk))
        self.say(f"time {clock(event.seconds)}, memory {memory}, disk {disk}. Nothing was trained or written.")

    def _updated(self, event: Updated) -> None:
        self.since_log.append(event)
        tokens, seconds = (sum(getattr(update, part) for update in self.since_log) for part in ("tokens", "seconds"))
        speed = f"{tokens / seconds:,.0f} tok/s"
        self.progress.update(self.task, completed=event.update, speed=speed)
        self._training(event.update)
        self.made += 1
        if self.made == 2 and event.update < event.updates:  # the first one takes longer
            self.say(
                f"about {clock(event.seconds * (event.updates - event.update))} left, estimated from the second update"
            )
        if event.update % self.config.log_every == 0 or event.update == event.updates:
            loss = sum(update.loss for update in self.since_log) / len(self.since_log)
            left = clock(seconds / len(self.since_log) * (event.updates - event.update))
            where = f"update {event.update}/{event.updates}  epoch {event.epoch:.2f}"
            self.say(f"{where}  loss {loss:.4f}  lr {typed(float(f'{event.learning_rate:.2e}'))}  {speed}  {left} left")
            self.since_log = []

    def _evaluated(self, event: Evaluated) -> None:
        self._training(event.update)
        when = f"epoch {event.epoch:.3g}" if event.update else "before training"
        if event.loss is not None:
            self.console.print(
                painted((when, "bold"), (f": {figures(event)}", ""), ("  best so far" if event.best else "", "green"))
            )
        for reply in event.replies:
            for turn in reply.context[-2:]:
                self.say(f"    {turn.speaker}: {turn.text}", "dim")
            said = painted((f"    {reply.said.speaker}: ", "bold yellow"), (reply.generated or "(nothing)", ""))
            self.console.print(said, soft_wrap=self.soft_wrap)
            what = "original" if event.preferred is None else "chosen"
            self.say(f"    ({what}: {reply.said.text})", "dim italic")


def first_sample(data: Dataset, most: int = 120) -> list[tuple[str, bool]]:
    """The first sample from shortly before its first learnt token: pieces of text, and whether they are learnt."""
    sample = data.rows[0][0]
    start = next(at for at, weight in enumerate(sample.learn) if weight)
    first = max(0, min(start - most // 3, len(sample) - most))
    shown = range(first, min(len(sample), first + most))
    pieces = [("    …" if first else "    ", False)]
    for learnt, places in groupby(shown, lambda at: sample.learn[at] > 0):
        pieces.append((str(data.renderer.tokenizer.decode([sample.ids[at] for at in places])), learnt))
    return [*pieces, (" …" if shown.stop < len(sample) else "", False)]


def show_sample(console: Screen, what: str, pieces: Sequence[tuple[str, bool]]) -> None:
    """Print a sample with its learnt parts in green, or between marks where there are no colours."""
    coloured = console.color_system is not None and not console.no_color
    legend = ("green is learnt", "green") if coloured else ("text between ‹ and › is learnt", "")
    console.print(painted((f"{what}; ", "dim"), legend, (", the rest is context:", "dim")))
    if coloured:
        text = painted(*((piece, "green" if learnt else "dim") for piece, learnt in pieces))
    else:
        text = painted(*((f"‹{piece}›" if learnt else piece, "") for piece, learnt in pieces))
    console.print(text, soft_wrap=not console.is_terminal)


def as_settings(config: TrainConfig) -> dict[str, Any]:
    """The settings of a run as a YAML file has them."""
    plain = {
        name: str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
        for name, value in flat(config).items()
    }
    return {
        name: value
        for name, value in plain.items()
        if value is not None and name not in ("dry_run", "resume", "overwrite")
    }
