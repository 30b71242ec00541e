"""A chat as a tree of messages: whoever goes back and says something else begins a branch, and nothing said is lost.

A message has a number, which never changes: its place among all messages. What was said after it are its branches; one
path through the tree, from the beginning to `at`, is the conversation at hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import ChatError, DataError

START = -1
"""The place before the first message."""
FLAGS = ("drawn", "cut", "whispered", "greeting")


class Message(NamedTuple):
    """One message of a tree."""

    speaker: str
    text: str
    after: int = START
    """The number of the message before it."""
    heard: frozenset[str] = frozenset()
    """Who heard it, the speaker among them."""
    drawn: bool = False
    """Whether a model wrote it."""
    cut: bool = False
    """Whether it is no whole reply: it was stopped, or reached its token limit."""
    whispered: bool = False
    """Whether it was meant for some of those present."""
    greeting: bool = False
    """Whether it is what a character says first by its card."""

    def to_dict(self, number: int) -> dict[str, Any]:
        """The JSON form; `after` is left out where the message follows the one before it in the list."""
        form: dict[str, Any] = {"speaker": self.speaker, "text": self.text}
        if self.after != number - 1:
            form["after"] = self.after
        form["heard"] = sorted(self.heard)
        return form | {flag: True for flag in FLAGS if getattr(self, flag)}


@dataclass(frozen=True)
class Tree:
    """All messages of a chat, and where it is; every operation gives a new tree and forgets nothing.

    tree = Tree().say(Message("Morty", "Where are we?")).say(Message("Rick", "Home."))
    tree = tree.instead(1, "Space.")        # another branch: Rick says something else
    tree.turns                              # (Turn("Morty", "Where are we?"), Turn("Rick", "Space."))
    """

    messages: tuple[Message, ...] = ()
    at: int = START
    """The number of the last message of the present path; START before the first."""
    taken: Mapping[int, int] = field(default_factory=dict)
    """The branch that was taken last after a message (or START), by numbers."""

    def __len__(self) -> int:
        return len(self.messages)

    @classmethod
    def of(cls, turns: Collection[Turn], heard: Collection[str] = ()) -> Tree:
        """A chat without branches; all speakers heard all of it, and those of `heard`."""
        everybody = frozenset(turn.speaker for turn in turns) | frozenset(heard)
        messages = tuple(
            Message(
                turn.speaker, turn.text, at - 1, frozenset({turn.speaker, *turn.heard}) if turn.heard else everybody
            )
            for at, turn in enumerate(turns)
        )
        return cls(messages, len(messages) - 1, {at - 1: at for at in range(len(messages))})

    def path(self, at: int | None = None) -> list[int]:
        """The numbers of the messages from the beginning to `at` (default: the present one)."""
        here = self.at if at is None else at
        numbers = []
        while here != START:
            numbers.append(here)
            here = self.messages[here].after
        return numbers[::-1]

    def said(self, at: int | None = None) -> list[Message]:
        """The messages from the beginning to `at`."""
        return [self.messages[number] for number in self.path(at)]

    @property
    def last(self) -> Message | None:
        """The last message of the present path."""
        return None if self.at == START else self.messages[self.at]

    @property
    def greeted(self) -> bool:
        """Whether a greeting is all that was said."""
        return bool(self.messages) and all(message.greeting for message in self.messages)

    @property
    def title(self) -> str:
        """How the present path begins, in a line; a greeting, with which many chats begin, tells nothing."""
        said = self.said()
        first = next((message.text for message in said if not message.greeting), said[0].text if said else "")
        return " ".join(first.split())[:80]

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The present path, as everybody's words."""
        return tuple(Turn(message.speaker, message.text) for message in self.said())

    def heard_by(self, name: str, at: int | None = None) -> tuple[Turn, ...]:
        """The turns of a path that somebody heard."""
        return tuple(Turn(message.speaker, message.text) for message in self.said(at) if name in message.heard)

    def conversation(self, group: str = "chat") -> Conversation:
        """The present path; a turn says who heard it where some speaker of the path did not."""
        said = self.said()
        speakers = list(dict.fromkeys(message.speaker for message in said))
        turns = []
        for message in said:
            heard = tuple(name for name in speakers if name in message.heard)
            turns.append(Turn(message.speaker, message.text, heard=() if len(heard) == len(speakers) else heard))
        return Conversation(tuple(turns), group)

    def children(self, at: int) -> list[int]:
        """The messages that were said right after a message, or after START, the oldest first."""
        return [number for number, message in enumerate(self.messages) if message.after == at]

    def extends(self, other: Tree) -> bool:
        """Whether this is the other tree, and what was said since."""
        return self.messages[: len(other.messages)] == other.messages

    def branches(self) -> dict[int, list[int]]:
        """What was said right after each message (or START) that something was said after, the oldest first."""
        following: dict[int, list[int]] = {}
        for number, message in enumerate(self.messages):
            following.setdefault(message.after, []).append(number)
        return following

    def siblings(self, at: int) -> list[int]:
        """A message and those that were said in its place, the oldest first."""
        return self.children(self.messages[at].after)

    def say(self, message: Message) -> Tree:
        """Add a message after the present one, and go there."""
        return self.add(self.at, message)

    def add(self, after: int, message: Message) -> Tree:
        """Add a message after any other (or START), and go there."""
        return replace(self, messages=(*self.messages, message._replace(after=after))).go(len(self.messages))

    def instead(self, at: int, text: str) -> Tree:
        """Begin a branch with another text in the place of a message, written by a person, and go there."""
        return self.add(
            self.messages[at].after, self.messages[at]._replace(text=text, drawn=False, cut=False, greeting=False)
        )

    def grow(self, at: int, text: str, *, cut: bool = False) -> Tree:
        """Let a message go on, to the whole new text; where something was said after it this begins a branch."""
        longer = self.messages[at]._replace(text=text, cut=cut)
        if self.children(at):
            return self.add(longer.after, longer)
        return replace(self, messages=(*self.messages[:at], longer, *self.messages[at + 1 :])).go(at)

    def go(self, at: int) -> Tree:
        """Go to a message (or START): the path ends there, what follows it stays in the tree."""
        path = [START, *self.path(at)]
        return replace(self, at=at, taken={**self.taken, **dict(pairwise(path))})

    def end(self, at: int) -> int:
        """The last message of the branch that was taken after a message, and after the next, and so on."""
        while at in self.taken:
            at = self.taken[at]
        return at

    def back(self, count: int) -> Tree:
        """Go back by so many messages; raises ChatError when there are fewer."""
        path = [START, *self.path()]
        if not 0 < count < len(path):
            raise ChatError(f"there are {len(path) - 1} messages to go back, not {count}. Give a smaller number.")
        return self.go(path[-1 - count])

    def known(self, at: int) -> int:
        """The number of a message that is there; raises ChatError for any other."""
        if not 0 <= at < len(self.messages):
            raise ChatError(
                f"there is no message {at + 1}: the last one is {len(self.messages)}. /branches lists them."
            )
        return at

    def recast(self, old: str, new: str) -> Tree:
        """Let somebody take another's place: `new` has heard what `old` heard. What was said keeps its speaker."""
        messages = tuple(
            message._replace(heard=message.heard | {new}) if old in message.heard else message
            for message in self.messages
        )
        return replace(self, messages=messages)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: `{"messages": [{"speaker", "text", "after", "heard", …}, …], "at": …, "taken": {…}}`.

        `taken` holds only the choices between several branches.
        """
        branches = self.branches()
        several = {after: number for after, number in self.taken.items() if len(branches[after]) > 1}
        return {
            "messages": [message.to_dict(number) for number, message in enumerate(self.messages)],
            "at": self.at,
            "taken": {str(after): number for after, number in several.items()},
        }

    @classmethod
    def from_dict(cls, value: Any, where: str = "tree") -> Tree:
        """The inverse of `to_dict`; raises DataError, beginning with `where`, for any other value."""
        try:
            messages = tuple(_messages(value["messages"]))
            at = _number(value["at"], len(messages))
            taken = {message.after: number for number, message in enumerate(messages)}
            for after, number in value.get("taken", {}).items():
                if messages[_number(number, len(messages))].after != int(after) or number == START:
                    raise ValueError(f"{number} does not follow {after}")
                taken[int(after)] = number
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise DataError(f"{where}: not a tree of messages ({error}). Remove it to keep the turns.") from error
        return cls(messages, START, taken).go(at)


def _messages(values: Any) -> Iterator[Message]:
    if not isinstance(values, list):
        raise TypeError("messages are a list")
    for number, value in enumerate(values):
        speaker, text, heard = value["speaker"], value["text"], value["heard"]
        if not isinstance(heard, list) or not all(isinstance(word, str) for word in (speaker, text, *heard)):
            raise TypeError("speaker and text are words, heard a list of names")
        flags = {flag: value.get(flag) is True for flag in FLAGS}
        yield Message(
            speaker, text, _number(value.get("after", number - 1), number), frozenset({speaker, *heard}), **flags
        )


def _number(value: Any, below: int) -> int:
    """The number of a message (or START) among the first `below`."""
    if isinstance(value, bool) or not isinstance(value, int) or not START <= value < below:
        raise ValueError(f"{value!r} is not the number of an earlier message")
    return value
