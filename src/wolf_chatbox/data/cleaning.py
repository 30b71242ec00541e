"""The steps between reading and rendering. Each can be switched on or off, and what it changes is counted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from wolf_chatbox.config import CleanConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.languages import language_of
from wolf_chatbox.data.near_duplicates import FEW, NearDuplicates, text_of
from wolf_chatbox.data.privacy.names import Names
from wolf_chatbox.data.privacy.pseudonyms import Pseudonyms
from wolf_chatbox.data.privacy.scrubbing import Scrubber
from wolf_chatbox.data.repair import repair, respace
from wolf_chatbox.data.tally import Tally


def clean(conversations: Iterable[Conversation], config: CleanConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations, cleaned as `config` says; what is dropped, joined and replaced is counted in `tally`.

    Streams, except for `pseudonyms`, which needs every name before it changes the first text.
    """
    if config.repair:
        conversations = _respaced(_repaired(conversations, tally), tally)
    if config.languages:
        conversations = _in_languages(conversations, config.languages, tally)
    if config.duplicates != "keep":
        conversations = _without_duplicates(conversations, tally, near=config.duplicates == "near")
    if config.join_within:
        conversations = _joined(conversations, timedelta(seconds=config.join_within), tally)
    if config.scrub or config.scrub_names:
        conversations = _without_facts(conversations)
    if config.scrub:
        conversations = map(Scrubber(tally.changed).scrub, conversations)
    if config.scrub_names:
        conversations = _without_names(conversations, tally)
    if config.pseudonyms is not None:
        conversations = _under_pseudonyms(list(conversations), config.pseudonyms, tally)
    yield from conversations


def publishable(conversations: Iterable[Conversation], config: CleanConfig) -> Iterator[Conversation]:
    """The cleaned conversations as they may be published.

    If people are protected, groups are numbered: a group is often named after a file, and a file after a person.
    """
    numbered: dict[str, str] = {"": ""}

    def number(group: str) -> str:
        return numbered.setdefault(group, f"group {len(numbered)}")

    for conversation in conversations:
        if config.protects and config.pseudonyms is None:  # pseudonyms number the groups in their key file
            game = conversation.game and replace(conversation.game, same_as=number(conversation.game.same_as))
            conversation = replace(conversation, group=number(conversation.group), game=game)
        yield conversation


def _repaired(conversations: Iterable[Conversation], tally: Tally) -> Iterator[Conversation]:
    def counted(text: str) -> str:
        repaired = repair(text)
        tally.changed["broken text"] += repaired != text
        return repaired.strip() or text

    for conversation in conversations:
        yield conversation.changed(str, counted)


def _respaced(conversations: Iterable[Conversation], tally: Tally) -> Iterator[Conversation]:
    """Games only: elsewhere twenty letters without a space may be a word of another language."""
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


def _without_duplicates(conversations: Iterable[Conversation], tally: Tally, *, near: bool) -> Iterator[Conversation]:
    seen: set[bytes] = set()
    index = NearDuplicates() if near else None
    for conversation in conversations:
        text = text_of(conversation)
        digest = hashlib.sha256(text.encode()).digest()
        if len(conversation.turns) >= FEW and digest in seen:
            tally.drop(len(conversation.turns), "exact duplicate of another conversation")
        elif len(conversation.turns) >= FEW and index is not None and index.find(text):
            tally.drop(len(conversation.turns), "near-duplicate of another conversation")
        else:
            seen.add(digest)
            if index is not None:
                index.add(text)
            yield conversation


def _joined(conversations: Iterable[Conversation], window: timedelta, tally: Tally) -> Iterator[Conversation]:
    for conversation in conversations:
        if conversation.game is None:  # a game's events refer to its turns by number
            turns = _join(conversation.turns, window)
            count = len(conversation.turns) - len(turns)
            tally.kept -= count
            tally.joined += count
            conversation = replace(conversation, turns=turns) if count else conversation
        yield conversation


def _join(turns: Iterable[Turn], window: timedelta) -> tuple[Turn, ...]:
    """One turn for what a speaker says in a row to the same people, each message within the window after the last."""
    runs: list[list[Turn]] = []
    last: Turn | None = None
    for turn in turns:
        if (
            last is not None
            and last.speaker == turn.speaker
            and (last.channel, last.heard) == (turn.channel, turn.heard)
            and last.time
            and turn.time
            and timedelta() <= turn.time - last.time <= window
        ):
            runs[-1].append(turn)
        else:
            runs.append([turn])
        last = turn
    return tuple(
        run[0] if len(run) == 1 else run[0]._replace(text="\n".join(turn.text for turn in run)) for run in runs
    )


def _without_facts(conversations: Iterable[Conversation]) -> Iterator[Conversation]:
    for conversation in conversations:
        yield replace(conversation, game=conversation.game and conversation.game.without_facts())


def _without_names(conversations: Iterable[Conversation], tally: Tally) -> Iterator[Conversation]:
    names = Names()
    for conversation in conversations:
        language = names.language(conversation)
        speakers = conversation.names()
        hide = partial(names.hide, language=language, speakers=speakers, found=tally.changed)
        yield conversation.changed(str, hide)


def _under_pseudonyms(conversations: list[Conversation], key: Path, tally: Tally) -> list[Conversation]:
    pseudonyms = Pseudonyms.read(key).extended(conversations)
    pseudonyms.write(key)
    tally.changed["speaker's name"] += len(pseudonyms.names)
    hidden, doubts = pseudonyms.hide(conversations, tally.changed)
    tally.notes += doubts
    return hidden
