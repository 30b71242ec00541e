"""How tokens come out of a model, behind one protocol."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from wolf_chatbox.config import SamplingConfig


class Engine(Protocol):
    """Generates token ids one by one."""

    context: int
    """Tokens of prompt and reply together at most."""

    def stream(
        self,
        prompt: Sequence[int],
        sampling: SamplingConfig,
        stop: Collection[int],
        seed: int | None = None,
        begun: int = 0,
    ) -> Iterator[int]:
        """Yield the reply's ids as they are drawn, up to an id of `stop`, which is not yielded.

        The last `begun` ids of the prompt are of the reply already, which then goes on.
        """
        ...
