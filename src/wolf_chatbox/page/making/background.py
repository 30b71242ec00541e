"""Work for a making that must not hold up the page; `away` does it in a process of its own, and gives it `tell`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from wolf_chatbox.config import CleanConfig, ReadConfig
from wolf_chatbox.errors import DataError
from wolf_chatbox.page.making.making import Making, read_making, write_json

CLEANING = ("repair", "duplicates", "languages")
READING = ("also_keep", "encoding")


def look_settings(making: Making) -> tuple[ReadConfig, CleanConfig]:
    """How the files of a making are read and cleaned, without privacy."""
    about = making.about
    read = {name: about[name] for name in READING if about.get(name)}
    cleaning = {name: about[name] for name in CLEANING if about.get(name)}
    return ReadConfig(**read), CleanConfig(**cleaning)


def look(folder: Path, tell: Callable[[int], None]) -> None:
    """Write what is in the files into look.json; raises what reading raises."""
    from wolf_chatbox.page.making.contents import look as look_into

    making = _making(folder)
    write_json(making.look, asdict(look_into(making.data, *look_settings(making), tell)))


def plan(folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """The time and memory that settings.yaml takes, by a dry run; raises what training raises."""
    from wolf_chatbox.training.journal import Begun, short
    from wolf_chatbox.training.loop import train
    from wolf_chatbox.training.progress import Planned, Progress, Step

    found: dict[str, Any] = {}

    def told(progress: Progress) -> None:
        event = short(progress)
        if isinstance(event, Begun | Planned):
            found.update(asdict(event))
        elif isinstance(event, Step):
            tell(event.kind or event.text)

    train(replace(_making(folder).read_settings(), dry_run=True, resume=False), told)
    return found


def fetch(model: str, agreed: bool, tell: Callable[[str], None]) -> None:
    """Fetch a base model; raises ModelError."""
    from wolf_chatbox.model import embedded
    from wolf_chatbox.model.hub import locate

    name = model.lower()
    if name in embedded.EMBEDDED:
        embedded.pull(name, tell, agreed=agreed)
    else:
        locate(model, tell)


def _making(folder: Path) -> Making:
    making = read_making(folder)
    if making is None:
        raise DataError(f"{folder}: it is not there any more. Begin a new character.")
    return making
