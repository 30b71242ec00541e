"""Diversity: how many different things an entry says, how often it repeats itself, how long its turns are.

Entropy-4, Dist-1, Dist-2 and the mean length are those of DialoGPT's paper (Zhang et al. 2020,
https://arxiv.org/abs/1911.00536; Dist after Li et al. 2016, https://aclanthology.org/N16-1014/): over the n-grams of
all replies together, marks included, in small letters, with natural logarithms. The paper's figures for people (13.1
words, Entropy-4 11, Dist-1 14.5 %, Dist-2 63.0 %) are those of its 6,000 replies from Reddit, which are not here.
Self-BLEU is that of Zhu et al. 2018 (https://arxiv.org/abs/1802.01886): BLEU-4 of each reply against all the others.
It leaves out the orders that a reply is too short for, so that two who both say "Yes." are equal.

Entropy, Dist and Self-BLEU depend on how many replies there are: compare entries of one table only.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from wolf_chatbox.evaluate.entries import Entry, Exchange, Study
from wolf_chatbox.evaluate.library import library
from wolf_chatbox.evaluate.measure import Better, Measure
from wolf_chatbox.evaluate.measures.references import ORDERS, Unit, Words, ngrams
from wolf_chatbox.evaluate.words import named, words

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Ids = np.ndarray[Any, np.dtype[np.int64]]
Parts = Callable[[Entry], Sequence[Any]]
Pairs = tuple[float, float]
"""A numerator and a denominator of one reply."""

EARLIER = 10
"""So many earlier turns of the speaker are looked through for what it says again."""


def measures(study: Study) -> list[Measure]:
    """Length, ends, Dist-1, Dist-2, Entropy-4, Self-BLEU, and what is said again."""

    def shares(pairs: Callable[[Study, Entry], Sequence[Pairs]]) -> Parts:
        return cache(lambda entry: summed(study, pairs(study, entry)) if entry.answers else [])

    def grams(order: int) -> Parts:
        return cache(lambda entry: numbered(study, entry, order) if entry.answers else [])

    again = "The share of groups of four words that stood {} before."
    turns = f"in one of the speaker's last {EARLIER} turns"
    return [
        _measure("mean_length", "Words", "How many words a reply has.", shares(_length), unit=""),
        _measure("length_ratio", "Length", "The words of the replies, as a share of the humans'.", shares(_against)),
        _measure("ends", "Ends by itself", "The share of replies that end by themselves.", shares(_ended), "higher"),
        _measure("dist_1", "Dist-1", "How many of all words are different ones.", grams(1), combine=distinct),
        _measure("dist_2", "Dist-2", "How many of all pairs of words are different ones.", grams(2), combine=distinct),
        _measure(
            "entropy_4",
            "Entropy-4",
            "How evenly the replies use their groups of four words, in nats.",
            grams(4),
            combine=entropy,
            unit="",
        ),
        _measure("self_bleu", "Self-BLEU", "How alike the replies are to each other.", shares(_alike)),
        _measure("same_reply", "Said twice", "The share of replies that are equal to another.", shares(_said_twice)),
        _measure("repeated_within", "Repeats itself", again.format("in the same reply"), shares(_within)),
        _measure("repeated_earlier", "Repeats its turns", again.format(turns), shares(_earlier)),
    ]


def _measure(
    name: str,
    title: str,
    means: str,
    parts: Parts,
    better: Better = "human",
    combine: Callable[[Sequence[Any]], float | None] | None = None,
    unit: Unit = "%",
) -> Measure:
    return Measure(
        name=name,
        title=title,
        group="Diversity",
        means=means,
        better=better,
        parts=parts,
        combine=combine or ratio,
        unit=unit,
        digits=1 if unit else 2,
    )


def details(study: Study) -> dict[str, Any]:
    """How the words were split, and for each entry what it says most often."""
    entries = {}
    for entry in study.entries:
        texts = Counter(answer.text for answer in entry.answers)
        groups = Counter(gram for reply in _replies(study, entry) for gram in ngrams(reply, 4))
        entries[entry.name] = {
            "replies": len(entry.answers),
            "empty": sum(not reply for reply in _replies(study, entry)),
            "most_said": [[text, n] for text, n in texts.most_common(5) if n > 1],
            "most_said_words": [[" ".join(gram), n] for gram, n in groups.most_common(5) if n > 1],
        }
    return {"words": named(study.language), "entries": entries}


def summed(study: Study, pairs: Sequence[Pairs]) -> list[Numbers]:
    """Numerators and denominators, one pair a reply, added up by conversation."""
    return [np.sum(np.array(group, dtype=float), axis=0) for group in study.by_conversation(pairs)]


def ratio(parts: Sequence[Numbers]) -> float | None:
    """What all numerators have of all denominators."""
    above, below = np.sum(parts, axis=0)
    return float(above / below) if below else None


def numbered(study: Study, entry: Entry, order: int) -> list[Ids]:
    """The n-grams of each conversation's replies, as numbers; the same n-gram has the same number."""
    numbers: defaultdict[Words, int] = defaultdict(lambda: len(numbers))
    found = []
    for group in study.by_conversation(_replies(study, entry)):
        ids = [numbers[gram] for reply in group for gram in ngrams(reply, order)]
        found.append(np.array(ids, dtype=np.int64))
    return found


