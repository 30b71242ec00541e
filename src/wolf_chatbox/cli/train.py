"""`wolf-chatbox train`, and how a run looks on the terminal."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from wolf_chatbox.config import TrainConfig

if TYPE_CHECKING:
    from wolf_chatbox.dataset import Dataset
    from wolf_chatbox.training import Evaluated, Event, Prepared, Updated


def train(config: TrainConfig) -> int:
    """Fine-tune a base model on conversations.

    Ctrl-C stops at the next update and keeps a usable model; --resume goes on from there.
    """
    return fine_tune(config, f"wolf-chatbox chat --model {config.output}")


def fine_tune(config: TrainConfig, chat_command: str) -> int:
    """Train, showing the run; `chat_command` is what to type afterwards."""
    console = Console(highlight=False)
    with console.status("Loading …"):
        from transformers.utils import logging

        from wolf_chatbox import training
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    with Display(console, config) as display:
        result = training.train(config, display.tell)
    if result.interrupted:
        console.print(f"Stopped. [bold]{config.output}[/] holds a usable model; the same command with --resume goes on.")
        return 130
    console.print(f"The model is in [bold]{config.output}[/]. Talk with it: [bold]{chat_command}[/]")
    return 0


class Display:
    """Prints what a run tells: what it understood, a bar, the losses, and replies after each epoch."""

    def __init__(self, console: Console, config: TrainConfig) -> None:
        self.console = console
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

    def tell(self, event: Event) -> None:
        from wolf_chatbox.training import Evaluated, Notice, Prepared, Updated

        if isinstance(event, Notice):
            self.console.print(Text(event.text, style="dim"))
        elif isinstance(event, Prepared):
            show_understanding(self.console, event)
            self.progress.start()
            self.progress.update(self.task, total=event.updates)
        elif isinstance(event, Updated):
            self._updated(event)
        elif isinstance(event, Evaluated):
            self._evaluated(event)

    def _updated(self, event: Updated) -> None:
        self.since_log.append(event)
        tokens, seconds = sum(each.tokens for each in self.since_log), sum(each.seconds for each in self.since_log)
        speed = f"{tokens / seconds:,.0f} tokens/s"
        self.progress.update(self.task, completed=event.update, speed=speed)
        if event.update % self.config.log_every == 0 or event.update == event.updates:
            loss = sum(each.loss for each in self.since_log) / len(self.since_log)
            left = seconds / len(self.since_log) * (event.updates - event.update)
            self.progress.console.print(
                f"update {event.update}/{event.updates}  epoch {event.epoch:.2f}  loss {loss:.4f}  lr {event.learning_rate:.2e}  {speed}  {_time(left)} left"
            )
            self.since_log = []

    def _evaluated(self, event: Evaluated) -> None:
        when = f"epoch {event.epoch}" if event.epoch else "before training"
        if event.loss is not None:
            best = "  [green]the best so far[/]" if event.best else ""
            self.console.print(f"[bold]{when}[/]: held-out loss {event.loss:.4f}, perplexity {event.perplexity:.2f}{best}")
        for reply in event.replies:
            for turn in reply.context[-2:]:
                self.console.print(Text(f"    {turn.speaker}: {turn.text}", style="dim"))
            self.console.print(Text(f"    {reply.said.speaker}: ", style="bold yellow") + Text(reply.generated or "(nothing)"))
            self.console.print(Text(f"    (really: {reply.said.text})", style="dim italic"))


def show_understanding(console: Console, event: Prepared) -> None:
    """Print what the tool made of the data, with one sample: learnt parts green, the rest dim."""
    data = event.dataset
    turns, dropped = data.turns(), data.dropped()
    for path, title in data.tally.formats:
        console.print(Text(f"{path}: {title}"))
    speakers = ", ".join(f"{name} {count}" for name, count in data.speakers.most_common(6)) + (" …" if len(data.speakers) > 6 else "")
    console.print(Text(f"{data.conversations} conversations, {turns['read']:,} turns of {len(data.speakers)} speakers ({speakers})"))
    console.print(Text(f"{turns['read']:,} turns read = {turns['learnt']:,} learnt + {turns['held out']:,} held out + {turns['context only']:,} context only + {turns['dropped']:,} dropped"))
    for reason, count in dropped.items():
        console.print(Text(f"  dropped: {count} ({reason})"))
    if data.training.cut + data.held_out.cut:
        console.print(Text(f"  cut: {data.training.cut + data.held_out.cut} turns longer than {data.max_tokens} tokens"))
    measured = data.held_out.learnt / max(1, data.held_out.learnt + data.training.learnt)
    console.print(Text(f"{data.tokens:,} tokens, {data.learnt_tokens:,} learnt an epoch in {len(data.rows)} rows of {data.max_tokens}; held out: {measured:.0%} of the learnt turns"))
    for notice in data.notices:
        console.print(Text(f"note: {notice}", style="yellow"))
    who = data.persona or "every speaker"
    console.print(Text(f"style {data.renderer.style.name} ({data.style_reason}), learning {who}"))
    console.print(Text(f"{event.model}: {event.parameters / 1e6:.0f}M parameters, {'bf16' if event.precision == 'bf16' else 'fp32'} on {event.device}, {event.updates} updates"))
    console.print("[dim]One sample; [/][green]green is learnt[/][dim], the rest is context:[/]")
    console.print(coloured_sample(data))


def coloured_sample(data: Dataset, most: int = 120) -> Text:
    """The beginning of the first sample, its tokens coloured by whether they are learnt."""
    sample = data.rows[0][0]
    first = max(0, min(sample.learn.index(True) - 40, len(sample) - most))
    text = Text("    …" if first else "    ")
    start = first
    for at in range(first, min(len(sample), first + most) + 1):
        end = min(len(sample), first + most)
        if at == end or sample.learn[at] != sample.learn[start]:
            text.append(data.renderer.tokenizer.decode(sample.ids[start:at]), style="green" if sample.learn[start] else "dim")
            start = at
        if at == end:
            break
    return text.append(" …" if len(sample) > first + most else "")


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


