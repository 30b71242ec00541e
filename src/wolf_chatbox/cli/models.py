"""`wolf-chatbox models`: the base models that go by a short name."""

from __future__ import annotations

from cyclopts import App
from rich.table import Column, Table

from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.screen import Screen

app = App(name="models", help="List and fetch base models.")


@app.command(name="list")
def list_models() -> int:
    """List the short names; any hub name of a causal language model, or a folder, does as well."""
    from wolf_chatbox.model import embedded
    from wolf_chatbox.model.hub import KNOWN, is_cached

    table = Table("alias", "parameters", Column("from", overflow="fold"), "here")
    for alias, known in KNOWN.items():
        origin = known.hub_name or f"{embedded.REQUIREMENT} (no hub needed)"
        table.add_row(alias, known.parameters, origin, "yes" if is_cached(alias) else "")
    Screen().print(table)
    return 0


@app.command
def pull(model: str) -> int:
    """Fetch a base model, so that it is there when it is needed.

    Parameters
    ----------
    model
        An alias or a hub name.
    """
    from wolf_chatbox.model.hub import locate

    console = Screen(stderr=True)
    with waiting(console, f"Fetching {model}"):
        folder = locate(model, console.say)
    print(folder)
    return 0
