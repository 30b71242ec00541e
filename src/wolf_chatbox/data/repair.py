"""Texts that a program broke: wrong character encodings (cafÃ© for café), and lost spaces (I'msorry,IvoteforMidori)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

RUN = re.compile(r"(?<![\w@/.'’-])[A-Za-z][A-Za-z'’.,;:!?]{19,399}+(?![\w@/-])")
"""Letters and punctuation without a space, as long as a line; words of twenty letters hardly occur in a game."""
DISTINCT = 8
"""The fewest different letters in such a run; runs with fewer are laughter and screams."""


def repair(text: str) -> str:
    """The text with wrongly decoded characters repaired (ftfy); quotes, widths and the like stay as they are."""
    import ftfy

    return str(ftfy.fix_text(text, _plan()))


def is_broken(text: str) -> bool:
    """Whether a text seems to be decoded with the wrong character encoding."""
    from ftfy.badness import is_bad

    return "\ufffd" in text or bool(is_bad(text))


@cache
def _plan() -> Any:
    import ftfy

    return ftfy.TextFixerConfig(
        unescape_html=False,
        uncurl_quotes=False,
        fix_character_width=False,
        fix_latin_ligatures=False,
        normalization=None,
    )


def pieces(text: str) -> list[str]:
    """The runs of English letters that seem to have lost their spaces."""
    return [run for run in RUN.findall(text) if len(set(run.casefold())) >= DISTINCT]


def respace(text: str, names: Iterable[str]) -> str:
    """The text with spaces between the words of such runs, by word frequencies (symspellpy); names stay whole."""
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
    """Divides words and corrects none. Wolf Garbe, https://seekstorm.com/blog/fast-word-segmentation-noisy-text/."""
    from symspellpy import SymSpell

    speller = SymSpell(max_dictionary_edit_distance=0)
    speller.load_dictionary(str(files("symspellpy") / "frequency_dictionary_en_82_765.txt"), 0, 1)
    for word in ("cannot", "werewolf"):
        speller.create_dictionary_entry(word, 10_000_000)
    return speller
