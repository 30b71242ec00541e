"""Google AI Studio's saved prompts, as they lie in the folder "Google AI Studio" of Google Drive: JSON, with no suffix.

    {"runSettings": {…}, "systemInstruction": {"text": …},
     "chunkedPrompt": {"chunks": [{"role": "user", "text": …}, {"role": "model", "text": …, "isThought": true}, …]}}

Google does not document it; the form is that of programs that read such files, such as
https://github.com/Sinity/polylogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import ASSISTANT, MEDIA, SYSTEM, USER, Message, conversations, from_iso
from wolf_chatbox.importers.streams.json_stream import JsonStream

SPEAKERS = {"user": USER, "model": ASSISTANT}
FILES = re.compile(r"(?:drive|inline)[A-Z]|youtubeVideo")
"""Keys of a chunk that is a file or a picture."""
RUN = ("executableCode", "codeExecutionResult", "errorMessage")


def claims(head: str) -> bool:
    return head.lstrip().startswith("{") and bool(re.search(r'"chunkedPrompt"\s*:\s*\{', head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the chat. Thoughts, instructions, code that was run, and what was not sent are system messages."""
    yield from conversations(_messages(source), source.path.stem, replace(config, session_gap=0), tally)


def _messages(source: Source) -> Iterator[Message]:
    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "systemInstruction":
                if text := _text(stream.value()):
                    yield Message("", text, kind=SYSTEM)
            elif key == "chunkedPrompt" and stream.begins() == "{":
                for inner in stream.fields():
                    if inner in ("chunks", "pendingInputs") and stream.begins() == "[":
                        for chunk in stream.items():
                            yield from _message(chunk, inner == "chunks")


def _message(chunk: Any, sent: bool) -> Iterator[Message]:
    if not isinstance(chunk, dict):
        return
    role, text, time = chunk.get("role"), _text(chunk), from_iso(chunk.get("createTime"))
    speaker = SPEAKERS.get(role, role) if isinstance(role, str) else ""
    parts = [part for part in _objects(chunk.get("parts")) if not any(key in chunk for key in RUN)]
    run = [key for holder in (chunk, *parts) for key in RUN if key in holder]
    files = [key for key in chunk if FILES.match(key)]
    if chunk.get("isThought") is True or not sent:
        yield Message("", text, time, SYSTEM)
    elif text.strip() or not (run or files):
        yield Message(speaker, text, time)
    for key in run:
        yield Message("", f"<{key}>", time, SYSTEM)
    for key in files:
        yield Message(speaker, f"<{key}>", time, MEDIA)


def _text(value: Any) -> str:
    """The `text` of an object, or that of its `parts` which are no thoughts."""
    if not isinstance(value, dict):
        return ""
    if isinstance(text := value.get("text"), str):
        return text
    texts = [part.get("text") for part in _objects(value.get("parts")) if part.get("thought") is not True]
    return "".join(text for text in texts if isinstance(text, str))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


FORMAT = Format(
    title="Google AI Studio (saved prompt)",
    documentation="https://github.com/Sinity/polylogue",
    export="Google Drive → the folder Google AI Studio → Download",
    notes="thoughts, instructions and code that was run are system messages; files and pictures are media",
    claims=claims,
    read=read,
)
