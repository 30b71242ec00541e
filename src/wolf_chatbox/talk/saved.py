"""Saved chats: one line of JSON Lines, which is training data and a whole chat at once.

`{"group": "chat", "turns": […], "tree": {"messages": […], "at": 5, "taken": {}, "present": ["Rick"]}}`: `turns` is the
conversation at hand, as `wolf-chatbox data convert` writes it; `tree` has all branches. A file without a tree is a chat
without branches. The page's chats have `about` too: which run answers, and as whom (see `archive`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from wolf_chatbox.conversation import Conversation, is_unicode, parse_json
from wolf_chatbox.errors import ChatError, DataError
from wolf_chatbox.files import new_file
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.talk.tree import Tree


def write_chat(
    tree: Tree,
    present: Collection[str],
    path: Path,
    *,
    overwrite: bool = False,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write a chat, readable by its owner only (0600); raises CheckpointError as `new_file` does."""
    with new_file(path, overwrite=overwrite, remedy="Pass overwrite=True, or choose another name.", mode=0o600) as file:
        file.write(chat_line(tree, present, about))


def chat_line(tree: Tree, present: Collection[str], about: Mapping[str, Any] | None = None) -> str:
    """A chat as a line of JSON Lines."""
    form = tree.conversation().to_dict() | {"tree": tree.to_dict() | {"present": list(present)}}
    form |= {"about": dict(about)} if about else {}
    return json.dumps(form, ensure_ascii=False) + "\n"


def read_chat(path: Path) -> tuple[Tree, tuple[str, ...]]:
    """The first chat of a file, and who was present, if the file says so; raises ChatError when it cannot be read."""
    return next(_read(path), (Tree(), ()))


def read_trees(source: Source) -> Iterator[Tree]:
    """All chats of a file; raises DataError where one is damaged."""
    with source.open_text() as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                try:
                    yield _parse(line, f"{source.path}, line {number}")[0]
                except ChatError as error:
                    raise DataError(str(error)) from error


def _read(path: Path) -> Iterator[tuple[Tree, tuple[str, ...]]]:
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.strip():
                    yield _parse(line, str(path))
    except (OSError, UnicodeDecodeError, DataError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a saved chat"
        raise ChatError(f"{path}: {reason}. Give a file that /save wrote.") from error


def _parse(line: str, where: str) -> tuple[Tree, tuple[str, ...]]:
    value = parse_json(line, where)
    conversation = Conversation.from_dict(value, where)
    tree, present = Tree.of(conversation.turns), []
    words = [word for turn in conversation.turns for word in (*turn[:2], *turn.heard)]
    if "tree" in value:
        whole = Tree.from_dict(value["tree"], where)
        if whole.turns != tree.turns:  # a program that does not know trees has changed the turns
            raise ChatError(f'{where}: its turns are not those of its tree. Remove "tree" there to keep the turns.')
        tree, present = whole, value["tree"].get("present", [])
        if not isinstance(present, list) or not all(isinstance(name, str) for name in present):
            raise DataError(f"{where}: present is a list of names")
        words += [word for message in tree.messages for word in (*message[:2], *message.heard)]
    if not all(map(is_unicode, (*words, *present))):
        raise DataError(f"{where}: half a surrogate pair is not a character")
    return tree, tuple(present)
