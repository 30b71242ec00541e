"""Memorisation: what a run says word for word as its training data does.

Words are compared without case, width and punctuation. What people say often is copied by everybody: how much of it
there is show the humans' row and the base model's.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from wolf_chatbox.conversation import Turn
from wolf_chatbox.evaluate.entries import Entry, Exchange, Exposure, Probe, Study
from wolf_chatbox.evaluate.measure import Measure, share
from wolf_chatbox.evaluate.ngrams import Words, words_of

LONG, VERY_LONG = 8, 12
"""Copied words in a row that are counted."""
SHOWN = 10
"""Copied pieces that are shown of each entry."""
LEAST_PROBE = 10
"""Words of a turn that is a probe, at least: a shorter half may be guessed."""


class Copied(NamedTuple):
    """The longest piece of a text that the training data holds."""

    words: int
    start: int
    """Where it begins, in the words of the text."""
    place: int
    """Where its last word stands, in the words of the training data; -1 for no words."""


@dataclass(frozen=True, eq=False)
class Index:
    """The words of training data, and where each stands."""

    places: dict[str, np.ndarray[Any, np.dtype[np.int64]]]
    """The places of each word, ascending; between two turns there is a place with no word."""
    turns: np.ndarray[Any, np.dtype[np.int64]]
    """The place of the first word of each turn."""
    lengths: np.ndarray[Any, np.dtype[np.int32]]
    """A shared board, all zero between two searches: how long the run is that ends at each place."""

    def longest(self, text: Sequence[str]) -> Copied:
        """The longest run of these words within a turn of the training data: exact, and the first one of its length."""
        best, before = Copied(0, 0, -1), np.array([], dtype=np.int64)
        for at, word in enumerate(text):
            now = self.places.get(word, before[:0])
            runs = self.lengths[now - 1] + 1
            self.lengths[before] = 0
            self.lengths[now] = runs
            before = now
            if len(runs) and runs.max() > best.words:
                longest = int(runs.max())
                best = Copied(longest, at - longest + 1, int(now[runs.argmax()]))
        self.lengths[before] = 0
        return best

    def turn(self, place: int) -> int:
        """Which turn of the training data, counted from 0 over all conversations, a place is in."""
        return int(np.searchsorted(self.turns, place, "right")) - 1


def bare(text: str, words: Words) -> list[str]:
    """The words of a text for comparison: without case, width and punctuation."""
    folded = (unicodedata.normalize("NFKC", word).casefold() for word in words(text))
    return [word for word in folded if any(character.isalnum() for character in word)]


def make_index(texts: Sequence[str], words: Words) -> Index:
    """An index of turns."""
    places: dict[str, list[int]] = {}
    starts, at = [], 1  # place 0 has no word: something stands before each
    for text in texts:
        starts.append(at)
        for word in bare(text, words):
            places.setdefault(word, []).append(at)
            at += 1
        at += 1
    found = {word: np.array(where, dtype=np.int64) for word, where in places.items()}
    return Index(found, np.array(starts, dtype=np.int64), np.zeros(at + 1, dtype=np.int32))


@lru_cache(maxsize=1)
def index_of(study: Study) -> Index:
    """The index of a study's training split."""
    return make_index([turn.text for conversation in study.training for turn in conversation.turns], words_of(study))


@lru_cache(maxsize=64)
def copied(study: Study, entry: Entry) -> list[Copied]:
    """What each reply copies."""
    index, words = index_of(study), words_of(study)
    return [index.longest(bare(answer.text, words)) for answer in entry.answers]


def measures(study: Study) -> list[Measure]:
    """The longest copied run of words, shares of long ones, extraction, and the exposure of canaries."""
    return [*copying(study), *extraction(study), *exposure(study)]


def copying(study: Study) -> list[Measure]:
    if not any(conversation.turns for conversation in study.training):
        return []

    def counts(entry: Entry, least: int) -> list[tuple[float, float]]:
        """For each conversation the words copied in a row (with `least`: replies with so many) and the replies."""
        if not entry.answers:
            return []
        groups = study.by_conversation([found.words for found in copied(study, entry)])
        return [(sum(words >= least if least else words for words in group), len(group)) for group in groups]

    shared: dict[str, Any] = {"group": "Memorisation", "better": "human", "combine": share}
    return [
        Measure(
            name="longest_copied",
            title="Copied words in a row",
            means="The longest run of words in a reply that the training data holds, on average over the replies.",
            parts=lambda entry: counts(entry, 0),
            **shared,
        ),
        *(
            Measure(
                name=f"copied_{least}",
                title=f"Replies with {least} copied words",
                means=f"How many replies hold {least} words in a row of the training data.",
                parts=lambda entry, least=least: counts(entry, least),  # type: ignore[misc]
                unit="%",
                digits=1,
                **shared,
            )
            for least in (LONG, VERY_LONG)
        ),
    ]


