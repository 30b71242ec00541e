"""A pipe or a keyboard can be read once only: what comes out of it is copied to a file, which can be read as often as it takes."""

from __future__ import annotations

import os
import select
import stat
import tempfile
import weakref
from pathlib import Path

from wolf_chatbox.errors import DataError

PATIENCE = 1.0
"""Seconds in which somebody must have opened a named pipe to write into it."""
CHUNK = 1 << 20
MAX_COPY = 4 << 30
"""Bytes: more than that, or an endless pipe, would fill the disk."""


class Copy:
    """A temporary file, deleted when nobody holds it any more."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="wolf-chatbox-")
        os.close(handle)
        self.path = Path(name)
        weakref.finalize(self, self.path.unlink, missing_ok=True)


def is_pipe(path: Path) -> bool:
    """Whether a second reading would not find what the first one did. Raises OSError where there is no such file."""
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode):
        with path.open("rb", buffering=0) as file:
            return file.isatty()
    return stat.S_ISFIFO(mode)


def copy_of(path: Path) -> Copy:
    """All that comes out of a pipe until its writer closes it.

    Raises DataError for a pipe that nothing writes into or that does not end, and OSError where it cannot be read.
    """
    copy = Copy()
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe, copy.path.open("wb") as file:
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        waiting.poll(1000 * PATIENCE)
        piece = pipe.read(CHUNK)  # None from a writer that has not written yet
        if piece == b"":
            raise DataError(
                f"{path}: a pipe, and nothing comes out of it. Start what writes into it first, or give a file."
            )
        os.set_blocking(pipe.fileno(), True)
        while piece != b"":
            file.write(piece or b"")
            if file.tell() > MAX_COPY:
                raise DataError(
                    f"{path}: a pipe that gave more than {MAX_COPY:,} bytes. Write them into a file, and give that."
                )
            piece = pipe.read(CHUNK)
    return copy
