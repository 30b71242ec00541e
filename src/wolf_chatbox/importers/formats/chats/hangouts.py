"""Google Hangouts, as Google Takeout wrote it until 2022: all chats in `Hangouts.json`.

Form: `{"conversations": [{"conversation": {"conversation": {"participant_data": …}}, "events": [{"sender_id": …,
"timestamp": µs, "chat_message": {"message_content": {"segment": [{"type": "TEXT", "text": …}]}}}]}]}`; before 2017
`conversation_state` and `event`. https://support.google.com/accounts/answer/3024190.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import MEDIA, SYSTEM, Message, conversations, from_unix
from wolf_chatbox.importers.streams.chronology import oldest_first
from wolf_chatbox.importers.streams.json_stream import JsonStream

KEYS = [re.compile(rf'"{key}"\s*:') for key in ("conversation(?:s|_state)", "participant_data|sender_id", "gaia_id")]
SHOWN = {"LINE_BREAK": "\n"}


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and all(key.search(head) for key in KEYS)


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield each chat, oldest first, cut where it was silent; what nobody said is counted. Times are UTC."""
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key in ("conversations", "conversation_state") and stream.begins() == "[":
                for number, _ in enumerate(stream.elements(), 1):
                    if stream.begins() == "{":
                        yield from _chat(stream, f"{source.path.stem} {number}", {}, config, tally)


def _chat(
    stream: JsonStream, group: str, names: dict[str, str], config: ReadConfig, tally: Tally
) -> Iterator[Conversation]:
    """Yield the conversations of a chat, in whose object, or one within it, stand the people before the events."""
    for key in stream.fields():
        if key == "conversation":
            group = _people(stream.value(), names) or group
        elif key == "conversation_state" and stream.begins() == "{":
            yield from _chat(stream, group, names, config, tally)
        elif key in ("events", "event") and stream.begins() == "[":
            messages = (_message(event, names) for event in stream.items())
            yield from conversations(oldest_first(messages, newest_first=False), group, config, tally)


def _people(value: Any, names: dict[str, str]) -> str:
    """Put down the names of the people by their ids; the chat's name."""
    while isinstance(value, dict) and isinstance(value.get("conversation"), dict):
        value = value["conversation"]
    people = _dict(value).get("participant_data")
    for person in people if isinstance(people, list) else []:
        name = _dict(person).get("fallback_name")
        if name:
            names[_id(_dict(person).get("id"))] = str(name)
    return str(_dict(value).get("name") or ", ".join(list(names.values())[:5]))


def _message(event: Any, names: dict[str, str]) -> Message:
    if not isinstance(event, dict):
        return Message("", "")
    sender = _id(event.get("sender_id"))
    speaker, time = names.get(sender, sender), _time(event.get("timestamp"))
    if "chat_message" not in event:
        return Message(speaker, f"<{event.get('event_type') or 'event'}>", time, SYSTEM)
    content = _dict(_dict(event["chat_message"]).get("message_content"))
    segments = content.get("segment")
    text = "".join(
        SHOWN.get(str(_dict(segment).get("type")), str(_dict(segment).get("text") or ""))
        for segment in (segments if isinstance(segments, list) else [])
    )
    if not text and content.get("attachment"):
        return Message(speaker, "<attachment>", time, MEDIA)
    return Message(speaker, text, time)


def _time(stamp: Any) -> datetime | None:
    try:
        return from_unix(int(stamp) / 1_000_000)
    except (TypeError, ValueError, OverflowError):
        return None


def _id(value: Any) -> str:
    return str(_dict(value).get("gaia_id") or _dict(value).get("chat_id") or "")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


FORMAT = Format(
    title="Google Hangouts (Takeout)",
    documentation="https://support.google.com/accounts/answer/3024190",
    export="https://takeout.google.com → Hangouts, until 2022: `Hangouts.json`",
    notes="all chats of the account; times are UTC; later chats are in Google Chat (`google_chat`)",
    claims=claims,
    read=read,
)