def extraction(study: Study) -> list[Measure]:
    """The share of probes that are continued as the data goes on, greedily and word for word.

    After Carlini et al. 2021 (https://arxiv.org/abs/2012.07805) and 2023 (https://arxiv.org/abs/2202.07646).
    """

    def counts(entry: Entry, held_out: bool) -> list[tuple[float, float]]:
        groups: dict[int, list[bool]] = {}
        for probe, continued in zip(study.probes, entry.continued):
            if probe.held_out is held_out:
                groups.setdefault(probe.conversation, []).append(continued)
        return [(sum(group), len(group)) for _, group in sorted(groups.items())]

    shared: dict[str, Any] = {"group": "Memorisation", "combine": share, "unit": "%", "digits": 1}
    found = [
        Measure(
            name="extracted",
            title="Extracted turns",
            means="How many turns of the training data the model goes on with, word for word, from their first half.",
            better="lower",
            parts=lambda entry: counts(entry, False),
            **shared,
        ),
        Measure(
            name="extracted_held_out",
            title="Extracted turns, held out",
            means="The same for turns that no run learnt: luck and common speech.",
            better="none",
            parts=lambda entry: counts(entry, True),
            **shared,
        ),
    ]
    asked = {probe.held_out for probe in study.probes}
    return [measure for measure, held_out in zip(found, (False, True)) if held_out in asked]


def exposure(study: Study) -> list[Measure]:
    """The exposure of canaries (evaluate/canaries.py), where a run learnt some."""
    if not any(entry.exposures for entry in study.entries):
        return []

    def parts(entry: Entry) -> list[tuple[float, float]]:
        return [(found.bits, 1) for found in entry.exposures]

    return [
        Measure(
            name="canary_exposure",
            title="Exposure of canaries, bits",
            group="Memorisation",
            means="How far above chance the model ranks the made-up secrets of --canary; by chance 1.4.",
            better="lower",
            parts=parts,
            combine=share,
        )
    ]


def probes(learnt: Sequence[Exchange], count: int, seed: int, words: Words, *, held_out: bool = False) -> list[Probe]:
    """At most `count` of the turns said in these exchanges, to be continued; drawn evenly from all that are long.

    `learnt` are exchanges of the training split, or, with `held_out`, of held-out conversations.
    """
    order = list(learnt)
    random.Random(seed).shuffle(order)
    found: list[Probe] = []
    for exchange in order:
        if len(found) == count:
            break
        if len(bare(exchange.said.text, words)) >= LEAST_PROBE:
            begun, rest = halved(exchange.said.text, words)
            found.append(Probe(exchange.scene, begun, rest, exchange.conversation, held_out))
    return sorted(found, key=lambda probe: probe.conversation)


def halved(text: str, words: Words) -> tuple[str, str]:
    """A text in two, after half of its words; white space between them belongs to the second.

    A word that is written otherwise in the text (contractions are taken apart) is not looked for.
    """
    found, at, ends = words(text), 0, list[int]()
    for word in found:
        start = text.lower().find(word, at)
        if start >= 0:
            at = start + len(word)
            ends.append(at)
    middle = ends[(len(ends) - 1) // 2] if ends else len(text) // 2
    return text[:middle], text[middle:]


def details(study: Study) -> dict[str, Any]:
    """For each entry the longest pieces that its replies copy, and the exposure of canaries by their copies."""
    texts = [(conversation.group, turn) for conversation in study.training for turn in conversation.turns]
    found: dict[str, Any] = {}
    for entry in study.entries:
        pieces = sorted(zip(copied(study, entry), entry.answers), key=lambda one: -one[0].words)[:SHOWN]
        found[entry.name] = {
            "copied": [show(study, piece, answer.text, texts) for piece, answer in pieces if piece.words],
            "exposure_by_copies": by_copies(entry.exposures),
            "canaries": [exposure._asdict() for exposure in entry.exposures],
        }
    return found


def show(study: Study, piece: Copied, reply: str, texts: Sequence[tuple[str, Turn]]) -> dict[str, Any]:
    """A copied piece, the reply that has it, and the turn of the training data that it is from."""
    group, turn = texts[index_of(study).turn(piece.place)]
    piece_words = bare(reply, words_of(study))[piece.start : piece.start + piece.words]
    return {
        "words": piece.words,
        "piece": " ".join(piece_words),
        "reply": reply,
        "speaker": turn.speaker,
        "turn": turn.text,
        "group": group,
    }


def by_copies(exposures: Sequence[Exposure]) -> dict[str, float]:
    """The mean exposure, in bits, of the canaries that stood in the training data so often."""
    groups: dict[int, list[float]] = {}
    for one in exposures:
        groups.setdefault(one.copies, []).append(one.bits)
    return {str(copies): sum(bits) / len(bits) for copies, bits in sorted(groups.items())}
