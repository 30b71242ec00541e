"""What a user should look into before training on conversations, each with a remedy."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


@dataclass(frozen=True)
class Advice:
    """One line: what is found, and the remedy; a part that is a `Setting` stands for its flag."""

    parts: tuple[str, ...]

    def __str__(self) -> str:
        return "".join(part.flag({}) if isinstance(part, Setting) else part for part in self.parts)


def warnings(found: Inspection, texts: Sequence[str]) -> list[Advice]:
    """The warnings on conversations with these texts."""
    lines = [*_on_speakers(found), *_on_texts(found, texts), *_on_copies(found)]
    return [Advice(parts) for parts in lines]


def _on_speakers(found: Inspection) -> Iterator[tuple[str, ...]]:
    if found.kept < FEW_TURNS:
        yield (f"only {found.kept} turns: a persona needs hundreds, better thousands. Add data.",)
    names = [speaker.name for speaker in found.speakers]
    first = found.speakers[0] if found.speakers else None
    if first and len(names) == 1:
        yield (f"only {first.name} speaks: the model learns a monologue, not replies. Add other speakers.",)
    elif first and first.share >= MONOLOGUE:
        yield (f"{first.name} has {first.share:.0%} of the turns: little to reply to. Add turns of other speakers.",)
    for one, other in alike(names)[:MOST_PAIRS]:
        yield (f"{one} and {other} look like the same speaker. Give them one name in the data.",)
    numbers = sum(ADDRESS.fullmatch(name) is not None for name in names)
    if numbers:
        remedy = ("Hide them with ", Setting("pseudonyms"), " FILE.")
        yield (f"speakers named by a phone number or an address: {numbers}. ", *remedy)


def _on_texts(found: Inspection, texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    broken = sum(map(is_broken, texts))
    if broken:
        remedy = ("Try ", Setting("repair"), ", or another ", Setting("encoding"), ".")
        yield (f"turns with broken characters: {broken}. ", *remedy)
    shares = list(found.languages.values())
    if len(shares) > 1 and shares[1] >= SECOND_LANGUAGE:
        mix = ", ".join(f"{code} {share:.0%}" for code, share in list(found.languages.items())[:3])
        yield (f"several languages ({mix}). Keep one with ", Setting("languages"), f" {next(iter(found.languages))}.")
    if found.tokens and found.tokens.over_row:
        cut = f"{found.tokens.over_row} turns are longer than a row of {found.tokens.row} tokens and will be cut"
        yield (f"{cut}. Raise ", Setting("max_tokens"), ".")


def _on_copies(found: Inspection) -> Iterator[tuple[str, ...]]:
    remedy = (Setting("duplicates"), " near.")
    if found.near_duplicates > NEAR_DUPLICATES:
        yield (f"{found.near_duplicates:.0%} of the conversations are near-duplicates. Drop them with ", *remedy)
    if found.leak:
        share = f"{found.leak:.0%} of the held-out conversations are near-duplicates of training data"
        yield (f"{share}: the held-out loss will look too good. Use ", *remedy)


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
