"""`wolf-chatbox sweep`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Column, Table

from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.cli.pulse import Pulse, waiting
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.settings import typed
from wolf_chatbox.training.progress import Evaluated, Notice, Progress, Step, Trial, Updated, figures


def sweep(file: Path) -> int:
    """Search for the best settings of train; run the same command again to continue an interrupted sweep.

    Parameters
    ----------
    file
        YAML file with train (settings of all runs), space (settings to search), and search, trials, prune, storage,
        output, seed.
    """
    console = Screen()
    with waiting(console, "Loading the libraries"):
        quiet_transformers()
        from wolf_chatbox.training import sweep as search
        from wolf_chatbox.training.sweep_config import plain, read_sweep, shown

    def say(text: str, style: str = "") -> None:
        console.say(text, style)
        pulse.said()

    def tell(event: Progress) -> None:
        match event:
            case Trial(number, settings):
                say(f"trial {number}: {shown(settings)}", "bold")
            case Notice(text):
                say(f"  {text}", "dim")
            case Evaluated() if event.update and event.loss is not None:
                say(f"  update {event.update}: {figures(event)}")
            case Step(text):
                begin(text)
            case Updated():
                begin(f"training, update {event.update} of {event.updates}")

    def begin(doing: str) -> None:
        status.update(doing)
        pulse.begin(doing)

    config = read_sweep(file)
    status, pulse = console.status("searching"), Pulse(lambda text: say(text, "dim"), "searching")
    with status if console.is_interactive else pulse:
        outcome = search.sweep(config, tell)
    console.print(as_table(outcome.trials, [plain(name) for name in config.space], list(config.space), console))
    if outcome.interrupted:
        console.print("Stopped. Run the same command again to continue.")
        return 130
    if not outcome.trials or outcome.trials[0]["loss"] is None:
        console.print("No run has measured a held-out loss.")
        return 1
    best = config.output / "best"
    said = painted(
        ("The best model is in ", ""),
        (str(best), "bold"),
        (", its settings are in ", ""),
        (f"{best}.yaml", "bold"),
        (".", ""),
    )
    console.print(said, soft_wrap=True)
    return 0


def as_table(trials: Sequence[Mapping[str, Any]], heads: Sequence[str], names: Sequence[str], console: Screen) -> Table:
    """The runs with one column per setting, or with all settings in one column where the console is too narrow."""

    def table(*columns: Column, rows: list[list[str]]) -> Table:
        numbers = [Column(head, justify="right", no_wrap=True) for head in ("trial", "loss", "perplexity", "seconds")]
        made = Table(*numbers, Column("state", no_wrap=True), *columns, box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for trial, row in zip(trials, rows):
            loss = trial["loss"]
            measured = ["", ""] if loss is None else [f"{loss:.4f}", f"{math.exp(loss):.2f}"]
            made.add_row(str(trial["number"]), *measured, str(trial["seconds"] or ""), trial["state"], *row)
        return made

    values = [[_short(trial.get(name)) for name in names] for trial in trials]
    wide = table(*(Column(head, no_wrap=True) for head in heads), rows=values)
    if console.measure(wide, options=console.options.update(width=10_000)).maximum <= console.width:
        return wide
    return table(
        Column("settings", overflow="fold"), rows=[[", ".join(map(" ".join, zip(heads, row)))] for row in values]
    )


def _short(value: Any) -> str:
    if value is None:
        return ""
    return typed(float(f"{value:.3g}") if isinstance(value, float) else value) or str(value)
