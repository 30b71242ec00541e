"""Persona: does a reply sound like its speaker? A classifier that learnt the real lines is asked who says it.

It hears the text alone, with the speakers' names masked: whom a line names tells who is there, and a model reads that
in its prompt. One short line is often anybody's, so the classifier is also asked about five lines together.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from wolf_chatbox.evaluate.entries import Entry, Study
from wolf_chatbox.evaluate.measure import Measure, share
from wolf_chatbox.evaluate.ngrams import Words, linear_classifier, ngram_features, words_of
from wolf_chatbox.samples.styles import SYSTEM

MOST_SPEAKERS = 10
LEAST_LINES = 20
"""A speaker with fewer lines in the training split is not learnt."""
MOST_LINES = 1000
"""Lines of one speaker that are learnt, at most; a sample of them."""
TOGETHER = 5
"""Lines of one speaker that are told together."""
NAME = "▯"
"""What stands for a speaker's name."""


@dataclass(frozen=True, eq=False)
class Teller:
    """Tells which of its speakers says a line."""

    speakers: tuple[str, ...]
    lines: dict[str, int]
    """How many lines of each it learnt."""
    names: re.Pattern[str] | None
    features: Any
    model: Any

    def likelihoods(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """The log-probability of each speaker for each text, shape (texts, speakers); nobody says an empty text."""
        if not texts:
            return np.zeros((0, len(self.speakers)))
        found = self.model.predict_log_proba(self.features.transform([masked(text, self.names) for text in texts]))
        found[[not text.strip() for text in texts]] = -np.inf
        return np.asarray(found)

    def tell(self, texts: Sequence[str]) -> list[str | None]:
        """Who most probably says each text; None where it is empty."""
        return [self.best(row) for row in self.likelihoods(texts)]

    def best(self, likelihoods: np.ndarray[Any, Any]) -> str | None:
        """The speaker with the greatest of these, shape (speakers,); None if all are impossible."""
        return self.speakers[int(likelihoods.argmax())] if np.isfinite(likelihoods).any() else None


def names_of(speakers: Iterable[str], texts: Iterable[str]) -> re.Pattern[str] | None:
    """What finds these names in a text, in the case that they are written in, and each word of a name.

    A word of a name that the texts also hold in small letters is a common word, such as The.
    """
    common = {word for text in texts for word in text.split()}
    names = set(speakers)
    words = names | {part for name in names for part in name.split() if part.lower() not in common}
    words = {word for word in words if len(word) > 1}
    if not words:
        return None
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    # Where a script writes no spaces, such as Japanese, a name has no borders.
    forms = [rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in longest_first]
    return re.compile("|".join(forms))


def masked(text: str, names: re.Pattern[str] | None) -> str:
    return names.sub(NAME, text) if names else text


def learn_to_tell(lines: Sequence[tuple[str, str]], always: str | None, words: Words, seed: int) -> Teller | None:
    """A classifier of (speaker, line); None where fewer than two speakers, or not the one of `always`, have enough.

    It knows the most frequent speakers, at most MOST_SPEAKERS, and `always` among them. All weigh the same.
    """
    counts = Counter(speaker for speaker, text in lines if speaker != SYSTEM and text.strip())
    enough = [speaker for speaker, count in counts.most_common() if count >= LEAST_LINES]
    # A stable sort: the rest stay in the order of their frequency.
    frequent = sorted(enough, key=lambda speaker: speaker != always)[:MOST_SPEAKERS]
    if len(frequent) < 2 or always not in (None, *frequent):
        return None
    names = names_of((speaker for speaker, _ in lines), (text for _, text in lines))
    drawing, chosen = random.Random(seed), list[tuple[str, str]]()
    for speaker in frequent:
        own = [text for said, text in lines if said == speaker and text.strip()]
        own = drawing.sample(own, MOST_LINES) if len(own) > MOST_LINES else own
        chosen += [(speaker, masked(text, names)) for text in own]
    features = ngram_features(words, least=2)
    learnt = features.fit_transform([text for _, text in chosen])
    model = linear_classifier().fit(learnt, [speaker for speaker, _ in chosen])
    known = Counter(speaker for speaker, _ in chosen)
    return Teller(tuple(map(str, model.classes_)), dict(known), names, features, model)


@lru_cache(maxsize=1)
def teller_of(study: Study) -> Teller | None:
    """The classifier that learnt the training split of a study."""
    lines = [(turn.speaker, turn.text) for conversation in study.training for turn in conversation.turns]
    return learn_to_tell(lines, study.persona, words_of(study), study.seed)


def measures(study: Study) -> list[Measure]:
    """The share of the replies that are told as the right character, of one and of five; none without a classifier."""
    teller = teller_of(study)
    if teller is None:
        return []
    expected = [exchange.said.speaker for exchange in study.exchanges]
    # One row a conversation: right and asked, of the replies; right and asked, of about five replies together.
    rows = {entry: count_right(study, teller, expected, entry) for entry in study.entries}
    chance = f"by chance {1 / len(teller.speakers):.0%}".replace("%", " %")

    def make(name: str, title: str, means: str, at: int) -> list[Measure]:
        shared: dict[str, Any] = {"group": "Persona", "better": "human", "unit": "%", "digits": 1}
        right = Measure(
            name=name,
            title=title,
            means=f"{means} ({chance}); the humans' figure is the ceiling.",
            parts=lambda entry: [row[at : at + 2] for row in rows[entry]],
            combine=share,
            **shared,
        )
        of_ceiling = Measure(
            name=f"{name}_of_ceiling",
            title=f"{title}, of the ceiling",
            means=f"The same as a share of the humans' figure: {means[0].lower()}{means[1:]}.",
            parts=lambda entry: [
                own[at : at + 2] + real[at : at + 2] for own, real in zip(rows[entry], rows[study.humans])
            ],
            combine=of_the_ceiling,
            **shared,
        )
        return [right, of_ceiling]

    return [
        *make("right_character", "Right character", "How many replies a classifier tells as the right character's", 0),
        *make(
            "right_character_5",
            f"Right character, {TOGETHER} replies",
            f"The same for about {TOGETHER} replies of the character taken together",
            2,
        ),
    ]


def of_the_ceiling(parts: Sequence[tuple[int, int, int, int]]) -> float | None:
    """The share of right ones among the entry's replies, by that among the humans'."""
    own, real = share([part[:2] for part in parts]), share([part[2:] for part in parts])
    return own / real if own is not None and real else None


def count_right(study: Study, teller: Teller, expected: Sequence[str], entry: Entry) -> list[tuple[int, int, int, int]]:
    """For each conversation: replies told right, and asked about; the same for about five replies together."""
    likelihoods = teller.likelihoods([answer.text for answer in entry.answers])
    rows = []
    for group in study.by_conversation(list(zip(expected, likelihoods))):
        right, asked, right_5, asked_5 = 0, 0, 0, 0
        for speaker in dict.fromkeys(name for name, _ in group if name in teller.speakers):
            own = [row for name, row in group if name == speaker]
            pieces = about(TOGETHER, own)
            right += sum(teller.best(row) == speaker for row in own)
            asked += len(own)
            right_5 += sum(teller.best(sum_of(piece)) == speaker for piece in pieces)
            asked_5 += len(pieces)
        rows.append((right, asked, right_5, asked_5))
    return rows


def sum_of(likelihoods: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The log-likelihood of some lines together, shape (speakers,); empty lines say nothing, unless all are empty."""
    said = [row for row in likelihoods if np.isfinite(row).any()]
    return np.sum(said, axis=0) if said else likelihoods[0]


def about(size: int, values: Sequence[Any]) -> list[Sequence[Any]]:
    """The values in pieces of equal length, as near to `size` as may be; none where there are fewer than half of it."""
    if 2 * len(values) <= size:
        return []
    pieces = max(1, round(len(values) / size))
    ends = [len(values) * number // pieces for number in range(pieces + 1)]
    return [values[start:end] for start, end in pairwise(ends)]


def details(study: Study) -> dict[str, Any]:
    """Who is known, and who is told as whom: of the real held-out lines, and of each entry's replies."""
    teller = teller_of(study)
    if teller is None:
        return {}
    seen = {
        (exchange.conversation, turn.speaker, turn.text): None
        for exchange in study.exchanges
        for turn in (*exchange.scene.turns, exchange.said)
        if turn.speaker in teller.speakers
    }
    real = [(speaker, text) for _, speaker, text in seen]
    expected = [exchange.said.speaker for exchange in study.exchanges]
    return {
        "speakers": teller.lines,
        "chance": 1 / len(teller.speakers),
        "held_out": confusion(teller, real),
        "entries": {
            entry.name: confusion(
                teller,
                [(name, answer.text) for name, answer in zip(expected, entry.answers) if name in teller.speakers],
            )
            for entry in study.entries
        },
    }


def confusion(teller: Teller, lines: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Of (speaker, line): the share told right, by speaker too, and as whom each is told ("": an empty line)."""
    matrix: dict[str, Counter[str]] = {}
    for (speaker, _), told in zip(lines, teller.tell([text for _, text in lines])):
        matrix.setdefault(speaker, Counter())[told or ""] += 1
    right = sum(told[speaker] for speaker, told in matrix.items())
    return {
        "lines": len(lines),
        "right": right / len(lines) if lines else None,
        "by_speaker": {
            name: {"lines": told.total(), "right": told[name] / told.total()} for name, told in matrix.items()
        },
        "told_as": {name: dict(told.most_common()) for name, told in matrix.items()},
    }
