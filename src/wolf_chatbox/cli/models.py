"""`wolf-chatbox models`: list and download base models."""

from __future__ import annotations

from cyclopts import App
from rich.table import Column, Table

from wolf_chatbox.cli.pulse import waiting
from wolf_chatbox.screen import Screen

app = App(name="models", help="List and download base models.")


@app.command(name="list")
def list_models() -> int:
    """List the aliases of base models; train also accepts the hub name of any causal language model, or a folder."""
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
    """Download a base model in advance.

    Parameters
    ----------
    model
        Alias or hub name.
    """
    from wolf_chatbox.model.hub import locate

    console = Screen(stderr=True)
    with waiting(console, f"Downloading {model}"):
        folder = locate(model, console.say)
    print(folder)
    return 0
