"""Consistency over turns: what becomes of a character in a long chat of the model with itself."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from wolf_chatbox.conversation import Conversation, Turn, folded
from wolf_chatbox.data.languages import language_of
from wolf_chatbox.evaluate.entries import Entry, Study
from wolf_chatbox.evaluate.measure import Better, Measure, share
from wolf_chatbox.evaluate.measures.memorisation import bare
from wolf_chatbox.evaluate.measures.persona import Teller, teller_of
from wolf_chatbox.evaluate.ngrams import words_of

NEAR = 0.9
"""From this similarity on, a turn repeats another (difflib's ratio of the folded texts)."""
GRAM = 4
THIRDS = ("first", "second", "last")
LEAST_LETTERS = 40
"""Letters of a third of a chat, below which its language is not told."""
USUAL = 0.02
"""A language or script that this share of the training data is told to have is no switch."""


class Lived(NamedTuple):
    """What became of one chat. Counts are of the character's turns, where nothing else is said."""

    right: tuple[tuple[int, int], ...]
    """Turns told as the character's, and asked about, in each third."""
    repeats: tuple[bool, ...]
    """For each turn of the whole chat, whether it is empty or says an earlier one again."""
    own: tuple[bool, ...]
    """For each turn of the whole chat, whether it is the character's."""
    grams: tuple[int, int]
    """Runs of GRAM words that stood in an earlier turn of the chat, and all of them."""
    languages: tuple[str | None, ...]
    """The language or script of each third; None where there is too little text to tell."""
    switched: tuple[int, int]
    """Thirds in a language or script that the training data does not have, and thirds that could be told."""

    @property
    def repeated(self) -> tuple[int, int]:
        """The character's turns that are empty or repeat, and all of them."""
        return sum(again for again, own in zip(self.repeats, self.own) if own), sum(self.own)

    @property
    def alive(self) -> int:
        """Turns up to the last one that says something new."""
        return max((at for at, repeats in enumerate(self.repeats, 1) if not repeats), default=0)


def measures(study: Study) -> list[Measure]:
    """Drift, repetition, early death and language switch; the unit that is drawn is a chat."""
    if not any(entry.chats for entry in study.entries):
        return []
    drift = measure(
        "drift",
        "Drift",
        "How many more of the character's turns are told as its own in the first third of a chat of the model with "
        "itself than in the last.",
        lambda entry: [chat.right[0] + chat.right[-1] for chat in lives(study, entry)],
        drifted,
    )
    switch = measure(
        "language_switch",
        "Language switch",
        "How many thirds of such chats are in a language or script that the training data does not have.",
        lambda entry: [chat.switched for chat in lives(study, entry)],
    )
    return [*([drift] if teller_of(study) else []), *repetition(study), switch]


def repetition(study: Study) -> list[Measure]:
    return [
        measure(
            "repeated_turns",
            "Repeated turns",
            "How many of the character's turns in such a chat are empty or say an earlier turn again.",
            lambda entry: [chat.repeated for chat in lives(study, entry)],
        ),
        measure(
            "repeated_4_grams",
            "Repeated 4-grams",
            f"How many runs of {GRAM} words in the character's turns stood in an earlier turn of the chat.",
            lambda entry: [chat.grams for chat in lives(study, entry)],
        ),
        measure(
            "turns_alive",
            "Turns alive",
            "After how many turns such a chat has nothing new to say any more.",
            lambda entry: [(chat.alive, 1) for chat in lives(study, entry)],
            better="higher",
            unit="",
        ),
    ]


def measure(
    name: str,
    title: str,
    means: str,
    parts: Callable[[Entry], Sequence[Any]],
    combine: Callable[[Sequence[Any]], float | None] = share,
    *,
    better: Better = "lower",
    unit: Literal["", "%"] = "%",
) -> Measure:
    """A measure of this subject; most are shares, and better when they are low."""
    return Measure(
        name=name,
        title=title,
        group="Consistency",
        means=means,
        better=better,
        parts=parts,
        combine=combine,
        unit=unit,
        digits=1,
    )


def drifted(parts: Sequence[tuple[int, int, int, int]]) -> float | None:
    """The share told right in the first third, less that in the last."""
    first, last = share([part[:2] for part in parts]), share([part[2:] for part in parts])
    return first - last if first is not None and last is not None else None


@lru_cache(maxsize=64)
def lives(study: Study, entry: Entry) -> list[Lived]:
    """What became of each of the entry's chats."""
    teller, usual = teller_of(study), usual_languages(study)
    return [lived(study, chat, teller, usual) for chat in entry.chats]


def lived(study: Study, chat: Sequence[Turn], teller: Teller | None, usual: frozenset[str]) -> Lived:
    own = tuple(study.persona in (None, turn.speaker) for turn in chat)
    character = [turn for turn, is_own in zip(chat, own) if is_own]
    parts = thirds(character)
    languages = tuple(language_or_script([turn.text for turn in part]) for part in parts)
    told = [language for language in languages if language is not None]
    return Lived(
        right=tuple(count_right(part, teller) for part in parts),
        repeats=tuple(repeats(chat)),
        own=own,
        grams=grams_again(study, chat, own),
        languages=languages,
        switched=(sum(language not in usual for language in told), len(told)),
    )


def thirds(turns: Sequence[Turn]) -> list[Sequence[Turn]]:
    ends = [len(turns) * number // 3 for number in range(4)]
    return [turns[start:end] for start, end in pairwise(ends)]


def count_right(turns: Sequence[Turn], teller: Teller | None) -> tuple[int, int]:
    asked = [turn for turn in turns if teller is not None and turn.speaker in teller.speakers]
    told = teller.tell([turn.text for turn in asked]) if teller is not None else []
    return sum(turn.speaker == who for turn, who in zip(asked, told)), len(asked)


def repeats(chat: Sequence[Turn]) -> list[bool]:
    """For each turn, whether it is empty, or (nearly) what somebody said before."""
    earlier: dict[str, None] = {}
    found = []
    for turn in chat:
        text = folded(turn.text)
        found.append(not text or text in earlier or any(is_near(text, other) for other in earlier))
        earlier[text] = None
    return found


def is_near(one: str, other: str) -> bool:
    # Each of these is at least the next one, and far cheaper.
    matcher = SequenceMatcher(None, other, one, autojunk=False)
    return matcher.real_quick_ratio() >= NEAR and matcher.quick_ratio() >= NEAR and matcher.ratio() >= NEAR


def grams_again(study: Study, chat: Sequence[Turn], own: Sequence[bool]) -> tuple[int, int]:
    words, seen, again, count = words_of(study), set[tuple[str, ...]](), 0, 0
    for turn, is_own in zip(chat, own):
        found = bare(turn.text, words)
        grams = [tuple(found[at : at + GRAM]) for at in range(len(found) - GRAM + 1)]
        if is_own:
            again += sum(gram in seen for gram in grams)
            count += len(grams)
        seen.update(grams)
    return again, count


def language_or_script(texts: Sequence[str]) -> str | None:
    """The ISO 639-1 code of the language, or where its script has few languages that script; None for little text.

    A classifier of languages errs with short texts, so it is asked for Latin, Cyrillic and Arabic letters alone: the
    others tell the language well enough.
    """
    text = "\n".join(texts)
    scripts = Counter(script_of(character) for character in text if character.isalpha())
    if scripts.total() < LEAST_LETTERS:
        # Scripts without an alphabet say as much with a third of the letters.
        scripts = Counter({name: count for name, count in scripts.items() if name in DENSE})
        if 3 * scripts.total() < LEAST_LETTERS:
            return None
    script = scripts.most_common(1)[0][0]
    if script in DENSE:
        kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
        return "HANGUL" if script == "HANGUL" else "ja" if 10 * kana >= scripts.total() else "CJK"
    return language_of(Conversation((Turn("", text),))) if script in SHARED else script


DENSE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL"})
SHARED = frozenset({"LATIN", "CYRILLIC", "ARABIC"})


@lru_cache(maxsize=10_000)
def script_of(character: str) -> str:
    """The script of a letter, such as LATIN, HIRAGANA, CJK: the first word of its name in Unicode."""
    return unicodedata.name(character, "UNKNOWN").partition(" ")[0].partition("-")[0]


@lru_cache(maxsize=1)
def usual_languages(study: Study) -> frozenset[str]:
    """What the training data is told to be in: pieces of five turns are told as the thirds of a chat are."""
    texts = [turn.text for conversation in study.training for turn in conversation.turns]
    pieces = (language_or_script(texts[at : at + 5]) for at in range(0, len(texts), max(5, len(texts) // MOST_PIECES)))
    told = Counter(language for language in pieces if language is not None)
    return frozenset(name for name, count in told.items() if count >= USUAL * told.total()) | {study.language}


MOST_PIECES = 500


def details(study: Study) -> dict[str, Any]:
    """For each entry with chats, by third and by turn: told as its own, told as whom, repeated; and the languages."""
    found: dict[str, Any] = {}
    for entry in study.entries:
        chats = lives(study, entry)
        if not chats:
            continue
        turns = max(len(chat.repeats) for chat in chats)
        found[entry.name] = {
            "right_by_third": {name: share([chat.right[at] for chat in chats]) for at, name in enumerate(THIRDS)},
            "told_by_third": told_by_third(study, entry),
            "repeats_by_turn": [
                share([(chat.repeats[at], 1) for chat in chats if at < len(chat.repeats)]) for at in range(turns)
            ],
            "turns_alive": [chat.alive for chat in chats],
            "languages": dict(Counter(language for chat in chats for language in chat.languages if language)),
        }
    return found


def told_by_third(study: Study, entry: Entry) -> dict[str, dict[str, int]]:
    """As whom the character's turns are told in each third ("": empty turns)."""
    teller = teller_of(study)
    if teller is None:
        return {}
    told: dict[str, Counter[str]] = {name: Counter() for name in THIRDS}
    for chat in entry.chats:
        for name, part in zip(THIRDS, thirds([turn for turn in chat if study.persona in (None, turn.speaker)])):
            told[name].update(who or "" for who in teller.tell([turn.text for turn in part]))
    return {name: dict(counts.most_common()) for name, counts in told.items()}
