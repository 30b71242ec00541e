"""How a chat is listed: who is there, and its messages by number."""

from __future__ import annotations

from collections.abc import Iterator

from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.tree import Tree

BRANCHES_SHOWN = 20
"""Places on the path whose messages are listed, the last ones."""


def company(session: ChatSession) -> str:
    """Who is present, as words: `Rick`, `Rick and Morty`, `Rick, Morty and Beth`."""
    *others, last = session.present
    return f"{', '.join(others)} and {last}" if others else last


def described(tree: Tree, number: int) -> str:
    """A message on one line, with its number."""
    message = tree.messages[number]
    return f"{number + 1} {message.speaker}: {' '.join(message.text.split())}"


def branches(tree: Tree) -> Iterator[str]:
    """A line for each message of the path, marked with *, and for each that was said in its place."""
    following = tree.branches()
    path = tree.path()
    for number in path[-BRANCHES_SHOWN:]:
        for other in following[tree.messages[number].after]:
            yield f"{'*' if other == number else ' '} {described(tree, other)}"
