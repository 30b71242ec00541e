"""The folder of an export: where it is, and that it appears whole and checked, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import check_folder, write_folder
from wolf_chatbox.lock import alone

OURS = "wolf_chatbox.export"
"""A file that marks a folder as an export, which another may replace."""


def place_of(model: Path, kind: str, output: Path | None) -> Path:
    """The folder of an export: the given one, else `NAME-KIND` beside the model."""
    return output if output is not None else model.resolve().with_name(f"{model.resolve().name}-{kind}")


def write_export(place: Path, write: Callable[[Path], None], *, overwrite: bool) -> None:
    """Fill the folder by `write(folder)`, which also checks what it wrote, and raises when that is not right.

    Raises CheckpointError where the folder holds something else, or an export and `overwrite` is not set.
    """
    check_folder(place)
    if place.exists() and any(place.iterdir()):
        if not (place / OURS).is_file():
            raise CheckpointError(
                f"{place}: the folder is not empty and holds no export. Choose another output folder."
            )
        if not overwrite:
            remedy = "Replace it with --overwrite, or choose another output folder."
            raise CheckpointError(f"{place}: holds an export. {remedy}")

    def mark(new: Path) -> None:
        write(new)
        (new / OURS).touch()

    with alone(place):
        write_folder(place, mark)
