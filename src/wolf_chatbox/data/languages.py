"""The language of a conversation, as py3langid classifies it by its first characters."""

from __future__ import annotations

from collections.abc import Collection

from wolf_chatbox.conversation import Conversation

FIRST = 2000
"""Characters that are looked at."""


def language_of(conversation: Conversation) -> str:
    """The ISO 639-1 code of the most probable language."""
    import py3langid

    return str(py3langid.classify(_beginning(conversation))[0])


def language_among(codes: Collection[str], conversation: Conversation) -> str | None:
    """The most probable of these languages; None if py3langid does not know any of them."""
    import py3langid

    ranked = (str(code) for code, _ in py3langid.rank(_beginning(conversation)))
    return next((code for code in ranked if code in codes), None)


def _beginning(conversation: Conversation) -> str:
    return "\n".join(turn.text for turn in conversation.turns)[:FIRST]
