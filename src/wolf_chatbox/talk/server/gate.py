"""How many replies are drawn at once, and how many requests wait: first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque

from wolf_chatbox.talk.server.refusals import Refusal


class Gate:
    """Places for the replies of one model; all methods belong to one event loop.

    A request that waits gets its places before any that came later, also where those need fewer.
    """

    def __init__(self, places: int, queue: int) -> None:
        self.places = places
        self.queue = queue
        self.running = 0
        self.closed = False
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def close(self) -> None:
        """Let nobody in any more; who waits already still gets a turn."""
        self.closed = True

    async def enter(self, places: int, seconds: float) -> None:
        """Take places, and wait for them up to `seconds`; raises Refusal (429 when the queue is full, 503 when closed).

        Whoever enters leaves with `leave`, place by place.
        """
        if self.closed:
            raise Refusal(503, "the server is shutting down. Ask another one.", kind="server_error", busy=True)
        if not self._waiting and self.running + places <= self.places:
            self.running += places
            return
        if len(self._waiting) >= self.queue:
            message = f"{self.running} replies are being drawn, and {self.waiting} requests wait. Try again later."
            raise Refusal(429, message, code="queue_full", kind="rate_limit_error", busy=True)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (places, turn)
        self._waiting.append(entry)
        try:
            await asyncio.wait_for(asyncio.shield(turn), seconds)
        except BaseException as error:
            if turn.done():  # it got its places in the same moment
                self.leave(places)
            else:
                self._waiting.remove(entry)
                self._admit()
            if isinstance(error, TimeoutError):
                message = f"no place became free in {seconds:g} seconds. Try again later."
                raise Refusal(429, message, code="queue_full", kind="rate_limit_error", busy=True) from None
            raise

    def leave(self, places: int = 1) -> None:
        """Give places back."""
        self.running -= places
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.running + self._waiting[0][0] <= self.places:
            places, turn = self._waiting.popleft()
            self.running += places
            turn.set_result(None)
