"""Text from outside, as a terminal or a log may have it: nothing in it is obeyed, everything in it can be seen."""

from __future__ import annotations

import unicodedata

KEPT = "\n\t"
"""Control characters that a terminal may obey: they only move on."""
HIDDEN = frozenset("\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\ufff9\ufffa\ufffb")
"""Characters that change the order or the lines of others without being seen (Unicode UAX #9; CVE-2021-42574)."""


def visible(text: str) -> str:
    """The text with its control characters shown: ESC as ␛ (the Unicode block Control Pictures), C1 and marks of direction as [U+009B]."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def _shown(character: str) -> str:
    code = ord(character)
    if character in KEPT:
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if character in HIDDEN or unicodedata.category(character) in ("Cc", "Cs"):
        return f"[U+{code:04X}]"
    return character
