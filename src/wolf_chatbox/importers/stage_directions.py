"""Stage directions in brackets: `[Exit Ann]`, `(She rows.)`, over one line or several."""

from __future__ import annotations

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
