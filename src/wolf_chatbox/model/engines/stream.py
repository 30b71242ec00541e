"""A text in an engine, and the stream of the tokens that are drawn after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from wolf_chatbox.model.engines.sampling import Sampler, Token


@dataclass(eq=False)
class Text:
    """A prompt, and what is drawn after it; a text that is scored is there as a whole."""

    ids: list[int]
    prompt: int
    """The length of the prompt, without a part of the reply that it may end with."""
    sampler: Sampler | None = None
    """None scores what follows the prompt."""
    stop: Collection[int] = ()
    left: int = 0
    """Tokens that may still be drawn."""
    top: int | None = None
    slot: int | None = None
    drawn: deque[Token] = field(default_factory=deque)
    scores: list[float] = field(default_factory=list)
    done: bool = False
    """Nothing more is computed for it. What it is given, it is given before."""
    error: Exception | None = None

    @property
    def needed(self) -> int:
        """The first id whose logits are still needed: what a slot holds of it and of those after it is read again."""
        return len(self.ids) - 1 if self.sampler else self.prompt - 1 + len(self.scores)


class Stream(Iterator[Token]):
    """The tokens of one reply. It is open from the beginning, until it ends, is closed, or nobody knows it any more."""

    def __init__(self, compute: Callable[[Text], None], text: Text) -> None:
        self._compute = compute
        self._text = text

    def __next__(self) -> Token:
        text = self._text
        while not text.drawn:  # what is drawn already waits for nobody's step
            if text.done and not text.drawn:
                error, text.error = text.error, None
                raise error if error is not None else StopIteration
            try:
                self._compute(text)
            except BaseException:
                self.close()
                raise
        return text.drawn.popleft()

    def close(self) -> None:
        """End early. It waits for no lock: it may be called at any point, also while Python frees memory."""
        self._text.done = True
        self._text.drawn.clear()

    def __del__(self) -> None:
        self._text.done = True
