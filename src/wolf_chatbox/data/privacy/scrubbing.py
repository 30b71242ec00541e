"""Replaces what identifies a person by marks such as [email]: addresses, handles, and numbers of many kinds."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from wolf_chatbox.conversation import Conversation, folded
from wolf_chatbox.data.privacy.identifiers import KINDS, LATIN, Kind

PROMISING = re.compile(rf"[\d@＠．]|[{LATIN}\d]\.[A-Za-z]|://|u/|[：:は]", re.IGNORECASE)
"""A text without any of these has nothing to find."""
DIGIT = re.compile(r"\d")
TAKEN = "\0"
"""Replaces in the plain text what was found."""


class _Plain(dict[int, str]):
    """Maps each character to the one that the patterns expect: ASCII digits, hyphens, spaces, no full-width signs."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character == TAKEN or category in ("Zs", "Cf"):
            plain = " " if character != "\u00ad" else "-"
        elif category == "Pd" or character == "\u2212":
            plain = "-"
        elif category == "Nd":
            plain = str(unicodedata.decimal(character))
        elif 0xFF01 <= code <= 0xFF5E and character not in "！，；？":  # these end a sentence
            plain = chr(code - 0xFEE0)
        else:
            plain = "." if character in "・·" else character
        self[code] = plain
        return plain


PLAIN = _Plain()
LONG = re.compile(r"(?<=\d)[ー一](?=\d)")
"""Characters that are used as a hyphen, but only between digits."""


def scrub(text: str, found: Counter[str], names: Collection[str] = ()) -> str:
    """The text with marks such as [email] for what identifies people; they are counted by kind in `found`.

    `names` are the folded words of the speakers' names: an @ before one of them is not a handle.
    """
    if not PROMISING.search(text):
        return text
    plain = LONG.sub("-", text.translate(PLAIN))
    everything: list[tuple[int, int, str]] = []
    digits = len(DIGIT.findall(plain))
    for kind in KINDS:
        if digits < kind.least:
            continue
        spans = [
            (start, end)
            for start, end in _find(kind, plain)
            if kind.mark != "handle" or folded(plain[start:end].lstrip("@")) not in names
        ]
        if spans:
            plain = _replaced(plain, [(start, end, TAKEN * (end - start)) for start, end in spans])
            everything += [(start, end, f"[{kind.mark}]") for start, end in spans]
            found[kind.mark] += len(spans)
    return _replaced(text, sorted(everything))


class Scrubber:
    """Scrubs conversations: the texts, and the names of speakers and groups that contain a number or an address."""

    def __init__(self, found: Counter[str]) -> None:
        self.found = found
        self._names: dict[str, str] = {}
        self._marked: Counter[str] = Counter()

    def scrub(self, conversation: Conversation) -> Conversation:
        """The scrubbed conversation; different names stay different: [phone] and [phone] 2."""
        names = frozenset(word for name in map(folded, conversation.names()) for word in (name, *name.split()))

        def change(text: str) -> str:
            return scrub(text, self.found, names)

        scrubbed = conversation.changed(self._named, change)
        game = scrubbed.game and replace(scrubbed.game, same_as=self._named(scrubbed.game.same_as))
        return replace(scrubbed, group=self._named(conversation.group), game=game)

    def _named(self, name: str) -> str:
        if name not in self._names:
            marked = scrub(name, self.found)
            self._marked[marked] += marked != name
            again = marked != name and self._marked[marked] > 1
            self._names[name] = f"{marked} {self._marked[marked]}" if again else marked
        return self._names[name]


def _find(kind: Kind, plain: str) -> Iterator[tuple[int, int]]:
    begin, rest, at = 0, plain, 0
    while match := kind.pattern.search(rest, at):
        start, end = match.span("it" if "it" in kind.pattern.groupindex else 0)
        before = plain[max(0, begin + start - 40) : begin + start]
        shorter = [start + cut.start() for cut in kind.ends.finditer(rest[start:end])] if kind.ends else []
        cuts = [end, *reversed(shorter)]
        holding = next((cut for cut in cuts if kind.holds(rest[start:cut], before)), None)
        if holding is None:
            # What is not a number as a whole may contain one: the search continues after its first part.
            at = max(match.start() + 1, cuts[-1])
        else:
            yield begin + start, begin + holding
            # A mark will stand there: what follows has no letter or digit before it.
            begin, at = begin + holding, 0
            rest = plain[begin:]


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    parts, at = [], 0
    for start, end, new in spans:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])
