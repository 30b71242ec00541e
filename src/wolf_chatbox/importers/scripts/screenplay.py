"""Scripts as text: `NAME: line` transcripts, and Fountain screenplays (names in capitals above their lines).

Fountain's syntax: https://fountain.io/syntax.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.source import Source

COLON = re.compile(
    r"\s{0,8}([^\W\d_][^:\uff1a\n<>{}\[\]\"=|(\uff08]{0,40}?)\s?"
    r"(?:[(\uff08][^()\uff08\uff09\n]{1,60}[)\uff09]\s?)?[:\uff1a](?!//)\s*(\S.*)?$"
)
HEADING = re.compile(r"\s*(?:\.(?!\.)\S|(?:INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ])", re.IGNORECASE)
SCENE = re.compile(
    r"\s*(?:[\[(【].{0,200}[\])】]|#{1,6} .*|(?:SCENE|ACT|Scene|Act|第.{1,4}[幕場話])\b.{0,80}|[-=*_]{3,})\s*$"
)
CUE = re.compile(
    r"\s*(?:@(\S[^\n(^]*)|([A-Z0-9À-ÖØ-Þ][A-Z0-9À-ÖØ-Þ .,'’&#/-]*[A-ZÀ-ÖØ-Þ0-9.]))\s*(?:\([^()\n]*\)\s*)*\^?\s*$"
)
TRANSITION = re.compile(r"\s*(?:>.*|[A-Z ]+ TO:|FADE (?:IN|OUT)[.:]?)\s*$")
ASIDE = re.compile(r"\s*\([^()\n]*\)\s*$")
MARKS = re.compile(r"(\*{1,3}|_)(?=\S)(.{1,300}?)(?<=\S)\1")
LONG = 300
"""Characters: a longer line is no name, heading or direction."""
TITLE = re.compile(r"(?:Title|Credit|Author|Authors|Source|Draft date|Contact|Notes|Copyright):", re.IGNORECASE)


def claims(head: str) -> bool:
    if (
        head.lstrip().startswith(("{", "[{", "<", "WEBVTT", "From "))
        or re.match(r"\s*\d+\s*\n\s*\d\d:\d\d:\d\d", head)
        or "\t" in head[:500]
    ):
        return False
    return _is_fountain(head) or _has_names(head)


def _has_names(head: str) -> bool:
    lines = [line for line in head.splitlines()[:2000] if line.strip()]
    names = Counter(match[1] for line in lines if (match := COLON.match(line)))
    often = sum(count for count in names.values() if count > 1)
    return len(lines) > 1 and (
        often >= 0.3 * len(lines) or (len(lines) <= 20 and names.total() == len(lines) and len(names) > 1)
    )


def _is_fountain(head: str) -> bool:
    lines = head.splitlines()[:3000]
    cues = sum(_is_cue(lines, at) for at in range(len(lines)))
    headings = sum(bool(HEADING.match(line[:LONG])) for line in lines)
    return cues >= 2 and (headings > 0 or bool(TITLE.match(head))) and not _has_names(head)


def _is_cue(lines: list[str], at: int) -> bool:
    """Whether a line is a name in capitals, with an empty line (or the beginning) above and speech right below."""
    line = lines[at]
    if (
        len(line) > LONG
        or not CUE.match(line)
        or HEADING.match(line)
        or TRANSITION.match(line)
        or len(line.strip()) > 60
    ):
        return False
    return (at == 0 or not lines[at - 1].strip()) and at + 1 < len(lines) and bool(lines[at + 1].strip())


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation a scene, all of one group. Action and stage directions are system messages."""
    scenes = _fountain(source) if _is_fountain(source.head) else _transcript(source)
    group = source.path.stem
    scene: list[Message] = []
    for message in scenes:
        if message is None:
            yield from conversations(scene, group, config, tally)
            scene = []
        else:
            scene.append(message)
    yield from conversations(scene, group, config, tally)


def _transcript(source: Source) -> Iterator[Message | None]:
    """Yield messages of `NAME: line`, and None between scenes.

    A line without a name continues the one above, unless there is an empty line between them.
    """
    speaker = ""
    said: list[str] = []
    gap = True
    for line in source.lines():
        text = line.strip()
        scene = len(line) < LONG and bool(SCENE.match(line))
        match = COLON.match(line) if text and not scene else None
        if match:
            if speaker:
                yield Message(speaker, "\n".join(said))
            speaker, said, gap = match[1], [match[2] or ""], False
        elif not text:
            gap = True
        elif speaker and not gap and not scene:
            said.append(text)
        else:
            if speaker:
                yield Message(speaker, "\n".join(said))
            speaker, said = "", []
            if scene and not ASIDE.match(line):
                yield None
            yield Message("", text, None, SYSTEM)
    if speaker:
        yield Message(speaker, "\n".join(said))


def _fountain(source: Source) -> Iterator[Message | None]:
    lines = _without(_without(source.text(), "/*", "*/"), "[[", "]]").splitlines()
    at = 0
    if TITLE.match(source.head):  # the title page ends with an empty line
        while at < len(lines) and lines[at].strip():
            at += 1
    while at < len(lines):
        line = lines[at]
        at += 1
        if HEADING.match(line[:LONG]):
            yield None
        if line.strip() and not _is_cue(lines, at - 1):
            yield Message("", line, None, SYSTEM)
        elif line.strip() and (cue := CUE.match(line)):
            said = []
            while at < len(lines) and (lines[at].strip() or lines[at] == "  "):  # two spaces keep a speech together
                if lines[at].strip() and (len(lines[at]) > LONG or not ASIDE.match(lines[at])):
                    said.append(MARKS.sub(r"\2", lines[at].strip()))
                at += 1
            yield Message((cue[1] or cue[2]).strip(), " ".join(said))


def _without(text: str, opening: str, closing: str) -> str:
    """The text without the notes between two marks; a note that is not closed stays."""
    parts = []
    at = 0
    while (begins := text.find(opening, at)) >= 0 and (ends := text.find(closing, begins + len(opening))) >= 0:
        parts.append(text[at:begins])
        at = ends + len(closing)
    return "".join([*parts, text[at:]])


FORMAT = Format(
    title="screenplay (NAME: line, Fountain)",
    documentation="https://fountain.io/syntax",
    notes="cut at scenes; stage directions and action are counted as system messages",
    claims=claims,
    read=read,
    suffixes=(".fountain",),
    general=True,
)
