"""Messages with roles: the OpenAI form (`messages`, `role`, `content`) and ShareGPT's (`conversations`, `from`, `value`).

One conversation a line (JSON Lines), or one JSON document: a conversation, a list of them, or a bare list of messages.
OpenAI: https://platform.openai.com/docs/api-reference/chat; the fine-tuning form is the same, one object a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.source import Source, Tally

ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant"}
"""ShareGPT's words for the roles, and ours."""


def claims(head: str) -> bool:
    start = head.lstrip()
    if not start.startswith(("{", "[")):
        return False
    return bool(re.search(r'"(messages|conversations)"\s*:\s*\[|"role"\s*:[^{}]*"content"\s*:|"from"\s*:[^{}]*"value"\s*:', start))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations; a message's `name` is its speaker where it has one, else its role."""
    for where, value in _documents(source):
        for number, messages in enumerate(_message_lists(value, where), 1):
            turns = [turn for message in messages if (turn := _turn(message, where, tally))]
            tally.kept += len(turns)
            if turns:
                yield Conversation(tuple(turns), f"{where}, {number}")


def _documents(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield (where, JSON value): a value a line for JSON Lines, else the whole file as one."""
    first = source.head.lstrip().partition("\n")[0].rstrip()
    try:
        json.loads(first)
        by_line = True
    except ValueError:
        by_line = False
    if not by_line:
        with source.text() as file:
            try:
                yield source.path.stem, json.load(file)
            except ValueError as error:
                raise DataError(f"{source.path}: not JSON ({error}).") from error
        return
    for number, line in enumerate(source.lines(), 1):
        if line.strip():
            try:
                yield f"{source.path.stem}, line {number}", json.loads(line)
            except ValueError as error:
                raise DataError(f"{source.path}, line {number}: not JSON ({error}).") from error


def _message_lists(value: Any, where: str) -> Iterator[list[Any]]:
    if isinstance(value, dict):
        messages = value.get("messages", value.get("conversations"))
        if not isinstance(messages, list):
            raise DataError(f'{where}: no list of "messages" or "conversations" (found: {", ".join(value)}).')
        yield messages
    elif isinstance(value, list) and value and isinstance(value[0], dict) and not {"messages", "conversations"} & set(value[0]):
        yield value
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _message_lists(item, f"{where}, item {number}")
    else:
        raise DataError(f"{where}: neither a conversation nor a list of them.")


def _turn(message: Any, where: str, tally: Tally) -> Turn | None:
    role = message.get("role", message.get("from")) if isinstance(message, dict) else None
    if not isinstance(role, str):
        raise DataError(f'{where}: a message needs "role" and "content", or "from" and "value".')
    content = message.get("content", message.get("value"))
    if isinstance(content, list):
        content = "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    if not isinstance(content, str) or not content.strip():
        tally.dropped["empty line"] += 1
        return None
    return Turn(str(message.get("name") or ROLES.get(role, role)).strip(), content.strip())
