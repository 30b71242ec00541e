"""MAUVE: how near the replies of an entry, as a whole, are to those of the humans.

After Pillutla et al. 2021 (https://arxiv.org/abs/2102.01454), written from the paper. What a language model makes of
each reply (evaluate/features.py) is sorted into groups, and the histograms of both sides over these groups are compared
by what is lost when either is taken for a mixture of both. 1: as if one had said both. The histograms are smoothed by
half a reply a group (Pillutla et al. 2023, https://arxiv.org/abs/2212.14578).

A few hundred replies tell the entries of one table apart; the figures of papers come from 5,000 long texts and GPT-2
large, and are others. Of 200 lines of one character, 200 others of the same one get 97 %, those of another character
76 %, the same words in any order 16 %, and two phrases in turn 1 % (Rick and Morty, features of SmolLM2-135M).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from wolf_chatbox.evaluate.entries import Entry, Study
from wolf_chatbox.evaluate.library import library
from wolf_chatbox.evaluate.measure import Measure

Features = np.ndarray[Any, np.dtype[np.float32]]
"""One row a text, shape (texts, size)."""
Groups = np.ndarray[Any, np.dtype[np.int64]]
Counts = np.ndarray[Any, np.dtype[np.float64]]
"""How many replies of either side are in each group, shape (2, clusterings, groups): the humans' first."""

SCALE = 5
"""The paper's c."""
PER_GROUP = 10
"""Replies of one side for each group."""
KEPT = 0.9
"""The share of the variance that is kept of the features."""
CLUSTERINGS = 5
"""Groups depend on where k-means begins; the figure is the mean of so many."""
MIXTURES = np.linspace(0, 1, 101)
SMOOTHING = 0.5
HALVES = 5
"""So many times the conversations are divided in two, for what people get of each other."""


def measures(study: Study, features: Mapping[str, Features]) -> list[Measure]:
    """MAUVE of each entry against the humans; `features` has the rows of its replies, by the entry's name.

    The interval is that of the replies: the groups of a draw are those of all replies. The humans have no figure;
    `details` has what they get of each other.
    """

    @cache
    def parts(entry: Entry) -> Sequence[Counts]:
        if entry.kind == "humans" or not len(features.get(entry.name, ())):
            return []
        groups = np.stack(grouped(features[study.humans.name], features[entry.name], study.seed), axis=1)
        count = int(groups.max()) + 1
        return [histograms(np.stack(group, axis=-1), count) for group in study.by_conversation(list(groups.T))]

    return [
        Measure(
            name="mauve",
            title="MAUVE",
            group="Against the real replies",
            means="How near the replies as a whole are to the humans' as a whole; 100 % is as if people had said them.",
            better="higher",
            parts=parts,
            combine=lambda parts: area(np.sum(parts, axis=0)),
            unit="%",
            digits=1,
        )
    ]


def details(study: Study, features: Mapping[str, Features]) -> dict[str, Any]:
    """For each entry its curve, and what half of its replies gets of the humans' in the other half.

    The halves are halves of the conversations. Theirs is a figure that the humans have too: it is what a perfect entry
    would get.
    """
    entries = {}
    for entry in study.entries:
        rows = features.get(entry.name)
        if rows is None or not len(rows):
            continue
        humans = features[study.humans.name]
        found: dict[str, Any] = {"halves": _halves(study, humans, rows)}
        if entry.kind != "humans":
            groups = grouped(humans, rows, study.seed)
            shares = smoothed(histograms(np.stack(groups), int(max(one.max() for one in groups)) + 1))
            found["curve"] = frontier(*shares).mean(axis=2).T.round(4).tolist()
        entries[entry.name] = found
    return {"entries": entries}


def mauve(humans: Features, replies: Features, seed: int) -> float:
    """MAUVE of two sets of texts, 0 to 1, from their features, shapes (n, size) and (m, size); neither is empty.

    Raises DataError when scikit-learn is not installed.
    """
    one, other = grouped(humans, replies, seed)
    count = int(max(one.max(), other.max())) + 1
    return area(np.concatenate([histograms(one[None], count), histograms(other[None], count)]))


def grouped(humans: Features, replies: Features, seed: int) -> tuple[Groups, Groups]:
    """The number of each text's group, for both sides and each clustering, shapes (clusterings, texts).

    The rows of both sides are scaled to length 1, turned into their principal components, and clustered by k-means.
    """
    rows = np.concatenate([humans, replies]).astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    groups = max(2, round(min(len(humans), len(replies)) / PER_GROUP))
    groups = min(groups, len(np.unique(rows.round(4), axis=0)))
    if groups == 1:
        found = np.zeros((CLUSTERINGS, len(rows)), dtype=np.int64)
    else:
        decomposition = library("sklearn.decomposition", "MAUVE").PCA(KEPT, svd_solver="full")
        components = decomposition.fit_transform(rows)
        means = library("sklearn.cluster", "MAUVE").KMeans
        found = np.stack(
            [means(groups, n_init=1, random_state=seed + at).fit(components).labels_ for at in range(CLUSTERINGS)]
        )
    return found[:, : len(humans)], found[:, len(humans) :]


def histograms(groups: Groups, count: int) -> Counts:
    """How many texts each group has, from shape (..., texts) to shape (..., count)."""
    return np.stack([np.count_nonzero(groups == at, axis=-1) for at in range(count)], axis=-1).astype(np.float64)


def smoothed(counts: Counts) -> Counts:
    """Shares from counts, with half a text more in each group."""
    raised: Counts = counts + SMOOTHING
    shares: Counts = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def area(counts: Counts) -> float:
    """The mean area under the curves of two sides' counts, shape (2, clusterings, groups)."""
    return float(under(*smoothed(counts)).mean())


def frontier(one: Counts, other: Counts) -> Counts:
    """The divergence curve of two distributions, each of shape (..., groups): points of shape (2, mixtures, ...).

    For each mixture of both: exp(-c KL(other | mixture)), exp(-c KL(one | mixture)); from (1, …) to (…, 1).
    """
    weights = MIXTURES.reshape(-1, *[1] * one.ndim)
    logs = np.log(np.maximum(weights * one + (1 - weights) * other, 1e-300))
    return np.stack([np.exp(-SCALE * (_information(side) - (side * logs).sum(axis=-1))) for side in (other, one)])


def under(one: Counts, other: Counts) -> Counts:
    """The area under the curve; 1 where both are equal."""
    across, up = frontier(one, other)
    curved: Counts = -np.trapezoid(up, across, axis=0)
    curved += across[-1]
    return curved


def _information(side: Counts) -> Counts:
    summed: Counts = (side * np.log(np.maximum(side, 1e-300))).sum(axis=-1)
    return summed


def _halves(study: Study, humans: Features, rows: Features) -> float | None:
    """The mean MAUVE of the humans' replies in half of the conversations, and an entry's in the other half."""
    places = study.by_conversation(range(len(study.exchanges)))
    if len(places) < 2:
        return None
    found = []
    for order in np.random.default_rng(study.seed).permuted(np.tile(np.arange(len(places)), (HALVES, 1)), axis=1):
        first, second = np.array_split(order, 2)
        ours, theirs = ([at for place in half for at in places[place]] for half in (first, second))
        found.append(mauve(humans[ours], rows[theirs], study.seed))
    return float(np.mean(found))
