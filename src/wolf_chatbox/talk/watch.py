"""The time that a reply takes."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter


class Watch:
    """Times pieces as they are drawn, from when the first one is asked for.

    watch = Watch()
    for piece in watch.over(session.stream("Where are we?")):
        print(piece, end="")
    print(watch.seconds, watch.first)
    """

    def __init__(self) -> None:
        self.on = False
        """Whether somebody wants to know."""
        self.seconds = 0.0
        """From the question to the last piece."""
        self.first = 0.0
        """From the question to the first piece."""

    def over(self, pieces: Iterator[str]) -> Iterator[str]:
        """The pieces, which are timed; closing this closes them."""
        began = perf_counter()
        self.seconds = self.first = 0.0
        try:
            for piece in pieces:
                self.first = self.first or perf_counter() - began
                yield piece
        finally:
            self.seconds = perf_counter() - began
            if (close := getattr(pieces, "close", None)) is not None:
                close()
