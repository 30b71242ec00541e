"""Ends a step of llama.cpp that takes too long.

llama.cpp asks a C function before each operation whether to go on. A function of Python would need Python's lock some
hundred times in a token. `strlen` needs none: of an empty text it is 0, which means to go on, and of one letter 1.
"""

from __future__ import annotations

import ctypes
import math
import threading
from time import perf_counter, sleep
from typing import Any

TICK = 0.01
"""Seconds between two looks at the clock."""
IDLE = 100
"""Ticks without a step after which nobody looks any more."""


class Alarm:
    """Sets a text from empty to one letter where a step is not over in time. One step is watched at a time."""

    def __init__(self) -> None:
        self.text = ctypes.create_string_buffer(2)
        libc: Any = ctypes.CDLL(None)
        self.function = ctypes.cast(libc.strlen, ctypes.c_void_p)
        self._due = math.inf
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def arm(self, seconds: float | None) -> None:
        """Begin a step, which is watched unless it may take as long as it likes."""
        with self._lock:
            self._due = math.inf if seconds is None else perf_counter() + seconds
            self.text[0] = b"\0"
        if seconds is None:
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True, name="alarm")
            self._thread.start()
        if not self._awake.is_set():
            self._awake.set()

    def disarm(self) -> None:
        """The step is over."""
        with self._lock:
            self._due = math.inf

    def close(self) -> None:
        self._closed = True
        self._awake.set()

    def _watch(self) -> None:
        idle = 0
        while not self._closed:
            sleep(TICK)
            with self._lock:
                idle = idle + 1 if self._due == math.inf else 0
                if perf_counter() > self._due:
                    self.text[0] = b"1"
            if idle > IDLE:
                self._awake.clear()
                if self._due == math.inf and not self._closed:  # a step that began meanwhile finds it awake or wakes it
                    self._awake.wait()
                idle = 0
