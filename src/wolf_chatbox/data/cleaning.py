"""What is done to conversations between reading and learning: each step can be switched, and each is counted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from wolf_chatbox.config import CleanConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.privacy.names import Names
from wolf_chatbox.data.privacy.pseudonyms import Pseudonyms
from wolf_chatbox.data.privacy.scrubbing import Scrubber
from wolf_chatbox.data.repair import respace
from wolf_chatbox.data.tally import Tally

NEAR = 0.8
"""Conversations whose sets of five-character pieces overlap by this much (Jaccard) are near duplicates."""
PIECE = 5
FEW = 3
"""Conversations of fewer turns than this are never duplicates: "Hi!" "Hi!" is said often."""
MOST_COMPARED = 1000
"""Conversations of each side of a split that are compared at most."""


def clean(conversations: Iterable[Conversation], config: CleanConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations, cleaned as `config` says; what is dropped, joined and replaced is counted in `tally`.

    Streams, except for `pseudonyms`, which must know every name before it changes the first text.
    """
    if config.repair:
        conversations = _respaced(_each_text(conversations, _repairer(tally)), tally)
    if config.languages:
        conversations = _in_languages(conversations, config.languages, tally)
    if config.duplicates != "keep":
        conversations = _without_duplicates(conversations, tally, near=config.duplicates == "near")
    if config.join_within:
        conversations = _joined(conversations, timedelta(seconds=config.join_within), tally)
    if config.scrub or config.scrub_names:
        conversations = _without_facts(conversations)
    if config.scrub:
        conversations = _scrubbed(conversations, tally)
    if config.scrub_names:
        conversations = _without_names(conversations, tally)
    if config.pseudonyms is not None:
        conversations = list(conversations)
        pseudonyms = Pseudonyms(config.pseudonyms)
        pseudonyms.learn(conversations)
        conversations = pseudonyms.apply(conversations, tally.changed)
        tally.changed["speaker's name"] += len(pseudonyms.names)
        tally.notes += pseudonyms.doubts
    yield from conversations


def _each_text(conversations: Iterable[Conversation], change: Callable[[str], str]) -> Iterator[Conversation]:
    for conversation in conversations:
        game = conversation.game and conversation.game.changed(str, change)
        yield Conversation(
            tuple(turn._replace(text=change(turn.text)) for turn in conversation.turns), conversation.group, game
        )


def _without_facts(conversations: Iterable[Conversation]) -> Iterator[Conversation]:
    for conversation in conversations:
        yield replace(conversation, game=conversation.game and conversation.game.without_facts())


def _scrubbed(conversations: Iterable[Conversation], tally: Tally) -> Iterator[Conversation]:
    scrubber = Scrubber(tally.changed)
    for conversation in conversations:
        yield scrubber.scrub(conversation)


def _without_names(conversations: Iterable[Conversation], tally: Tally) -> Iterator[Conversation]:
    names = Names()
    for conversation in conversations:
        speakers = conversation.names()
        language = names.language(language_of(conversation), sum(len(turn.text) for turn in conversation.turns))
        yield from _each_text(
            [conversation], partial(names.hide, language=language, speakers=speakers, found=tally.changed)
        )


def _repairer(tally: Tally) -> Callable[[str], str]:
    import ftfy

    # Only what is broken: quotes, widths and the like stay as the person wrote them.
    plan = ftfy.TextFixerConfig(
        unescape_html=False,
        uncurl_quotes=False,
        fix_character_width=False,
        fix_latin_ligatures=False,
        normalization=None,
    )

    def repair(text: str) -> str:
        repaired = ftfy.fix_text(text, plan)
        tally.changed["broken text"] += repaired != text
        return repaired.strip() or text

    return repair


