"""One writer at a time: a lock that the operating system releases when its process ends, however it ends."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import writing

BEYOND = 1 << 20
"""The byte that Windows locks: those before it can still be read."""


@contextmanager
def alone(place: Path, *, wait: bool = False) -> Iterator[None]:
    """Be the only process that writes `place`, by a hidden lock file beside it that names this process.

    Raises CheckpointError, naming the other process, if one is writing there; with `wait`, waits for its end instead.
    """
    path = place.with_name(f".{place.name}.lock")
    with writing(place):
        made = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _acquire(path, place, wait)
    try:
        yield
    finally:
        if sys.platform == "win32":
            os.close(handle)
        with suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(handle)
        with suppress(OSError):
            for folder in made:  # nothing was written there
                folder.rmdir()


def _acquire(path: Path, place: Path, wait: bool) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            if not _lock(handle, wait):
                holder = os.read(handle, 200).decode(errors="replace") or "another process"
                raise CheckpointError(
                    f"{place}: {holder} is writing there. Wait until it ends, or choose another output."
                )
            if _is_at(handle, path):
                os.ftruncate(handle, 0)
                os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # the process that has just ended removed the file


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file still has that name: another process may have removed it, and a third created it anew."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _lock(handle: int, wait: bool) -> bool:
    """Take the lock; False if another process has it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, BEYOND, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK):  # some network file systems have no locks
            raise
    return True