def distinct(parts: Sequence[Ids]) -> float | None:
    """The different n-grams among all n-grams, 0 to 1."""
    ids = np.concatenate(parts)
    return float(np.count_nonzero(np.bincount(ids)) / len(ids)) if len(ids) else None


def entropy(parts: Sequence[Ids]) -> float | None:
    """The entropy of the distribution of the n-grams, in nats."""
    ids = np.concatenate(parts)
    counts = np.bincount(ids)
    counts = counts[counts > 0]
    return float(np.log(len(ids)) - counts @ np.log(counts) / len(ids)) if len(ids) else None


def _replies(study: Study, entry: Entry) -> list[Words]:
    return [words(answer.text, study.language) for answer in entry.answers]


def _length(study: Study, entry: Entry) -> Sequence[Pairs]:
    return [(len(reply), 1) for reply in _replies(study, entry)]


def _against(study: Study, entry: Entry) -> Sequence[Pairs]:
    humans = [len(words(exchange.said.text, study.language)) for exchange in study.exchanges]
    return [(len(reply), human) for reply, human in zip(_replies(study, entry), humans)]


def _ended(study: Study, entry: Entry) -> Sequence[Pairs]:
    return [(answer.ended, 1) for answer in entry.answers]


def _said_twice(study: Study, entry: Entry) -> Sequence[Pairs]:
    replies = _replies(study, entry)
    times = Counter(replies)
    return [(times[reply] > 1, 1) for reply in replies]


def _within(study: Study, entry: Entry) -> Sequence[Pairs]:
    groups = [ngrams(reply, 4) for reply in _replies(study, entry)]
    return [(len(grams) - len(set(grams)), len(grams)) for grams in groups]


def _earlier(study: Study, entry: Entry) -> Sequence[Pairs]:
    pairs = []
    for exchange, reply in zip(study.exchanges, _replies(study, entry)):
        before, grams = _before(study, exchange), ngrams(reply, 4)
        pairs.append((sum(gram in before for gram in grams), len(grams)))
    return pairs


def _before(study: Study, exchange: Exchange) -> set[Words]:
    """The groups of four words in the speaker's last turns before an exchange."""
    own = [turn.text for turn in exchange.scene.turns if turn.speaker == exchange.said.speaker]
    return {gram for text in own[-EARLIER:] for gram in ngrams(words(text, study.language), 4)}


def _alike(study: Study, entry: Entry) -> Sequence[Pairs]:
    """Self-BLEU of each reply, 0 to 1; a reply alone has none.

    A draw of the bootstrap keeps the others that a reply was held against.
    """
    replies = _replies(study, entry)
    if len(replies) < 2:
        return [(0, 0) for _ in replies]
    counts = [Counter(gram for order in range(1, ORDERS + 1) for gram in ngrams(one, order)) for one in replies]
    most: defaultdict[Words, list[int]] = defaultdict(lambda: [0, 0])
    for own in counts:
        for gram, n in own.items():
            most[gram] = sorted([*most[gram], n])[1:]
    lengths = sorted(map(len, replies))
    compute = library("sacrebleu", "Self-BLEU").BLEU.compute_bleu
    pairs = []
    for reply, own in zip(replies, counts):
        correct, total = [0] * ORDERS, [0] * ORDERS
        for gram, n in own.items():
            # The most that any other reply holds: the second most of all, where this one holds the most.
            others = most[gram][0] if most[gram][1] == n else most[gram][1]
            correct[len(gram) - 1] += min(n, others)
            total[len(gram) - 1] += n
        near = _nearest(len(reply), lengths)
        scored = compute(correct, total, len(reply), near, smooth_method="exp", effective_order=True)
        pairs.append((float(scored.score) / 100, 1.0))
    return pairs


def _nearest(length: int, lengths: Sequence[int]) -> int:
    """The length of another reply that is nearest to this one's; the smaller of two."""
    at = bisect_left(lengths, length)
    others = [*lengths[max(0, at - 1) : at], *lengths[at + 1 : at + 2]]
    return min(others, key=lambda other: (abs(other - length), other))
