"""Writing files whole or not at all, and only where nothing of the user's is lost."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from wolf_chatbox.errors import CheckpointError

OVERWRITE = "Replace it with --overwrite, or choose another name."


def check_place(place: Path, *, overwrite: bool, remedy: str = OVERWRITE) -> None:
    """Raise CheckpointError where a new file would replace something: a file without `overwrite`, or what is no file at all."""
    if place.is_dir():
        raise CheckpointError(f"{place}: a folder. Name a file.")
    if place.exists() and not place.is_file():
        raise CheckpointError(f"{place}: a device or a pipe, no file. Name a file.")
    if place.exists() and not overwrite:
        raise CheckpointError(f"{place}: is there already. {remedy}")


@contextmanager
def new_file(place: Path, *, overwrite: bool = False, remedy: str = OVERWRITE, mode: int | None = None) -> Iterator[TextIO]:
    """A text file (UTF-8) that appears in its place whole when the block ends, and not at all when it fails.

    Behind a link its target is written. `mode` sets the permissions, such as 0o600; without it they are those of a file that is
    replaced, or the usual ones. Raises CheckpointError where `check_place` does, and when the disk refuses.
    """
    check_place(place, overwrite=overwrite, remedy=remedy)
    target = Path(os.path.realpath(place))
    with writing(place, "Choose another name."):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=".writing")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode if mode is not None else _mode(target))
            check_place(place, overwrite=overwrite, remedy=remedy)  # somebody may have been quicker
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        flush(target.parent)


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those that a new file gets."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@contextmanager
def writing(place: Path, remedy: str = "Choose another output folder.") -> Iterator[None]:
    """Turn what the disk says into one line."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise CheckpointError(f"{place}: the disk is full. Free some space; what was saved before is whole.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise CheckpointError(f"{place}: no permission to write there. {remedy}") from error
        raise CheckpointError(f"{place}: cannot be written ({error.strerror or error}). {remedy}") from error
    except Exception as error:
        # safetensors reports a full disk as an error of its own kind
        if type(error).__name__ == "SafetensorError" and ("No space" in str(error) or "os error 28" in str(error)):
            raise CheckpointError(f"{place}: the disk is full. Free some space; what was saved before is whole.") from error
        raise


def flush(path: Path) -> None:
    """Make the disk keep a file's or a folder's contents."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
