"""What a line of talk says: claimed roles and results, suspicions, announced votes, questions.

Usual phrases of players in English and Japanese are recognised, not understood: what is said in other words is missed.
Who is meant is the player whose name stands there: bare, with @, with an honorific, or as Agent[01].
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.inference.phrases import ENGLISH, FIRST, LAST, PHRASES, Phrases
from wolf_chatbox.werewolf.claims import claims_in
from wolf_chatbox.werewolf.rules import HUMAN

What = Literal["claim", "result", "estimate", "vote", "ask", "attack"]


class Statement(NamedTuple):
    """One thing that a line says.

    claim      the speaker has this `role`
    result     the speaker found out, as `role`, SEER or MEDIUM, that `target` is `result`, HUMAN or WEREWOLF; an empty
               `role`: it says so as a fact, and has found it out if it has claimed to be either
    estimate   the speaker believes that `target` is WEREWOLF, HUMAN, or the real SEER or MEDIUM (`role`)
    vote       the speaker votes for `target`, or wants it voted out
    ask        the speaker asks `target`, or everybody (empty), for an answer; `role`: for that role's claim or result
    attack     the speaker, a wolf among wolves, wants `target` dead
    """

    what: What
    role: str = ""
    target: str = ""
    result: str = ""


@lru_cache(maxsize=65536)
def statements_in(text: str, names: tuple[str, ...], language: str) -> tuple[Statement, ...]:
    """What this line says, without repetition; `names` are all players."""
    phrases = PHRASES.get(language, ENGLISH)
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    marked = _marks(names).sub(lambda found: chr(ord(FIRST) + names.index(found["name"])), plain)
    found = dict.fromkeys(Statement("claim", role) for role in claims_in(text, language))
    owns, role = False, ""
    for sentence, asks in _sentences(marked, phrases.sentence):
        owns |= bool(phrases.own.search(sentence)) and not asks
        role = "MEDIUM" if phrases.medium.search(sentence) else "SEER" if phrases.seer.search(sentence) else role
        found |= dict.fromkeys(_read(sentence, owns, role or "SEER", phrases, names, language))
    return tuple(found)


@lru_cache(maxsize=4096)
def _marks(names: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern that finds the players' names, with what belongs to them."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(
        rf"(?:\b(?:Mr|Ms|Mrs|Miss|Mister)\b\.?\s*)?(?:@|>>)?(?P<name>{'|'.join(map(_name, longest_first))})"
        r"(?:[- ]san\b|さん|くん|君|ちゃん|さま|様|殿|氏)?(?: +(?=[^\x00-\x7f]))?"
    )


def _name(name: str) -> str:
    """A name that is no part of a longer word of the same letters."""
    letters = r"\w" if name.isascii() else "ァ-ヶー" if re.fullmatch("[ァ-ヶー]+", name) else ""
    before = rf"(?<![{letters}])" if letters and re.match(r"\w", name) else ""
    after = rf"(?![{letters}])" if letters and re.search(r"\w$", name) else ""
    if letters == r"\w":  # in Japanese, letters of another script may stand beside a name
        before, after = before.replace(r"\w", "A-Za-z0-9_"), after.replace(r"\w", "A-Za-z0-9_")
    return before + re.escape(unicodedata.normalize("NFKC", name)) + after


def _sentences(text: str, end: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    """The sentences of a text, and whether each is a question."""
    start = 0
    for place in [found.end() for found in end.finditer(text)] + [len(text)]:
        if (sentence := text[start:place]).strip():
            yield sentence, "?" in sentence
        start = place


def _read(
    sentence: str, owns: bool, role: str, phrases: Phrases, names: tuple[str, ...], language: str
) -> Iterator[Statement]:
    """What one sentence says beside claims; `owns`: the speaker has begun to speak of results of its own."""

    def who(found: re.Match[str]) -> str:
        return names[ord(found["n"]) - ord(FIRST)]

    told: set[str] = set()
    for found in phrases.result.finditer(sentence):
        if not phrases.foreign.search(sentence[: found.end() + 4]) and "?" not in sentence[found.end() :]:
            of = _last_role(sentence[: found.start()], phrases) or role
            if owns or phrases.definite.match(sentence[found.start() :]):
                told.add(who(found))
                yield Statement("result", of if owns else "", who(found), HUMAN if found["white"] else WEREWOLF)
    if not phrases.no_vote.search(sentence):
        for pattern in phrases.vote:
            yield from (Statement("vote", "", who(found)) for found in pattern.finditer(sentence))
        for pattern in phrases.attack:
            yield from (Statement("attack", "", who(found)) for found in pattern.finditer(sentence))
    if not phrases.doubt.search(sentence):
        yield from _estimates(sentence, told, phrases, names)
    if phrases.asks.search(sentence):
        asked = next((letter for letter in sentence if FIRST <= letter <= LAST), "")
        wanted = "MEDIUM" if phrases.medium.search(sentence) else "SEER" if phrases.seer.search(sentence) else ""
        yield Statement("ask", wanted, names[ord(asked) - ord(FIRST)] if asked else "")


def _last_role(text: str, phrases: Phrases) -> str:
    """SEER or MEDIUM, as the last word of a text that is about either."""
    ends = {
        role: max((found.end() for found in pattern.finditer(text)), default=-1)
        for role, pattern in (("SEER", phrases.seer), ("MEDIUM", phrases.medium))
    }
    last = max(ends, key=lambda role: ends[role])
    return last if ends[last] >= 0 else ""


def _estimates(sentence: str, told: set[str], phrases: Phrases, names: tuple[str, ...]) -> Iterator[Statement]:
    """What a sentence takes others for; for whoever a result was told, that says enough."""
    for found in phrases.real.finditer(sentence):
        name = names[ord(found["n"]) - ord(FIRST)]
        told = told | {name}
        yield Statement("estimate", "SEER" if phrases.seer.search(found["role"]) else "MEDIUM", name)
    for patterns, role in ((phrases.wolf, WEREWOLF), (phrases.human, HUMAN)):
        for pattern in patterns:
            for found in pattern.finditer(sentence):
                name = names[ord(found["n"]) - ord(FIRST)]
                if name not in told:
                    told = told | {name}
                    yield Statement("estimate", role, name)
