"""OpenAssistant's message trees (Köpf et al. 2023, https://arxiv.org/abs/2304.07327).

A tree a line (`prompt` with `replies`), or a message a line (`message_id`, `parent_id`), as in
https://github.com/LAION-AI/Open-Assistant/tree/main/oasst-data (ExportMessageTree, ExportMessageNode). People ranked
the replies to a message: the path along the best ones is the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.formats.corpora.messages import ROLES
from wolf_chatbox.importers.shared.branches import UNRANKED, Branches, Node, below, spoken, walk
from wolf_chatbox.importers.shared.messages import ASSISTANT, DELETED, Message
from wolf_chatbox.importers.streams.json_stream import json_values

NEEDED = ("message_id", "text", "role")
MARKS = (r'"message_id"\s*:', r'"text"\s*:', r'"role"\s*:\s*"(?:prompter|assistant)"')


def claims(head: str) -> bool:
    return head.lstrip().startswith(("{", "[")) and all(re.search(mark, head) for mark in MARKS)


def holds(row: Mapping[str, Any]) -> bool:
    """Whether a row of a table is a message of a tree."""
    return {*NEEDED, "parent_id"} <= set(row)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the best path through each tree; the other replies are dropped and counted, or yield paths too."""
    yield from from_rows(json_values(source), source.path.stem, config, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the assistant's best reply to each message against each lower-ranked one."""
    yield from choices_of(json_values(source), tally)


def choices_of(rows: Iterable[tuple[str, Any]], tally: Tally) -> Iterator[Preference]:
    """Yield the choices of (where, tree or message) pairs."""
    for _, root in _roots(rows, tally):
        for path in walk(root):
            best, *others = sorted(path[-1].replies, key=_order) or [root]
            if others:
                context, chosen = tuple(spoken(path)), next(spoken([best]), None)
            for other in others:
                rejected = next(spoken([other]), None)
                if not (chosen and rejected and best.rank < other.rank < UNRANKED):
                    tally.dropped["reply without a rank, or deleted"] += 1
                elif (chosen.speaker, rejected.speaker) != (ASSISTANT, ASSISTANT):
                    tally.dropped["not the assistant's"] += 1
                else:
                    yield Preference(context, chosen, rejected)


def from_rows(rows: Iterable[tuple[str, Any]], stem: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of (where, tree or message) pairs."""
    branches = Branches(config, tally, "lower-ranked reply")
    try:
        for number, root in _roots(rows, tally):
            yield from branches.read(root, _best(root), f"{stem} {number}")
    finally:
        branches.note(stem)


def _roots(rows: Iterable[tuple[str, Any]], tally: Tally) -> Iterator[tuple[int, Node]]:
    """Yield the trees, numbered. They are read one by one; messages are held until the last is read.

    (A reply may stand anywhere.)
    """
    nodes: dict[str, Node] = {}
    parents: dict[str, str] = {}
    number = 0
    broken: DataError | None = None
    try:
        for where, value in rows:
            if isinstance(value, dict) and isinstance(value.get("prompt"), dict):
                number += 1
                yield number, _tree(value["prompt"], where)
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
    yield from enumerate(roots, number + 1)
    if circling := len(nodes) - sum(1 for root in roots for _ in below(root)):
        tally.dropped["replies in a cycle"] += circling
    if broken is not None:
        raise broken


def _best(root: Node) -> list[Node]:
    """The path from the root along the best replies."""
    path = [root]
    while path[-1].replies:
        path.append(min(path[-1].replies, key=_order))
    return path


def _order(node: Node) -> tuple[bool, float]:
    return node.said[0].kind == DELETED, node.rank


def _node(value: Any, where: str) -> Node:
    if not (isinstance(value, dict) and all(isinstance(value.get(key), str) for key in NEEDED)):
        needs = '"message_id", "text" and "role", all strings, or a "prompt" with "replies"'
        raise DataError(f"{where}: not a message of a tree. It needs {needs}.")
    role, rank = value["role"], value.get("rank")
    said = Message(ROLES.get(role) or role, value["text"], kind=DELETED if value.get("deleted") is True else "")
    return Node((said,), rank=rank if isinstance(rank, (int, float)) else UNRANKED)


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
        "OASST1 and 2: trees or single messages, JSON Lines or Parquet; `prompter` becomes `user`. The conversation "
        "follows the best-ranked replies; the others are dropped and counted, or read with `--branches all`. `data "
        "preferences` pairs the best reply with each lower-ranked one"
    ),
    claims=claims,
    read=read,
    choices=choices,
)
