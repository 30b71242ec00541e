"""Words: what the measures count. Each language has its own way to tell them apart.

Marks and emoji are words too, and letters are small, as in DialoGPT's evaluation (Zhang et al. 2020,
https://arxiv.org/abs/1911.00536): NLTK's tokenizer for tweets, which knows :) and 😂 and splits English contractions in
two. Japanese is split into short units by Sudachi, Chinese by jieba. The other scripts without spaces are counted by
the character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Any

from wolf_chatbox.evaluate.library import library

Split = Callable[[str], Iterable[str]]

CHARACTERS = frozenset({"th", "lo", "km", "my"})
"""Languages that are counted by the character: their words have no spaces between them."""
WIDE = frozenset({"ja", "zh"})
"""Languages that write letters and digits in two widths, which count as the same."""
STRAIGHT = str.maketrans("‘’“”", "''\"\"")
CONTRACTION = re.compile(r"(.+?)(n't|'(?:s|m|re|ll|ve|d))")
SHORTENED = {"ca": "can", "wo": "will"}
REMEMBERED = 1 << 16
AT_ONCE = 10_000
"""Characters that Sudachi gets at once; it refuses more than 49,149 bytes."""


@lru_cache(REMEMBERED)
def words(text: str, language: str) -> tuple[str, ...]:
    """The words of a text, in small letters; none holds a space. `language` is an ISO 639-1 code.

    Raises DataError when the library for the language is not installed.
    """
    text = unicodedata.normalize("NFKC" if language in WIDE else "NFC", text.translate(STRAIGHT)).lower()
    found = ("".join(word.split()) for word in _splitter(language)(text))
    return tuple(word for word in found if word)


def named(language: str) -> str:
    """What splits the text of a language, for a report."""
    if language in CHARACTERS:
        return "characters"
    return {"ja": "Sudachi, short units", "zh": "jieba"}.get(language, "NLTK's tokenizer for tweets")


@cache
def _splitter(language: str) -> Split:
    if language == "ja":
        return _japanese()
    if language == "zh":
        return _chinese()
    if language in CHARACTERS:
        characters: Split = library("regex", "characters of a text").compile(r"\X").findall
        return characters
    tweets: Split = library("nltk.tokenize", "words of a text").TweetTokenizer(preserve_case=False).tokenize
    return (lambda text: _contractions(tweets(text))) if language == "en" else tweets


def _japanese() -> Split:
    library("sudachidict_small", "words of Japanese text")
    sudachi = library("sudachipy", "words of Japanese text")
    tokenizer: Any = sudachi.Dictionary(dict="small").tokenizer(mode=sudachi.SplitMode.A)

    def split(text: str) -> Iterable[str]:
        for start in range(0, len(text), AT_ONCE):
            yield from (unit.surface() for unit in tokenizer.tokenize(text[start : start + AT_ONCE]))

    return split


def _chinese() -> Split:
    cut: Callable[[str, bool], list[str]] = library("rjieba", "words of Chinese text").cut
    return lambda text: cut(text, True)


def _contractions(tokens: Iterable[str]) -> Iterable[str]:
    """ "don't" as "do" and "n't", "it's" as "it" and "'s"; "can't" and "won't" give "can" and "will"."""
    for token in tokens:
        parts = CONTRACTION.fullmatch(token)
        if parts is None:
            yield token
        else:
            yield from (SHORTENED.get(parts[1], parts[1]) if parts[2] == "n't" else parts[1], parts[2])
