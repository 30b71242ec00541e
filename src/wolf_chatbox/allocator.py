"""Memory that a CPU run frees and needs again in the next update stays with the process."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8


def keep_freed_memory() -> bool:
    """Tell glibc's malloc not to give freed memory back to the system; True when it understood.

    By its defaults each tensor above 32 MB is mapped anew and its pages are zeroed one by one, in every update: a
    third of a training step (docs/benchmarks.md). Source: mallopt(3). Elsewhere than on glibc nothing happens.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # musl
        return False
    settings = {M_MMAP_MAX: 0, M_ARENA_MAX: 1, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 64 << 20}
    understood = [mallopt(name, value) for name, value in settings.items()]
    return all(understood)
