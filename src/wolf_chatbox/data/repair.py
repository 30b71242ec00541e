"""Lines of English that lost their spaces: `I'msorry,IvoteforMidori` for `I'm sorry, I vote for Midori`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

RUN = re.compile(r"(?<![\w@/.'’-])[A-Za-z][A-Za-z'’.,;:!?]{19,399}+(?![\w@/-])")
"""Letters and marks in one piece, of a line's length. English has words of twenty letters, but nobody says them at a table."""
DISTINCT = 8
"""Different letters in such a piece at least: the others are laughter and screams."""


def pieces(text: str) -> list[str]:
    """The pieces of a text that seem to have lost their spaces."""
    return [each for each in RUN.findall(text) if len(set(each.casefold())) >= DISTINCT]


def respace(text: str, names: Iterable[str]) -> str:
    """The text with spaces between the words of such pieces, by the frequencies of English words (symspellpy); names stay whole."""
    if not pieces(text):
        return text
    whole = re.compile(f"({'|'.join(sorted(map(re.escape, names), key=len, reverse=True)) or '(?!)'})")

    def spaced(match: re.Match[str]) -> str:
        if match[0] not in pieces(match[0]):
            return match[0]
        parts = (part if at % 2 else _words(part) for at, part in enumerate(whole.split(match[0])) if part)
        return re.sub(r" (?=[.,;:!?'’])", "", " ".join(parts))

    return RUN.sub(spaced, text)


def _words(text: str) -> str:
    return str(_speller().word_segmentation(text, max_edit_distance=0).segmented_string)


@cache
def _speller() -> Any:
    """Nothing is corrected, only divided. Wolf Garbe, https://seekstorm.com/blog/fast-word-segmentation-noisy-text/."""
    from symspellpy import SymSpell

    speller = SymSpell(max_dictionary_edit_distance=0)
    speller.load_dictionary(str(files("symspellpy") / "frequency_dictionary_en_82_765.txt"), 0, 1)
    for word in ("cannot", "werewolf"):
        speller.create_dictionary_entry(word, 10_000_000)
    return speller
