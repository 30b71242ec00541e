"""Scripts as text: `NAME: line` transcripts, and Fountain screenplays (names in capitals above their lines).

Fountain's syntax: https://fountain.io/syntax. Transcripts were looked at as fans write them: of Seinfeld and The
Simpsons (`George: (to Jerry) …`, `[Kramer enters]`), of Star Trek (`KIRK [OC]: …`, directions over several lines), of
Friends (`**Ross:** …` in Markdown), and of interviews (https://github.com/thechangelog/transcripts: speeches of several
paragraphs).

A name before a colon counts when it comes back, or is capitalised as names are. What has no name goes on with the
speech above it if there is no empty line between them, if it begins in the middle of a sentence, or if the file has no
directions and its paragraphs without a name speak of "I" and "you".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.fountain import KNOWN_KEY, LONG, fountain, is_fountain
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.shared.speakers import counted, is_capitalised
from wolf_chatbox.importers.shared.stage_directions import GOES_ON, MOST_LINES, PAIRS, is_direction, left_open, whole

COLON = re.compile(
    r"\s{0,8}\*{0,3}([^\W\d_][^:\uff1a\n<>{}\[\]\"=|(\uff08*]{0,40}?)\s?"
    r"(?:[(\[\uff08][^()\[\]\uff08\uff09\n]{1,60}[)\]\uff09]\s?)?\*{0,3}[:\uff1a](?!//)\*{0,3}\s*(\S.*)?$"
)
SELF = re.compile(
    r"\b(?:I|I['’]\w+|[Yy]ou|[Yy]our|[Ww]e|[Mm]y|[Mm]e|[Oo]ur|us|[Jj]e|[Tt]u|[Vv]ous|[Nn]ous|[Ii]ch|[Dd]u|[Ww]ir|[Yy]o|[Uu]sted"
    r"|[Nn]osotros|[Ii]o|[Nn]oi|[Ee]u|[Vv]ocê)\b|[私僕俺]|わたし|あなた"
)
"""Words of somebody who speaks, and not of one who tells what happens."""
FAR = 150
"""Characters: no colon behind a name is that far."""
NUMBER = r"(?:\d{1,3}|[IVXLC]{1,7}|(?i:one|two|three|four|five|six|seven|eight|nine|ten))\b"
SCENE = re.compile(
    r"\s*(?:#{1,6} .*|(?:SCENE|ACT)\b.{0,80}|(?:Scene|Act|Part|PART|TEASER)(?:\s+" + NUMBER + r".{0,80}|\s*:.{0,80})?"
    r"|第.{1,4}[幕場話]\b.{0,80}|[-=*_]{3,})\s*$"
)
HEADER = re.compile(
    r"(?:.{0,20}\b(?:air ?date|by)|stardate|broadcast|(?:episode|season|production)\b.{0,20}|guest stars?|starring"
    r"|cast|summary|synopsis)$",
    re.IGNORECASE,
)
"""What stands before a colon at the beginning of a transcript, and is no speaker."""
NAMED, LINE, GAP, DIRECTION, HEADING = range(5)
"""What a line of a transcript is; a direction may be several."""


def claims(head: str) -> bool:
    if head.lstrip().startswith(("{", "[{", "<", "WEBVTT", "From ")) or re.match(r"\s*\d+\s*\n\s*\d\d:\d\d:\d\d", head):
        return False
    if _has_names(head):
        return "\t" not in head[:500]
    return is_fountain(head)


def _has_names(head: str) -> bool:
    lines = [line for line in head.splitlines()[:2000] if line.strip()]
    named = [match for line in lines if (match := _named(line))]
    names = Counter(match[1] for match in named)
    often = sum(count for count in names.values() if count > 1)
    spoken = Counter(match[1] for match in named if match[2])
    cast = [count for name, count in spoken.items() if count > 1 and is_capitalised(name)]
    return len(lines) > 1 and (
        often >= 0.3 * len(lines)
        or (len(cast) > 2 and sum(cast) >= 0.15 * len(lines))
        or (len(lines) <= 20 and names.total() == len(lines) and len(names) > 1)
    )


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation a scene, all of one group. Action and stage directions are system messages."""
    film = not _has_names(source.head) and (is_fountain(source.head) or source.path.suffix.lower() == ".fountain")
    group = source.path.stem
    scene: list[Message] = []
    messages = fountain(source, tally) if film else whole(_transcript(source), apart=SYSTEM in config.also_keep)
    for message in messages:
        if message is None:
            yield from conversations(scene, group, config, tally)
            scene = []
        else:
            scene.append(message)
    yield from conversations(scene, group, config, tally)


