"""What a player is to the moderator: somebody who knows a Sight, and answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.steps import Tell

if TYPE_CHECKING:
    from wolf_chatbox.play.clock import Deadline


class Bid(NamedTuple):
    """What a player would say in talk at any time, if nobody speaks before."""

    text: str
    after: float
    """Seconds from now."""


class Player:
    """A player of one game. A subclass answers requests; it knows what its Sight shows, and nothing else.

    Methods are called from one thread at a time, but not always from the same one.
    """

    team = "player"
    """Who plays, for logs and ratings: the same for all seats of one player. It does not end with a digit."""

    def __init__(self) -> None:
        self.thought = ""
        """Why the last answer; the moderator takes it for the reveal at the end."""
        self.gone = False
        """Whether it is lost for good: from now on it is asked nothing, and nobody can name it."""
        self.account: Counter[str] = Counter()
        """What a report should tell about its answers: "said", "drawn again", "fallback", …"""

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        """What it says, or Over or Skip, or whom it names; None: no answer. It may take its time."""
        raise NotImplementedError

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
        """What it would say, and when, in talk at any time with so many seconds left; None: nothing, for now.

        It is asked again whenever somebody has spoken. By default it speaks in turn with the others.
        """
        if sight.left <= 0:
            return None
        mine = sum(line.speaker == sight.me and line.day == sight.day for line in sight.said())
        text = self.answer(kind, sight)
        return Bid(text, 2.0 + 3.0 * mine) if text else None

    def told(self, tell: Tell, sight: Sight) -> None:
        """The game begins, a day begins or ends, talk begins or ends, somebody spoke, or the game is over."""

    def close(self) -> None:
        """The game is over for this player; free what it holds."""


class LivePlayer(Player):
    """A player who speaks whenever it wants to in talk at any time, without bids: a person, an agent of the network."""

    @property
    def there(self) -> bool:
        """Whether it has not left."""
        raise NotImplementedError

    def let_talk(self, kind: Kind, sight: Sight, deadline: Deadline, hear: Callable[[str], None]) -> None:
        """Talk at any time goes on until the deadline; `hear` takes each line, from any thread."""
        raise NotImplementedError

    def end_talk(self) -> None:
        """It has said what it may, or the talk is over."""
        raise NotImplementedError
