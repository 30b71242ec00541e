"""An agent's connection as the thread of its game has it: frames come and go without ever holding the game up.

Another thread serves all sockets. It reads them all the time, so an agent that floods is found out, and one that does
not read is cut off when too much waits for it; nobody else notices.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from wolf_chatbox.play.log import team_of

INBOX = 64
"""Frames that may wait to be read by the game; an agent that sends more, unasked, is cut off."""
TALKATIVE = 1024
"""Frames that an agent may send in one talk at any time."""


class Silent(Exception):
    """No frame came in time."""


class Lost(Exception):
    """The connection is closed."""


class Connection:
    """One agent's connection, under the name that the agent gave."""

    def __init__(self, name: str, post: Callable[[str | None], None]) -> None:
        """`post` takes a frame to send, from any thread, and does not wait; None closes when all are sent."""
        self.name = name
        self._post = post
        self._inbox: deque[str] = deque()
        self._changed = threading.Condition()
        self._hear: Callable[[str], None] | None = None
        self._heard = 0
        self._open = True

    @property
    def team(self) -> str:
        return team_of(self.name)

    @property
    def there(self) -> bool:
        return self._open

    def send(self, text: str) -> None:
        """Send a frame; raises Lost."""
        if not self._open:
            raise Lost
        self._post(text)

    def receive(self, seconds: float) -> str:
        """The next frame, also one that came before anybody asked for it; raises Silent, and Lost."""
        with self._changed:
            self._changed.wait_for(lambda: self._inbox or not self._open, seconds)
            if self._inbox:
                return self._inbox.popleft()
            raise Silent if self._open else Lost

    def listen(self, hear: Callable[[str], None] | None) -> None:
        """Hand each frame on as it comes, those that wait first; None: let them wait again."""
        with self._changed:
            if hear is not None and self._hear is None:
                self._heard = 0
                while self._inbox:
                    hear(self._inbox.popleft())
            self._hear = hear

    def push(self, text: str) -> bool:
        """A frame came; False if they are too many. Called by the thread that serves the sockets."""
        with self._changed:
            if self._hear is not None:
                self._heard += 1
                if self._heard <= TALKATIVE:
                    self._hear(text)
                return self._heard <= TALKATIVE
            if len(self._inbox) >= INBOX:
                return False
            self._inbox.append(text)
            self._changed.notify()
            return True

    def lose(self) -> None:
        """The socket is closed, or shall not be used any more."""
        with self._changed:
            self._open = False
            self._changed.notify()

    def close(self) -> None:
        """Close, when everything is sent."""
        if self._open:
            self._post(None)
