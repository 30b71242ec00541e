"""One try at a reply, token by token: its ids, its settled text, and how it ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from wolf_chatbox.model.engines.sampling import Token
from wolf_chatbox.model.settled import Ends


class Draft:
    """Takes a reply's tokens one by one; `text` is what no later token changes, and at the end all of it."""

    def __init__(
        self,
        tokens: Iterator[Token],
        begun: list[int],
        most: int,
        decode: Callable[[list[int]], str],
        ends: Ends,
        over: Callable[[], bool],
    ) -> None:
        self.ids = list(begun)
        """The ids of the text, and of what is not yet settled; empty where it ended before an end of its own."""
        self.tokens: list[Token] = []
        """The tokens that were drawn here, as far as they are in the text."""
        self.drawn = 0
        """How many were drawn here."""
        self.stopped: str | None = None
        """The stop string that it ended before."""
        self.broken_off = False
        """Whether it had to end with what there was."""
        self.text = self._whole = decode(self.ids)
        self._tokens = tokens
        self._most = most
        self._decode = decode
        self._ends = ends
        self._over = over

    @property
    def cut(self) -> bool:
        """Whether it ended because it may not be longer."""
        return len(self.ids) == self._most

    @property
    def fails(self) -> bool:
        """Whether it says nothing, though nobody asked it to end."""
        return not (self.text or self.stopped or self.cut or self.broken_off)

    @property
    def likelihood(self) -> float:
        """The mean log-probability of its tokens."""
        known = [token.logprob for token in self.tokens if token.logprob is not None]
        return math.fsum(known) / len(known) if known else 0.0

    def advance(self) -> bool:
        """Take one more token; False when there is none, and the text is complete."""
        self.broken_off = self._over()
        token = None if self.broken_off else next(self._tokens, None)
        if token is None:
            self.close()
            self.text = self._ends.trimmed(self._whole)
            return False
        self.ids.append(token.id)
        self.tokens.append(token)
        self.drawn += 1
        text = self._whole = self._decode(self.ids)
        end = self._ends.find(text)
        if end is None:
            self.text = self._ends.settled(text)
            return True
        self.close()
        self.text = self._ends.trimmed(text[: end.at])
        self.stopped = end.stop
        before = len(self.ids) - len(self.tokens)
        needed = range(before, len(self.ids) + 1)
        until = next(at for at in needed if self._decode(self.ids[:at]).startswith(self.text))
        del self.tokens[until - before :]
        self.ids.clear()
        return False

    def close(self) -> None:
        """Draw no more."""
        close: Callable[[], None] | None = getattr(self._tokens, "close", None)
        if close is not None:
            close()
