"""The server's process: its socket, and how it leaves."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from wolf_chatbox.talk.server.house import House

LAST_SECONDS = 2
"""What connections get to end in, after the last reply."""


class Server(uvicorn.Server):
    """Serves until a signal; then it ends what it began, refuses what is new, and leaves within `grace` seconds.

    A second signal ends at once.
    """

    def __init__(
        self, app: ASGIApp, house: House, grace: float, tell: Callable[[str], None], *, starts: bool = False
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="on" if starts else "off",
                timeout_graceful_shutdown=LAST_SECONDS,
            )
        )
        self._house, self._grace, self._tell = house, grace, tell
        self._leaves_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._leaves_at is not None:
            self._cancel()
            self.should_exit = self.force_exit = True
            return
        self._leaves_at = time.monotonic() + self._grace
        for served in self._house.roster.by_name.values():
            served.gate.close()
        for leave in self._house.on_leaving:
            leave()
        self._tell(f"leaving: {len(self._house.open)} requests are answered to their end (Ctrl-C: at once)")

    async def on_tick(self, counter: int) -> bool:
        if self._leaves_at is not None:
            gates = [served.gate for served in self._house.roster.by_name.values()]
            if time.monotonic() > self._leaves_at:
                self._cancel()
                self.should_exit = True
            elif not any(gate.running or gate.waiting for gate in gates):
                self.should_exit = True
        return await super().on_tick(counter)

    def _cancel(self) -> None:
        for replies in self._house.open:
            replies.cancel()


def serve(
    app: ASGIApp,
    house: House,
    places: Sequence[socket.socket],
    grace: float,
    tell: Callable[[str], None],
    *,
    starts: bool = False,
) -> None:
    """Serve on listening sockets until a signal says to leave; to be called in the main thread.

    `starts` is whether the app wants to be told that the server starts and ends, as the page does.
    """
    Server(app, house, grace, tell, starts=starts).run(sockets=list(places))
