"""Draws the next token from logits: every sampling setting, in the order of transformers' `generate`.

Repetition penalty, DRY, the rules against repetition, temperature, top-k, top-p (Holtzman et al. 2020,
https://arxiv.org/abs/1904.09751), min-p (Nguyen et al. 2024, https://arxiv.org/abs/2407.01082). The penalty and the
rules look at the reply alone: names in the history may be said again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines.decoder import Logits
from wolf_chatbox.model.engines.dry import Dry
from wolf_chatbox.model.engines.repetition import Repetition

BLOCK = 64
"""Logits are searched for the largest in this many interleaved parts: a whole sort takes longer than small models."""

LIKELY = 256
"""Tokens among which those of top-p are sought first."""


class Token(NamedTuple):
    """A drawn token."""

    id: int
    logprob: float | None = None
    """Its natural log-probability under the model, before any setting changes it; None unless it was asked for."""
    top: tuple[tuple[int, float], ...] = ()
    """The most likely ids with their log-probabilities, as many as were asked for."""


class Sampler:
    """Draws the tokens of one reply; a seed gives the same tokens again."""

    def __init__(
        self,
        sampling: SamplingConfig,
        seed: int | None = None,
        repetition: Repetition | None = None,
        dry: Dry | None = None,
    ) -> None:
        self.sampling = sampling
        self._random = np.random.default_rng(seed)
        self._repetition = repetition
        self._dry = dry

    def draw(self, logits: Logits, reply: Sequence[int], top: int | None = None) -> Token:
        """Draw one token from (vocabulary,) logits, which are not changed; `reply` holds the ids said so far.

        `top` asks for log-probabilities, and for that many of the most likely tokens. Raises ModelError when the
        logits are NaN or infinite.
        """
        _largest(logits)
        id = self._choose(self._without_repetition(logits, reply))
        return Token(id) if top is None else Token(id, *log_probabilities(logits, id, top))

    def _without_repetition(self, logits: Logits, reply: Sequence[int]) -> Logits:
        sampling, barred = self.sampling, list[int]()
        if sampling.no_repeat_ngram_size:
            barred += _ends_of_ngrams(reply, sampling.no_repeat_ngram_size)
        if sampling.no_repeat_phrase and self._repetition is not None:
            barred += self._repetition.barred(reply, sampling.no_repeat_phrase)
        barred = [id for id in barred if id < len(logits)]  # a tokenizer may have more entries than the model
        lost = self._dry.penalties(reply, sampling) if self._dry is not None and sampling.dry_multiplier else {}
        if not barred and not lost and (sampling.repetition_penalty == 1 or not reply):
            return logits
        scores = logits.copy()
        if sampling.repetition_penalty != 1 and reply:
            said = np.unique(np.asarray(reply))
            scores[said] = np.where(
                scores[said] > 0, scores[said] / sampling.repetition_penalty, scores[said] * sampling.repetition_penalty
            )
        for id, penalty in lost.items():
            scores[id] -= penalty
        scores[barred] = -np.inf
        return scores if np.isfinite(scores.max()) else logits  # where all is barred, the rules have nothing to offer

    def _choose(self, scores: Logits) -> int:
        sampling = self.sampling
        if sampling.temperature == 0:
            return int(scores.argmax())
        ids, weights, total = _candidates(scores, sampling)
        keep = len(ids)
        if sampling.top_p < 1:
            keep = min(keep, int(np.searchsorted(weights.cumsum(), sampling.top_p * total)) + 1)
        if sampling.min_p:
            keep = min(keep, int((weights >= sampling.min_p * weights.max()).sum()))
        sums = weights[:keep].cumsum()
        return int(ids[min(int(np.searchsorted(sums, self._random.random() * sums[-1], side="right")), keep - 1)])


def log_probabilities(logits: Logits, id: int, top: int = 0) -> tuple[float, tuple[tuple[int, float], ...]]:
    """The natural log-probability of an id, and the `top` most likely ids with theirs; raises ModelError as `draw`."""
    largest = _largest(logits)
    total = largest + math.log(float(np.exp(logits - largest).sum()))
    best = np.argpartition(-logits, top - 1)[:top] if top else np.empty(0, int)
    ranked = sorted(((int(at), float(logits[at]) - total) for at in best), key=lambda pair: -pair[1])
    return float(logits[id]) - total, tuple(ranked)


def _largest(logits: Logits) -> float:
    largest = float(logits.max())
    if not math.isfinite(largest):  # one NaN makes the maximum NaN
        raise ModelError("the model's logits are NaN or infinite: its weights are damaged. Use another model.")
    return largest


def _candidates(
    scores: Logits, sampling: SamplingConfig
) -> tuple[NDArray[np.intp], NDArray[np.float64], float | np.float64]:
    """The ids that top-k leaves, likeliest first where a later setting asks for that, their weights, and all weight.

    Without top-k only as many as top-p can keep, and sorted no more than needed: a whole sort takes 10 ms.
    """
    size, largest = len(scores), float(scores.max())
    if 0 < sampling.top_k < size:
        ids = _most_likely(scores, sampling.top_k)
        weights = _weights(scores[ids], largest, sampling.temperature)
        return ids, weights, weights.sum()
    if sampling.top_p == 1:
        least = sampling.temperature * math.log(sampling.min_p) if sampling.min_p else -math.inf
        ids = np.flatnonzero((scores > -np.inf) & (scores >= largest + least - 1e-3))
        ids = ids[np.argsort(-scores[ids], kind="stable")] if sampling.min_p else ids
        weights = _weights(scores[ids], largest, sampling.temperature)
        return ids, weights, weights.sum()
    total = np.exp((scores - np.float32(largest)) / np.float32(sampling.temperature)).sum(dtype=np.float64)
    most = LIKELY
    while True:
        ids = _most_likely(scores, most)
        weights = _weights(scores[ids], largest, sampling.temperature)
        if most >= size or weights.sum() >= sampling.top_p * total:
            return ids, weights, total
        most *= 8


def _weights(scores: Logits, largest: float, temperature: float) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = np.exp((scores.astype(np.float64) - largest) / temperature)
    return weights


def _most_likely(scores: Logits, most: int) -> NDArray[np.intp]:
    """The ids of the `most` largest scores, as many as are not barred, likeliest first; the last with its equals."""
    size, candidates = len(scores), scores
    if size >= 2 * BLOCK * most:
        # Each of the `most` largest column maxima is a score of its own, so the least of them bounds the search.
        columns = scores[: size - size % BLOCK].reshape(BLOCK, -1).max(0)
        candidates = scores[scores >= np.partition(columns, -most)[-most]]
    least = np.partition(candidates, -most)[-most] if most < size else -np.inf
    ids = np.flatnonzero((scores >= least) & (scores > -np.inf))
    return ids[np.argsort(-scores[ids], kind="stable")]


def _ends_of_ngrams(reply: Sequence[int], size: int) -> list[int]:
    """The ids that would complete an n-gram of `size` tokens that the reply holds already."""
    last = tuple(reply[len(reply) - size + 1 :])
    return [reply[at + size - 1] for at in range(len(reply) - size + 1) if tuple(reply[at : at + size - 1]) == last]
