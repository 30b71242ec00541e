"""`wolf-chatbox data formats`: the formats by name."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from wolf_chatbox.format_names import FORMAT_FILES
from wolf_chatbox.importers import FORMATS
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.visible import visible_json


def formats(*, json_: Annotated[bool, Parameter(name="--json")] = False) -> int:
    """List the formats of files that are read, with their names for --format.

    Parameters
    ----------
    json_
        Print the list as JSON, with how to get such a file and what to know of it.
    """
    if json_:
        told = ("title", "documentation", "export", "notes")
        rows = [
            {"name": name, "kind": kind} | {key: getattr(FORMATS[name], key) for key in told}
            for name, kind in FORMAT_FILES.items()
        ]
        print(visible_json(rows))
        return 0
    screen = Screen()
    table = Table("name", "format", box=None, pad_edge=False)
    for kind, names in groupby(FORMAT_FILES, key=FORMAT_FILES.__getitem__):
        table.add_row(painted((kind, "bold")))
        for name in names:
            table.add_row(name, FORMATS[name].title)
    screen.print(table)
    return 0
