"""The files behind a path given as data: one file, those of a folder, or those in a zip archive.

Nothing of an archive is written to the disk, so no path in it can lead outside.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.source import AnyPath

EXAMPLES = {"example": "innkeeper.csv", "example-ja": "hot_spring.csv"}
"""The names of the bundled scripts, in English and in Japanese, and their files."""
MAX_UNPACKED = 4 << 30
MAX_RATIO = 200
"""An archive that unpacks to more than 4 GiB and 200 times its size is a zip bomb: text packs ten to one at best."""
HIDDEN = (".", "__MACOSX")
ARCHIVES = (".zip", ".charx")
"""A .charx is a character's card with its pictures."""


def find(path: str | Path) -> Path:
    """The file or folder behind a path given as data; a name in EXAMPLES is a bundled script."""
    if (name := EXAMPLES.get(str(path))) and not Path(path).exists():
        return Path(str(files("wolf_chatbox.data") / name))
    return Path(path)


def expand(path: Path) -> tuple[list[AnyPath], bool]:
    """The files to read, sorted by name, and whether the path is a folder or an archive.

    Raises DataError for an empty folder, and for an archive that is broken, encrypted, a zip bomb, or contains
    different files of the same name.
    """
    if path.is_dir():
        found: list[AnyPath] = [
            *sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file.relative_to(path).parts))
        ]
    elif path.suffix.lower() in ARCHIVES and path.is_file():
        found = list(_members(path))
    else:
        return [path], False
    if not found:
        raise DataError(f"{path}: contains no files. Check the path.")
    return found, True


def _members(path: Path) -> Iterator[AnyPath]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: not a readable zip archive ({error}). Export it again.") from error
    members = [
        member for member in archive.infolist() if not member.is_dir() and not _hidden(Path(member.filename).parts)
    ]
    unpacked = sum(member.file_size for member in members)
    if unpacked > max(MAX_UNPACKED, MAX_RATIO * path.stat().st_size):
        raise DataError(
            f"{path}: would unpack to {unpacked:,} bytes, over {MAX_RATIO} times its size. "
            "If you trust it, unpack it and pass the folder."
        )
    if any(member.flag_bits & 1 for member in members):
        raise DataError(f"{path}: the archive is encrypted. Unpack it, and pass the folder.")
    contents = {(member.filename, member.CRC, member.file_size) for member in members}
    names = Counter(name for name, _, _ in contents)
    if twice := next((name for name, count in names.items() if count > 1), None):
        raise DataError(
            f"{path}: contains different files named {twice!r}. Unpack it, rename them, and pass the folder."
        )
    for name in sorted(names):
        yield zipfile.Path(archive, name)


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(HIDDEN) and part != ".." for part in parts)
