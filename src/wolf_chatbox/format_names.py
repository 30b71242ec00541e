"""The formats that can be read, by name: listed from their files, and not imported, so that help stays fast."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter, Token

FORMAT_FILES = {
    path.stem: path.parent.name for path in sorted(Path(__file__).parent.glob("importers/formats/*/[!_]*.py"))
}
"""The family of each format, which is its folder, by the name of its file."""


def _format(type_: object, tokens: Sequence[Token]) -> str:
    """The name of a format; a wrong one is answered with those like it, as all of them fill a screen."""
    name = tokens[0].value
    if name != "auto" and name not in FORMAT_FILES:
        near = get_close_matches(name, FORMAT_FILES, 3)
        meant = f"Did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(f"{name} is not a known format. {meant}`wolf-chatbox data formats` lists them.")
    return name


if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Annotated[Literal["auto", *FORMAT_FILES], Parameter(show_choices=False, converter=_format)]
