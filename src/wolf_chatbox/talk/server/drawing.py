"""Replies, each drawn by a thread of its own; what it draws comes out in the event loop.

An engine computes one step for all who wait, so threads are all that requests need to share forward passes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from wolf_chatbox.model.token_text import Piece
from wolf_chatbox.model.voice import Reply
from wolf_chatbox.talk.server.refusals import Gone

Finish = Literal["stop", "length"]
Draw = Callable[[int | None, Callable[[], bool]], Reply]
"""Begins a reply; takes `top` and `over`, as a voice does."""


@dataclass
class Drawing:
    """A reply that a thread draws, and what ends it early."""

    seconds: float
    """How long it may take."""
    top: int | None = None
    """How many alternatives to note with each token; None notes no log-probabilities."""
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when nobody waits for it any more."""
    enough: threading.Event = field(default_factory=threading.Event)
    """Set to let it end with what there is."""
    late: bool = False
    """Whether it ended before its end."""
    reply: Reply = field(default_factory=Reply)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Let its time begin."""
        self.deadline = time.monotonic() + self.seconds

    def over(self) -> bool:
        """Whether it has to end with what there is; raises Gone when nobody waits for it."""
        if self.gone.is_set():
            raise Gone
        self.late = self.enough.is_set() or time.monotonic() > self.deadline
        return self.late

    @property
    def tokens(self) -> list[Piece]:
        """The tokens of the reply, as far as they are drawn and were asked for."""
        return self.reply.tokens

    @property
    def finish(self) -> Finish:
        return "length" if self.reply.stopped is None and (self.reply.cut or self.late) else "stop"


class Job:
    """One thread that draws; iterate over it in the event loop for the pieces. It raises what the thread raised."""

    def __init__(self, draw: Draw, drawing: Drawing) -> None:
        self.drawing = drawing
        self.first_piece: float | None = None
        """When the first piece was drawn, in seconds of `time.monotonic`."""
        self.ended = 0.0
        """When the thread was done; 0 while it draws."""
        self._events: asyncio.Queue[str | BaseException | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._draw = draw

    def start(self, when_ended: Callable[[Job], None]) -> None:
        """Begin to draw; `when_ended` is called in the event loop when the thread is done, however it ends."""
        self._when_ended = when_ended
        self.drawing.begin()
        threading.Thread(target=self._run, name="reply", daemon=True).start()

    def cancel(self) -> None:
        """End the thread at its next token."""
        self.drawing.gone.set()

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            self.drawing.reply = self._draw(self.drawing.top, self.drawing.over)
            for piece in self.drawing.reply:
                self.first_piece = self.first_piece or time.monotonic()
                self._tell(self._events.put_nowait, piece)
        except BaseException as error:  # it is raised where the pieces are read
            end = error
        self.ended = time.monotonic()
        self._tell(self._when_ended, self)
        self._tell(self._events.put_nowait, end)

    def _tell(self, call: Callable[..., object], *values: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *values)
        except RuntimeError:  # the loop is closed: the server has left
            self.cancel()

    async def pieces(self) -> AsyncGenerator[str]:
        while (event := await self._events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event