def _respaced(conversations: Iterable[Conversation], tally: Tally) -> Iterator[Conversation]:
    """Only in games: elsewhere twenty letters in a piece may well be a word of another language."""
    for conversation in conversations:
        if conversation.game is not None:
            names = conversation.names()
            turns = tuple(turn._replace(text=respace(turn.text, names)) for turn in conversation.turns)
            tally.changed["lost spaces"] += sum(turn != before for turn, before in zip(turns, conversation.turns))
            conversation = replace(conversation, turns=turns)
        yield conversation


def _in_languages(
    conversations: Iterable[Conversation], languages: tuple[str, ...], tally: Tally
) -> Iterator[Conversation]:
    for conversation in conversations:
        language = language_of(conversation)
        if language in languages:
            yield conversation
        else:
            tally.drop(len(conversation.turns), f"in another language ({language})")


def language_of(conversation: Conversation) -> str:
    """The ISO 639-1 code of the language that a conversation is in, by its first 2,000 characters (py3langid)."""
    import py3langid

    return str(py3langid.classify("\n".join(turn.text for turn in conversation.turns)[:2000])[0])


def _without_duplicates(conversations: Iterable[Conversation], tally: Tally, *, near: bool) -> Iterator[Conversation]:
    seen: set[bytes] = set()
    index = NearDuplicates() if near else None
    for conversation in conversations:
        text = "\n".join(turn.text for turn in conversation.turns)
        digest = hashlib.sha256(text.encode()).digest()
        if len(conversation.turns) >= FEW and digest in seen:
            tally.drop(len(conversation.turns), "a conversation that is there twice")
        elif len(conversation.turns) >= FEW and index is not None and index.find(text):
            tally.drop(len(conversation.turns), "nearly a conversation that is there already")
        else:
            seen.add(digest)
            if index is not None:
                index.add(text)
            yield conversation


class NearDuplicates:
    """Finds texts much like one it was given (Broder 1997, MinHash, with locality-sensitive hashing; datasketch)."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH

        self._index = MinHashLSH(threshold=NEAR, num_perm=128)
        self._count = 0

    def add(self, text: str) -> None:
        self._index.insert(self._count, _sketch(text))
        self._count += 1

    def find(self, text: str) -> bool:
        """Whether a text much like this one was added."""
        return bool(self._index.query(_sketch(text)))


def leak(training: Sequence[Conversation], held_out: Sequence[Conversation]) -> float | None:
    """The share of the held-out conversations that are nearly one to learn from: what a held-out loss flatters by.

    Of each side at most MOST_COMPARED conversations are compared, taken evenly; None where a side has none long enough.
    """

    def texts(conversations: Sequence[Conversation]) -> list[str]:
        long = [each for each in conversations if len(each.turns) >= FEW]
        return ["\n".join(turn.text for turn in each.turns) for each in long[:: max(1, -(-len(long) // MOST_COMPARED))]]

    known, asked = texts(training), texts(held_out)
    if not known or not asked:
        return None
    index = NearDuplicates()
    for text in known:
        index.add(text)
    return sum(map(index.find, asked)) / len(asked)


def _sketch(text: str) -> object:
    from datasketch import MinHash

    text = " ".join(text.casefold().split())
    pieces = {text[at : at + PIECE].encode() for at in range(max(1, len(text) - PIECE + 1))}
    sketch = MinHash(num_perm=128, seed=1)
    sketch.update_batch(sorted(pieces))
    return sketch


def _joined(conversations: Iterable[Conversation], window: timedelta, tally: Tally) -> Iterator[Conversation]:
    for conversation in conversations:
        turns: list[Turn] = []
        last = None
        if conversation.game is not None:  # its events know the turns by their number
            yield conversation
            continue
        for turn in conversation.turns:
            if (
                turns
                and turn.time
                and last
                and turns[-1].speaker == turn.speaker
                and timedelta() <= turn.time - last <= window
            ):
                turns[-1] = Turn(turn.speaker, f"{turns[-1].text}\n{turn.text}", turns[-1].time)
                tally.kept -= 1
                tally.joined += 1
            else:
                turns.append(turn)
            last = turn.time
        yield Conversation(tuple(turns), conversation.group) if len(turns) < len(conversation.turns) else conversation
