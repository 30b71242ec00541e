"""The files that a name given as data stands for: one file, those of a folder, or those in a zip archive.

Nothing of an archive is written to the disk, so no name in it can lead anywhere.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.source import AnyPath

EXAMPLE = "example"
"""The name under which the bundled script goes."""
MAX_UNPACKED = 4 << 30
MAX_RATIO = 200
"""An archive that unpacks to more than 4 GiB and more than 200 times its size is a trap: text packs ten to one at best."""
HIDDEN = (".", "__MACOSX")


def find(path: str | Path) -> Path:
    """The file or folder that a name given as data stands for."""
    if str(path) == EXAMPLE and not Path(EXAMPLE).exists():
        return Path(str(files("wolf_chatbox.data") / "innkeeper.csv"))
    return Path(path)


def expand(path: Path) -> tuple[list[AnyPath], bool]:
    """The files to read, in order of their names, and whether the name stood for several.

    Raises DataError for an empty folder and for an archive that is broken, encrypted, a trap, or holds different files of one name.
    """
    if path.is_dir():
        found: list[AnyPath] = [
            *sorted(each for each in path.rglob("*") if each.is_file() and not _hidden(each.relative_to(path).parts))
        ]
    elif path.suffix.lower() == ".zip" and path.is_file():
        found = list(_members(path))
    else:
        return [path], False
    if not found:
        raise DataError(f"{path}: no file in it.")
    return found, True


def _members(path: Path) -> Iterator[AnyPath]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: a zip archive that cannot be read ({error}). Export it again.") from error
    members = [each for each in archive.infolist() if not each.is_dir() and not _hidden(Path(each.filename).parts)]
    unpacked = sum(each.file_size for each in members)
    if unpacked > max(MAX_UNPACKED, MAX_RATIO * path.stat().st_size):
        raise DataError(
            f"{path}: would unpack to {unpacked:,} bytes, over {MAX_RATIO} times its size. Unpack it yourself if you trust it."
        )
    if any(each.flag_bits & 1 for each in members):
        raise DataError(f"{path}: an encrypted archive. Unpack it, and name the folder.")
    contents = {(each.filename, each.CRC, each.file_size) for each in members}
    names = Counter(name for name, _, _ in contents)
    if twice := next((name for name, count in names.items() if count > 1), None):
        raise DataError(
            f"{path}: holds different files of one name, {twice!r}. Unpack it, give each a name of its own, and name the folder."
        )
    for name in sorted(names):
        yield zipfile.Path(archive, name)


def _hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(HIDDEN) and part != ".." for part in parts)
