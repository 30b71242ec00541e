"""Memory that a CPU run frees and needs again in the next update stays with the process."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8


def keep_freed_memory() -> bool:
    """Tell glibc's malloc not to give freed memory back to the system; True when it understood.

    By its defaults the pages of what a step frees are given back, and fetched and zeroed one by one in the next: a
    tenth of the time of a step (docs/benchmarks.md). Blocks above 32 MB, the most that it allows, still are: kept
    as well, they leave gaps that nothing fits into, and the process grows. Source: mallopt(3). Elsewhere than on
    glibc nothing happens.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # musl
        return False
    settings = {M_MMAP_THRESHOLD: 32 << 20, M_TRIM_THRESHOLD: -1, M_ARENA_MAX: 1}
    understood = [mallopt(name, value) for name, value in settings.items()]
    return all(understood)
