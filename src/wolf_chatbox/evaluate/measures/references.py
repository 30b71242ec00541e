"""Replies against what people really said there: BLEU, NIST and METEOR, as DialoGPT's paper reports them.

BLEU (Papineni et al. 2002, https://aclanthology.org/P02-1040/) comes from sacrebleu, METEOR (Banerjee & Lavie 2005,
https://aclanthology.org/W05-0909/) from NLTK. NIST is computed from its paper (Doddington 2002,
https://dl.acm.org/doi/10.5555/1289189.1289273), as NIST's own script does: with several references their n-grams count
together, where NLTK takes the best reference of each order. With one reference both are the same.

DialoGPT's paper (Zhang et al. 2020, https://arxiv.org/abs/1911.00536) took METEOR from the Java program, version 1.5,
which weighs content words and knows paraphrases: its METEOR and this one are not to be compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Literal

import numpy as np

from wolf_chatbox.evaluate.entries import Entry, Exchange, Study
from wolf_chatbox.evaluate.library import library
from wolf_chatbox.evaluate.measure import Measure
from wolf_chatbox.evaluate.words import named, words

Words = tuple[str, ...]
Unit = Literal["", "%"]
Weights = Mapping[Words, float]
Numbers = np.ndarray[Any, np.dtype[np.float64]]

ORDERS = 4
STEMMERS = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
}
"""What NLTK's Snowball stemmers call the languages; English has Porter's."""

# Where the counts of a conversation stand in its part.
CORRECT = slice(0, ORDERS)
TOTAL = slice(ORDERS, 2 * ORDERS)
INFORMATION = slice(2 * ORDERS, 3 * ORDERS)
LENGTH, CLOSEST, MEAN, METEOR, REPLIES = range(3 * ORDERS, 3 * ORDERS + 5)


def measures(study: Study) -> list[Measure]:
    """BLEU-2, BLEU-4, NIST-2, NIST-4 and METEOR.

    Any entry is held against what was said and the other references; the humans against the other references alone.
    """
    parts = cache(lambda entry: statistics(study, entry))
    stems, synonyms = _stemmer(study.language) is not None, _wordnet(study.language) is not None
    matched = "the same word" + ", one of the same stem" * stems + ", a synonym" * synonyms

    def measure(title: str, means: str, combine: Callable[[Sequence[Any]], float | None], unit: Unit = "%") -> Measure:
        return Measure(
            name=title.lower().replace("-", "_"),
            title=title,
            group="Against the real replies",
            means=means,
            better="higher",
            parts=parts,
            combine=combine,
            unit=unit,
        )

    shared = "The share of word groups, one to {} words long, that a real reply to the same turns has too."
    rare = (
        "The bits of information in the word groups, one to {} words long, that a real reply has too: rare ones count."
    )
    order = f"How far the words of a reply are those of a real one, and in the same order ({matched})."
    return [
        measure("BLEU-2", shared.format("two"), partial(bleu, order=2)),
        measure("BLEU-4", shared.format("four"), partial(bleu, order=4)),
        measure("NIST-2", rare.format("two"), partial(nist, order=2), ""),
        measure("NIST-4", rare.format("four"), partial(nist, order=4), ""),
        measure("METEOR", order, meteor),
    ]


def details(study: Study) -> dict[str, Any]:
    """How the words were split, what METEOR matches, and BLEU's parts for each entry."""
    entries = {}
    for entry in study.entries:
        if not (parts := statistics(study, entry)):
            continue
        whole = np.sum(parts, axis=0)
        entries[entry.name] = {
            "replies": int(whole[REPLIES]),
            "precisions": [float(hit / all_) if all_ else None for hit, all_ in zip(whole[CORRECT], whole[TOTAL])],
            "words": int(whole[LENGTH]),
            "words_of_references": int(whole[CLOSEST]),
        }
    return {
        "words": named(study.language),
        "references_per_exchange": float(np.mean([1 + len(one.references) for one in study.exchanges])),
        "meteor_stems": _stemmer(study.language) is not None,
        "meteor_synonyms": _wordnet(study.language) is not None,
        "entries": entries,
    }


def statistics(study: Study, entry: Entry) -> list[Numbers]:
    """What the scores are made of, one array a conversation, which add up; empty where there are no references.

    Raises DataError when a library is not installed.
    """
    pairs = [
        (words(answer.text, study.language), _references(study, entry, exchange))
        for exchange, answer in zip(study.exchanges, entry.answers)
    ]
    if not any(references for _, references in pairs):
        return []
    weights = information([reference for one in study.exchanges for reference in _all_references(study, one)])
    aligned = _aligned(study.language)
    found = []
    for group in study.by_conversation(pairs):
        told = [pair for pair in group if pair[1]]
        found.append(_counts(told, weights, aligned) if told else np.zeros(REPLIES + 1))
    return found


def _all_references(study: Study, exchange: Exchange) -> list[Words]:
    return [words(text, study.language) for text in (exchange.said.text, *exchange.references)]


def _references(study: Study, entry: Entry, exchange: Exchange) -> list[Words]:
    return _all_references(study, exchange)[1 if entry.kind == "humans" else 0 :]


