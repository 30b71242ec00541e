"""Best of n: candidates for one reply are ranked by how likely they are, less a penalty for repetition.

The likelihood is the mean log-probability of a token, so that a long candidate is not worse from the start. With a
reverse model, which guesses what a reply answers, the candidates that fit any message lose: maximum mutual
information (Li et al. 2016, https://arxiv.org/abs/1510.03055), as for DialoGPT (Zhang et al. 2020,
https://arxiv.org/abs/1911.00536).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wolf_chatbox.conversation import Turn
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.repetition import WORD
from wolf_chatbox.model.said import Said
from wolf_chatbox.samples.rendering import Renderer
from wolf_chatbox.samples.styles import SYSTEM
from wolf_chatbox.scene import Scene

PENALTY = 1.0
"""Nats that a candidate loses if it only repeats itself, and again if it only repeats what its speaker said before."""
OWN, ECHO = 2, 3
"""Words of the phrases that are compared within a candidate, and with the speaker's last turns."""
LAST_TURNS = 3
"""Turns of the speaker that a candidate is compared with."""


class Candidate(NamedTuple):
    """A candidate for a reply, and what it is ranked by."""

    text: str
    likelihood: float
    """The mean natural log-probability of its tokens under the model."""
    repetition: float
    """The share of its phrases that it said before, plus the share that its speaker said lately: 0 to 2."""
    reverse: float | None
    """The mean log-probability of the message before it, given the candidate; None without a reverse model."""
    score: float
    """What decides; minus infinity for an empty candidate."""


@dataclass(frozen=True)
class Reverse:
    """A model that was trained on conversations backwards: it says how likely a message is before a reply."""

    engine: Engine
    renderer: Renderer
    weight: float = 0.5
    """Its share in the likelihood, 0 to 1."""

    def likelihoods(self, scene: Scene, texts: Sequence[str]) -> list[float] | None:
        """The mean natural log-probability of the message's tokens and its end, if this were the reply to it.

        The message is the last turn of somebody else; None where nobody else spoke. The ids are those that a reverse
        run learns: the reply, what its speaker said before it, and then the message.
        """
        assert scene.speaker is not None, "nobody speaks"
        heard = [turn for turn in reversed(scene.turns) if turn.speaker != SYSTEM]
        at = next((at for at, turn in enumerate(heard) if turn.speaker != scene.speaker), None)
        if at is None:
            return None
        apart = Scene((), learners=frozenset({heard[at].speaker}))
        message = self.renderer.turn(heard[at], apart)
        first, most = message.learn.index(True), self.engine.context // 2
        ids = [id for id, learnt in zip(message.ids, message.learn) if learnt][:most]
        start, asked = self.renderer.start(apart, most), []
        for text in texts:
            turns = [Turn(scene.speaker, text), *heard[:at]]
            said = [id for turn in turns for id in self.renderer.turn(turn, apart).ids]
            asked.append(([*start, *said, *message.ids[:first]][-most:], ids))
        return [math.fsum(scores) / len(scores) for scores in self.engine.scores(asked)]


def rank(
    texts: Sequence[str], likelihoods: Sequence[float], scene: Scene, reverse: Reverse | None = None
) -> tuple[Candidate, ...]:
    """The candidates, in the given order, with their scores."""
    assert scene.speaker is not None, "nobody speaks"
    said = [turn.text for turn in scene.turns if turn.speaker == scene.speaker][-LAST_TURNS:]
    backwards: Sequence[float | None] = (reverse and reverse.likelihoods(scene, texts)) or [None] * len(texts)
    candidates = []
    for text, likelihood, back in zip(texts, likelihoods, backwards, strict=True):
        again = repetition(text, said)
        mixed = likelihood
        if reverse is not None and back is not None:
            mixed = (1 - reverse.weight) * likelihood + reverse.weight * back
        score = mixed - PENALTY * again if text.strip() else -math.inf
        candidates.append(Candidate(text, likelihood, again, back, score))
    return tuple(candidates)


def best(candidates: Sequence[Candidate], said: Said) -> int:
    """The number of the best candidate: the first of equal ones; one that was `said` before comes behind the others."""
    return max(
        range(len(candidates)),
        key=lambda at: (bool(candidates[at].text), not said.again(candidates[at].text), candidates[at].score, -at),
    )


def repetition(text: str, said: Sequence[str]) -> float:
    """How much a text repeats itself, and what was said: two shares of its phrases, together 0 to 2."""
    words = WORD.findall(text.casefold())
    own = _phrases(words, OWN)
    echo = _phrases(words, ECHO) or [tuple(words)]
    before = {phrase for turn in said for phrase in _phrases(WORD.findall(turn.casefold()), len(echo[0]))}
    if not words:
        return 0.0
    within = 1 - len(set(own)) / len(own) if own else 0.0
    return within + sum(phrase in before for phrase in echo) / len(echo)


def _phrases(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]
