"""Text from outside, safe for terminals and logs: control characters are shown, never obeyed."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Any, TextIO

Tell = Callable[[str], None]
"""Takes a line about what is happening."""
KEPT = "\n\t"
"""Control characters that a terminal may obey: they only move the cursor on."""
HIDDEN = frozenset(
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\ufff9\ufffa\ufffb"
)
"""Invisible characters that change the order or the lines of others (Unicode UAX #9; CVE-2021-42574)."""


def visible(text: str) -> str:
    """The text with its control characters shown: ESC as ␛ (Control Pictures), C1 and bidi marks as [U+009B]."""
    if text.isprintable():
        return text
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def visible_json(value: object) -> str:
    """JSON with escaped control characters: lossless, and no terminal obeys them."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return text if text.isprintable() else "".join(c if _shown(c) == c else f"\\u{ord(c):04x}" for c in text)


class VisibleStream:
    """A stream to a terminal or a log on which all text is visible: our lines, those of libraries, tracebacks.

    Code that writes control codes uses the stream behind it (`behind`); rich finds that one by the attribute's name.
    """

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = behind(stream)

    def write(self, text: str) -> int:
        self.rich_proxied_file.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def behind(stream: Any) -> Any:
    """The underlying stream, for code that writes control codes; rich adds a proxy of its own while a bar is shown."""
    while (proxied := getattr(stream, "rich_proxied_file", None)) is not None:
        stream = proxied
    return stream


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


def shortlist(names: Collection[object], most: int) -> str:
    """The first names, and the number of the others: `Rick, Morty, … and 12 more`."""
    more = f", … and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, islice(names, most))) + more


def counted(count: int, noun: str) -> str:
    """The number of something, in English: `1 turn`, `1,204 turns`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def shortened(text: str, most: int) -> str:
    """The text on one line, cut where it is longer than this many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 2].rstrip() + " …"
