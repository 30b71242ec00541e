"""What a chat's thread shows: a value for each message, made from the tree and from the reply that is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wolf_chatbox.page.room import Drawing, Room
from wolf_chatbox.talk.tree import Message, Tree
from wolf_chatbox.visible import visible


@dataclass(frozen=True)
class Line:
    """A message as it is shown."""

    number: int | None
    """Its place in the tree; None while it is not there yet."""
    speaker: str
    text: str
    mine: bool
    """Whether the person said it."""
    place: int = 0
    of: int = 1
    """Which of how many that were said in its place."""
    whispered: tuple[str, ...] = ()
    """Who else heard it, where not everybody did."""
    cut: bool = False
    reply: bool = False
    """Whether it can be drawn again: its speaker is there."""
    last: bool = False
    growing: bool = False


class Transcript:
    """The lines of a room; what follows from the tree alone is worked out once."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._tree: Tree | None = None
        self._path: list[int] = []
        self._branches: Mapping[int, list[int]] = {}

    def lines(self) -> list[Line]:
        """What is shown now, from the beginning."""
        room, tree, drawing = self.room, self.room.tree, self.room.drawing
        if tree is not self._tree:
            self._tree, self._path, self._branches = tree, tree.path(), tree.branches()
        if drawing is None or drawing.own or (drawing.entered and len(tree) > drawing.known):
            return [self._line(number, number == tree.at) for number in self._path]
        path = self._path
        if drawing.instead in path:
            path = path[: path.index(drawing.instead)]
        return [*(self._line(number, False) for number in path), *_drawn(room, drawing)]

    @property
    def goes_on(self) -> bool:
        """Whether messages were said after the last one that is shown."""
        tree = self.room.tree
        return self.room.drawing is None and tree.end(tree.at) != tree.at

    def siblings(self, number: int) -> list[int]:
        """A message and those that were said in its place."""
        return self._branches[self.room.tree.messages[number].after]

    def _line(self, number: int, last: bool) -> Line:
        message, room = self.room.tree.messages[number], self.room
        others, mine = self.siblings(number), is_mine(message, room.user, room.present)
        heard = tuple(sorted(message.heard - {message.speaker})) if message.whispered else ()
        reply = not mine and message.speaker in room.present
        text = visible(message.text)
        place = others.index(number)
        return Line(number, message.speaker, text, mine, place, len(others), heard, message.cut, reply, last)


def is_mine(message: Message, user: str, present: tuple[str, ...]) -> bool:
    """Whether the person said it, also under an earlier name."""
    return message.speaker == user or not (message.drawn or message.speaker in present)


def _drawn(room: Room, drawing: Drawing) -> list[Line]:
    asked = []
    if drawing.asked and not drawing.entered:
        asked = [Line(None, room.user, visible(drawing.asked), True)]
    speaker, text = drawing.speaker or _expected(room, drawing), visible(drawing.begun + drawing.text)
    beside = room.tree.last if drawing.instead is None or drawing.asked else room.tree.messages[drawing.instead]
    aside = beside is not None and beside.whispered and (drawing.entered or not drawing.asked)
    heard = tuple(sorted(beside.heard - {speaker})) if aside and beside else ()
    return [*asked, Line(None, speaker, text, False, whispered=heard, last=True, growing=True)]


def _expected(room: Room, drawing: Drawing) -> str:
    """Who is shown as the one who answers, before it is known."""
    if drawing.instead is not None and not drawing.asked:
        message = room.tree.messages[drawing.instead]
        if message.speaker in room.present:
            return message.speaker
    return room.persona
