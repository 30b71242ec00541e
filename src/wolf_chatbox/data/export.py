"""Conversations in the formats that other programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TextIO

from wolf_chatbox.conversation import Conversation, addressed

END = "<|endoftext|>"
SHAREGPT = {"user": "human", "assistant": "gpt"}


def to_openai(conversation: Conversation, persona: str | None) -> str:
    """OpenAI's format: `role` and `content`, and the speaker as `name`; the persona (or `assistant`) is the assistant.

    https://platform.openai.com/docs/guides/supervised-fine-tuning
    """
    messages = [{"role": "system", "content": told} for told in _briefing(conversation, persona)]
    for turn in conversation.turns:
        role = role_of(turn.speaker, persona)
        messages.append(
            {"role": role} | ({"name": turn.speaker} if turn.speaker != role else {}) | {"content": turn.text}
        )
    return json.dumps({"messages": messages}, ensure_ascii=False)


def to_sharegpt(conversation: Conversation, persona: str | None) -> str:
    """ShareGPT's format: `from` and `value`; the persona (or `assistant`) is `gpt`, others `human` with a `name`."""
    said = [{"from": "system", "value": told} for told in _briefing(conversation, persona)]
    for turn in conversation.turns:
        role = role_of(turn.speaker, persona)
        said.append(
            {"from": SHAREGPT.get(role, role), "value": turn.text}
            | ({"name": turn.speaker} if turn.speaker != role else {})
        )
    return json.dumps({"conversations": said}, ensure_ascii=False)


def _briefing(conversation: Conversation, persona: str | None) -> list[str]:
    """What the persona knows by its card, if anything."""
    told = conversation.briefings.get(persona or "")
    return [told] if told else []


def to_raw(conversation: Conversation, persona: str | None) -> str:
    """The classic raw format: the texts, each with an end token.

    Speakers, times, and line breaks and end tokens within a text are lost.
    """
    texts = (" ".join(turn.text.replace(END, " ").splitlines()).strip() or "…" for turn in conversation.turns)
    return "".join(text + END for text in texts)


def to_conversation(conversation: Conversation, persona: str | None) -> str:
    """Our own format, in which nothing is lost."""
    return json.dumps(conversation.to_dict(), ensure_ascii=False)


def role_of(speaker: str, persona: str | None) -> str:
    """`assistant` for the persona, `system` for system turns, `user` for other speakers."""
    if speaker == persona or (persona is None and speaker == "assistant"):
        return "assistant"
    return "system" if speaker == "system" else "user"


FORMS: dict[str, Callable[[Conversation, str | None], str]] = {
    "conversations": to_conversation,
    "openai": to_openai,
    "sharegpt": to_sharegpt,
    "raw": to_raw,
}


def export(
    conversations: Iterable[Conversation], form: str, file: TextIO, persona: str | None = None
) -> tuple[int, int]:
    """Write one conversation per line; returns the numbers of conversations and turns."""
    count = turns = 0
    for conversation in conversations:
        if form != "conversations" and conversation.briefings:  # of a card: other programs ask for a name
            if not conversation.turns:
                continue
            conversation = conversation.changed(str, lambda text: addressed(text, "user"))
        file.write(FORMS[form](conversation, persona) + "\n")
        count += 1
        turns += len(conversation.turns)
    return count, turns
