"""The settings of a replay."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wolf_chatbox.format_names import FormatName
from wolf_chatbox.settings import AT_LEAST_1, DATA, SAVING, Whole, check, unset


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class ReplayConfig:
    """Make a page of a recorded game, with a timeline of suspicion."""

    log: str = field(kw_only=False)
    """The file of the game: a log of the contest's servers or of ours, games.jsonl, or any game that `train` reads."""
    game: Annotated[Whole, AT_LEAST_1] = 1
    """Which game of the file, if it holds several."""
    format: Annotated[FormatName, DATA] = "auto"
    """Format of the file; auto detects it from the content. `wolf-chatbox data formats` lists the others."""
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"]), SAVING, unset("the file's name with .html, in this folder")
    ] = None
    """File to write the page to."""
    language: Annotated[Literal["en", "ja"] | None, SAVING, unset("the game's")] = None
    """Language of the page around the game."""
    overwrite: Annotated[bool, SAVING] = False
    """Replace an existing file."""

    def __post_init__(self) -> None:
        check(self)
