"""Trees of messages: one branch is the conversation, and the others are counted, or read as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.source import clean

UNRANKED = float("inf")


@dataclass(eq=False, slots=True)
class Node:
    """What a place of the tree holds, and the places after it."""

    said: tuple[Message, ...]
    replies: list[Node] = field(default_factory=list)
    rank: float = UNRANKED
    """0 is the best, where people ranked the replies."""
    whole: bool = True
    """Whether it is a whole reply: it was not stopped, and no limit cut it."""
    counted: bool = False
    """Whether its messages were kept or dropped."""


class Branches:
    """Reads the trees of a file. With `config.branches` "best", `dropped` is the reason for what stands elsewhere.

    With "all", each path from the root to a leaf is a conversation of the same group. What several paths share is a
    turn of each, and is kept as often; it is dropped once. A note says how many turns are repeated.
    """

    def __init__(self, config: ReadConfig, tally: Tally, dropped: str) -> None:
        self.config = replace(config, session_gap=0)  # a reply answers what stands above it, however long ago
        self.tally = tally
        self.dropped = dropped
        self.repeated = 0

    def read(self, root: Node, best: Iterable[Node], group: str) -> Iterator[Conversation]:
        """Yield the conversations of a tree, of which `best` is one path."""
        for path in [best] if self.config.branches == "best" else paths(root):
            yield from conversations(self._said(path), group, self.config, self.tally)
        for node in below(root):
            if not node.counted:
                node.counted = True
                self.tally.dropped[self.dropped] += len(node.said)

    def note(self, where: object) -> None:
        """Note how many turns several branches share."""
        if self.repeated:
            self.tally.notes.append(f"{where}: {self.repeated} turns are repeated: several branches begin with them")

    def _said(self, path: Iterable[Node]) -> Iterator[Message]:
        for node in path:
            for message in node.said:
                if not node.counted:
                    yield message
                elif self._is_kept(message):
                    self.repeated += 1
                    yield message
            node.counted = True

    def _is_kept(self, message: Message) -> bool:
        named = bool(clean(message.speaker)) or message.kind == SYSTEM
        return named and bool(clean(message.text)) and (not message.kind or message.kind in self.config.also_keep)


def below(root: Node) -> Iterator[Node]:
    """A node and all below it, without recursion: a thread may be long."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.replies


def walk(root: Node) -> Iterator[list[Node]]:
    """The path to each node, the first replies first; a path is good until the next one is asked for."""
    path: list[Node] = []
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        del path[depth:]
        path.append(node)
        yield path
        waiting += [(reply, depth + 1) for reply in reversed(node.replies)]


def paths(root: Node) -> Iterator[list[Node]]:
    """Each path from the root to a leaf; good until the next one is asked for."""
    return (path for path in walk(root) if not path[-1].replies)


def spoken(path: Iterable[Node]) -> Iterator[Turn]:
    """The turns of a path that somebody said: the context of a choice."""
    for node in path:
        for speaker, text, time, kind in node.said:
            if not kind and (name := clean(speaker)) and (words := clean(text)):
                yield Turn(name, words, time)
