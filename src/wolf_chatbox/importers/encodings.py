"""The encoding that a text seems to be in which is no UTF-8, and which reading as CP1252 garbles."""

from __future__ import annotations

import codecs
import re

KANA, HANGUL, HAN = (re.compile(f"[{span}]") for span in ("\u3041-\u30ff", "\uac00-\ud7a3", "\u4e00-\u9fff"))
USUAL = {"cp932": KANA, "euc_jp": KANA, "euc_kr": HANGUL, "gb18030": HAN, "big5": HAN}
"""Encodings that files are often in, and characters that a text of them has many of."""
MANY, LEAST = 0.2, 8
"""Share of the characters beyond ASCII that must be such ones, and their number at least: a few are chance."""


def probable(start: bytes) -> str:
    """The East Asian encoding that a text beginning with these bytes is probably in; nothing if in none."""
    for encoding, usual in USUAL.items():
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(start)
        except UnicodeDecodeError:
            continue
        beyond = [character for character in text if ord(character) > 0x7F]
        if sum(bool(usual.match(character)) for character in beyond) >= max(LEAST, MANY * len(beyond)):
            return encoding
    return ""
