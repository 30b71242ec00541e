"""ConvoKit's corpora (Chang et al. 2020, https://aclanthology.org/2020.sigdial-1.8): movies, Reddit, Wikipedia, courts.

A folder: utterances.jsonl has {"id", "conversation_id", "text", "speaker", "reply-to", "timestamp", "meta"} a line,
beside it are speakers.json, conversations.json, corpus.json and index.json. Older ones have utterances.json (a list),
users.json, `user` and `root`; those of Reddit `reply_to`. As written by dump_utterances and dump_corpus_component of
https://github.com/CornellNLP/ConvoKit/blob/master/convokit/model/corpus_helpers.py.

Names of speakers, titles of posts, and what belongs to one movie, episode or case come from the files beside it. A
conversation with several beginnings is a chat, and is read in the order of time.

The utterances of a conversation stand anywhere in the file: they are put on a shelf on the disk. The memory holds the
ids of the conversations, the names of the speakers, and one conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.compression import SUFFIXES
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.branches import UNRANKED, Branches, Node, below, walk
from wolf_chatbox.importers.shared.messages import DELETED, Message, from_iso, from_unix
from wolf_chatbox.importers.streams.json_stream import JsonStream, json_lines
from wolf_chatbox.importers.streams.shelf import Shelf

KEYS = ("id", "text", "speaker|user", "conversation_id|root", "reply-to|reply_to")
MARKS = [re.compile(rf'"(?:{key})"\s*:') for key in KEYS]
SPEAKERS, TALKS = ("speakers.json", "users.json"), ("conversations.json",)
BESIDE = (
    r"(?:(?:speakers|users|conversations|corpus|index)\.json|info\..{1,64}\.jsonl|.{1,64}-bin\.p)"
    r"(?:\.(?:gz|bz2|xz|zst))?"
)
NAMES = ("name", "character_name")
"""What a speaker is called, where the id is a number."""
WHOLES = ("movie_name", "episode", "case_id")
"""What several conversations are of: they make one group."""
GONE = ("[deleted]", "[removed]")
"""What Reddit shows for a comment that its author, or a moderator, took away."""


def claims(head: str) -> bool:
    start = head.lstrip()
    if not start.startswith(("{", "[")):
        return False
    first = start.partition("\n")[0] if start.startswith("{") else start
    return all(mark.search(first) for mark in MARKS)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations. Of one that branches, that is the best path, or all."""
    branches = Branches(config, tally, "on another branch")
    names: dict[str, str] = {}
    broken: DataError | None = None
    with Shelf() as shelf:
        try:
            for id, meta in _beside(source, SPEAKERS, config, tally):
                if name := next((name for key in NAMES if (name := _word(meta.get(key)))), ""):
                    names[id] = name
            for id, meta in _beside(source, TALKS, config, tally):
                whole = next((word for key in WHOLES if (word := _word(meta.get(key)))), "")
                if whole or meta.get("title"):
                    shelf.put(id, [whole, _word(meta.get("title"))])
            for where, value in _values(source):
                shelf.put(*_record(value, where))
        except DataError as error:  # keep what was read before the damage
            broken = error
        for id, records in shelf.groups():
            whole, title = records.pop(0) if isinstance(records[0], list) else ("", "")
            said = [record for record in records if isinstance(record, dict)]
            if said:
                group = f"{source.folder.name or source.path.stem} {whole or id}"
                yield from _conversation(said, title, names, group, branches)
    branches.note(source.path)
    if broken is not None:
        raise broken


def _conversation(
    records: list[dict[str, Any]], title: str, names: dict[str, str], group: str, branches: Branches
) -> Iterator[Conversation]:
    """Yield what a conversation holds: one tree of replies is read along its branches, anything else in its order."""
    nodes: dict[str, Node] = {}
    parents: dict[str, str] = {}
    for record in records:
        if record["id"] in nodes:
            branches.tally.dropped["duplicate message"] += 1
            continue
        parents[record["id"]] = record["to"]
        nodes[record["id"]] = Node((_message(record, names),), rank=record["score"])
    roots = [node for id, node in nodes.items() if parents[id] not in nodes]
    for id, node in nodes.items():
        if parents[id] in nodes:
            nodes[parents[id]].replies.append(node)
    for node in nodes.values():
        node.replies.sort(key=_time)
    if title and roots:
        roots[0].said = (_titled(roots[0].said[0], title),)
    if len(roots) == 1:
        yield from branches.read(roots[0], _best(roots[0]), group)
    elif roots:
        said = [path[-1] for root in roots for path in walk(root)]
        if all(node.said[0].time for node in said):
            said.sort(key=_time)
        chat = Node(tuple(message for node in said for message in node.said))
        yield from branches.read(chat, [chat], group)
    if circling := len(nodes) - sum(1 for root in roots for _ in below(root)):
        branches.tally.dropped["replies in a cycle"] += circling


