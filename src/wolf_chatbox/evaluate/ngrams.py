"""Texts as TF-IDF of their character and word n-grams: what the classifiers of the evaluation look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from wolf_chatbox.evaluate.entries import Study
from wolf_chatbox.evaluate.library import library

Words = Callable[[str], Sequence[str]]
"""What cuts a text into words."""
START, END = "⟨", "⟩"
"""The beginning and the end of a text, in n-grams: ⟨ well is a text that begins with "well"."""
MOST_FEATURES = 50_000


def words_of(study: Study) -> Words:
    """What cuts the texts of a study into words."""
    from wolf_chatbox.evaluate.words import words

    return lambda text: words(text, study.language)


def word_ngrams(text: str, words: Words) -> list[str]:
    """The words of a text, its ends and all pairs of neighbours, in lower case."""
    found = [START, *(word.lower() for word in words(text)), END]
    return [*found[1:-1], *(f"{one} {other}" for one, other in pairwise(found))]


def ngram_features(words: Words, least: int) -> Any:
    """A vectoriser of texts, to be fitted (scikit-learn): word n-grams of 1 and 2, character n-grams of 1 to 4.

    An n-gram that fewer than `least` texts hold is left out. Raises DataError if scikit-learn is not installed.
    """
    text = library("sklearn.feature_extraction.text", "telling texts apart")
    pipeline = library("sklearn.pipeline", "telling texts apart")
    shared = {"min_df": least, "sublinear_tf": True, "max_features": MOST_FEATURES, "lowercase": False}
    whole = text.TfidfVectorizer(analyzer=lambda one: word_ngrams(one, words), **shared)
    # "char_wb" stays within what stands between two spaces: a word in English, a sentence in Japanese.
    parts = text.TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, 4), preprocessor=lambda one: f"{START}{one}{END}", **shared
    )
    return pipeline.FeatureUnion([("words", whole), ("characters", parts)])


def linear_classifier() -> Any:
    """A logistic regression whose classes weigh the same, however many texts each has; the same each time."""
    linear = library("sklearn.linear_model", "telling texts apart")
    return linear.LogisticRegression(C=10, class_weight="balanced", max_iter=500)