def _counts(
    pairs: Sequence[tuple[Words, list[Words]]], weights: Weights, aligned: Callable[[list[Words], Words], float]
) -> Numbers:
    """The part of one conversation: its replies, each with its references."""
    counts = np.zeros(REPLIES + 1)
    most = max(len(references) for _, references in pairs)
    streams = [[" ".join(own[at]) if at < len(own) else None for _, own in pairs] for at in range(most)]
    compared = library("sacrebleu", "BLEU").BLEU(tokenize="none", force=True)
    scored = compared.corpus_score([" ".join(reply) for reply, _ in pairs], streams)
    counts[CORRECT], counts[TOTAL] = scored.counts, scored.totals
    counts[LENGTH], counts[CLOSEST], counts[REPLIES] = scored.sys_len, scored.ref_len, len(pairs)
    for reply, references in pairs:
        counts[MEAN] += np.mean([len(reference) for reference in references])
        counts[METEOR] += aligned(references, reply)
        counts[INFORMATION] += _informed(reply, references, weights)
    return counts


def bleu(parts: Sequence[Numbers], order: int) -> float | None:
    """BLEU of all replies together, 0 to 1, with the smoothing of NIST's script ("exp")."""
    whole = np.sum(parts, axis=0)
    if not whole[REPLIES]:
        return None
    correct, total = whole[CORRECT][:order].astype(int).tolist(), whole[TOTAL][:order].astype(int).tolist()
    scored = library("sacrebleu", "BLEU").BLEU.compute_bleu(
        correct, total, int(whole[LENGTH]), int(whole[CLOSEST]), smooth_method="exp", max_ngram_order=order
    )
    return float(scored.score) / 100


def nist(parts: Sequence[Numbers], order: int) -> float | None:
    """NIST of all replies together: bits of information in the matched n-grams, per n-gram, summed over the orders.

    A draw of the bootstrap keeps the information that the n-grams have in all references.
    """
    whole = np.sum(parts, axis=0)
    if not whole[REPLIES]:
        return None
    informed = sum(bits / all_ for bits, all_ in zip(whole[INFORMATION][:order], whole[TOTAL][:order]) if all_)
    ratio = min(whole[LENGTH] / whole[MEAN], 1.0) if whole[MEAN] else 1.0
    # Half of the score is left where the replies are two thirds as long as the references.
    penalty = math.exp(math.log(0.5) / math.log(1.5) ** 2 * math.log(ratio) ** 2) if ratio else 0.0
    return float(informed * penalty)


def meteor(parts: Sequence[Numbers]) -> float | None:
    """The mean METEOR of the replies, 0 to 1, each with the reference that fits best."""
    whole = np.sum(parts, axis=0)
    return float(whole[METEOR] / whole[REPLIES]) if whole[REPLIES] else None


def ngrams(sequence: Words, order: int) -> list[Words]:
    """Each run of `order` words, from the first to the last."""
    return [sequence[at : at + order] for at in range(len(sequence) - order + 1)]


def information(references: Sequence[Words]) -> Weights:
    """The bits of each n-gram: how much rarer it is in the references than its beginning (Doddington 2002)."""
    counts = Counter(gram for one in references for order in range(1, ORDERS + 1) for gram in ngrams(one, order))
    total = sum(len(one) for one in references)
    return {gram: math.log2((counts[gram[:-1]] if len(gram) > 1 else total) / n) for gram, n in counts.items()}


def _informed(reply: Words, references: Sequence[Words], weights: Weights) -> list[float]:
    """The bits of the n-grams that a reply shares with its references, by order."""
    found = []
    for order in range(1, ORDERS + 1):
        allowed: Counter[Words] = Counter()
        for reference in references:
            allowed |= Counter(ngrams(reference, order))
        shared = Counter(ngrams(reply, order)) & allowed
        found.append(math.fsum(weights[gram] * n for gram, n in shared.items()))
    return found


def _aligned(language: str) -> Callable[[list[Words], Words], float]:
    """METEOR of one reply against its references."""
    score = library("nltk.translate.meteor_score", "METEOR").meteor_score
    stemmer, wordnet = _stemmer(language) or _Same(), _wordnet(language) or _Same()
    return lambda references, reply: float(score(references, reply, stemmer=stemmer, wordnet=wordnet))


def _stemmer(language: str) -> Any:
    if language == "en":
        return library("nltk.stem", "METEOR").PorterStemmer()
    return library("nltk.stem", "METEOR").SnowballStemmer(STEMMERS[language]) if language in STEMMERS else None


def _wordnet(language: str) -> Any:
    """NLTK's WordNet, where its data lie on this machine; they are never fetched."""
    if language != "en":
        return None
    wordnet = library("nltk.corpus", "METEOR").wordnet
    try:
        wordnet.ensure_loaded()
    except LookupError:
        return None
    return wordnet


class _Same:
    """A stemmer that leaves words as they are, and a WordNet without synonyms."""

    def stem(self, word: str) -> str:
        return word

    def synsets(self, word: str) -> tuple[()]:
        return ()
