"""`wolf-chatbox evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from wolf_chatbox.cli.chat import untrained
from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.config import EvaluateConfig
from wolf_chatbox.screen import Screen

if TYPE_CHECKING:
    from wolf_chatbox.evaluate.measure import Figure, Measure
    from wolf_chatbox.evaluate.results import Results


def evaluate(config: EvaluateConfig | None = None) -> int:
    """Measure how good trained characters are, on conversations that they did not learn."""
    config = config or EvaluateConfig()
    for run in config.runs:
        if run == "wolf_model" and not Path(run).exists():
            raise untrained("runs", run, "wolf-chatbox train --data FILE")
    console = Screen(stderr=True)
    quiet_transformers()
    from wolf_chatbox.evaluate.study import evaluate as measured

    with console.status("…") as status:
        results = measured(config, lambda text: status.update(text) if console.is_terminal else None)
    for notice in results.notices:
        console.say(f"note: {notice}", "yellow")
    Screen().print(table(results))
    return 0


def table(results: Results) -> Table:
    """The figures: a row a measure, a column an entry."""
    made = Table("", *(entry.name for entry in results.study.entries))
    for measure in results.measures:
        found = results.figures[measure.name]
        made.add_row(measure.title, *(shown(measure, found[entry.name]) for entry in results.study.entries))
    return made


def shown(measure: Measure, figure: Figure) -> str:
    """A figure with its interval, as people read it."""
    if figure.value is None:
        return "—"
    factor, digits = (100, max(0, measure.digits - 2)) if measure.unit == "%" else (1, measure.digits)

    def number(value: float) -> str:
        return f"{factor * value:.{digits}f}"

    text = number(figure.value) + (" %" if measure.unit == "%" else "")
    if figure.low is None or figure.high is None:
        return text
    return f"{text} ({number(figure.low)} to {number(figure.high)})"