def _transcript(source: Source) -> Iterator[Message | None]:
    """Yield messages of `NAME: line`, and None between scenes.

    What has no name, and goes on with nothing, is a system message where it looks like a heading, or where nobody has
    spoken yet, and a message without a speaker anywhere else.
    """
    names = _names(source)
    told = _is_spoken(source.head, names)
    speaker = kind = ""
    said: list[str] = []
    unnamed: list[str] = []
    gap, begun = True, False
    for what, name, text in _parts(source.lines(), names):
        if unnamed and what != LINE:
            yield _unnamed(unnamed, begun)
            unnamed = []
        goes_on = what == LINE and speaker and not unnamed and (told or not gap or text[:1].islower())
        if said and what != GAP and not goes_on:
            yield Message(speaker, "\n".join(said), None, kind)
            said, kind = [], GOES_ON
        if what == NAMED and (begun or not _is_header(name)):
            speaker, said, kind = name, [text], ""
            gap, begun = False, True
        elif what == GAP:
            gap = True
        elif goes_on:
            said.append(text)
            gap = False
        elif what == LINE:
            unnamed.append(text)
        else:
            if what == HEADING:
                yield None
                speaker = "" if gap or text[0] not in PAIRS else speaker
            yield Message("", text if what != NAMED else f"{name}: {text}", None, SYSTEM)
    if unnamed:
        yield _unnamed(unnamed, begun)
    if said:
        yield Message(speaker, "\n".join(said), None, kind)


def _is_spoken(head: str, names: frozenset[str]) -> bool:
    """Whether paragraphs without a name are speech that goes on: there are no directions, but "I" and "you"."""
    named = directions = unnamed = personal = 0
    gap = True
    for what, _, text in _parts(head.splitlines(), names):
        named += what == NAMED
        directions += what in (DIRECTION, HEADING)
        if what == LINE and gap and named:
            unnamed += 1
            personal += bool(SELF.search(text))
        gap = what == GAP
    return 20 * directions <= named and 3 * personal >= unnamed > 0


def _unnamed(lines: list[str], begun: bool) -> Message:
    """What nobody is named for: a heading if it is one line without an end of a sentence."""
    text = " ".join(lines)
    heading = len(lines) == 1 and len(text) <= 80 and not text.endswith((".", "!", "?", "…", '"', "”", "。", "」"))
    return Message("", text, None, SYSTEM if heading or not begun else "")


def _named(line: str) -> re.Match[str] | None:
    """What stands before a colon, and what behind it, if that may be a name."""
    begins = line[:FAR]
    return COLON.match(line) if ":" in begins or "\uff1a" in begins else None


def _is_header(name: str) -> bool:
    return bool(KNOWN_KEY.match(f"{name}:") or HEADER.match(name))


def _names(source: Source) -> frozenset[str]:
    """The names of a transcript: those that come back, and those that are capitalised as names are."""
    counts = counted(match[1] for line in source.lines() if (match := _named(line)))
    return frozenset(name for name, count in counts.items() if count > 1 or is_capitalised(name))


def _parts(lines: Iterable[str], names: frozenset[str]) -> Iterator[tuple[int, str, str]]:
    """Yield what the lines are, a name if it has one, and the text; a direction over several lines as one part."""
    held: list[str] = []
    depth = 0
    gap = False
    for line in lines:
        text = line.strip()
        if not text and gap:  # a quick end for many empty lines
            continue
        gap = not text
        match = _named(line)
        named = bool(match and (match[1] in names))
        if held and (not text or named):  # a bracket that nobody closed
            yield _direction(held)
            held = []
        if held:
            held.append(text)
            depth += left_open(text, held[0][0])
            if depth <= 0 and text.endswith(PAIRS[held[0][0]]):
                yield _direction(held)
                held = []
            elif depth <= 0 or len(held) == MOST_LINES:
                yield from ((LINE, "", line) for line in held)
                held = []
        elif not text:
            yield GAP, "", ""
        elif len(line) < LONG and SCENE.match(line):
            yield HEADING, "", text
        elif named and match:
            yield NAMED, match[1], match[2] or ""
        elif is_direction(text):
            yield _direction([text])
        elif text[0] in PAIRS and (depth := left_open(text, text[0])) > 0:
            held = [text]
        else:
            yield LINE, "", text
    if held:
        yield _direction(held)


def _direction(lines: list[str]) -> tuple[int, str, str]:
    """A direction as a part: one in square brackets begins a scene, one in parentheses does not."""
    return (DIRECTION if lines[0][0] in "(（" else HEADING), "", " ".join(lines)


FORMAT = Format(
    title="screenplay (NAME: line, Fountain)",
    documentation="https://fountain.io/syntax",
    notes=(
        "cut at scenes; stage directions and action are counted as system messages, a paragraph without a name as one "
        "without a speaker; words before a colon are a name if they come back, or are capitalised as names are"
    ),
    claims=claims,
    read=read,
    suffixes=(".fountain",),
    general=True,
)
