"""Memorisation: what is copied is found whole, and what is not copied is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voices import entry, exchanges, measured, study, talk, told
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.evaluate.entries import Exchange, Exposure, Probe
from wolf_chatbox.evaluate.measures import memorisation
from wolf_chatbox.evaluate.measures.memorisation import bare, halved, make_index, probes
from wolf_chatbox.scene import Scene

SAID = "The old king keeps nine iron keys under the third stone of the well, they say."
TRAINING = [
    Conversation((Turn("Bob", "Where are the keys?"), Turn("Ann", SAID)), "keys"),
    Conversation((Turn("Bob", "Who goes there?"), Turn("Ann", "Nobody at all.")), "door"),
]
ASKED = exchanges([talk(1, 4), talk(2, 4)])


def test_copied_lines_are_found_and_others_are_not() -> None:
    whole = entry("whole", [SAID.upper().replace(",", " –")] * len(ASKED))
    part = entry("part", ["Well: NINE iron keys under the third stone of my house"] * len(ASKED))
    own = entry("own", ["I never heard of any such thing, honestly"] * len(ASKED))
    empty = entry("empty", ["", "🎉🎉", "!!!", " "][: len(ASKED)])
    of = study(ASKED, whole, part, own, empty, training=TRAINING)
    found = measured(memorisation, of)
    assert [found["longest_copied"][name].value for name in ("whole", "part", "own", "empty")] == [16, 8, 1, 0]
    assert [found["copied_8"][name].value for name in ("whole", "part", "own", "empty")] == [1, 1, 0, 0]
    assert [found["copied_12"][name].value for name in ("whole", "part", "own", "empty")] == [1, 0, 0, 0]
    details = told(memorisation, of)
    assert details["part"]["copied"][0] == {
        "words": 8,
        "piece": "nine iron keys under the third stone of",
        "reply": part.answers[0].text,
        "speaker": "Ann",
        "turn": SAID,
        "group": "keys",
    }
    assert details["empty"]["copied"] == []


def test_a_run_of_words_ends_where_a_turn_ends() -> None:
    index = make_index(["one two", "three four"], str.split)
    assert index.longest(["one", "two", "three", "four"]).words == 2
    assert index.turn(index.longest(["three", "four"]).place) == 1


@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=8).map(" ".join), max_size=6),
    st.lists(st.sampled_from("abcd"), max_size=10),
)
def test_the_longest_run_is_the_longest_that_any_turn_holds(turns: list[str], text: list[str]) -> None:
    index = make_index(turns, str.split)
    runs = [text[start:end] for start in range(len(text)) for end in range(start + 1, len(text) + 1)]
    held = [run for run in runs if any(f" {' '.join(run)} " in f" {turn} " for turn in turns)]
    found = index.longest(text)
    assert found.words == max(map(len, held), default=0)
    assert not np.any(index.lengths), "the board is clean for the next search"
    if found.words:
        assert text[found.start : found.start + found.words] in held
        assert f" {' '.join(text[found.start : found.start + found.words])} " in f" {turns[index.turn(found.place)]} "


def test_japanese_is_counted_by_its_words() -> None:
    said = "昨日は友達と一緒に海の近くの小さな店で美味しい魚を食べました。"
    training = [Conversation((Turn("Bob", "どこへ？"), Turn("Ann", said)), "sea")]
    copying, other = entry("copying", [said] * len(ASKED)), entry("other", ["ええ、そうですね"] * len(ASKED))
    found = measured(memorisation, study(ASKED, copying, other, training=training, language="ja"))
    assert found["copied_12"]["copying"].value == 1
    assert found["copied_8"]["other"].value == 0


def test_without_training_data_there_is_nothing_to_copy() -> None:
    assert memorisation.measures(study(ASKED, entry("own", ["Hm."] * len(ASKED)), training=[])) == []


def test_extraction_is_the_share_of_probes_that_are_continued() -> None:
    asked = [Probe(Scene(()), "a", "b", number // 2, held_out=number > 3) for number in range(6)]
    reciting = entry("reciting", [exchange.said.text for exchange in ASKED], continued=[True] * 3 + [False] * 3)
    found = measured(memorisation, study(ASKED, reciting, training=TRAINING, probes=asked))
    assert found["extracted"]["reciting"].value == 3 / 4
    assert found["extracted_held_out"]["reciting"].value == 0
    assert found["extracted"]["humans"].value is None, "nobody asked them"
    found = measured(memorisation, study(ASKED, reciting, training=TRAINING, probes=asked[:4]))
    assert "extracted_held_out" not in found


def test_exposure_is_told_by_the_copies() -> None:
    bits = [Exposure("cellar 1", 1, 1.0), Exposure("attic 2", 1, 2.0), Exposure("barn 3", 16, 9.0)]
    of = study(ASKED, entry("run", ["x"] * len(ASKED), exposures=bits), training=TRAINING)
    assert measured(memorisation, of)["canary_exposure"]["run"].value == 4
    assert told(memorisation, of)["run"]["exposure_by_copies"] == {"1": 1.5, "16": 9.0}
    assert "canary_exposure" not in measured(memorisation, study(ASKED, training=TRAINING))


def words(text: str) -> list[str]:
    return text.split()


def test_probes_are_long_turns_cut_in_half() -> None:
    long = [Exchange(Scene((Turn("Bob", "So?"),), "Ann"), Turn("Ann", f"{SAID} {at}"), at) for at in range(9)]
    short = [Exchange(Scene((), "Ann"), Turn("Ann", "Too short to be told."), 9)]
    found = probes([*long, *short], 4, 1, words)
    assert len(found) == 4
    assert found == probes([*long, *short], 4, 1, words) != probes([*long, *short], 4, 2, words)
    assert [probe.conversation for probe in found] == sorted({probe.conversation for probe in found})
    for probe in found:
        assert probe.begun + probe.rest == f"{SAID} {probe.conversation}"
        assert probe.scene == long[0].scene
        assert probe.rest.startswith(" ")
    assert len(probes([*long, *short], 50, 1, words)) == 9
    assert all(probe.held_out for probe in probes(long, 50, 1, words, held_out=True))


@pytest.mark.parametrize(
    ("text", "language", "halves"),
    [
        ("One two three four five six.", "en", ("One two three four", " five six.")),
        ("I can't, and I won't say it", "en", None),
        ("今日は良い天気ですね", "ja", None),
        ("🎉", "en", None),
        ("", "en", ("", "")),
    ],
)
def test_a_text_is_halved_between_two_words(text: str, language: str, halves: Any) -> None:
    from wolf_chatbox.evaluate.words import words

    found = halved(text, lambda one: words(one, language))
    assert "".join(found) == text
    assert found == halves or halves is None
    assert not found[0].endswith(" ")


def test_words_are_compared_without_case_width_and_marks() -> None:
    assert bare("Ｈello — WORLD !? ①", words) == ["hello", "world", "1"]
