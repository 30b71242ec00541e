"""Diversity: worked examples, who says always the same, and who never does."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import measured, study

from wolf_chatbox.conversation import Turn
from wolf_chatbox.evaluate.entries import Answer, Entry, Study
from wolf_chatbox.evaluate.measures import diversity
from wolf_chatbox.evaluate.measures.diversity import distinct, entropy, numbered

NAMES = (
    *("mean_length", "length_ratio", "ends", "dist_1", "dist_2", "entropy_4"),
    *("self_bleu", "same_reply", "repeated_within", "repeated_earlier"),
)
DULL = ["i do not know what you mean by that"] * 6
LIVELY = [
    "the old house by the sea is empty now",
    "nobody has seen its keeper since friday",
    "then we shall look for him downstairs",
    "bring a lamp and tell no others",
    "my grandfather built this tower himself",
    "seven green bottles fell over yesterday",
]
sentences = st.lists(st.lists(st.sampled_from("abc"), max_size=7).map(" ".join), min_size=1, max_size=8)


def test_dist_and_entropy_by_hand() -> None:
    found = measured(diversity, study(["x"] * 2, ["a b a b", "a b"], ["a b c d e", "a b c d"]))
    assert found("dist_1").value == pytest.approx(2 / 6)
    assert found("dist_2").value == pytest.approx(2 / 4), "a b, b a, a b, a b"
    assert found("entropy_4").value == 0
    third, two_thirds = 1 / 3, 2 / 3
    expected = -(two_thirds * math.log(two_thirds) + third * math.log(third))
    assert found("entropy_4", "run1").value == pytest.approx(expected)


@given(sentences, st.integers(1, 4))
def test_parts_are_counted_together(texts: list[str], order: int) -> None:
    of = study(texts, texts)
    parts = numbered(of, of.entries[1], order)
    grams = [tuple(one[at : at + order]) for one in map(str.split, texts) for at in range(len(one) - order + 1)]
    expected = len(set(grams)) / len(grams) if grams else None
    assert distinct(parts) == expected
    shares = [grams.count(gram) / len(grams) for gram in set(grams)]
    assert entropy(parts) == (pytest.approx(-sum(one * math.log(one) for one in shares)) if grams else None)


@given(sentences.filter(lambda texts: len(texts) > 1))
def test_self_bleu_is_the_bleu_of_each_against_the_others(texts: list[str]) -> None:
    from sacrebleu.metrics import BLEU

    each = BLEU(tokenize="none", force=True, effective_order=True)
    expected = [each.sentence_score(one, texts[:at] + texts[at + 1 :]).score / 100 for at, one in enumerate(texts)]
    of = study(texts, texts)
    measure = next(one for one in diversity.measures(of) if one.name == "self_bleu")
    assert measure.combine(measure.parts(of.entries[1])) == pytest.approx(sum(expected) / len(expected))


def test_one_who_says_always_the_same_and_one_who_never_does() -> None:
    found = measured(diversity, study(LIVELY, DULL, LIVELY))
    assert found("self_bleu", "run0").value == pytest.approx(1)
    assert found("self_bleu", "run1").value < 0.15
    assert found("same_reply", "run0").value == 1
    assert found("same_reply", "run1").value == 0
    assert found("dist_2", "run0").value < 0.2 < 0.95 < found("dist_2", "run1").value
    assert found("dist_1", "run0").value < 0.2 < 0.8 < found("dist_1", "run1").value
    assert found("entropy_4", "run0").value < 2 < 3 < found("entropy_4", "run1").value
    twice = measured(diversity, study(LIVELY * 2, LIVELY * 2))("dist_2", "run0")
    assert twice.low is not None
    assert twice.low < twice.value < twice.high


def test_equal_entries_have_equal_figures() -> None:
    found = measured(diversity, study(LIVELY, LIVELY))
    assert all(found(name, "run0") == found(name, "humans") for name in NAMES)


def test_two_who_both_say_yes_are_equal() -> None:
    assert measured(diversity, study(["x"] * 2, ["Yes.", "yes ."]))("self_bleu").value == pytest.approx(1)


def test_lengths() -> None:
    found = measured(diversity, study(["a b c d", "a b"], ["a", "b c"]))
    assert found("mean_length").value == 1.5
    assert found("length_ratio").value == 0.5
    assert found("length_ratio", "humans").value == 1


def test_ends() -> None:
    of = study(["a"] * 4)
    run = Entry("run0", "run", [Answer("a"), Answer("a", ended=False), Answer("a"), Answer("a")])
    of = Study(of.persona, of.exchanges, [*of.entries, run], (), "en")
    assert measured(diversity, of)("ends").value == 0.75
    assert measured(diversity, of)("ends", "humans").value == 1


def test_repetition_within_a_reply() -> None:
    found = measured(diversity, study(["x"] * 2, ["na na na na na na", "a b c d"], ["a b c d e", "e d c b a"]))
    assert found("repeated_within").value == pytest.approx(2 / 4)
    assert found("repeated_within", "run1").value == 0


def test_repetition_of_the_speakers_last_ten_turns() -> None:
    others = Turn("Bob", "one two three four")
    filling = [Turn("Ann", f"number {at}") for at in range(9)]
    within = [Turn("Ann", "five six seven eight"), others, *filling]
    replies = ["one two three four", "five six seven eight"]
    assert measured(diversity, study(["x"] * 2, replies, earlier=within))("repeated_earlier").value == 0.5
    further = [Turn("Ann", "five six seven eight"), others, *filling, Turn("Ann", "number 10")]
    assert measured(diversity, study(["x"] * 2, replies, earlier=further))("repeated_earlier").value == 0


def test_empty_replies() -> None:
    found = measured(diversity, study(["a b"] * 4, [""] * 4))
    assert found("mean_length").value == 0
    assert found("same_reply").value == 1
    assert found("self_bleu").value == 0
    assert all(found(name).value is None for name in ("dist_1", "dist_2", "entropy_4", "repeated_within"))


def test_one_reply_is_like_no_other() -> None:
    found = measured(diversity, study(["a b"], ["a b"]))
    assert found("self_bleu").value is None
    assert found("mean_length").value == 2
    assert found("mean_length").low is None


@pytest.mark.parametrize(
    ("language", "reply", "length"),
    [("ja", "そうですね、私もです。", 8), ("zh", "我觉得他是好人", 5), ("en", "😂 😂", 2)],
)
def test_words_are_those_of_the_language(language: str, reply: str, length: int) -> None:
    found = measured(diversity, study([reply] * 2, [reply] * 2, language=language))
    assert found("mean_length").value == length
    assert found("self_bleu").value == pytest.approx(1)


def test_details_tell_what_is_said_most() -> None:
    told = diversity.details(study(["x"] * 7, [*DULL, ""]))
    assert told["words"] == "NLTK's tokenizer for tweets"
    assert told["entries"]["run0"]["most_said"] == [[DULL[0], 6]]
    assert told["entries"]["run0"]["most_said_words"][0] == ["i do not know", 6]
    assert told["entries"]["run0"]["empty"] == 1
