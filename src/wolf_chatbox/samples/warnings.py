"""What a user should look into before training on conversations, each with a remedy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wolf_chatbox.data.repair import is_broken
from wolf_chatbox.errors import Setting

if TYPE_CHECKING:
    from wolf_chatbox.samples.inspection import Inspection

FEW_TURNS = 200
"""Fewer turns teach a model little."""
MONOLOGUE = 0.97
"""The share of the turns from which a speaker leaves nothing to reply to."""
SECOND_LANGUAGE = 0.1
NEAR_DUPLICATES = 0.01
MOST_PAIRS = 5
ADDRESS = re.compile(r"\+?[\d ()-]{7,}|\S+@\S+\.\S+")


LINES = {
    "few_turns": "only {count} turns: a persona needs hundreds, better thousands. Add data.",
    "monologue": "only {name} speaks: the model learns a monologue, not replies. Add other speakers.",
    "little_to_reply_to": "{name} has {share:.0%} of the turns: little to reply to. Add turns of other speakers.",
    "alike": "{one} and {other} look like the same speaker. Give them one name in the data.",
    "addresses": "speakers named by a phone number or an address: {count}. Hide them with `pseudonyms` FILE.",
    "broken": "turns with broken characters: {count}. Try `repair`, or another `encoding`.",
    "languages": "several languages ({shares}). Keep one with `languages` {first}.",
    "long_turns": "{count} turns are longer than a row of {row} tokens and will be cut. Raise `max_tokens`.",
    "near_duplicates": "{share:.0%} of the conversations are near-duplicates. Drop them with `duplicates` near.",
    "leak": "{share:.0%} of the held-out conversations are near-duplicates of training data:"
    " the held-out loss will look too good. Use `duplicates` near.",
}
"""The English line of each kind of advice; what stands between backticks is a setting."""


class Shares(dict[str, float]):
    """Shares by code of language; as a text the three largest, such as `en 80%, ja 20%`."""

    def __str__(self) -> str:
        return ", ".join(f"{code} {share:.0%}" for code, share in list(self.items())[:3])


@dataclass(frozen=True)
class Advice:
    """One thing that is found, with its facts; as a text it is one English line with the remedy."""

    kind: str
    """What is found: a key of `LINES` and, in every language, of the section `warnings` of the words."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """What stands in the braces: counts, shares (0 to 1), names, codes of languages."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The English line in pieces; one that is a `Setting` stands for its flag."""
        pieces = LINES[self.kind].split("`")
        texts = (Setting(piece) if at % 2 else piece.format(**self.values) for at, piece in enumerate(pieces))
        return tuple(text for text in texts if text)

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that the remedy names."""
        return tuple(str(part) for part in self.parts if isinstance(part, Setting))

    def __str__(self) -> str:
        return "".join(part.flag({}) if isinstance(part, Setting) else part for part in self.parts)


def warnings(found: Inspection, texts: Sequence[str]) -> list[Advice]:
    """The warnings on conversations with these texts."""
    return [*_on_speakers(found), *_on_texts(found, texts), *_on_copies(found)]


def _on_speakers(found: Inspection) -> Iterator[Advice]:
    if found.kept < FEW_TURNS:
        yield Advice("few_turns", {"count": found.kept})
    names = [speaker.name for speaker in found.speakers]
    first = found.speakers[0] if found.speakers else None
    if first and len(names) == 1:
        yield Advice("monologue", {"name": first.name})
    elif first and first.share >= MONOLOGUE:
        yield Advice("little_to_reply_to", {"name": first.name, "share": first.share})
    for one, other in alike(names)[:MOST_PAIRS]:
        yield Advice("alike", {"one": one, "other": other})
    numbers = sum(ADDRESS.fullmatch(name) is not None for name in names)
    if numbers:
        yield Advice("addresses", {"count": numbers})


def _on_texts(found: Inspection, texts: Sequence[str]) -> Iterator[Advice]:
    broken = sum(map(is_broken, texts))
    if broken:
        yield Advice("broken", {"count": broken})
    shares = list(found.languages.values())
    if len(shares) > 1 and shares[1] >= SECOND_LANGUAGE:
        yield Advice("languages", {"shares": Shares(found.languages), "first": next(iter(found.languages))})
    if found.tokens and found.tokens.over_row:
        yield Advice("long_turns", {"count": found.tokens.over_row, "row": found.tokens.row})


def _on_copies(found: Inspection) -> Iterator[Advice]:
    if found.near_duplicates > NEAR_DUPLICATES:
        yield Advice("near_duplicates", {"share": found.near_duplicates})
    if found.leak:
        yield Advice("leak", {"share": found.leak})


def alike(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of names that may be one speaker's: equal but for case, accents, punctuation and spaces."""
    plain: dict[str, str] = {}
    pairs = []
    for name in names:
        letters = (sign for sign in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(sign))
        bare = re.sub(r"[\W_]", "", "".join(letters))
        if bare and bare in plain:
            pairs.append((plain[bare], name))
        else:
            plain[bare] = name
    return pairs
