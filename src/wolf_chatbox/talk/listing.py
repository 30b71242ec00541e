"""How a chat is listed: who is there, and its messages by number."""

from __future__ import annotations

from collections.abc import Iterator

from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.tree import Tree
from wolf_chatbox.visible import visible
from wolf_chatbox.words import Words

BRANCHES_SHOWN = 20
"""Places on the path whose messages are listed, the last ones."""


def company(session: ChatSession, words: Words) -> str:
    """Who is present, as words: `Rick`, `Rick and Morty`, `Rick, Morty and Beth`."""
    *others, last = map(one_line, session.present)
    if not others:
        return last
    return words("terminal.last", others=words("terminal.comma").join(others), last=last)


def one_line(text: str) -> str:
    """A name on one line, with its control characters shown."""
    return visible(text).replace("\n", "␊").replace("\t", "␉")


def described(tree: Tree, number: int) -> str:
    """A message on one line, with its number."""
    message = tree.messages[number]
    return f"{number + 1} {one_line(message.speaker)}: {' '.join(message.text.split())}"


def branches(tree: Tree) -> Iterator[str]:
    """A line for each message of the path, marked with *, and for each that was said in its place."""
    following = tree.branches()
    path = tree.path()
    for number in path[-BRANCHES_SHOWN:]:
        for other in following[tree.messages[number].after]:
            yield f"{'*' if other == number else ' '} {described(tree, other)}"


def alternatives(session: ChatSession) -> list[int]:
    """The numbers of the last reply and of those in its place, the oldest first; none where no reply is the last."""
    tree = session.tree
    if tree.last is None or not _replied(session, tree.at):
        return []
    return [number for number in tree.siblings(tree.at) if _replied(session, number)]


def _replied(session: ChatSession, number: int) -> bool:
    message = session.tree.messages[number]
    return message.drawn or message.speaker in session.present
