"""Fountain screenplays, and films as text: names in capitals above their lines (https://fountain.io/syntax).

The file is read line by line. Only what a note (`[[…]]`) or a boneyard (`/* … */`) leaves of its first line is held
until it closes; whether it closes is counted in a reading of its own, because one that does not is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, dropwhile

from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.shared.messages import SYSTEM, Message

LONG = 300
"""Characters: a longer line is no name, heading or direction."""
HEADING = re.compile(r"\s*(?:\.(?!\.)\S|(?:INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ])", re.IGNORECASE)
CUE = re.compile(r"\s*(?:@(\S[^\n(^]*)|([\w#][\w .,'’&#/-]*))\s*(?:\([^()\n]*\)\s*)*\^?\s*$")
TRANSITION = re.compile(r"\s*(?:>.*|[A-Z ]+ TO:|FADE (?:IN|OUT)[.:]?)\s*$")
ASIDE = re.compile(r"\s*\([^()\n]*\)\s*$")
MARKS = re.compile(r"(\*{1,3}|_)(?=\S)(.{1,300}?)(?<=\S)\1")
KEY = re.compile(r"[^\W\d_][\w '’/-]{0,40}:")
KNOWN_KEY = re.compile(r"(?:Title|Credit|Authors?|Source|Draft date|Contact|Notes|Copyright):", re.IGNORECASE)
INDENTED = re.compile(r" {3}|\t| +\S")
NOTES = (("/*", "*/"), ("[[", "]]"))
"""Boneyards and notes: what opens them, and what closes them."""


def is_fountain(head: str) -> bool:
    """Whether a text has a name in capitals above a line, and a title page or headings of scenes."""
    lines = head.splitlines()[:3000]
    titled = has_title_page(head)
    cues = sum(is_cue(*around) for around in _with_neighbours(lines))
    headings = sum(bool(HEADING.match(line[:LONG])) for line in lines)
    return (titled and cues > 0) or (headings > 0 and cues > 1)


def has_title_page(head: str) -> bool:
    """Whether a text begins with keys and values, at least one of them a key that title pages have."""
    lines = list(dropwhile(lambda line: not line.strip(), without_notes(head.splitlines(), head.splitlines)))
    page = lines[: next((at for at, line in enumerate(lines) if not line.strip()), len(lines))]
    return bool(page) and all(map(_is_of_title, page)) and any(map(KNOWN_KEY.match, page))


def _is_of_title(line: str) -> bool:
    return bool(KEY.match(line) or INDENTED.match(line))


def is_cue(above: str, line: str, below: str) -> bool:
    """Whether a line is a name in capitals, with an empty line (or the beginning) above and speech right below."""
    return not above.strip() and bool(below.strip()) and below.lstrip()[0] != "[" and bool(_name(line))


def _name(line: str) -> str:
    """The name that a line is, if it is nothing but a name."""
    if len(line) > LONG or len(line.strip()) > 60 or HEADING.match(line) or TRANSITION.match(line):
        return ""
    match = CUE.match(line)
    if not match:
        return ""
    return (match[1] or (match[2] if match[2].isupper() and match[2].strip()[-1] not in ",-/'’" else "")).strip()


def fountain(source: Source, tally: Tally) -> Iterator[Message | None]:
    """Yield the messages of a film, and None before each scene; headings, action and transitions are system messages.

    A parenthetical below a name says how a line is said, and is left out with it, as `(V.O.)` behind a name is; the
    title page is no message. Notes are counted as dropped.
    """
    lines = without_notes(source.lines(), source.lines, tally)
    lines = dropwhile(lambda line: not line.strip(), lines)
    first = next(lines, "")
    if KNOWN_KEY.match(first) or (KEY.match(first) and not first.partition(":")[0].isupper()):  # not FADE IN:
        lines = dropwhile(lambda line: bool(line.strip()) and _is_of_title(line), lines)  # it ends with an empty line
    else:
        lines = chain([first], lines)
    yield from _messages(lines)


def _messages(lines: Iterable[str]) -> Iterator[Message | None]:
    speaker = ""
    said: list[str] = []
    for above, line, below in _with_neighbours(lines):
        bare = line.rstrip("\r\n")
        if speaker and (bare.strip() or bare == "  "):  # two spaces keep a speech together
            if bare.strip() and (len(bare) > LONG or not ASIDE.match(bare)):
                said.append(MARKS.sub(r"\2", bare.strip().removeprefix("~")))
            continue
        if speaker:
            yield Message(speaker, " ".join(said))
            speaker, said = "", []
        if HEADING.match(line[:LONG]):
            yield None
        if is_cue(above, line, below):
            speaker = _name(line)
        elif line.strip():
            yield Message("", line, None, SYSTEM)
    if speaker:
        yield Message(speaker, " ".join(said))


def _with_neighbours(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each line with the one above and the one below it."""
    above = line = ""
    begun = False
    for below in lines:
        if begun:
            yield above, line, below
            above = line
        line, begun = below, True
    if begun:
        yield above, line, ""


def without_notes(
    lines: Iterable[str], again: Callable[[], Iterable[str]], tally: Tally | None = None
) -> Iterator[str]:
    """The lines without boneyards and notes; `again` gives the lines another time, to count those that close."""
    boneyards = _closed(again(), *NOTES[0])
    notes = _closed(_without(again(), *NOTES[0], boneyards), *NOTES[1])
    if tally and boneyards + notes:
        tally.dropped["note"] += boneyards + notes
    return _without(_without(lines, *NOTES[0], boneyards), *NOTES[1], notes)


def _closed(lines: Iterable[str], opening: str, closing: str) -> int:
    """How many notes between two marks close."""
    closed = 0
    inside = False
    for line in lines:
        at = 0
        while (at := line.find(closing if inside else opening, at)) >= 0:
            at += len(opening)
            closed += inside
            inside = not inside
    return closed


def _without(lines: Iterable[str], opening: str, closing: str, notes: int) -> Iterator[str]:
    """The lines without the first so many notes between two marks; what is around a note becomes one line."""
    held: list[str] = []
    inside = False
    for line in lines:
        at = 0
        while notes and (found := line.find(closing if inside else opening, at)) >= 0:
            if not inside:
                held.append(line[at:found])
            at = found + len(opening)
            notes -= inside
            inside = not inside
        if not inside:
            held.append(line[at:])
            yield "".join(held)
            held = []
