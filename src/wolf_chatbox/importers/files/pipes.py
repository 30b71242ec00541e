"""A pipe or a terminal can be read only once: its content is copied to a temporary file first."""

from __future__ import annotations

import os
import select
import stat
import tempfile
import weakref
from pathlib import Path

from wolf_chatbox.errors import DataError

PATIENCE = 1.0
"""Seconds to wait for a program that writes to a named pipe."""
CHUNK = 1 << 20
MAX_COPY = 4 << 30
"""Bytes: an endless pipe would fill the disk."""


class Copy:
    """A temporary file, deleted with the last reference to it."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="wolf-chatbox-")
        os.close(handle)
        self.path = Path(name)
        weakref.finalize(self, self.path.unlink, missing_ok=True)


def is_pipe(path: Path) -> bool:
    """Whether the file can be read only once. Raises OSError when there is no such file."""
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode):
        with path.open("rb", buffering=0) as file:
            return file.isatty()
    return stat.S_ISFIFO(mode)


def copy_of(path: Path) -> Copy:
    """Copy what comes out of a pipe until its writer closes it.

    Raises DataError for a pipe that nothing writes to or that does not end, and OSError when it cannot be read.
    """
    copy = Copy()
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe, copy.path.open("wb") as file:
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        waiting.poll(1000 * PATIENCE)
        piece = pipe.read(CHUNK)  # None: the writer has not written yet
        if piece == b"":
            raise DataError(
                f"{path}: nothing is written to this pipe. Start the program that writes first, or pass a file."
            )
        os.set_blocking(pipe.fileno(), True)
        while piece != b"":
            file.write(piece or b"")
            if file.tell() > MAX_COPY:
                raise DataError(
                    f"{path}: the pipe gave more than {MAX_COPY:,} bytes. Write them to a file, and pass that."
                )
            piece = pipe.read(CHUNK)
    return copy