def _best(root: Node) -> list[Node]:
    """The path along the replies with the highest score, or else those that the longest talk follows."""
    order = [*below(root)]
    sizes = dict.fromkeys(order, 1)
    for node in reversed(order):
        sizes[node] += sum(sizes[reply] for reply in node.replies)
    path = [root]
    while path[-1].replies:
        path.append(min(path[-1].replies, key=lambda node: (node.said[0].kind == DELETED, node.rank, -sizes[node])))
    return path


def _time(node: Node) -> datetime:
    return node.said[0].time or datetime.min


def _message(record: dict[str, Any], names: dict[str, str]) -> Message:
    time = from_unix(record["time"]) if record["time"] else None
    speaker, text = record["speaker"], record["text"]
    kind = DELETED if text.strip() in GONE else ""
    return Message(names.get(speaker, speaker), text, time or from_iso(record["time"]), kind)


def _titled(message: Message, title: str) -> Message:
    """The first message with what stands above it; of a link, or of a message that is gone, that is all."""
    return message._replace(text=title if message.kind else f"{title}\n{message.text}", kind="")


def _record(value: Any, where: str) -> tuple[str, dict[str, Any]]:
    """The id of the conversation, and what is needed of an utterance."""
    if not isinstance(value, dict):
        raise DataError(f"{where}: not an utterance. It needs {', '.join(KEYS)}.")
    meta = value.get("meta")
    score = meta.get("score") if isinstance(meta, dict) else None
    id = _word(value.get("id")) or where
    to = _word(value.get("reply-to")) or _word(value.get("reply_to"))
    conversation = _word(value.get("conversation_id")) or _word(value.get("root")) or to or id
    text, time = value.get("text"), value.get("timestamp")
    return conversation, {
        "id": id,
        "to": to,
        "speaker": _word(value.get("speaker")) or _word(value.get("user")),
        "text": text if isinstance(text, str) else "",
        "time": time if isinstance(time, (int, float, str)) else None,
        "score": -score if isinstance(score, (int, float)) else UNRANKED,
    }


def _values(source: Source) -> Iterator[tuple[str, Any]]:
    if source.head.lstrip().startswith("["):
        with JsonStream(source) as stream:
            for number, value in enumerate(stream.items(), 1):
                yield f"{source.path}, item {number}", value
    else:
        yield from json_lines(source)


def _beside(
    source: Source, names: Iterable[str], config: ReadConfig, tally: Tally
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (id, meta) of what a file beside the utterances lists; nothing if it is not there."""
    paths = (source.folder / f"{name}{suffix}" for name in names for suffix in ("", *SUFFIXES))
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return
    try:
        with JsonStream(Source.open(path, config.encoding)) as stream:
            for id in stream.fields():
                value = stream.value()
                meta = value.get("meta", value) if isinstance(value, dict) else None
                if isinstance(meta, dict):
                    yield id, meta
    except DataError as error:
        tally.notes.append(f"{error} The names and titles there are left out.")


def _word(value: Any) -> str:
    """A text or a number as text, anything else as nothing."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value)


FORMAT = Format(
    title="ConvoKit corpus",
    documentation="https://convokit.cornell.edu/documentation/data_format.html",
    export="ConvoKit's `Corpus.dump`, or a zip from its download page; pass the folder or the zip",
    notes=(
        "`utterances.jsonl` (older: `utterances.json`) and the files beside it. A thread follows the replies with the "
        "highest score (Reddit), else those with the most replies after them; the others are dropped and counted, or "
        "read with `--branches all`. `[deleted]` and `[removed]` are deleted messages; times are UTC"
    ),
    claims=claims,
    read=read,
    beside=BESIDE,
)
