"""What a speaker said lately, and whether a reply says it again.

Two texts are the same if they have the same letters and digits: case, width, accents' composition, punctuation and
white space do not tell them apart.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from wolf_chatbox.model.engines.repetition import WORD

LATELY = 10
"""Replies of the speaker that are not said again."""
SHORT_WORDS, SHORT_WIDTH, WIDE = 2, 12, 3
"""A text of so few words, and so many letters, may come again, only not at once; a Chinese or Japanese letter counts
as three."""


class Said:
    """The last replies of a speaker, the newest last."""

    def __init__(self, texts: Sequence[str]) -> None:
        recent = texts[-LATELY:]
        self._barred = {essence(text) for at, text in enumerate(recent, 1) if at == len(recent) or not is_short(text)}
        self._barred.discard("")

    def again(self, text: str) -> bool:
        """Whether a whole reply says one of them again."""
        return essence(text) in self._barred

    def may_become(self, text: str) -> bool:
        """Whether a reply that begins so may turn out to say one of them again."""
        begun = _letters(text)
        return any(barred.startswith(begun) for barred in self._barred)


def essence(text: str) -> str:
    """A text for comparison: its letters, digits and symbols; one that has none is itself."""
    return _letters(text) or text.strip()


def is_short(text: str) -> bool:
    """Whether a text is so short that nobody minds it twice in a conversation."""
    width = sum(WIDE if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in _letters(text))
    return len(WORD.findall(text)) <= SHORT_WORDS and width <= SHORT_WIDTH


def _letters(text: str) -> str:
    """Each decomposed by itself, so that a longer text's letters begin with those of its beginning."""
    parts = (part for letter in text.casefold() for part in unicodedata.normalize("NFKD", letter))
    return "".join(part for part in parts if unicodedata.category(part)[0] in "LMNS")
