"""The sampler does what transformers' processors do, in their order; and a seed gives the same tokens again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines.sampling import Sampler, _candidates, _most_likely, log_probabilities

PLAIN = SamplingConfig(no_repeat_phrase=0, top_k=0, top_p=1.0, temperature=1.0)


def probabilities_of(logits: Any, reply: list[int], sampling: SamplingConfig) -> Any:
    """What transformers would draw from: (vocabulary,) in fp64."""
    warpers = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)])
    if sampling.no_repeat_ngram_size:
        warpers.append(NoRepeatNGramLogitsProcessor(sampling.no_repeat_ngram_size))
    warpers.append(TemperatureLogitsWarper(sampling.temperature))
    if sampling.top_k:
        warpers.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        warpers.append(TopPLogitsWarper(sampling.top_p))
    if sampling.min_p:
        warpers.append(MinPLogitsWarper(sampling.min_p))
    scores = warpers(torch.tensor([reply], dtype=torch.long), torch.tensor(logits, dtype=torch.float64)[None])
    return scores.softmax(-1)[0].numpy()


class Dial:
    """Random numbers that are what the test says, instead of drawn."""

    def __init__(self, value: float) -> None:
        self.value = value

    def random(self) -> float:
        return self.value


def ours(logits: Any, reply: list[int], sampling: SamplingConfig, values: Any) -> list[int]:
    sampler = Sampler(sampling)
    drawn = []
    for value in values:
        sampler._random = Dial(value)  # type: ignore[assignment]
        drawn.append(sampler.draw(logits, reply).id)
    return drawn


SETTINGS = st.builds(
    lambda **given: PLAIN.changed(**given),
    top_k=st.sampled_from([0, 1, 3, 50]),
    top_p=st.sampled_from([0.1, 0.5, 0.9, 1.0]),
    min_p=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    temperature=st.sampled_from([0.3, 1.0, 2.0]),
    repetition_penalty=st.sampled_from([1.0, 1.3, 0.7]),
    no_repeat_ngram_size=st.sampled_from([0, 1, 2, 3]),
)


@pytest.mark.slow
@settings(max_examples=150)
@given(SETTINGS, st.integers(2, 300), st.integers(0, 10**6), st.booleans(), st.data())
def test_what_is_drawn_has_the_probabilities_of_transformers(
    sampling: SamplingConfig, size: int, seed: int, some_are_impossible: bool, data: st.DataObject
) -> None:
    random = np.random.default_rng(seed)
    logits = random.normal(0, 3, size).astype(np.float32)
    if some_are_impossible:
        logits[random.random(size) < 0.3] = -np.inf
        logits[0] = 1.0
    reply = data.draw(st.lists(st.integers(1, size - 1), max_size=12))
    if sampling.no_repeat_ngram_size == 1 and len(set(reply)) > size // 2:
        reply = reply[: size // 4]
    expected = probabilities_of(logits, reply, sampling)
    count = 2000
    drawn = ours(logits, reply, sampling, (np.arange(count) + 0.5) / count)
    shares = np.bincount(drawn, minlength=size) / count
    assert np.abs(shares - expected).max() <= 1.5 / count
    assert all(expected[id] > 0 for id in drawn)


@settings(max_examples=60)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40), SETTINGS)
def test_among_equal_scores_nothing_is_drawn_that_transformers_would_not_draw(
    scores: list[int], sampling: SamplingConfig
) -> None:
    """Which of equal ones top-p keeps is open; their probabilities are not."""
    logits = np.array(scores, np.float32)
    expected = probabilities_of(logits, [], sampling)
    drawn = ours(logits, [], sampling, (np.arange(500) + 0.5) / 500)
    for value in set(scores):
        share = sum(scores[id] == value for id in drawn) / 500
        assert abs(share - expected[logits == value].sum()) <= 0.01


@given(st.lists(st.sampled_from([-np.inf, -2.0, 0.0, 1.0, 5.0]), min_size=1, max_size=3000), st.integers(1, 60))
def test_the_most_likely_are_those_of_a_sort(scores: list[float], most: int) -> None:
    logits = np.array(scores, np.float32)
    got = _most_likely(logits, most)
    kept = sorted(scores, reverse=True)[:most]
    assert sorted((scores[id] for id in got), reverse=True)[: len(kept)] == [x for x in kept if x > -np.inf] or not len(
        got
    )
    assert all(scores[id] > -np.inf for id in got)
    assert len(got) == sum(x > -np.inf and x >= kept[-1] for x in scores)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("top_p", [0.3, 0.95, 0.9999])
def test_a_nucleus_of_a_large_vocabulary_is_found(top_p: float, flat: bool) -> None:
    logits = np.random.default_rng(0).normal(0, 0.01 if flat else 3, 50_000).astype(np.float32)
    sampling = PLAIN.changed(top_p=top_p)
    ids, weights, total = _candidates(logits, sampling)
    expected = np.flatnonzero(probabilities_of(logits, [], sampling))
    keep = int(np.searchsorted(weights.cumsum(), top_p * total)) + 1
    assert abs(keep - len(expected)) <= 1 + len(expected) // 1000
    assert len(set(ids[:keep]) ^ set(expected)) <= 2 + len(expected) // 500


def test_greedy_takes_the_likeliest_and_a_seed_gives_the_same_again() -> None:
    logits = np.random.default_rng(0).normal(0, 3, 1000).astype(np.float32)
    assert Sampler(PLAIN.changed(temperature=0.0)).draw(logits, []).id == logits.argmax()
    one, same, other = ([Sampler(PLAIN, seed).draw(logits, []).id] for seed in (1, 1, 2))
    draws = [[sampler.draw(logits, []).id for _ in range(20)] for sampler in (Sampler(PLAIN, 1), Sampler(PLAIN, 1))]
    assert one == same
    assert draws[0] == draws[1]
    assert len(set(draws[0])) > 1
    assert other


def test_logits_are_not_changed_and_where_all_is_barred_nothing_is() -> None:
    logits = np.array([1.0, 2.0], np.float32)
    sampling = PLAIN.changed(no_repeat_ngram_size=1, repetition_penalty=1.5, temperature=0.0)
    assert Sampler(sampling).draw(logits, [0, 1]).id == 1
    assert logits.tolist() == [1.0, 2.0]


@given(st.lists(st.floats(-20, 20, width=32), min_size=3, max_size=50))
def test_log_probabilities_are_the_softmax(scores: list[float]) -> None:
    logits = np.array(scores, np.float32)
    expected = torch.tensor(logits).log_softmax(-1)
    own, top = log_probabilities(logits, 1, 3)
    assert own == pytest.approx(float(expected[1]), abs=1e-4)
    assert [value for _, value in top] == pytest.approx(expected.sort(descending=True).values[:3].tolist(), abs=1e-4)
    with pytest.raises(ModelError, match="NaN"):
        log_probabilities(np.full(3, np.nan, np.float32), 1)
