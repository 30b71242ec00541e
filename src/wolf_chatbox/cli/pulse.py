"""Signs of life: a spinner on a terminal; elsewhere a line whenever nothing was printed for ten seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from wolf_chatbox.screen import Screen

SECONDS = 10.0
"""The longest silence."""


class Pulse:
    """Prints the current step whenever nothing was printed for ten seconds."""

    def __init__(self, say: Callable[[str], None], doing: str = "") -> None:
        self._say = say
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._last = time.monotonic()
        self.begin(doing)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def begin(self, doing: str) -> None:
        """Another step begins."""
        self._doing, self._begun = doing, time.monotonic()

    def said(self) -> None:
        """A line was printed: restart the ten seconds."""
        self._last = time.monotonic()

    def _beat(self) -> None:
        while not self._ended.wait(self._last + SECONDS - time.monotonic()):
            if time.monotonic() - self._last >= SECONDS:
                self.said()
                so_far = time.monotonic() - self._begun
                self._say(f"… {self._doing}" + (f": {clock(so_far)} so far" if so_far >= SECONDS else ""))


@contextmanager
def waiting(console: Screen, doing: str) -> Iterator[None]:
    """Show the current step, by a spinner or by lines."""
    if console.is_terminal:
        with console.status(f"{doing} …"):
            yield
    else:
        with Pulse(console.say, doing):
            yield


def clock(seconds: float) -> str:
    """Format seconds: 1:05, or 2:00:10 with hours."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
