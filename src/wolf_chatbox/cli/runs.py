"""`wolf-chatbox runs`: the trained models that are there, their curves and their scorecards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.measure import Measurement
from rich.table import Table

from wolf_chatbox.cli import examples
from wolf_chatbox.cli.plot import plot
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.evaluate.report import table
from wolf_chatbox.evaluate.report.scorecard import ENOUGH, read_evaluation, scorecard
from wolf_chatbox.evaluate.report.verdict import NOTHING
from wolf_chatbox.model.trained import Damaged, Trained, read_trained, runs_in
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.training.curves import Curves, Point, compared, read_curves
from wolf_chatbox.words import words_of

app = App(
    name="runs",
    help="List trained models, and show their curves and scorecards.",
    help_epilogue=examples("wolf-chatbox runs list", "wolf-chatbox runs show wolf_model"),
)
TITLES = {
    "loss": "loss, nats per token, smoothed",
    "held_out": "held-out loss, nats per token",
    "learning_rate": "learning rate",
    "tokens_per_second": "tokens a second, smoothed",
}
MOST_ROWS = 12
"""Updates in the table that stands for a plot where there is no terminal."""


@app.command(
    name="list",
    help_epilogue=examples("wolf-chatbox runs list", "wolf-chatbox runs list ~/wolf_chatbox/characters"),
)
def list_runs(folders: tuple[Path, ...] = (Path(),)) -> int:
    """List the trained models in a folder: whom each learnt, on which base, its perplexity and its scorecard.

    Parameters
    ----------
    folders
        Folders that hold run folders, such as the page's ~/wolf_chatbox/characters; without one, the current folder.
    """
    screen = Screen()
    found = [read_trained(run) for folder in folders for run in runs_in(folder)]
    if not any(found):
        places = ", ".join(map(str, folders))
        raise CheckpointError(f"{places}: no trained model one level below. Train one: wolf-chatbox train --data FILE")
    runs = sorted((run for run in found if isinstance(run, Trained)), key=lambda run: run.written, reverse=True)
    if runs:
        _list(runs, screen)
    for run in found:
        if isinstance(run, Damaged):
            screen.say(f"damaged: {run.reason}", "red")
    return 0


def _list(runs: Sequence[Trained], screen: Screen) -> None:
    """Print a table, or where it is too wide for the terminal a paragraph for each run."""
    rows = [_facts(run) for run in runs]
    made = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        made.add_row(*row.values())
    width = Measurement.get(screen, screen.options.update(width=10_000), made).maximum
    if width <= screen.width or not screen.is_terminal:
        screen.width = max(width, screen.width)  # a log stays whole
        screen.print(made)
        return
    for row in rows:
        rest = [f"{name} {value}" for name, value in row.items() if name != "run" and value != NOTHING]
        screen.print(painted((row["run"], "bold"), (f": {', '.join(rest)}", "")))


def _facts(run: Trained) -> dict[str, str]:
    scores = {score.measure: score.shown for score in scorecard(read_evaluation(run.folder) or NO_RESULTS, run.name)}
    return {
        "run": run.name,
        "persona": run.persona or "(everybody)",
        "base": run.base,
        "learnt tokens": NOTHING if run.learnt_tokens is None else f"{run.learnt_tokens:,}",
        "perplexity": NOTHING if run.perplexity is None else f"{run.perplexity:.1f}",
        "right character": scores.get("right_character", NOTHING),
        "ends": scores.get("ends", NOTHING),
        "size": f"{run.size / 1e6:,.0f} MB",
        "written": f"{run.written:%Y-%m-%d %H:%M}",
    }


NO_RESULTS: Mapping[str, list[str]] = {"entries": [], "measures": []}


@app.command(help_epilogue=examples("wolf-chatbox runs show wolf_model", "wolf-chatbox runs show ann bob"))
def show(runs: Annotated[tuple[Path, ...], Parameter(required=True, consume_multiple=True)]) -> int:
    """Show runs: the curves of their training over each other, what they learnt, and their scorecards.

    Parameters
    ----------
    runs
        Run folders; one whose training is under way or interrupted has its curves so far.
    """
    screen = Screen()
    curves = _curves(runs)
    for kind, lines in compared(curves).items():
        screen.print(painted((f"\n{TITLES[kind]}", "bold")))
        if screen.is_terminal and str(screen.encoding).lower().startswith("utf"):
            for row in plot(lines, screen):
                screen.print(row, no_wrap=True, overflow="crop")
        else:
            screen.print(_as_table(lines))
    for name, folder in zip(curves, runs):
        run = read_trained(folder, name)
        if isinstance(run, Damaged):
            screen.say(f"\ndamaged: {run.reason}", "red")
        elif run is not None:
            _show_run(run, screen)
    return 0


def _curves(runs: Sequence[Path]) -> dict[str, Curves]:
    """The curves by names that tell the runs apart."""
    curves: dict[str, Curves] = {}
    for folder in runs:
        found = read_curves(folder)
        if found == Curves() and read_trained(folder) is None:
            raise CheckpointError(f"{folder}: no trained model, and no training under way. Name a run folder.")
        name = folder.resolve().name
        curves[str(folder) if name in curves else name] = found
    return curves


def _as_table(lines: Mapping[str, Sequence[Point]]) -> Table:
    """Some places of the lines, for a log."""
    values = {name: dict(points) for name, points in lines.items()}
    places = sorted({update for points in values.values() for update in points})
    step = -(-len(places) // MOST_ROWS)
    kept = [*places[::step], *(places[-1:] if places[::step][-1] != places[-1] else [])]
    made = Table("update", *lines, box=None, pad_edge=False)
    for update in kept:
        found = (points.get(update) for points in values.values())
        made.add_row(f"{update:g}", *(NOTHING if value is None else f"{value:.4g}" for value in found))
    return made


def _show_run(run: Trained, screen: Screen) -> None:
    screen.print(painted((f"\n{run.name}", "bold"), (f": {run.persona or 'everybody'}, from {run.base}", "")))
    if run.turns:
        parts = [f"{count:,} {name}" for name, count in run.turns.items() if name != "read"]
        screen.say(f"{run.turns.get('read', 0):,} turns read = {' + '.join(parts)}")
    if run.learnt_tokens is not None:
        screen.say(f"{run.learnt_tokens:,} learnt tokens in each epoch")
    found = read_evaluation(run.folder)
    if found is None:
        screen.say(f"not evaluated: wolf-chatbox evaluate {run.folder}", "dim")
        return
    words = words_of("en")
    for score in scorecard(found, run.name):
        bounds = f" {words('runs.score.interval', interval=score.interval)}." if score.interval else ""
        screen.print(painted((f"  {score.title(words)}: ", "bold"), (score.sentence(words) + bounds, "")))
    if found["exchanges"] < ENOUGH:
        screen.say(f"  {words('runs.score.rough', count=found['exchanges'])}", "dim")
    table.show(found, screen)
