"""What the engine has read of the last chat, kept between two programs, so that /load need not read it again.

A state is trusted: a wrong one could make the model say anything. So it is read only from a file that belongs to this
person and that nobody else can write or read. It is a cache: whatever is wrong with it, the chat is simply read again.
"""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from wolf_chatbox.model.engines.engine import Engine

MOST_BYTES = 256 * 2**20
"""The size of a state at most."""


def write_state(engine: Engine, prompt: Sequence[int], path: Path) -> bool:
    """Write what the engine holds of a prompt, readable by its owner only; returns whether there was anything."""
    saved = engine.save(prompt)
    if saved is None or len(saved[1]) > MOST_BYTES:
        return False
    ids, state = saved
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".writing")  # mode 0600
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                fingerprint=np.array(engine.decoder.fingerprint),
                ids=np.array(ids, dtype=np.int64),
                state=np.frombuffer(state, dtype=np.uint8),
            )
        os.replace(name, path)
    except OSError:  # a full disk, a folder that is not ours
        with suppress(OSError):
            os.unlink(name)
        return False
    return True


def read_state(engine: Engine, path: Path) -> bool:
    """Let the engine hold what was written, if it is of the same weights; returns whether it is held."""
    try:
        with path.open("rb") as file:
            if not _is_own(os.fstat(file.fileno())):
                return False
            with np.load(file, allow_pickle=False) as saved:
                if str(saved["fingerprint"]) != engine.decoder.fingerprint:
                    return False
                engine.restore([int(id) for id in saved["ids"]], saved["state"].tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, AttributeError, TypeError):
        return False
    return True


def _is_own(status: os.stat_result) -> bool:
    """Whether a file is this person's alone, and no larger than what we write."""
    own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    closed = os.name == "nt" or not status.st_mode & 0o077
    return own and closed and stat.S_ISREG(status.st_mode) and status.st_size <= MOST_BYTES + 2**20
