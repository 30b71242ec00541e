"""What the importers of chats with a character share: names in place of macros, and replies that were drawn again.

A chat is read from its replies, in order, each with what was drawn in its place. The shown ones are the conversation;
the others are counted, and are choices between replies for `data preferences`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import clean
from wolf_chatbox.importers.shared.messages import Message, conversations, from_unix

USER, CHARACTER = "user", "assistant"
"""Who speaks where a file has no names."""
OTHER = "other reply"
"""Why a reply is dropped that another one was drawn for."""
CONTEXT = 50
"""Turns before a reply that stand in a choice: more than a model reads, and not the whole chat again and again."""
MACRO = re.compile(r"\{\{(?:(user)|char|bot)\}\}|<(?:(user)|bot|char)>", re.IGNORECASE)
"""`{{user}}`, `{{char}}`, `<USER>`, `<BOT>`: SillyTavern's, text-generation-webui's, RisuAI's and character.ai's."""


class Reply(NamedTuple):
    said: Message
    by_user: bool = False
    """Whether the person wrote it; a message without a speaker is then theirs."""
    others: tuple[str, ...] = ()
    """What else was drawn in its place."""
    latest: bool = False
    """Whether the shown reply is the one that was drawn last, so that nothing says yet that it was chosen."""


class Chat(NamedTuple):
    group: str
    replies: Callable[[], Iterable[Reply]]
    """The replies in order; called twice, and read only in part the first time."""
    user: str = ""
    character: str = ""
    """The names, where the file says them before the messages."""


def read_chats(chats: Iterable[Chat], config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of the replies that are shown; the others are counted.

    A chat is not cut where it was silent: a story goes on where it stopped, however long ago.
    """
    config = replace(config, session_gap=0)
    for chat in chats:
        yield from conversations(_shown(named(chat), tally), chat.group, config, tally)


def choices_in(chats: Iterable[Chat], config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the choices of a character's shown reply before each other one, with the turns before it.

    A reply is chosen when the chat went on after it, or when somebody went back to it from a later one. A greeting
    answers nothing, so that another greeting is no choice, and a reply is not passed over for a longer form of it.
    """
    for chat in chats:
        context: deque[Turn] = deque(maxlen=CONTEXT)
        waiting: list[Preference] = []
        for reply in named(chat):
            turn = _turn(reply.said, config)
            if reply.others and (turn is None or reply.by_user or not context):
                reason = "greeting" if turn and not reply.by_user else "not a character's"
                tally.dropped[reason] += len(reply.others)
            yield from waiting if turn else ()
            waiting = [] if turn else waiting
            if turn and context and not reply.by_user:
                passed_over = _passed_over(tuple(context), turn, reply.others, tally)
                if reply.latest:
                    waiting = list(passed_over)
                else:
                    yield from passed_over
            if turn:
                context.append(Turn(turn.speaker, turn.text))
        if waiting:
            tally.dropped["last reply, not chosen yet"] += len(waiting)


def named(chat: Chat) -> Iterator[Reply]:
    """The replies with the speakers' names where they have none, and in place of macros."""
    user, character = _names(chat)
    for reply in chat.replies():
        said = reply.said
        speaker = said.speaker or (user if reply.by_user else character)
        other = character if reply.by_user else speaker
        text = with_names(said.text, user, other)
        others = tuple(with_names(text, user, other) for text in reply.others)
        yield reply._replace(said=said._replace(speaker=speaker, text=text), others=others)


def with_names(text: str, user: str, character: str) -> str:
    """The text with names in place of macros."""
    if "{{" not in text and "<" not in text:
        return text
    return MACRO.sub(lambda macro: user if macro[1] or macro[2] else character, text)


def from_milliseconds(value: Any) -> datetime | None:
    """The UTC time of milliseconds since 1970, given as a number or a string; None for anything else."""
    try:
        return from_unix(float(value) / 1000)
    except (TypeError, ValueError, OverflowError):
        return None


def text_of(value: Any) -> str:
    """The value if it is a text, and nothing otherwise."""
    return value if isinstance(value, str) else ""


def _names(chat: Chat) -> tuple[str, str]:
    """The names of the person and the character: of the chat, of the first messages of both, or what stands for them.

    Reads the messages until both are found. What is damaged there is told when they are read.
    """
    user, character = chat.user, chat.character
    try:
        for reply in () if user and character else chat.replies():
            if reply.by_user:
                user = user or reply.said.speaker
            elif not reply.said.kind:
                character = character or reply.said.speaker
            if user and character:
                break
    except DataError:
        pass
    return user or USER, character or CHARACTER


def _shown(replies: Iterable[Reply], tally: Tally) -> Iterator[Message]:
    for reply in replies:
        if reply.others:
            tally.dropped[OTHER] += len(reply.others)
        yield reply.said


def _turn(said: Message, config: ReadConfig) -> Turn | None:
    """The turn that a message becomes in a conversation; None where it becomes none."""
    read = next(conversations([said], "", config, Tally()), None)
    return read.turns[0] if read else None


def _passed_over(context: tuple[Turn, ...], chosen: Turn, others: Iterable[str], tally: Tally) -> Iterator[Preference]:
    for text in map(clean, others):
        if text and text != chosen.text and chosen.text.startswith(text):
            tally.dropped["beginning of the chosen reply"] += 1
        else:
            yield Preference(context, Turn(chosen.speaker, chosen.text), Turn(chosen.speaker, text))
