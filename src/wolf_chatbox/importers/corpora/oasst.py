"""OpenAssistant's message trees (Köpf et al. 2023, https://arxiv.org/abs/2304.07327).

A tree a line (`prompt` with `replies`), or a message a line (`message_id`, `parent_id`), as in
https://github.com/LAION-AI/Open-Assistant/tree/main/oasst-data (ExportMessageTree, ExportMessageNode). People ranked
the replies to a message: the path along the best ones is the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.corpora.messages import ROLES
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.json_stream import JsonStream, json_lines
from wolf_chatbox.importers.messages import DELETED, Message, conversations
from wolf_chatbox.importers.source import Source

NEEDED = ("message_id", "text", "role")
MARKS = (r'"message_id"\s*:', r'"text"\s*:', r'"role"\s*:\s*"(?:prompter|assistant)"')


@dataclass
class Node:
    """A message, and the replies to it."""

    said: Message
    rank: float
    """0 is the best; messages without a rank come last."""
    replies: list[Node] = field(default_factory=list)
    counted: bool = False
    """Whether it was kept or dropped."""


def claims(head: str) -> bool:
    return head.lstrip().startswith(("{", "[")) and all(re.search(mark, head) for mark in MARKS)


def holds(row: Mapping[str, Any]) -> bool:
    """Whether a row of a table is a message of a tree."""
    return {*NEEDED, "parent_id"} <= set(row)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the best path through each tree; the other replies are dropped and counted."""
    yield from from_rows(_values(source), source.path.stem, config, tally)


def from_rows(rows: Iterable[tuple[str, Any]], stem: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of (where, tree or message) pairs.

    Trees are read one by one; messages are held until the last is read, as a reply may be anywhere.
    """
    nodes: dict[str, Node] = {}
    parents: dict[str, str] = {}
    number = 0
    broken: DataError | None = None
    try:
        for where, value in rows:
            if isinstance(value, dict) and isinstance(value.get("prompt"), dict):
                number += 1
                yield from _best(_tree(value["prompt"], where), f"{stem} {number}", config, tally)
                continue
            node, id = _node(value, where), value["message_id"]
            if id in nodes:
                tally.dropped["duplicate message"] += 1
            else:
                nodes[id], parents[id] = node, str(value.get("parent_id") or "")
    except DataError as error:  # keep what was read before the damage
        broken = error
    for id, parent in parents.items():
        if parent in nodes:
            nodes[parent].replies.append(nodes[id])
    roots = [nodes[id] for id, parent in parents.items() if parent not in nodes]
    for at, root in enumerate(roots, number + 1):
        yield from _best(root, f"{stem} {at}", config, tally)
    if circling := sum(not node.counted for node in nodes.values()):
        tally.dropped["replies in a cycle"] += circling
    if broken is not None:
        raise broken


def _best(root: Node, group: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the path from the root along the best replies, and count the other messages as dropped."""
    path = [root]
    while path[-1].replies:
        path.append(min(path[-1].replies, key=lambda reply: (reply.said.kind == DELETED, reply.rank)))
    yield from conversations((node.said for node in path), group, config, tally)
    for node in path:
        node.counted = True
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += node.replies
        if not node.counted:
            node.counted = True
            tally.dropped["lower-ranked reply"] += 1


def _values(source: Source) -> Iterator[tuple[str, Any]]:
    if source.head.lstrip().startswith("["):
        with JsonStream(source) as stream:
            for number, value in enumerate(stream.items(), 1):
                yield f"{source.path}, item {number}", value
    else:
        yield from json_lines(source)


def _node(value: Any, where: str) -> Node:
    if not (isinstance(value, dict) and all(isinstance(value.get(key), str) for key in NEEDED)):
        needs = '"message_id", "text" and "role", all strings, or a "prompt" with "replies"'
        raise DataError(f"{where}: not a message of a tree. It needs {needs}.")
    role, rank = value["role"], value.get("rank")
    said = Message(ROLES.get(role) or role, value["text"], kind=DELETED if value.get("deleted") is True else "")
    return Node(said, rank if isinstance(rank, (int, float)) else float("inf"))


def _tree(prompt: dict[str, Any], where: str) -> Node:
    """The nodes of a tree, without recursion: a thread may be long."""
    root = _node(prompt, where)
    waiting = [(prompt, root)]
    while waiting:
        value, node = waiting.pop()
        for reply in value.get("replies") or ():
            node.replies.append(_node(reply, where))
            waiting.append((reply, node.replies[-1]))
    return root


FORMAT = Format(
    title="OpenAssistant (trees or messages)",
    documentation="https://huggingface.co/datasets/OpenAssistant/oasst2",
    notes=(
        "OASST1 and 2, trees or single messages, JSON Lines or Parquet; `prompter` becomes `user`. The conversation "
        "follows the best-ranked replies; the other replies are dropped and counted"
    ),
    claims=claims,
    read=read,
)
