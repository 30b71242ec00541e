"""A person at the table: what is asked is shown somewhere, and answered from there."""

from __future__ import annotations

import threading
from collections.abc import Callable

from wolf_chatbox.play.clock import Deadline
from wolf_chatbox.play.player import LivePlayer
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.steps import Tell

ABSENT = 0.2
"""Seconds between two looks at whether somebody still sits there."""


class HumanPlayer(LivePlayer):
    """Waits for a person's answer; the terminal and the page show `asked`, and call `say`.

    The game runs in a thread of its own, and the person's side in another.
    """

    team = "human"

    def __init__(self, changed: Callable[[], None] = lambda: None, seconds: float | None = None) -> None:
        """`changed` is called, from the game's thread, when something is asked or told; `seconds` is the time for an
        answer; None: as long as it takes."""
        super().__init__()
        self.asked: Kind | None = None
        self.deadline: Deadline | None = None
        """When the answer must be there; None: whenever."""
        self.sight: Sight | None = None
        """What this person knows, once the game has begun."""
        self.changed, self._seconds = changed, seconds
        self._hear: Callable[[str], None] | None = None
        self._answered = threading.Condition()
        self._answer: str | None = None
        self._left = False

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        with self._answered:
            if self._left:
                return None
            self.sight, self.asked, self._answer = sight, kind, None
            self.deadline = Deadline(self._seconds) if self._seconds is not None else None
        self.changed()
        with self._answered:
            while self._answer is None and not self._left and (self.deadline is None or self.deadline.left):
                self._answered.wait(ABSENT)
            answer, self._answer, self.asked = self._answer, None, None
        self.changed()
        return answer

    def say(self, text: str) -> bool:
        """The person's answer, also in talk at any time; False if nothing is asked, and the text goes nowhere."""
        with self._answered:
            if self.asked is None or self._answer is not None:
                return False
            self._answer = text
            self._answered.notify()
            if self._hear is not None:
                self._hear(text)
        return True

    @property
    def waits(self) -> bool:
        """Whether the game waits for a line, and has none yet."""
        return self.asked is not None and self._answer is None

    @property
    def there(self) -> bool:
        """Whether the person has not left."""
        return not self._left

    @property
    def talks_freely(self) -> bool:
        """Whether it is talk at any time: one line may follow the other."""
        return self._hear is not None

    def let_talk(self, kind: Kind, sight: Sight, deadline: Deadline, hear: Callable[[str], None]) -> None:
        """Talk at any time goes on until the deadline; `hear` takes each line."""
        with self._answered:
            if self._left:
                return
            self.sight, self.asked, self.deadline, self._hear, self._answer = sight, kind, deadline, hear, None
        self.changed()

    def end_talk(self) -> None:
        """Talk at any time is over for this person."""
        with self._answered:
            if self._hear is None:
                return
            self.asked = self._hear = self._answer = None
        self.changed()

    def leave(self) -> None:
        """The person leaves the table; from now on there is no answer, at once."""
        with self._answered:
            self._left = True
            self.asked = self._hear = None
            self._answered.notify()
        self.changed()

    def told(self, tell: Tell, sight: Sight) -> None:
        self.sight = sight
        self.changed()
