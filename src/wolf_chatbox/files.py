"""Writing files whole or not at all, and never over something that the user wants to keep."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from platformdirs import user_cache_path

from wolf_chatbox.errors import CheckpointError, WolfChatboxError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

OVERWRITE = "Replace it with --overwrite, or choose another name."
OTHER_FILE = "Choose another file name."
OTHER_FOLDER = "Choose another output folder."
OTHER_CACHE = "Set WOLF_CHATBOX_CACHE to another folder."


def check_place(place: Path, *, overwrite: bool, remedy: str = OVERWRITE) -> None:
    """Raise CheckpointError where a new file would replace a folder, a device, or, without `overwrite`, a file."""
    with writing(place, OTHER_FILE):
        if place.is_dir():
            raise CheckpointError(f"{place}: is a folder. {OTHER_FILE}")
        if place.exists() and not place.is_file():
            raise CheckpointError(f"{place}: is a device or a pipe. {OTHER_FILE}")
        if place.exists() and not overwrite:
            raise CheckpointError(f"{place}: already exists. {remedy}")


def check_folder(place: Path) -> None:
    """Raise CheckpointError where a folder cannot be replaced: a file, the current folder, or one above it."""
    with writing(place):
        if place.exists() and not place.is_dir():
            raise CheckpointError(f"{place}: is a file. {OTHER_FOLDER}")
        here = Path.cwd()
        if place.exists() and any(os.path.samefile(place, folder) for folder in (here, *here.parents)):
            raise CheckpointError(f"{place}: is the current folder, or one above it. {OTHER_FOLDER}")


@contextmanager
def new_file(
    place: Path, *, overwrite: bool = False, remedy: str = OVERWRITE, mode: int | None = None
) -> Iterator[TextIO]:
    """A text file (UTF-8) that appears whole when the block ends, or not at all; until then it has another `name`.

    A link is followed. `mode` sets the permissions, such as 0o600; by default those of the replaced file, or the usual
    ones. Raises CheckpointError where `check_place` does, and when the disk refuses.
    """
    check_place(place, overwrite=overwrite, remedy=remedy)
    target = Path(os.path.realpath(place))
    with writing(place, OTHER_FILE):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:50]}.", suffix=".writing")
        os.close(handle)
    try:
        with TextIOWrapper(BufferedWriter(_Raw(name, place)), encoding="utf-8") as file:
            yield file
            file.flush()
            with writing(place, OTHER_FILE):
                os.fsync(file.fileno())
        with writing(place, OTHER_FILE):
            os.chmod(name, mode if mode is not None else _mode(target))
            check_place(place, overwrite=overwrite, remedy=remedy)  # it may exist by now
            os.replace(name, target)
            flush(target.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def new_path(place: Path, size: int = 0) -> Iterator[Path]:
    """The path of a file for a library to write, which replaces `place` when the block ends without an error.

    Raises CheckpointError when it cannot be written; `size` is in bytes, if known.
    """
    target = Path(os.path.realpath(place))
    new = target.with_name(f".{target.name[:50]}.{os.getpid()}.writing")
    try:
        with writing(place, OTHER_FILE, size):
            yield new
            flush(new)
            os.replace(new, target)
            flush(target.parent)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


class _Raw(FileIO):
    """The bytes of a new file; only an error of writing them is the file's, not one of reading the source meanwhile."""

    def __init__(self, name: str, place: Path) -> None:
        super().__init__(name, "w")
        self.place = place

    def write(self, data: ReadableBuffer, /) -> int:
        with writing(self.place, OTHER_FILE):
            return super().write(data)


def _mode(target: Path) -> int:
    """The permissions of the file to replace, or those of a new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


FULL = re.compile(r"No space left|quota exceeded|os error (28|122)", re.IGNORECASE)
"""A full disk, in the errors of libraries that do not raise OSError (safetensors, tokenizers)."""


@contextmanager
def writing(place: Path, remedy: str = OTHER_FOLDER, size: int = 0) -> Iterator[None]:
    """Turn an error of the disk into a CheckpointError; `size` is the number of bytes to be written, if known."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise CheckpointError(_full(place, size)) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise CheckpointError(f"{place}: no permission to write there. {remedy}") from error
        raise CheckpointError(f"{place}: cannot be written ({error.strerror or error}). {remedy}") from error
    except Exception as error:
        if FULL.search(str(error)) and not isinstance(error, WolfChatboxError):
            raise CheckpointError(_full(place, size)) from error
        raise


def _full(place: Path, size: int) -> str:
    free = free_bytes(place)
    room = "; {} needed, {} free".format(*apart(size, free)) if size > free else ""
    return f"{place}: the disk is full{room}. Free some space; everything saved before is intact."


def free_bytes(place: Path) -> int:
    """The number of free bytes on the disk of a place that may not exist yet."""
    return shutil.disk_usage(next(path for path in (place, *place.absolute().parents) if path.exists())).free


def apart(size: int, other: int) -> tuple[str, str]:
    """Two different numbers of bytes in one unit, with enough decimals to look different."""
    units = ((10**9, "GB"), (10**6, "MB"), (0, "kB"))
    unit, name = next((max(unit, 1000), name) for unit, name in units if max(size, other) >= unit)
    for decimals in range(1, 10):
        one, two = (f"{number / unit:,.{decimals}f} {name}" for number in (size, other))
        if one != two:
            break
    return one, two


def flush(path: Path) -> None:
    """Wait until a file or a folder is on the disk (fsync)."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a folder, a file or a link, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_folder(place: Path, write: Callable[[Path], None], size: int = 0) -> None:
    """Fill a new folder by `write(folder)`, then replace `place` by it in one step; a link is followed.

    Raises CheckpointError when it cannot be written, and leaves `place` as it was; `size` is in bytes, if known.
    """
    place = Path(os.path.realpath(place)) if place.is_symlink() else place
    new = place.with_name(place.name + ".writing")
    with writing(place, size=size):
        remove(new)
        new.mkdir(parents=True)
        try:
            write(new)
            for path in [*new.rglob("*"), new]:
                flush(path)
        except BaseException:
            with suppress(OSError):
                remove(new)
            raise
        replace_folder(new, place)


def replace_folder(new: Path, place: Path) -> None:
    """Replace a folder by another, in one step."""
    old = place.with_name(place.name + ".replaced")
    remove(old)
    if place.exists():
        place.rename(old)
    new.rename(place)
    flush(place.parent)
    with suppress(OSError):
        remove(old)


def cache_folder() -> Path:
    """Where downloads and converted models are stored; WOLF_CHATBOX_CACHE moves it."""
    return Path(os.environ.get("WOLF_CHATBOX_CACHE") or user_cache_path("wolf_chatbox"))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
