"""Writing files whole or not at all, and only where nothing of the user's is lost."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from platformdirs import user_cache_path

from wolf_chatbox.errors import CheckpointError, WolfChatboxError

OVERWRITE = "Replace it with --overwrite, or choose another name."


def check_place(place: Path, *, overwrite: bool, remedy: str = OVERWRITE) -> None:
    """Raise CheckpointError where a new file would replace something: a file without `overwrite`, or what is no file at all."""
    with writing(place, "Choose another name."):
        if place.is_dir():
            raise CheckpointError(f"{place}: a folder. Name a file.")
        if place.exists() and not place.is_file():
            raise CheckpointError(f"{place}: a device or a pipe, no file. Name a file.")
        if place.exists() and not overwrite:
            raise CheckpointError(f"{place}: is there already. {remedy}")


def check_folder(place: Path) -> None:
    """Raise CheckpointError where no new folder can stand: where there is a file, or the folder that one is in or one above it."""
    with writing(place):
        if place.exists() and not place.is_dir():
            raise CheckpointError(f"{place}: a file, no folder. Choose another output folder.")
        here = Path.cwd()
        if place.exists() and any(os.path.samefile(place, each) for each in (here, *here.parents)):
            raise CheckpointError(
                f"{place}: the folder that you are in, or one above it. Choose another output folder."
            )


@contextmanager
def new_file(
    place: Path, *, overwrite: bool = False, remedy: str = OVERWRITE, mode: int | None = None
) -> Iterator[TextIO]:
    """A text file (UTF-8) that appears in its place whole when the block ends, and not at all when it fails; until then its `name` is another.

    Behind a link its target is written. `mode` sets the permissions, such as 0o600; without it they are those of a file that is
    replaced, or the usual ones. Raises CheckpointError where `check_place` does, and when the disk refuses.
    """
    check_place(place, overwrite=overwrite, remedy=remedy)
    target = Path(os.path.realpath(place))
    with writing(place, "Choose another name."):
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:50]}.", suffix=".writing")
        os.close(handle)
        try:
            with open(name, "w", encoding="utf-8") as file:
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


FULL = re.compile(r"No space left|quota exceeded|os error (28|122)", re.IGNORECASE)
"""How libraries that raise no OSError (safetensors, tokenizers) tell of a full disk."""


@contextmanager
def writing(place: Path, remedy: str = "Choose another output folder.", size: int = 0) -> Iterator[None]:
    """Turn what the disk says into one line; `size` is how many bytes are to be written, where that is known."""
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
    room = "; {} are needed and {} are free".format(*apart(size, free)) if size > free else ""
    return f"{place}: the disk is full{room}. Free some space; what was saved before is whole."


def free_bytes(place: Path) -> int:
    """Bytes that are free on the disk that a place is on, or will be."""
    return shutil.disk_usage(next(each for each in (place, *place.absolute().parents) if each.exists())).free


def apart(size: int, other: int) -> tuple[str, str]:
    """Two different numbers of bytes in one unit, with as many decimals as make them look different."""
    unit, name = next((each for each in ((10**9, "GB"), (10**6, "MB")) if max(size, other) >= each[0]), (1000, "kB"))
    for decimals in range(1, 10):
        one, two = (f"{each / unit:,.{decimals}f} {name}" for each in (size, other))
        if one != two:
            break
    return one, two


def flush(path: Path) -> None:
    """Make the disk keep a file's or a folder's contents."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a folder, a file or a link, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_folder(place: Path, write: Callable[[Path], None], size: int = 0) -> None:
    """Fill a new folder by `write(folder)` and put it in its place in one step, instead of what was there; behind a link, of its target.

    Raises CheckpointError when it cannot be written (`size` is how many bytes it takes, for the case that the disk is full);
    what was there then still is.
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
    """Put a folder into the place of another, which is whole until then."""
    old = place.with_name(place.name + ".replaced")
    remove(old)
    if place.exists():
        place.rename(old)
    new.rename(place)
    flush(place.parent)
    with suppress(OSError):
        remove(old)


def cache_folder() -> Path:
    """Where converted models are kept; WOLF_CHATBOX_CACHE moves it."""
    return Path(os.environ.get("WOLF_CHATBOX_CACHE") or user_cache_path("wolf_chatbox"))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
