"""Subtitles with speakers: SubRip (.srt) and WebVTT (.vtt, https://www.w3.org/TR/webvtt1/).

The speaker stands in `<v Ann>` (WebVTT's voice span), `ANN: …`, `[Ann] …` or `（花子）…`; it changes at a dash or `>>`.
A cue without a name continues the speaker before it. The file is read twice: first, to count what may be names.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.shared.speakers import counted, is_capitalised

TIMES = re.compile(r"\s*(?:(\d{1,3}):)?(\d\d?):(\d\d?)[.,]\d{1,3}\s*-->\s*(?:(\d{1,3}):)?(\d\d?):(\d\d?)[.,]\d{1,3}")
"""Times of two digits, or as Microsoft Teams writes them, of one."""
VOICE = re.compile(r"<v(?:\.[\w.]+)? ([^<>\n]+)>")
TAG = re.compile(r"</?[a-zA-Z][^<>\n]*>|<[\d:.]{5,13}>|\{\\[^{}\n]*\}")
NAMED = re.compile(
    r"(?:[-–—]\s?|>>+\s?)?(?:\[([^\[\]\n]{1,40})\]|[(（]([^\x00-\x7f]{1,12})[)）]"
    r"|((?:(?:Dr|Mrs?|Ms|Prof|St)\. )?[A-ZÀ-Þ][^:\n.!?,()]{0,40}|[^\x00-\x7f]{1,12})"
    r"(?:\([^()\n]{1,40}\)\s?)?[:：])\s*(?=\S)"
)
SOUND = re.compile(r"-?\s*+(?:[\[(（♪][^\[\]()（）♪]*+[\])）]?+\s*+)++$")
"""A note begins with its opening mark only, so that a line of notes has one reading, not exponentially many."""
NOISE = re.compile(
    r"(?:\w{4,}ing|\w*(?:sighs?|gasps?|laughs?|chuckles?|giggles?|grunts?|groans?|moans?|sobs?|cries|screams?"
    r"|shouts?|yells?|whispers?|sniffs?|sniffles?|scoffs?|coughs?|pants|exhales?|inhales?|whimpers?|mutters?|stammers?"
    r"|clears|speaks|sings|hums|snores?|music|applause|cheers|muffled|indistinct|in))\b",
    re.IGNORECASE,
)
"""How a label begins that is no name: `[sighs] …`, `[in French] …`."""
PAUSE = timedelta(seconds=20)
"""After such a pause, a cue without a name no longer continues the speaker before it."""
FEW = 3
"""Words before a colon that come so often are no name yet, where nothing else marks speakers."""
START = datetime(1970, 1, 1)


def claims(head: str) -> bool:
    return head.lstrip().startswith("WEBVTT") or bool(
        re.match(r"\s*\d+\s*\n\s*\d{1,2}:\d\d:\d\d[.,]\d{1,3}\s*-->", head)
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the film as one conversation. Sounds are system messages; cues before any name have no speaker."""
    yield from conversations(_joined(_messages(source, _names(source))), source.path.stem, config, tally)


def _names(source: Source) -> frozenset[str]:
    """The labels that are names of speakers, brackets with their opening one: most words before a colon are none.

    In capitals all are; other capitalised ones (`Ann`, `Ghost of Banquo`) if they come back, or if the file marks its
    speakers elsewhere, and with a colon if it does so with colons; the rest (`Old man`) if they come back there, or
    often.
    """
    voices = False

    def labels() -> Iterator[str]:
        nonlocal voices
        for _, _, lines in _cues(source):
            for line in lines:
                voices = voices or bool(VOICE.search(line))
                if named := NAMED.match(_text(line)):
                    yield _label(named)

    counts = counted(labels())
    for noise in [label for label in counts if label[0] == "[" and NOISE.match(label[1:])]:
        del counts[noise]
    proper = {label for label in counts if is_capitalised(label[1:] if label[0] == "[" else label)}
    known = {label for label in proper if label.isupper() or counts[label] > 1}
    marked = voices or bool(known)
    colons = any(label[0] != "[" for label in known)
    often = {label for label, count in counts.items() if count > (1 if marked else FEW)}
    once = {label for label in counts if colons and label in proper}
    once |= {label for label in counts if marked and label[0] == "[" and not label.islower()}
    return frozenset(known | often | once)


def _text(line: str) -> str:
    return html.unescape(TAG.sub("", line)).strip()


def _label(named: re.Match[str]) -> str:
    """`[Ann` of a name in brackets, so that it is not mistaken for one before a colon: `Ann`."""
    return "[" + (named[1] or named[2]).strip() if named[1] or named[2] else named[3].strip()


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


def _messages(source: Source, names: frozenset[str]) -> Iterator[Message]:
    speaker = ""
    end = START
    for begins, ends, lines in _cues(source):
        if begins - end > PAUSE:
            speaker = ""
        end = ends
        parts: list[tuple[str, list[str]]] = []
        for line in lines:
            voice = VOICE.search(line)
            text = _text(line)
            if not text:
                continue
            if SOUND.fullmatch(text):
                yield Message("", text, None, SYSTEM)
                continue
            named = NAMED.match(text)
            named = named if named and _label(named) in names else None
            if voice or named:
                speaker = voice[1].strip() if voice else _label(named).removeprefix("[")  # type: ignore[arg-type]
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
        "before it, for 20 seconds; cues before any name are dropped; `Ann:` and `[Ann]` are names if they come back, "
        "or if the file marks its speakers elsewhere"
    ),
    claims=claims,
    read=read,
    suffixes=(".srt", ".vtt"),
)
