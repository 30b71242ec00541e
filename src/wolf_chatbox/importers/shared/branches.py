"""Trees of messages: one branch is the conversation, and the others are counted, or read as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source, clean
from wolf_chatbox.importers.shared.messages import ASSISTANT, SYSTEM, Message, conversations
from wolf_chatbox.importers.streams.json_stream import JsonStream

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
            self.tally.note(where, f"{self.repeated} turns are repeated: several branches begin with them")

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


@dataclass
class Thread:
    """A chat with an assistant, while it is read: its messages by their ids."""

    title: str = ""
    last: str = ""
    """The id of the last message that the program shows."""
    nodes: dict[str, Node] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    """The id of the message before each; that of the first ones is not there."""
    places: dict[str, int] = field(default_factory=dict)
    """Which of the replies to one message each is, where the file says so; otherwise they stand in order."""

    def add(self, name: str, parent: str, said: Iterable[Message], *, whole: bool = True) -> None:
        """Add a message; another one of the same id is a part of it."""
        before = self.nodes[name].said if name in self.nodes else ()
        self.nodes[name], self.parents[name] = Node((*before, *said), whole=whole), parent

    def tree(self, tally: Tally) -> Node:
        """Join the messages below a root without words. Those that follow each other in a circle are dropped."""
        root = Node(())
        for name in sorted(self.nodes, key=lambda name: self.places.get(name, 0)):
            self.nodes.get(self.parents[name], root).replies.append(self.nodes[name])
        reached = set(map(id, below(root)))
        for node in self.nodes.values():
            if id(node) not in reached:
                tally.dropped["replies in a cycle"] += len(node.said)
        return root

    def path(self, root: Node) -> list[Node]:
        """The path from the root to the last message shown; where that is unknown, along the last replies."""
        path: dict[str, Node] = {}
        name = self.last
        while name in self.nodes and name not in path:
            path[name] = self.nodes[name]
            name = self.parents[name]
        if not path or name in path:
            return list(line(root))
        return [root, *reversed(path.values())]


def read_threads(chats: Iterable[Thread], source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the branch of each chat that the program shows, or all. Its title, numbered if not new, is the group."""
    branches = Branches(config, tally, "on another branch")
    titles: Counter[str] = Counter()
    try:
        for thread in chats:
            name = clean(thread.title) or source.path.stem
            titles[name] += 1
            root = thread.tree(tally)
            group = f"{name} {titles[name]}" if titles[name] > 1 else name
            yield from branches.read(root, thread.path(root), group)
    finally:
        branches.note(source.path)


def choices_of(chats: Iterable[Thread], tally: Tally) -> Iterator[Preference]:
    """Yield the assistant's replies that the user left for another one to the same message."""
    for thread in chats:
        yield from left_for_another(thread.path(thread.tree(tally)), ASSISTANT)


def threads(source: Source, fill: Callable[[JsonStream, Thread], None]) -> Iterator[Thread]:
    """Yield the chats of a JSON document: one object, or a list of them, each of which `fill` reads.

    Where that ends in an error, what was read of the chat comes before the error.
    """
    with JsonStream(source) as stream:
        for _ in (None,) if stream.begins() == "{" else stream.elements():
            if stream.begins() != "{":
                continue
            thread, broken = Thread(), None
            try:
                fill(stream, thread)
            except DataError as error:
                broken = error
            yield thread
            if broken is not None:
                raise broken


def line(node: Node) -> Iterator[Node]:
    """A node, the last of its replies, the last of theirs, and so on."""
    yield node
    while node.replies:
        node = node.replies[-1]
        yield node


def left_for_another(best: Sequence[Node], speaker: str) -> Iterator[Preference]:
    """Yield the choices of a speaker's replies: each that was left for another one, on the path `best`.

    A reply is chosen when somebody went on after it, or went back to it from a later one. One that was cut is neither
    chosen nor rejected, and none is rejected for a longer form of it.
    """
    for at, (node, chosen) in enumerate(pairwise(best)):
        if len(node.replies) < 2:
            continue
        reply, went_on = _reply(best[at + 1 :], speaker)
        if not reply or (chosen is node.replies[-1] and not went_on):
            continue
        context = tuple(spoken(best[: at + 1]))
        for other in node.replies:
            left, _ = _reply(line(other), speaker)
            if other is not chosen and left and not reply.text.startswith(left.text):
                yield Preference(context, reply, left)


def _reply(path: Iterable[Node], speaker: str) -> tuple[Turn | None, bool]:
    """What a speaker says at the beginning of a path, and whether somebody else goes on after it."""
    texts: list[str] = []
    for node in path:
        for turn in spoken([node]):
            if turn.speaker != speaker:
                return (Turn(speaker, "\n".join(texts)) if texts else None), True
            texts.append(turn.text)
        if not node.whole:
            return None, False
    return (Turn(speaker, "\n".join(texts)) if texts else None), False


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
