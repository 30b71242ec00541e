"""Subtitles with speakers: SubRip (.srt) and WebVTT (.vtt, https://www.w3.org/TR/webvtt1/).

The speaker stands in `<v Ann>` (WebVTT's voice span), `ANN: …`, `[Ann] …` or `（花子）…`; it changes at a dash or `>>`.
A cue without a name continues the speaker before it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.source import Source

TIMES = re.compile(r"\s*(?:(\d{1,3}):)?(\d\d):(\d\d)[.,]\d{1,3}\s*-->\s*(?:(\d{1,3}):)?(\d\d):(\d\d)[.,]\d{1,3}")
VOICE = re.compile(r"<v(?:\.[\w.]+)? ([^<>\n]+)>")
TAG = re.compile(r"</?[a-zA-Z][^<>\n]*>|\{\\[^{}\n]*\}")
NAMED = re.compile(
    r"(?:[-–—]\s?|>>+\s?)?(?:\[([^\[\]\n]{1,40})\]|[(（]([^\x00-\x7f]{1,12})[)）]"
    r"|((?:(?:Dr|Mrs?|Ms|Prof|St)\. )?[A-ZÀ-Þ][^:\n.!?,()]{0,40}|[^\x00-\x7f]{1,12})"
    r"(?:\([^()\n]{1,40}\)\s?)?[:：])\s*(?=\S)"
)
SOUND = re.compile(r"-?\s*+(?:[\[(（♪][^\[\]()（）♪]*+[\])）]?+\s*+)++$")
"""A note begins with its opening mark only, so that a line of notes has one reading, not exponentially many."""
PAUSE = timedelta(seconds=20)
"""After such a pause, a cue without a name no longer continues the speaker before it."""
START = datetime(1970, 1, 1)


def claims(head: str) -> bool:
    return head.lstrip().startswith("WEBVTT") or bool(
        re.match(r"\s*\d+\s*\n\s*\d{1,2}:\d\d:\d\d[.,]\d{1,3}\s*-->", head)
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the film as one conversation. Sounds are system messages; cues before any name have no speaker."""
    yield from conversations(_joined(_messages(source)), source.path.stem, config, tally)


def _joined(messages: Iterator[Message]) -> Iterator[Message]:
    """Join the cues of one speaker's sentence."""
    held: list[Message] = []
    for message in messages:
        if held and not _goes_on(held[-1], message):
            yield _one(held)
            held = []
        held.append(message)
    if held:
        yield _one(held)


def _goes_on(before: Message, message: Message) -> bool:
    together = message.speaker == before.speaker and not message.kind and not before.kind
    return together and not before.text.rstrip().endswith((".", "!", "?", "…", "。", '"'))


def _one(cues: list[Message]) -> Message:
    return Message(cues[0].speaker, " ".join(cue.text for cue in cues), None, cues[0].kind)


def _messages(source: Source) -> Iterator[Message]:
    speaker = ""
    end = START
    for begins, ends, lines in _cues(source):
        if begins - end > PAUSE:
            speaker = ""
        end = ends
        parts: list[tuple[str, list[str]]] = []
        for line in lines:
            voice = VOICE.search(line)
            text = html.unescape(TAG.sub("", line)).strip()
            if not text:
                continue
            if SOUND.fullmatch(text):
                yield Message("", text, None, SYSTEM)
                continue
            named = NAMED.match(text)
            if voice or named:
                speaker = voice[1].strip() if voice else (named[1] or named[2] or named[3]).strip()  # type: ignore[index]
                parts.append((speaker, [text[named.end() :] if named and not voice else text]))
            elif text.startswith(("-", "–", "—", ">>")):  # two people in one cue, without names
                speaker = ""
                parts.append(("", [text]))
            elif parts and parts[-1][0] == speaker:
                parts[-1][1].append(text)
            else:
                parts.append((speaker, [text]))
        for who, said in parts:
            yield Message(who, " ".join(said), begins)


def _cues(source: Source) -> Iterator[tuple[datetime, datetime, list[str]]]:
    times: tuple[datetime, datetime] | None = None
    lines: list[str] = []
    for line in source.lines():
        if match := TIMES.match(line):
            if times and lines:
                yield *times, lines
            values = [int(digits or 0) for digits in match.groups()]
            times = tuple(START + timedelta(hours=h, minutes=m, seconds=s) for h, m, s in (values[:3], values[3:]))  # type: ignore[assignment]
            lines = []
        elif not line.strip():
            if times and lines:
                yield *times, lines
            times, lines = None, []
        elif times:
            lines.append(line)
    if times and lines:
        yield *times, lines


FORMAT = Format(
    title="subtitles with speakers (SRT, WebVTT)",
    documentation="https://www.w3.org/TR/webvtt1/",
    notes=(
        "speakers as `<v Ann>`, `ANN:`, `[Ann]`, `>> ANN:`, `（花子）`; a cue without a name continues the speaker "
        "before it, for 20 seconds; cues before any name are dropped"
    ),
    claims=claims,
    read=read,
    suffixes=(".srt", ".vtt"),
)
