"""How far a training is, out of what it reported: curves, speed, time left, and replies as they get better."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from wolf_chatbox.training.journal import Begun, Entry, read_journal
from wolf_chatbox.training.progress import Evaluated, Notice, Step, Updated

RECENT = 20
"""Updates over which the speed is the mean."""


@dataclass
class Story:
    """What a journal tells so far; `follow` reads on.

    story = Story()
    story.follow(making.journal)
    print(story.share, story.left)
    """

    step: Step | None = None
    """What is done now, where it is no update."""
    begun: Begun | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)
    """(update, mean loss of its learnt tokens)."""
    perplexities: list[tuple[int, float]] = field(default_factory=list)
    """(update, held-out perplexity)."""
    evaluations: list[Evaluated] = field(default_factory=list)
    """Those with sample replies, the base model's first."""
    notices: list[str] = field(default_factory=list)
    update: int = 0
    epoch: float = 0.0
    told: float = 0.0
    """When it last reported something (seconds since the epoch)."""
    scoring: bool = False
    """Whether it is trained, and is being scored."""
    _recent: deque[Updated] = field(default_factory=lambda: deque(maxlen=RECENT))
    _asked: float = 0.0
    _validation: float = 0.0
    _place: int = 0

    def follow(self, path: Path) -> bool:
        """Read what a journal has more; whether there was anything. One that began anew is told from its start."""
        entries, place = read_journal(path, self._place)
        if place < self._place or (not place and self._place):
            vars(self).update(vars(Story()))
            entries, place = read_journal(path)
        self._place = place
        self.add(entries)
        return bool(entries)

    def add(self, entries: Iterable[Entry]) -> None:
        """Take in more of what was reported."""
        for when, event in entries:
            self.told = when
            match event:
                case Step():
                    self._asked = when
                    self.step = event
                    self.scoring = self.scoring or event.kind == "scoring"
                case Notice(text):
                    self.notices.append(text)
                case Begun():
                    self._begin(event)
                case Updated():
                    self._updated(event)
                case Evaluated():
                    self._evaluated(event, when)

    def _begin(self, event: Begun) -> None:
        """A run begins or goes on: what came after the state that it goes on from is made again."""
        self.begun, self.step, self.scoring = event, None, False
        self.notices = list(dict.fromkeys([*self.notices, *event.notices]))
        self.losses = [one for one in self.losses if one[0] <= event.done]
        self.perplexities = [one for one in self.perplexities if one[0] <= event.done]
        self.evaluations = [one for one in self.evaluations if one.update <= event.done]
        self.update = event.done
        self._recent.clear()

    def _updated(self, event: Updated) -> None:
        self.step = None
        self.update, self.epoch = event.update, event.epoch
        if math.isfinite(event.loss):
            self.losses.append((event.update, event.loss))
        self._recent.append(event)

    def _evaluated(self, event: Evaluated, when: float) -> None:
        self.step = None
        self._validation = max(0.0, when - self._asked) if self._asked else 0.0
        if event.perplexity is not None:
            self.perplexities.append((event.update, event.perplexity))
        if event.replies:
            self.evaluations.append(event)

    @property
    def updates(self) -> int:
        return self.begun.updates if self.begun else 0

    @property
    def share(self) -> float:
        """How much of the updates is made, from 0 to 1."""
        return self.update / self.updates if self.updates else 0.0

    @property
    def speed(self) -> float | None:
        """Tokens a second, of the last updates."""
        seconds = sum(each.seconds for each in self._recent)
        return sum(each.tokens for each in self._recent) / seconds if seconds else None

    @property
    def left(self) -> float | None:
        """Seconds until the last update and its validation are done; None before the second update."""
        if self.begun is None or len(self._recent) < 2:
            return None
        some = list(self._recent)[1 if self.update <= RECENT else 0 :]  # the first one takes longer
        each = sum(one.seconds for one in some) / len(some)
        whole = max(0, self.begun.epochs - math.floor(self.epoch + 1e-9))
        return each * (self.updates - self.update) + self._validation * whole
