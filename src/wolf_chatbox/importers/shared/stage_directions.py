"""Stage directions in brackets, over one line or several (`[Exit Ann]`, `(She rows.)`), and the speech around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wolf_chatbox.importers.shared.messages import SYSTEM, Message

GOES_ON = "goes on"
"""The kind of a message that goes on with the speech before the directions above it."""
PAIRS = {"(": ")", "[": "]", "（": "）", "【": "】"}
MOST_LINES = 30
"""A bracket that is open for longer was never meant to close."""


def left_open(text: str, opening: str) -> int:
    """How many brackets of this kind the text opens and does not close; negative if it closes more."""
    return text.count(opening) - text.count(PAIRS[opening])


def is_direction(text: str) -> bool:
    """Whether the bracket that the text begins with closes at its end: `(Exit.)`, not `(Softly.) Ann? (Louder.)`."""
    closing = PAIRS.get(text[:1])
    if closing is None:
        return False
    text = text.rstrip(" .")
    depth = 0
    for at, character in enumerate(text):
        depth += (character == text[0]) - (character == closing)
        if depth == 0:
            return at == len(text) - 1
    return False


def whole(messages: Iterable[Message | None], *, apart: bool) -> Iterator[Message | None]:
    """The messages with a speech that goes on behind directions as one, unless these are kept, and stand between."""
    speaker = ""
    said: list[str] = []
    for message in messages:
        goes_on = message is not None and message.kind == GOES_ON and message.speaker == speaker
        if apart or not said or message is None or (message.kind != SYSTEM and not goes_on):
            if said:
                yield Message(speaker, "\n".join(said))
                said = []
            if message is not None and message.kind != SYSTEM:
                speaker, said = message.speaker, [message.text]
            else:
                yield message
        elif goes_on:
            said.append(message.text)
        else:
            yield message
    if said:
        yield Message(speaker, "\n".join(said))
