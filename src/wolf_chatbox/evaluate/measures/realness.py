"""Realness: can a classifier tell the replies from what people really said there? The best of fakes cannot be told.

After the classifier two-sample test: Lopez-Paz & Oquab 2017, "Revisiting classifier two-sample tests"
(https://arxiv.org/abs/1610.06545).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from wolf_chatbox.evaluate.entries import Entry, Study
from wolf_chatbox.evaluate.library import library
from wolf_chatbox.evaluate.measure import Measure
from wolf_chatbox.evaluate.ngrams import Words, linear_classifier, ngram_features, word_ngrams, words_of

FOLDS = 5
SHOWN = 10
"""N-grams that are shown of each side."""

Array = np.ndarray[Any, Any]


class Scores(NamedTuple):
    """How much like a generated text the replies of one conversation look, and the real ones there."""

    generated: Array
    real: Array


def measures(study: Study) -> list[Measure]:
    """The area under the curve of a classifier of real and generated replies, cross-validated by conversation."""
    return [
        Measure(
            name="real_or_generated",
            title="Real or generated, AUC",
            group="Persona",
            means="How often a classifier finds out which of two replies, one real and one generated, is the latter; "
            "0.5 is guessing.",
            better="human",
            parts=lambda entry: scores(study, entry),
            combine=area,
        )
    ]


def area(parts: Sequence[Scores]) -> float | None:
    """The area under the ROC curve: how often a generated text scores above a real one, ties by half.

    Computed as the statistic of Mann & Whitney (Hanley & McNeil 1982).
    """
    generated = np.concatenate([part.generated for part in parts])
    real = np.sort(np.concatenate([part.real for part in parts]))
    if not len(generated) or not len(real):
        return None
    below, upto = np.searchsorted(real, generated, "left"), np.searchsorted(real, generated, "right")
    return float((below + upto).mean() / (2 * len(real)))


@lru_cache(maxsize=64)
def scores(study: Study, entry: Entry) -> list[Scores]:
    """The scores of each conversation, by a classifier that learnt from the others; none where there is one reply."""
    if len(entry.answers) < 2:
        return []
    generated, real = texts_of(study, entry)
    if entry.kind == "humans":  # they are told from themselves by nothing
        found = np.zeros(2 * len(real))
    else:
        # A single conversation is divided: what both sides say to the same turn still stays together.
        groups = [exchange.conversation for exchange in study.exchanges]
        if len(set(groups)) < 2:
            groups = list(range(len(groups)))
        found = out_of_fold([*generated, *real], np.array([*groups, *groups]), words_of(study))
    pairs = list(zip(found[: len(real)], found[len(real) :]))
    return [Scores(*map(np.array, zip(*group))) for group in study.by_conversation(pairs)]


def texts_of(study: Study, entry: Entry) -> tuple[list[str], list[str]]:
    """The replies of an entry, and the real ones to the same turns."""
    return [answer.text for answer in entry.answers], [exchange.said.text for exchange in study.exchanges]


def out_of_fold(texts: Sequence[str], groups: Array, words: Words) -> Array:
    """How probably generated each text is, by a classifier that saw none of its group; the first half is generated."""
    selection = library("sklearn.model_selection", "telling texts apart")
    label = np.arange(len(texts)) < len(texts) // 2
    found = np.zeros(len(texts))
    for learnt, asked in selection.GroupKFold(min(FOLDS, len(set(groups.tolist())))).split(texts, label, groups):
        features = ngram_features(words, least=1)
        model = linear_classifier().fit(features.fit_transform([texts[at] for at in learnt]), label[learnt])
        found[asked] = model.decision_function(features.transform([texts[at] for at in asked]))
    return found


def details(study: Study) -> dict[str, Any]:
    """For each run and the base model: the words that its replies have too often, and too seldom."""
    return {
        entry.name: give_away(*texts_of(study, entry), words_of(study))
        for entry in study.entries
        if entry.kind != "humans" and entry.answers
    }


def give_away(generated: Sequence[str], real: Sequence[str], words: Words) -> dict[str, list[dict[str, Any]]]:
    """The n-grams of one or two words that tell most, with the number of texts of each side that hold them.

    What tells most is found by the signed square root of the log-likelihood ratio (Dunning 1993, "Accurate methods for
    the statistics of surprise and coincidence"): it weighs how much an n-gram tells and how often it does.
    """
    counts: dict[str, list[int]] = {}
    for side, texts in enumerate((generated, real)):
        for text in texts:
            for ngram in set(word_ngrams(text, words)):
                counts.setdefault(ngram, [0, 0])[side] += 1
    sizes = len(generated), len(real)
    told = sorted(
        ((surprise(held[0], held[1], *sizes), ngram) for ngram, held in counts.items()),
        key=lambda one: (-one[0], one[1]),
    )

    def show(found: Sequence[tuple[float, str]]) -> list[dict[str, Any]]:
        return [{"words": ngram, "generated": counts[ngram][0], "real": counts[ngram][1]} for _, ngram in found]

    too_often = [one for one in told[:SHOWN] if one[0] > 0]
    too_seldom = [one for one in told[::-1][:SHOWN] if one[0] < 0]
    return {"too_often": show(too_often), "too_seldom": show(too_seldom)}


def surprise(one: int, other: int, size: int, other_size: int) -> float:
    """The signed root of Dunning's log-likelihood ratio of `one` in `size` against `other` in `other_size`."""

    def likelihood(held: int, of: int, rate: float) -> float:
        missing = of - held
        return float((held * np.log(rate) if held else 0) + (missing * np.log(1 - rate) if missing else 0))

    together = (one + other) / (size + other_size)
    ratio = sum(
        likelihood(held, of, held / of) - likelihood(held, of, together)
        for held, of in ((one, size), (other, other_size))
    )
    return float(np.sqrt(max(0.0, 2 * ratio))) * (1 if one * other_size > other * size else -1)
