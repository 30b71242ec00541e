"""ChatGPT Exporter's Markdown: `#### You:` or `#### ChatGPT:` above each message, below a title `# …`.

Form: https://github.com/pionxzh/chatgpt-exporter/blob/master/src/exporter/markdown.ts. A `<time>` may stand above a
message, what was thought is in `<details>`, pictures are `![image](…)`, files `- 📎 name`. In memory is one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import MAX_LINE, Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import ASSISTANT, MEDIA, SYSTEM, USER, Message, conversations, from_iso

HEAD = re.compile(r"#### (You|ChatGPT|Plugin(?: \([^()\n]{1,100}\))?|system|tool):[ \t]*\n?\Z")
CLAIM = re.compile(r"^#### (?:You|ChatGPT):[ \t]*$", re.MULTILINE)
TITLE = re.compile(r"# (.{1,1000})")
TIME = re.compile(r'<time datetime="([^"\n]{1,40})"')
PICTURE, FILE = "![image](", "- 📎 "
SPEAKERS = {"You": USER, "ChatGPT": ASSISTANT}


def claims(head: str) -> bool:
    return bool(CLAIM.search(head))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversation. Its title is the group; what stands above the first message is a system message."""
    title = next((match[1] for match in map(TITLE.match, source.head.splitlines()) if match), source.path.stem)
    yield from conversations(_messages(source), title.strip(), replace(config, session_gap=0), tally)


def _messages(source: Source) -> Iterator[Message]:
    speaker, lines = "", list[str]()
    try:
        for line in _lines(source):
            if mark := HEAD.match(line):
                yield from _said(speaker, lines)
                speaker, lines = mark[1], []
            elif speaker or (line.strip() and not TITLE.match(line)):
                lines.append(line)
    except DataError:  # keep what was read before the damage
        yield from _said(speaker, lines)
        raise
    yield from _said(speaker, lines)


def _lines(source: Source) -> Iterator[str]:
    """The lines; of a picture, which may be in the line itself, only the beginning."""
    with source.open_text() as file:
        number = 1
        while line := file.readline(MAX_LINE):
            start, rest = line.removeprefix("\ufeff"), line
            while not rest.endswith("\n") and (rest := file.readline(MAX_LINE)):
                if not start.startswith(PICTURE):
                    raise DataError(f"{source.path}, line {number}: longer than {MAX_LINE:,} characters. Shorten it.")
            yield f"{PICTURE})" if start.startswith(PICTURE) else start
            number += 1


def _said(speaker: str, lines: list[str]) -> Iterator[Message]:
    """What a message says, after a system message for what was thought before it, and media for its files."""
    if not speaker:
        if lines:
            yield Message("", "".join(lines), kind=SYSTEM)
        return
    time: datetime | None = None
    if lines and (match := TIME.match(lines[0])):
        time, lines = from_iso(match[1]), lines[1:]
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[start].startswith("<details>"):
        end = next((at for at, line in enumerate(lines) if line.startswith("</details>")), start)
        yield Message("", "".join(lines[start : end + 1]), time, SYSTEM)
        lines = lines[end + 1 :]
    media = [line for line in lines if line.startswith((PICTURE, FILE))]
    text = "".join(line for line in lines if not line.startswith((PICTURE, FILE)))
    if speaker not in SPEAKERS:
        yield Message("", text or f"<{speaker}>", time, SYSTEM)
    elif text.strip() or not media:
        yield Message(SPEAKERS[speaker], text, time)
    for line in media:
        yield Message(SPEAKERS.get(speaker, ""), line.removeprefix(FILE), time, MEDIA)


FORMAT = Format(
    title="ChatGPT (Markdown of ChatGPT Exporter)",
    documentation="https://github.com/pionxzh/chatgpt-exporter",
    export="the browser extension ChatGPT Exporter → Markdown; better JSON, which has all branches (`chatgpt`)",
    notes="thoughts are system messages; pictures and files are media; formatting is kept",
    claims=claims,
    read=read,
)
