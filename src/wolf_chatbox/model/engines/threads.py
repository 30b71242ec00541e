"""How many threads compute a step: as many as are fastest of late, found by measuring.

On a quiet machine all cores are fastest. Beside other work they are not: each operation of a model ends when its
slowest thread does, so two threads on two busy cores can take ten times as long as one. So counts of threads are tried
in turns: all of them at first, later one thread and the neighbours of the present count, whenever the present one
became slower than another was, and else now and then, ever more rarely while nothing changes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

TRIES = 4
"""Steps with a count in one trial; their mean counts."""
SLOWER = 1.1
"""How much slower than another count the present one may become before a new trial."""
SOON, RARELY = 64, 4096
"""Steps from one trial to the next: the second bound is reached by doubling."""
LIMIT = 4
"""A step is given up after so many times what one thread takes: the slow ones take a hundred times as long."""


class Threads:
    """Chooses the number of threads for steps of one kind. Each step asks `choose`, and tells what it `took`.

    `counts` are the numbers to choose from. The smallest is tried first, which is bad on no machine; the largest with
    `eager`, for steps so long that the first one matters; the quicker of two tells enough then, the very first may
    have to fetch the weights from the disk.
    """

    def __init__(self, counts: Sequence[int], *, eager: bool = False) -> None:
        self.counts = sorted(counts)
        self._tries = 2 if eager else TRIES
        self._of: Callable[[Iterable[float]], float] = min if eager else fmean
        self._present = self.counts[-1]
        self._recent: deque[float] = deque(maxlen=2 * self._tries)
        self._known: dict[int, float] = {}
        """The mean seconds of each count in its last trial."""
        self._trying = list(self.counts) if eager else self.counts[::-1]
        """The counts that are still to be tried, the next one last."""
        self._tried: list[float] = []
        self._fewest: float | None = None
        """What the smallest count took when it was last tried."""
        self._wait, self._pause = SOON, SOON

    def choose(self) -> int:
        """The number of threads for the next step."""
        return self._trying[-1] if self._trying else self._present

    def limit(self) -> float | None:
        """Seconds after which the next step is to be given up, and told as `failed`; None for no limit."""
        if self._fewest is None or self.choose() == self.counts[0]:
            return None
        return LIMIT * self._fewest

    def failed(self, seconds: float) -> None:
        """Take in that the step was given up; it is to be computed again, with what `choose` says then."""
        if self._trying:
            self._tried = [seconds] * self._tries
            self._try(seconds)
        else:
            self._present = self.counts[0]
            self._wait = self._pause = SOON
            self._known = {self._present: self._fewest or seconds}
            self._recent.clear()

    def took(self, seconds: float) -> None:
        """Take in how long that step took; for steps of various sizes, how long for each id."""
        if len(self.counts) == 1:
            return
        if self._trying:
            self._try(seconds)
            return
        self._recent.append(seconds)
        self._wait -= 1
        if self._wait <= 0 or self._fell_behind():
            near = {self.counts[0], *self._neighbours()} - {self._present}
            self._trying = [*sorted(near), self._present]
            self._known.clear()

    def _try(self, seconds: float) -> None:
        self._tried.append(seconds)
        best = min(self._known.values(), default=float("inf"))
        if len(self._tried) < self._tries and sum(self._tried) < self._tries * best:
            return  # a count that cannot win any more is not tried to the end
        count = self._trying.pop()
        self._known[count] = self._of(self._tried)
        if count == self.counts[0]:
            self._fewest = self._known[count]
        self._tried.clear()
        if not self._trying:
            before, self._present = self._present, min(self._known, key=self._known.__getitem__)
            self._pause = min(2 * self._pause, RARELY) if self._present == before else SOON
            self._wait = self._pause
            self._recent.clear()

    def _neighbours(self) -> list[int]:
        at = self.counts.index(self._present)
        return self.counts[max(at - 1, 0) : at + 2]

    def _fell_behind(self) -> bool:
        """Whether the present count is slower now than another was when it was tried."""
        if len(self._recent) < 2 * self._tries:
            return False
        others = [seconds for count, seconds in self._known.items() if count != self._present]
        return bool(others) and sum(self._recent) / len(self._recent) > SLOWER * min(others)


def possible_counts() -> list[int]:
    """The numbers of threads that are worth a trial here: 1, 2, 4, … and all; OMP_NUM_THREADS bounds them."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    bound = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    most = min(usable, int(bound)) if bound.isdecimal() and int(bound) else usable
    return sorted({most, *(1 << power for power in range(most.bit_length()) if 1 << power <= most)})
