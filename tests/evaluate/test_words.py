"""Words are told apart as each language has them."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.errors import DataError
from wolf_chatbox.evaluate.words import _splitter, named, words


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Hello, WORLD :) 😂", "hello , world :) 😂"),
        ("en", "I don’t know; it's Rick's. Can't, won't!", "i do n't know ; it 's rick 's . can n't , will n't !"),
        ("fr", "L'été, c'est fini", "l'été , c'est fini"),
        ("ru", "Не знаю!", "не знаю !"),
        ("ja", "昨日はラーメン食べたんですよ！", "昨日 は ラーメン 食べ た ん です よ !"),
        ("ja", "俺はＡＩじゃない。１０，０００円😂", "俺 は ai じゃ ない 。 10,000 円 😂"),
        ("zh", "我觉得5号玩家的发言有点问题。", "我 觉得 5 号 玩家 的 发言 有点 问题 。"),
        ("th", "กินข้าว แล้ว", "กิ น ข้ า ว แ ล้ ว"),
        ("en", "", ""),
        ("ja", "　\n", ""),
        ("zh", "😂", "😂"),
    ],
)
def test_words_of_a_language(language: str, text: str, expected: str) -> None:
    assert words(text, language) == tuple(expected.split())


@pytest.mark.parametrize("language", ["ja", "zh", "th"])
@given(text=st.text())
def test_nothing_of_a_text_is_lost(language: str, text: str) -> None:
    form = "NFC" if language == "th" else "NFKC"
    straight = text.translate(str.maketrans("‘’“”", "''\"\""))
    assert "".join(words(text, language)) == "".join(unicodedata.normalize(form, straight).lower().split())


@pytest.mark.parametrize("language", ["en", "ja", "zh", "de"])
@given(text=st.text())
def test_no_word_holds_a_space_or_nothing(language: str, text: str) -> None:
    assert all(word.split() == [word] for word in words(text, language))


def test_a_long_japanese_text_is_split() -> None:
    assert "".join(words("長い文です。" * 5000, "ja")) == "長い文です。" * 5000


@pytest.fixture
def _forgotten() -> Iterator[None]:
    """What splits a language is looked for anew."""
    for cached in (_splitter, words):
        cached.cache_clear()
    yield
    for cached in (_splitter, words):
        cached.cache_clear()


@pytest.mark.usefixtures("_forgotten")
@pytest.mark.parametrize(
    ("language", "package"), [("ja", "sudachipy"), ("ja", "sudachidict_small"), ("zh", "rjieba"), ("en", "nltk")]
)
def test_a_missing_library_is_told(language: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"{package}.tokenize" if package == "nltk" else package, None)
    with pytest.raises(DataError, match=rf"{package} is not installed. Install it: pip install 'wolf-chatbox\[eval"):
        words("言葉", language)


def test_what_splits_a_language_has_a_name() -> None:
    assert [named(language) for language in ("ja", "zh", "th", "en", "sv")] == [
        "Sudachi, short units",
        "jieba",
        "characters",
        "NLTK's tokenizer for tweets",
        "NLTK's tokenizer for tweets",
    ]
