"""Conversations in the forms that other programs read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TextIO

from wolf_chatbox.conversation import Conversation

END = "<|endoftext|>"
SHAREGPT = {"user": "human", "assistant": "gpt"}


def to_openai(conversation: Conversation, persona: str | None) -> str:
    """The OpenAI form: `role` and `content`, and the speaker as `name`; the persona (or `assistant`) is the assistant.

    https://platform.openai.com/docs/guides/supervised-fine-tuning
    """
    messages = []
    for turn in conversation.turns:
        role = role_of(turn.speaker, persona)
        messages.append(
            {"role": role} | ({"name": turn.speaker} if turn.speaker != role else {}) | {"content": turn.text}
        )
    return json.dumps({"messages": messages}, ensure_ascii=False)


def to_sharegpt(conversation: Conversation, persona: str | None) -> str:
    """ShareGPT's form: `from` and `value`; the persona (or `assistant`) is `gpt`, anybody else `human` with the speaker as `name`."""
    said = []
    for turn in conversation.turns:
        role = role_of(turn.speaker, persona)
        said.append(
            {"from": SHAREGPT.get(role, role), "value": turn.text}
            | ({"name": turn.speaker} if turn.speaker != role else {})
        )
    return json.dumps({"conversations": said}, ensure_ascii=False)


def to_raw(conversation: Conversation, persona: str | None) -> str:
    """The classic raw form: the texts, an end mark after each; speakers, times, line breaks and end marks inside of a text are lost."""
    return "".join(
        (" ".join(turn.text.replace(END, " ").splitlines()).strip() or "…") + END for turn in conversation.turns
    )


def to_conversation(conversation: Conversation, persona: str | None) -> str:
    """Our own form, in which nothing is lost."""
    return json.dumps(conversation.to_dict(), ensure_ascii=False)


def role_of(speaker: str, persona: str | None) -> str:
    """`assistant` for the persona, `system` for a system line, `user` for anybody else."""
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
    """Write a conversation a line; returns how many conversations and turns were written."""
    count = turns = 0
    for conversation in conversations:
        file.write(FORMS[form](conversation, persona) + "\n")
        count += 1
        turns += len(conversation.turns)
    return count, turns
