"""How a run looks on the terminal."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import yaml
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.events import Evaluated, Event, Notice, Planned, Prepared, Updated
from wolf_chatbox.screen import Screen, painted

if TYPE_CHECKING:
    from wolf_chatbox.dataset import Dataset


def quiet_transformers() -> None:
    """Leave the telling to us: transformers' own bars and warnings would stand between our lines."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]


class Display:
    """Prints what a run tells: what it understood, a bar, the losses, and replies after each epoch."""

    def __init__(self, console: Screen, config: TrainConfig) -> None:
        self.console = console
        self.soft_wrap = not console.is_terminal  # a log keeps its lines whole
        self.config = config
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.progress.add_task("training", total=None, speed="")
        self.since_log: list[Updated] = []

    def __enter__(self) -> Display:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.progress.stop()

    def say(self, text: str, style: str = "") -> None:
        self.console.say(text, style)

    def tell(self, event: Event) -> None:
        match event:
            case Notice():
                self.say(event.text, "dim")
            case Prepared():
                self._prepared(event)
                self.progress.start()
                self.progress.update(self.task, total=event.updates, completed=event.done)
            case Planned():
                self._planned(event)
            case Updated():
                self._updated(event)
            case Evaluated():
                self._evaluated(event)

    def _prepared(self, event: Prepared) -> None:
        """What the tool made of the data, with one sample: learnt parts green, the rest dim."""
        data = event.dataset
        turns, dropped = data.turns(), data.dropped()
        for path, title in data.tally.files():
            self.say(f"{path}: {title}")
        speakers = ", ".join(f"{name} {count}" for name, count in data.speakers.most_common(6)) + (" …" if len(data.speakers) > 6 else "")
        self.say(f"{data.conversations} conversations, {turns['read']:,} turns of {len(data.speakers)} speakers ({speakers})")
        parts = " + ".join(f"{count:,} {fate}" for fate, count in turns.items() if fate != "read")
        self.say(f"{turns['read']:,} turns read = {parts}")
        for reason, count in dropped.items():
            self.say(f"  dropped: {count:,} ({reason})")
        for kind, count in data.tally.changed.items():
            if count:
                self.say(f"  replaced: {count:,} ({kind})")
        cut = data.training.cut + data.held_out.cut
        if cut:
            self.say(f"  cut: {cut:,} turns longer than {data.max_tokens} tokens")
        share = data.held_out.learnt / max(1, data.held_out.learnt + data.training.learnt)
        self.say(f"{data.tokens:,} tokens, of which an epoch learns {data.learnt_tokens:,} in {len(data.rows):,} rows of {data.max_tokens}")
        leak = "" if data.leak is None else f"; {data.leak:.1%} of its conversations are nearly ones to learn from"
        self.say(f"held out: {share:.0%} of the turns to learn{leak}{' (--duplicates near drops them)' if data.leak else ''}")
        for notice in data.notices:
            self.say(f"note: {notice}", "yellow")
        self.say(f"style {data.renderer.style.name} ({data.style_reason}), learning {data.persona or 'every speaker'}")
        precision = "fp32" if event.precision == "no" else event.precision
        size = f"{event.parameters / 1e6:.0f}M parameters" + (f", {event.trained / 1e6:.1f}M learnt" if event.trained < event.parameters else "")
        where = event.device + (f" ({event.processes} processes)" if event.processes > 1 else "")
        rows = f"{event.rows_an_update} row" + ("s" if event.rows_an_update > 1 else "")
        self.say(f"{event.model}: {size}, {precision} on {where}, {event.updates:,} updates of {rows}")
        self.console.print(painted(("One sample; ", "dim"), ("green is learnt", "green"), (", the rest is context:", "dim")))
        self.console.print(coloured_sample(data), soft_wrap=self.soft_wrap)

    def _planned(self, event: Planned) -> None:
        self.progress.stop()
        self.console.print(painted(("\nThe settings", "bold"), (" (as --config takes them):", "")))
        self.say(yaml.safe_dump(as_settings(self.config), sort_keys=False, allow_unicode=True).rstrip())
        self.console.print(painted(("\nEstimated", "bold"), (" from one update's passes, made twice:", "")))
        self.say(
            f"time {_time(event.seconds)}, memory {event.memory / 2**30:.1f} GiB, disk {event.disk / 2**30:.1f} GiB. Nothing was trained or written."
        )

    def _updated(self, event: Updated) -> None:
        self.since_log.append(event)
        tokens, seconds = sum(each.tokens for each in self.since_log), sum(each.seconds for each in self.since_log)
        speed = f"{tokens / seconds:,.0f} tokens/s"
        self.progress.update(self.task, completed=event.update, speed=speed)
        if event.update % self.config.log_every == 0 or event.update == event.updates:
            loss = sum(each.loss for each in self.since_log) / len(self.since_log)
            left = _time(seconds / len(self.since_log) * (event.updates - event.update))
            where = f"update {event.update}/{event.updates}  epoch {event.epoch:.2f}"
            self.say(f"{where}  loss {loss:.4f}  lr {event.learning_rate:.2e}  {speed}  {left} left")
            self.since_log = []

    def _evaluated(self, event: Evaluated) -> None:
        when = f"epoch {event.epoch:.3g}" if event.update else "before training"
        if event.loss is not None:
            figures = f": held-out loss {event.loss:.4f}, perplexity {event.perplexity:.2f}"
            self.console.print(painted((when, "bold"), (figures, ""), ("  the best so far" if event.best else "", "green")))
        for reply in event.replies:
            for turn in reply.context[-2:]:
                self.say(f"    {turn.speaker}: {turn.text}", "dim")
            said = painted((f"    {reply.said.speaker}: ", "bold yellow"), (reply.generated or "(nothing)", ""))
            self.console.print(said, soft_wrap=self.soft_wrap)
            self.say(f"    (really: {reply.said.text})", "dim italic")


def coloured_sample(data: Dataset, most: int = 120) -> Text:
    """Part of the first sample, its tokens coloured by whether they are learnt; it begins a little before the first one that is."""
    sample = data.rows[0][0]
    first = max(0, min(sample.learn.index(True) - most // 3, len(sample) - most))
    shown = range(first, min(len(sample), first + most))
    pieces = groupby(shown, lambda at: sample.learn[at])
    texts = [(str(data.renderer.tokenizer.decode([sample.ids[at] for at in places])), "green" if learnt else "dim") for learnt, places in pieces]
    return painted(("    …" if first else "    ", ""), *texts, (" …" if shown.stop < len(sample) else "", ""))


def as_settings(config: TrainConfig) -> dict[str, Any]:
    """The settings of a run as a YAML file has them: those of the nested classes beside the others."""
    settings: dict[str, Any] = {}
    for name, value in asdict(config).items():
        settings |= value if isinstance(value, dict) else {name: value}
    plain = {name: str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
    return {name: value for name, value in plain.items() if value is not None and name not in ("dry_run", "resume", "overwrite")}


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
