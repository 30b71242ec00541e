"""The files behind a path given as data: one file, those of a folder, or those in an archive (zip, tar, 7z)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files import archives
from wolf_chatbox.importers.files.archives import is_hidden
from wolf_chatbox.importers.files.compression import AnyPath

EXAMPLES = {"example": "innkeeper.csv", "example-ja": "hot_spring.csv"}
"""The names of the bundled scripts, in English and in Japanese, and their files."""
DEPTH = 2
"""How deep archives lie in one another that are opened: an export in a zip of exports."""


class Lost(NamedTuple):
    """An archive in which something, or all, cannot be read."""

    place: AnyPath
    error: DataError


def find(path: str | Path) -> Path:
    """The file or folder behind a path given as data; a name in EXAMPLES is a bundled script."""
    if (name := EXAMPLES.get(str(path))) and not Path(path).exists():
        return Path(str(files("wolf_chatbox.data") / name))
    return Path(path)


def expand(path: Path) -> tuple[Iterator[AnyPath | Lost], bool]:
    """The files to read, sorted by name, and whether the path is a folder or an archive.

    Archives are known by their content; those in a folder, and those in an archive, are opened when it is their turn.
    Raises DataError for an empty folder, and for an archive that cannot be opened.
    """
    if path.is_dir():
        found: list[AnyPath] = [
            *sorted(file for file in path.rglob("*") if file.is_file() and not is_hidden(file.relative_to(path).parts))
        ]
        damage = None
    elif path.is_file() and (kind := archives.kind_of(path) or ("zip" if path.suffix.lower() == ".zip" else "")):
        members, damage = archives.opened(path, kind)
        found = [*members]
    else:
        return iter([path]), False
    if not found:
        raise DataError(f"{path}: contains no files. Check the path.")
    return _each(found, DEPTH if path.is_dir() else DEPTH - 1, path, damage), True


def _each(found: list[AnyPath], depth: int, outer: AnyPath, damage: DataError | None) -> Iterator[AnyPath | Lost]:
    """Yield the files, and those in archives among them, `depth` archives deep; at last, what is damaged."""
    for place in found:
        kind = archives.kind_of(place) if depth else ""
        if not kind:
            yield place
            continue
        try:
            members, broken = archives.opened(place, kind)
        except DataError as error:
            yield Lost(place, error)
            continue
        yield from _each([*members], depth - 1, place, broken)
    if damage:
        yield Lost(outer, damage)
