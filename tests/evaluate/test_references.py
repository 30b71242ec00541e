"""Replies against references: worked examples, what a copy gets, and what a stranger gets."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import measured, study

from wolf_chatbox.evaluate.measures import references
from wolf_chatbox.evaluate.measures.references import CORRECT, TOTAL, bleu, meteor, nist, statistics

# The example of Papineni et al. 2002, whose two candidates NLTK's documentation scores.
CANDIDATE = "It is a guide to action which ensures that the military always obeys the commands of the party"
WORSE = "It is to insure the troops forever hearing the activity guidebook that party direct"
HELD_AGAINST = (
    "It is a guide to action that ensures that the military will forever heed Party commands",
    "It is the guiding principle which guarantees the military forces always being under the command of the Party",
    "It is the practical guide for the army always to heed the directions of the party",
)
SAID = [
    "the old house by the sea is empty now",
    "nobody has seen the keeper since friday",
    "then we shall look for him in the cellar",
    "bring a lamp and do not tell the others",
]
ELSE = ["yes of course", "my name is mud", "what a lovely morning it was", "seven green bottles fell over"]
text = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=9).map(" ".join)


def one_pair(candidate: str, first: str, *more: str, language: str = "en") -> Any:
    of = study([first], [candidate], references=[more], language=language)
    return statistics(of, of.entries[1])


def test_bleu_of_the_papers_example() -> None:
    part = one_pair("the the the the the the the", "the cat is on the mat", "there is a cat on the mat")[0]
    assert part[CORRECT][0] == 2
    assert part[TOTAL][0] == 7
    part = one_pair(CANDIDATE, *HELD_AGAINST)[0]
    assert (part[CORRECT][0], part[TOTAL][0]) == (17, 18)
    assert (part[CORRECT][1], part[TOTAL][1]) == (10, 17)
    part = one_pair(WORSE, *HELD_AGAINST)[0]
    assert (part[CORRECT][0], part[TOTAL][0]) == (8, 14)
    assert (part[CORRECT][1], part[TOTAL][1]) == (1, 13)
    assert bleu(one_pair(CANDIDATE, *HELD_AGAINST), 4) == pytest.approx(0.5046, abs=1e-4), "as NLTK's documentation"


@given(st.lists(st.tuples(text, text, text), min_size=1, max_size=6))
def test_parts_of_conversations_add_up_to_the_bleu_of_all(cases: list[tuple[str, str, str]]) -> None:
    from sacrebleu.metrics import BLEU

    replies, first, second = (list(column) for column in zip(*cases))
    of = study(first, replies, references=[(one,) for one in second])
    for order in (2, 4):
        expected = BLEU(tokenize="none", force=True, max_ngram_order=order).corpus_score(replies, [first, second])
        assert bleu(statistics(of, of.entries[1]), order) == pytest.approx(expected.score / 100)


@given(st.lists(st.tuples(text, text), min_size=1, max_size=6))
def test_nist_is_that_of_nltk_with_one_reference(cases: list[tuple[str, str]]) -> None:
    from nltk.translate.nist_score import corpus_nist

    replies, first = (list(column) for column in zip(*cases))
    # NLTK divides by the number of n-grams, of which there may be none.
    replies[0] = replies[0] + " a b c d"
    of = study(first, replies)
    for order in (2, 4):
        expected = corpus_nist([[one.split()] for one in first], [one.split() for one in replies], order)
        assert nist(statistics(of, of.entries[1]), order) == pytest.approx(expected)


def test_nist_counts_the_ngrams_of_all_references_together() -> None:
    # Unigrams: a in one reference of two words each (1 bit of 4 words twice), so log2(4 / 1) for a and for c.
    assert nist(one_pair("a c", "a b", "c d"), 2) == pytest.approx((2 + 2) / 2)
    assert nist(one_pair("a x y z", "a b", "c d"), 2) == pytest.approx(2 / 4)
    assert nist(one_pair("a a", "a b", "a c"), 2) == pytest.approx(1 / 2), "no reference has two"


def test_a_reply_of_two_thirds_of_the_length_loses_half_of_its_nist() -> None:
    # Each of its words has log2(3) bits, and its pair none: nothing follows a but b.
    assert nist(one_pair("a b", "a b c"), 2) == pytest.approx(0.5 * math.log2(3))
    assert nist(one_pair("a b c", "a b c"), 2) == pytest.approx(math.log2(3))


def test_meteor_of_nltks_documentation() -> None:
    assert meteor(one_pair(CANDIDATE, *HELD_AGAINST)) == pytest.approx(0.6944, abs=1e-4)
    assert meteor(one_pair("non matching hypothesis", "this is a cat")) == 0


def test_meteor_knows_stems_where_the_language_has_a_stemmer() -> None:
    assert meteor(one_pair("walking", "walked")) > 0
    assert meteor(one_pair("laufender", "laufende", language="de")) > 0
    assert meteor(one_pair("walking", "walked", language="ja")) == 0


def test_meteor_says_what_it_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(language: str) -> str:
        return next(one.means for one in references.measures(study(["a"], language=language)) if one.name == "meteor")

    def missing() -> None:
        raise LookupError

    monkeypatch.setattr("nltk.corpus.wordnet", SimpleNamespace(ensure_loaded=missing))
    assert "(the same word, one of the same stem)" in told("en")
    assert "(the same word)" in told("ja")
    assert meteor(one_pair("car", "auto")) == 0
    auto = SimpleNamespace(lemmas=lambda: [SimpleNamespace(name=lambda: "auto")])
    wordnet = SimpleNamespace(ensure_loaded=lambda: None, synsets=lambda word: [auto] if word == "car" else [])
    monkeypatch.setattr("nltk.corpus.wordnet", wordnet)
    assert "(the same word, one of the same stem, a synonym)" in told("en")
    assert meteor(one_pair("car", "auto")) > 0
    assert "synonym" not in told("de")


def test_copies_get_much_and_strangers_little() -> None:
    found = measured(references, study(SAID, SAID, ELSE))
    for name in ("bleu_2", "bleu_4"):
        assert found(name, "run0").value == pytest.approx(1)
        assert found(name, "run1").value < 0.05
    for name, high in (("nist_2", 4.5), ("nist_4", 4.5), ("meteor", 0.95)):
        assert found(name, "run0").value > high
        assert found(name, "run1").value < 0.05 * high
    twice = measured(references, study(SAID * 3, ELSE * 3))("meteor", "run0")
    assert twice.low is not None
    assert twice.low <= twice.value <= twice.high


def test_another_reference_may_be_nearer() -> None:
    one = measured(references, study(SAID, ELSE))
    two = measured(references, study(SAID, ELSE, references=[(text,) for text in ELSE]))
    for name in ("bleu_2", "bleu_4", "nist_2", "nist_4", "meteor"):
        assert two(name, "run0").value > 5 * one(name, "run0").value


def test_humans_are_held_against_the_other_references() -> None:
    assert measured(references, study(SAID, ELSE))("bleu_2", "humans").value is None
    some = [("the old house by the sea is gone now",), (), (), ()]
    of = study(SAID, ELSE, references=some)
    assert 0.5 < measured(references, of)("bleu_2", "humans").value < 1
    assert references.details(of)["entries"]["humans"]["replies"] == 1
    assert references.details(of)["entries"]["run0"]["replies"] == 4
    assert references.details(of)["references_per_exchange"] == 1.25


@pytest.mark.parametrize(
    ("language", "said"), [("en", "hello there :)"), ("ja", "そうですね。"), ("zh", "我觉得他是好人")]
)
def test_short_replies_in_any_language(language: str, said: str) -> None:
    found = measured(references, study([said] * 3, [said] * 3, [""] * 3, language=language))
    for name in ("bleu_2", "nist_2", "nist_4", "meteor"):
        assert found(name, "run0").value > 0.4
        assert found(name, "run1").value == 0


def test_one_emoji_has_no_pairs() -> None:
    found = measured(references, study(["😂"] * 3, ["😂"] * 3))
    assert found("bleu_2", "run0").value == 0
    assert found("meteor", "run0").value == 0.5


def test_one_conversation_has_no_interval() -> None:
    found = measured(references, study(SAID, ELSE, a_conversation=9))
    assert found("bleu_2", "run0").low is None
