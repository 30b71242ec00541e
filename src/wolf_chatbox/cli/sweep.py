"""`wolf-chatbox sweep`."""

from __future__ import annotations

import math
from pathlib import Path

from rich.table import Table

from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.screen import Screen, painted


def sweep(file: Path) -> int:
    """Search for the best settings of train; the same command goes on where it was stopped.

    Parameters
    ----------
    file
        A YAML file: train (settings of all runs), space (settings to search), and search, trials, prune, storage, output, seed.
    """
    console = Screen()
    with console.status("Loading …"):
        quiet_transformers()
        from wolf_chatbox import sweep as search
        from wolf_chatbox.events import Evaluated, Event, Notice

    def tell(event: Event) -> None:
        if isinstance(event, Notice) and event.text.startswith("trial "):
            console.say(event.text, "bold")
        elif isinstance(event, Evaluated) and event.update and event.loss is not None:
            console.print(f"  update {event.update}: held-out loss {event.loss:.4f}, perplexity {math.exp(event.loss):.2f}")

    config = search.read_sweep(file)
    outcome = search.sweep(config, tell)
    table = Table("trial", "held-out loss", "perplexity", "state", "seconds", *config.space)
    for each in outcome.trials:
        loss = each["loss"]
        figures = ["", ""] if loss is None else [f"{loss:.4f}", f"{math.exp(loss):.2f}"]
        values = [f"{each[name]:g}" if isinstance(each.get(name), float) else str(each.get(name, "")) for name in config.space]
        table.add_row(str(each["number"]), *figures, each["state"], str(each["seconds"] or ""), *values)
    console.print(table)
    if outcome.interrupted:
        console.print("Stopped. The same command goes on.")
        return 130
    if not outcome.trials or outcome.trials[0]["loss"] is None:
        console.print("No run came to a loss.")
        return 1
    best = config.output / "best"
    said = painted(("The best model is in ", ""), (str(best), "bold"), (", its settings are in ", ""), (f"{best}.yaml", "bold"), (".", ""))
    console.print(said, soft_wrap=True)
    return 0
