"""Messages with roles, in JSON or JSON Lines: OpenAI, ShareGPT, Alpaca and the like.

OpenAI has `messages`, `role`, `content`; ShareGPT `conversations`, `from`, `value`; OpenAssistant's chats `role` and
`text`; Alpaca `instruction`, `input`, `output`; others have a question and an answer (`prompt`, `completion`). A line
is one conversation; a JSON document is a conversation, a list of them, or a bare list of messages.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn, parse_json
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, Setting
from wolf_chatbox.importers.files.source import Source, clean
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.streams.json_stream import JsonStream, described, json_lines

ROLES = dict.fromkeys(("human", "prompter"), "user") | dict.fromkeys(("gpt", "chatgpt", "bot", "model"), "assistant")
"""ShareGPT's and OpenAssistant's names of the roles, and ours."""
LISTS = ("messages", "conversations", "conversation")
PAIRS = [
    *(("instruction", answer) for answer in ("output", "response")),
    *(("prompt", answer) for answer in ("completion", "response")),
    *(("question", answer) for answer in ("answer", "response")),
]
"""Keys of a question and its answer."""
KEYS = {*LISTS, *(question for question, _ in PAIRS)}
"""An object with one of these is a conversation."""
NEEDED = (
    'Messages with "role" and "content", "from" and "value", or "prompt" and "completion" are read; for another format,'
)
OTHERS = re.compile(
    r'"mapping"\s*:\s*\{\s*"[^"\n]{1,100}"\s*:\s*\{|"author"\s*:\s*\{[^{}]{0,60}(?:\{\})?[^{}]{0,60}"role"'
    r'|"chat_messages"\s*:\s*\[|"chunkedPrompt"\s*:\s*\{|"(?:rejected(?:_response)?|messagetype)"\s*:'
)
"""What exports of assistants, choices between replies and Teams have, whose messages have these keys as well."""


def claims(head: str) -> bool:
    start = head.lstrip()
    if not start.startswith(("{", "[")) or OTHERS.search(start):
        return False
    forms = (("role", "content"), ("from", "value"), *PAIRS)
    return any(all(re.search(rf'"{key}"\s*:', start) for key in keys) for keys in forms) or _has_texts(start)


def _has_texts(head: str) -> bool:
    """Whether messages have a `text` and a known role (unlike those of other formats), in no tree (see oasst)."""
    role = re.search(r'"role"\s*:\s*"(?:prompter|user|assistant)"', head)
    return bool(role) and '"text"' in head and '"message_id"' not in head


def holds(value: Mapping[str, Any]) -> bool:
    """Whether an object is a conversation in one of these forms."""
    return any(isinstance(value.get(key), list) for key in LISTS) or _pair(value) is not None


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations. The speaker is a message's `name`, or else its role."""
    yield from from_values(_documents(source), source.path.stem, tally)


def from_values(values: Iterable[tuple[str, Any]], stem: str, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of (where, value) pairs, each a numbered group of its own."""
    lists = chain.from_iterable(_message_lists(value, where) for where, value in values)
    for number, (where, messages) in enumerate(lists, 1):
        turns = [
            turn
            for at, message in enumerate(messages, 1)
            if (turn := turn_of(message, f"{where}, message {at}", tally))
        ]
        tally.kept += len(turns)
        if turns:
            yield Conversation(tuple(turns), f"{stem} {number}")


def _documents(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield (where, JSON value) for each line of JSON Lines, each item of a list of conversations, or the file."""
    path, head = str(source.path), source.head.lstrip()
    if not _is_lines(head):
        if head.startswith("["):
            yield from _items(source, path)
        else:
            yield path, parse_json(source.text(), path)
        return
    yield from json_lines(source)


def _items(source: Source, path: str) -> Iterator[tuple[str, Any]]:
    with JsonStream(source) as stream:
        items = stream.items()
        first = next(items, None)
        if isinstance(first, dict) and not KEYS & set(first):
            yield path, [first, *items]  # a bare list of messages
        elif first is not None:
            for number, item in enumerate(chain([first], items), 1):
                nested = isinstance(item, list) and bool(item) and not isinstance(item[0], dict)
                yield f"{path}, item {number}", None if nested else item


def _is_lines(head: str) -> bool:
    first, end, _ = head.partition("\n")
    if not end:  # an object that fills the head is one long conversation; a list is all of them
        return head.startswith("{")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True


def _message_lists(value: Any, where: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield (where, messages) of each conversation: an object, a bare list of messages, or several in a list."""
    several = isinstance(value, list) and not (value and isinstance(value[0], dict) and not KEYS & set(value[0]))
    for number, item in enumerate(value if several else [value], 1):
        place = f"{where}, item {number}" if several else where
        messages = _list_in(item) if isinstance(item, dict) else item
        if not isinstance(messages, list):
            raise _no_conversation(place, item)
        if messages is item and messages and not any(isinstance(one, dict) and _role(one) for one in messages):
            raise _no_conversation(place, messages)
        yield place, messages


def _no_conversation(place: str, found: Any) -> DataError:
    """The error for JSON of another kind: what it is, and what would be read."""
    keys = textwrap.shorten(", ".join(found), 200, placeholder=" …") if isinstance(found, dict) else ""
    what = f" (found: {keys})." if keys else f". It is {described(found)}."
    return DataError(f'{place}: no "messages" or "conversations" list{what} {NEEDED} pass ', Setting("format"), ".")


def _list_in(item: dict[str, Any]) -> list[Any] | None:
    lists = [found for found in (*map(item.get, LISTS), _pair(item)) if isinstance(found, list)]
    return next(filter(None, lists), lists[0] if lists else None)


def _pair(item: Mapping[str, Any]) -> list[dict[str, str]] | None:
    """A question (with its input or context below it) and its answer; None for another object."""
    for question, answer in PAIRS:
        asked, answered = item.get(question), item.get(answer)
        if isinstance(asked, str) and isinstance(answered, str):
            more = item.get("input") or item.get("context")
            asked = f"{asked}\n{more}" if isinstance(more, str) and more.strip() else asked
            return [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return None


def _role(message: Mapping[str, Any]) -> str | None:
    role = message.get("role", message.get("from"))
    return role if isinstance(role, str) else None


def turn_of(message: Any, where: str, tally: Tally) -> Turn | None:
    """What a message says, or None where it says nothing, which is counted; raises DataError where it has no role."""
    role = _role(message) if isinstance(message, dict) else None
    if role is None:
        raise DataError(f'{where}: a message needs "role" and "content", or "from" and "value".')
    content = next((message[key] for key in ("content", "value", "text") if message.get(key) is not None), None)
    if isinstance(content, list):
        content = "\n".join(
            part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    name = message.get("name")
    speaker = clean(name) if isinstance(name, str) else ""
    speaker = speaker or clean(ROLES.get(role, role))
    text = clean(content) if isinstance(content, str) else ""
    if not text:
        tally.dropped["no text"] += 1
    elif not speaker:
        tally.dropped["no speaker"] += 1
    else:
        return Turn(speaker, text)
    return None


FORMAT = Format(
    title="messages (OpenAI, ShareGPT, Alpaca)",
    documentation="https://platform.openai.com/docs/api-reference/chat",
    notes=(
        "JSON or JSON Lines: OpenAI messages, ShareGPT, messages with `role` and `text`, Alpaca and other pairs "
        "(`prompt` and `completion`, `question` and `answer`)"
    ),
    claims=claims,
    read=read,
    suffixes=(".json", ".jsonl"),
)
