from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from wolf_chatbox.talk.wrapping import NEVER_FIRST, NEVER_LAST, Wrapper

LATIN = st.text("abcdefgé'", min_size=1, max_size=9)
KANA = st.text("あいうカキ日本語ｱｶ", min_size=1, max_size=12)
EMOJI = st.sampled_from(["🐺", "👨‍👩‍👧", "❤️", "🇯🇵🇩🇪", "👍🏽", "e\u0301"])
MARKS = st.text("。、」）ーっ…,.!?)]", min_size=1, max_size=3)
OPENERS = st.sampled_from(["「", "（", "『", "“"])
GAPS = st.sampled_from([" ", " ", "  ", "\n", "\u3000", ""])
TEXTS = st.lists(st.one_of(LATIN, KANA, EMOJI, MARKS, OPENERS, GAPS), max_size=40).map("".join)
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\t"), max_size=80)


def wrap(text: str, width: int, *cuts: int) -> str:
    """The text broken into lines of `width` columns, given to the wrapper in pieces that end at `cuts`."""
    wrapper = Wrapper(lambda: width)
    places = [0, *sorted(min(at, len(text)) for at in cuts), len(text)]
    return "".join(wrapper.feed(text[start:end]) for start, end in pairwise(places)) + wrapper.flush()


def unwrap(text: str) -> str:
    return re.sub(r"[ \u3000\n]+", "", text)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("Come in, the fire is warm and so is the stew.", 20, ["Come in, the fire is", "warm and so is the", "stew."]),
        ("It is warm and", 9, ["It is", "warm and"]),
        ("exact fits\nand a line of its own", 10, ["exact fits", "and a line", "of its own"]),
        ("今日は月が、きれいですね。", 10, ["今日は月", "が、きれい", "ですね。"]),
        ("彼は「狼だ」と言った。", 6, ["彼は", "「狼", "だ」と", "言っ", "た。"]),
        ("ちょっと待って", 6, ["ちょっ", "と待っ", "て"]),
        ("Supercalifragilistic word", 10, ["Supercalif", "ragilistic", "word"]),
        ("a Supercalifragilistic", 10, ["a", "Supercalif", "ragilistic"]),
        ("well , then , go on", 8, ["well ,", "then ,", "go on"]),
        ("東京 Tokyo 2026年です", 8, ["東京", "Tokyo", "2026年で", "す"]),
        ("🐺🐺👨‍👩‍👧🐺", 4, ["🐺🐺", "👨‍👩‍👧🐺"]),
    ],
)
def test_lines_are_broken_at_words_and_by_the_rules_of_japanese(text: str, width: int, lines: list[str]) -> None:
    assert [line.rstrip() for line in wrap(text, width).split("\n")] == lines


@given(st.one_of(TEXTS, ANY), st.integers(1, 30))
def test_nothing_but_breaks_is_added_and_nothing_but_spaces_left_out(text: str, width: int) -> None:
    assert unwrap(wrap(text, width)) == unwrap(text)
    assert wrap(text, 1000) == re.sub(r"[ \u3000]+(?=\n|$)", "", text), "what fits stays as it is"


@given(TEXTS, st.integers(2, 30))
def test_no_line_is_wider_than_the_terminal(text: str, width: int) -> None:
    for line in wrap(text, width).split("\n"):
        assert cell_len(line) <= width


@given(
    st.lists(st.one_of(LATIN, KANA, MARKS, OPENERS, GAPS.filter(lambda gap: gap != "\n")), max_size=40).map("".join),
    st.integers(20, 40),
)
@example("aaaaaaaaaaaaaaaaa「 a", 20)
@example("aaaaaaaaaaaaaaaa“「 a", 20)
def test_no_line_begins_with_a_mark_that_may_not_begin_one(text: str, width: int) -> None:
    # Marks in a row longer than a line leave no choice.
    text = re.sub(f"([{re.escape(''.join(NEVER_FIRST | NEVER_LAST))} \u3000]{{5}})[^あ]+", r"\1", text)
    for before, line in zip((lines := wrap(text, width).split("\n")), lines[1:]):
        assert line[:1] not in NEVER_FIRST
        assert before[-1:] not in NEVER_LAST


@given(st.one_of(TEXTS, ANY), st.integers(1, 30), st.lists(st.integers(0, 80), max_size=8))
def test_it_makes_no_difference_how_the_text_comes(text: str, width: int, cuts: list[int]) -> None:
    assert wrap(text, width, *cuts) == wrap(text, width)


@given(TEXTS, st.integers(4, 30), st.integers(4, 30), st.integers(0, 100))
def test_a_new_width_counts_from_the_next_line_on(text: str, first: int, then: int, at: int) -> None:
    width = first
    wrapper = Wrapper(lambda: width)
    before = wrapper.feed(text[:at])
    width = then
    whole = before + wrapper.feed(text[at:]) + wrapper.flush()
    assert unwrap(whole) == unwrap(text)
    for line in whole[len(before) :].split("\n")[1:]:
        assert cell_len(line) <= then


def test_a_pause_gives_the_word_that_was_held_and_the_rest_goes_on() -> None:
    wrapper = Wrapper(lambda: 12)
    assert (wrapper.feed("Old Grim: "), wrapper.flush()) == ("Old", " Grim:")
    assert wrapper.feed("a b") == " a"
    assert wrapper.flush() == "\nb"
