"""Plays as text: a name on a line of its own, or before its speech, and the speech in the lines below.

The forms are those of Shakespeare's plays as they are handed around: Project Gutenberg (`MACBETH.` or `Mac.` above the
speech, in older editions `  KING. Though yet …` before it), karpathy/char-rnn's Tiny Shakespeare (`First Citizen:`
above it), the Folger Shakespeare (`BARNARDO  Who's there?`, two spaces), MIT's (a tab), and Markdown (`**NAME**`).
Each file is of one of them. A name counts when it comes back, or is capitalised as names are.

Verse keeps its line breaks, because a line is what a poet wrote and what a model is to write; the lines of prose are
the printer's, and are joined by spaces. Speech goes on behind a stage direction, and ends with an act, a scene, or
three empty lines. The file is read line by line, twice: the first time, to count the names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.shared.fountain import MARKS, is_fountain
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations
from wolf_chatbox.importers.shared.speakers import counted, is_capitalised
from wolf_chatbox.importers.shared.stage_directions import GOES_ON, MOST_LINES, is_direction, left_open, whole

NAME = r"((?:\d{1,2}\.? )?[^\W\d_][\w .,'’&/#-]{0,60}?)"
SHOUTED = r"([A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ0-9 .,'’&/#-]{0,40}[A-ZÀ-ÖØ-Þ0-9.])"
MANNER = r"(?:,? ?[\[(][^\[\]()\n]{1,60}[\])]\.?)?"
"""How a line is said, behind a name."""


@dataclass(frozen=True)
class Style:
    """How a play names its speakers."""

    above: re.Pattern[str]
    """A line that is a name; what follows is the speech."""
    before: re.Pattern[str] | None = None
    """A line that begins with a name, and goes on with the speech."""


ABOVE = Style(re.compile(rf"(?:{NAME}{MANNER}[.:]|\*\*{NAME}[.:]?\*\*[.:]?){MANNER}$"))
BARE = Style(
    re.compile(rf"{SHOUTED}{MANNER}$"),
    re.compile(rf"(?:{NAME}{MANNER} ?\t\s*|{SHOUTED}(?<![.,]){MANNER} {{2,4}})(\S.*)$"),
)
DOTTED = Style(re.compile(rf"{SHOUTED}{MANNER}\.$"), re.compile(rf"{SHOUTED}\. {{1,2}}(\S.*)$"))
NUMBER = r"(?:\d{1,3}|[IVXLC]{1,7}|(?i:one|two|three|four|five|first|second|third|fourth|fifth))\b"
HEADING = re.compile(
    rf"(?:#{{1,6}} .{{0,120}}|(?:ACT|SCENE)\b.{{0,120}}|(?:Act(?:us)?|Scene|Scena|Scoena)[ .]+"
    rf"(?:{NUMBER}|[PSTQ]\w+(?:us|a)\b).{{0,120}}|{NUMBER} ACT\b.{{0,20}})$"
)
OPENING = re.compile(r"(?:THE )?(?:PROLOGUE|EPILOGUE|INDUCTION)[.:]?$")
"""A heading, unless somebody is called so and speaks below."""
TOGETHER = re.compile(r",? and | & |, ")  # between names of people who speak together
HEADS = frozenset("#AaSsTtFfOoPpEeIiVvXxLlCc0123456789")  # how a heading may begin: a quick look at each line
CAST = re.compile(
    r"\W{0,8}(?:dramatis person|persons? (?:represented|(?:of|in) the)|(?:the )?(?:characters?|cast)"
    r"(?: in the play)?\W*$)",
    re.IGNORECASE,
)
STAGE = re.compile(r"[\W_]{0,4}(?:(?:Re-?)?[Ee]nter|Exit|Exeunt|Man[ea]n?t|Flourish|Alarums?|Sennet|Tucket|Curtain)\b")
STAGED = re.compile(rf"\W{{0,8}}(?:(?:ACT|SCENE|Act|Scene|Actus)[ .]+{NUMBER}|Exeunt\b|(?:Re-?)?[Ee]nter [A-Z])")
APART = re.compile(r"_?(?:Exit|Exeunt)\b.{0,60}$|[-=*_]{3,}$")
"""What is no speech even right below a speech: that people leave, and a rule."""
WITHIN = re.compile(r"\[[^\[\]]{0,600}\]|(?<=\S)[ \t]{3,}(?:Exit|Exeunt)\b[^\n]{0,60}")
"""Directions within a speech, and at the right of its last line."""
BEGINS = re.compile(r"\*{3} ?START OF")
ENDS = re.compile(r"\*{3} ?END OF|End of (?:the )?Project Gutenberg|THE END$")
LONG, LONGEST, CENTRED, FAR = 150, 80, 12, 3
"""Characters above which a line is no heading, and no name; spaces before a direction that is set in the middle, as
the complete works have them; empty lines that end a speech."""


def claims(head: str) -> bool:
    other = head.lstrip().startswith(("{", "[{", "<", "WEBVTT", "From ")) or is_fountain(head)
    return not other and _style(head) is not None


def _style(head: str) -> Style | None:
    """How the names of a play are set: as most of those that come back are; None for what is no play."""
    lines = [line.strip() for line in head.splitlines()[:3000]]
    full = sum(bool(line) for line in lines)
    paragraphs = sum(bool(line) and not above for above, line in pairwise(["", *lines]))
    staged = any(map(STAGED.match, lines))
    found = []
    for style in (ABOVE, BARE, DOTTED):
        if style is BARE and not staged:  # capitals alone may be anything
            continue
        counts = Counter(name for name, speech in _cues(lines, style) if speech or style is not DOTTED)
        cues = [count for name, count in counts.items() if is_capitalised(name)]
        often = [count for count in cues if count > 1]
        many = len(often) > 1 and sum(often) > max(3, (0.02 if staged else 0.12) * full)
        most = bool(often) and sum(cues) >= max(3, (0.1 if staged else 0.5) * paragraphs)
        if many or most:
            found.append((sum(often) * (1.2 if style is ABOVE else 1), style))  # capitals alone may end in a point
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _cues(lines: Iterable[str], style: Style) -> Iterator[tuple[str, str]]:
    """Yield the names of lines that may be cues, and the speech behind them; a name alone has an empty line above."""
    gap, name = True, ""
    for line in lines:
        if name and line.strip():
            yield name, ""
        name = ""
        text = line.strip()
        cue = _cue(text, style, gap)
        if cue and cue[1]:
            yield cue
        elif cue and gap and not _is_heading(text):
            name = cue[0]
        gap = not text or text[-1] in "])"


def _cue(text: str, style: Style, gap: bool) -> tuple[str, str] | None:
    """The name that a line is or begins with, and the speech behind it; `gap` tells of an empty line above."""
    shouted = text.lstrip("*")[:2].isupper()
    if style.before and (shouted or "\t" in text) and (match := style.before.match(text)):
        *names, speech = match.groups()
    elif (gap or shouted) and len(text) <= LONGEST and (match := style.above.match(text)) and not STAGE.match(text):
        names, speech = list(match.groups()), ""
    else:
        return None
    return next(filter(None, names)).strip(" ."), speech


def _is_heading(text: str) -> bool:
    return text[0] in HEADS and len(text) <= LONG and bool(HEADING.match(text))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation a scene, all of one group; what is no speech is a system message, a paragraph each."""
    group = source.path.stem
    scene: list[Message] = []
    style = _style(source.head) or ABOVE
    acts = any(map(STAGED.match, map(str.strip, source.head.splitlines())))
    reading = _Reading(style, _names(source, style), acts, licence=bool(BEGINS.search(source.head)))
    for message in whole(reading.messages(source.lines()), apart=SYSTEM in config.also_keep):
        if message is None:
            yield from conversations(scene, group, config, tally)
            scene = []
        else:
            scene.append(message)
    yield from conversations(scene, group, config, tally)


def _names(source: Source, style: Style) -> frozenset[str]:
    """The names of a play: those that come back or are in capitals, and where they stand alone, those with capitals."""
    counts = counted(name for name, _ in _cues(source.lines(), style))
    alone = style.before is None
    return frozenset(
        name
        for name, count in counts.items()
        if (count > 1 or name.isupper() or (alone and is_capitalised(name))) and name.strip("IVXLC")
    )


@dataclass
class _Reading:
    """Where in a play the reading is."""

    style: Style
    names: frozenset[str]
    acts: bool
    """Whether there are acts or scenes, so that the list of persons ends."""
    licence: bool
    """Whether this is the text around a book that Project Gutenberg puts there."""
    cast: bool = False
    speaker: str = ""
    silent: bool = False
    """Whether the speaker was named, and has said nothing yet."""
    said: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    """The lines of a paragraph that is no speech."""
    depth: int = 0
    """Open brackets of a direction."""
    empty: int = 1
    """Empty lines above."""

    def messages(self, lines: Iterable[str]) -> Iterator[Message | None]:
        for line in lines:
            yield from self._take(line)
        yield from self._end()

    def _take(self, line: str) -> Iterator[Message | None]:
        """Take a line; yield the messages that end with it, and None where a scene does."""
        text = line.strip()
        if not text:
            yield from self._blank()
            return
        gap, self.empty = self.empty > 0, 0
        cue = None if self.licence or self.cast else self._named(text, gap)
        if cue and not (self.depth and cue[1]):  # a bracket that nobody closed
            yield from self._end()
            self.speaker, self.silent, self.said = cue[0], True, [cue[1]] if cue[1] else []
        elif self.licence or ENDS.match(text):
            if not self.licence:
                yield from self._end()
                self.speaker = ""
            self.aside.append(text)
            self.licence = not BEGINS.match(text)
        elif self.depth:
            self.aside.append(text)
            self.depth += left_open(text, self.aside[0][0])
            if self.depth <= 0 or len(self.aside) == MOST_LINES:
                yield from self._direction()
        elif _is_heading(text) or OPENING.match(text):
            yield from self._end()
            self.speaker, self.cast = "", False
            yield None
            yield Message("", text, None, SYSTEM)
        else:
            yield from self._matter(text, gap, centred=gap and self.style is DOTTED and line[:CENTRED].isspace())

    def _matter(self, text: str, gap: bool, centred: bool) -> Iterator[Message]:
        """Take a line that is neither a name nor a heading: a direction, speech, or a line of the list of persons."""
        bracket = text[0] == "[" or (gap and text[0] == "(")
        if gap and self.acts and CAST.match(text):
            yield from self._speech()
            self.speaker, self.cast = "", True
            self.aside.append(text)
        elif (bracket and is_direction(text)) or (gap and text[0] == text[-1] == "_") or APART.match(text):
            yield from self._until_now()
            yield Message("", text, None, SYSTEM)
        elif bracket and left_open(text, text[0]) > 0:
            yield from self._until_now()
            self.aside.append(text)
            self.depth = left_open(text, text[0])
        elif self.speaker and not self.aside and not centred and not (gap and STAGE.match(text)):
            self.said.append(text)
        else:
            yield from self._speech()
            self.cast = self.cast and not STAGE.match(text)
            self.aside.append(text)

    def _blank(self) -> Iterator[Message]:
        self.empty += 1
        yield from self._direction()
        if self.empty == FAR:
            yield from self._end()
            self.speaker = ""

    def _named(self, text: str, gap: bool) -> tuple[str, str] | None:
        """The name of a speaker that a line is or begins with, and the speech behind it."""
        cue = _cue(text, self.style, gap)
        if not cue or not (cue[1] or gap or cue[0].isupper()) or _is_heading(text):
            return None
        return cue if cue[0] in self.names or self.names.issuperset(TOGETHER.split(cue[0])) else None

    def _direction(self) -> Iterator[Message]:
        if self.aside:
            yield Message("", " ".join(self.aside), None, SYSTEM)
        self.aside, self.depth = [], 0

    def _speech(self) -> Iterator[Message]:
        """Yield what was said, and the directions within."""
        if not self.said:
            return
        text = MARKS.sub(r"\2", joined(self.said))
        yield from (Message("", direction, None, SYSTEM) for direction in WITHIN.findall(text))
        words = "\n".join(" ".join(line.split()) for line in WITHIN.sub(" ", text).splitlines() if line.strip())
        if words:
            yield Message(self.speaker, words, None, "" if self.silent else GOES_ON)
            self.silent = False
        self.said = []

    def _until_now(self) -> Iterator[Message]:
        yield from self._direction()
        yield from self._speech()

    def _end(self) -> Iterator[Message]:
        """Yield what is left; a name without a speech is a message without words."""
        yield from self._until_now()
        if self.silent:
            yield Message(self.speaker, "")
        self.silent = False


def joined(lines: list[str]) -> str:
    """The lines of a speech: verse, where nearly all begin with a capital, as it is; prose in one line."""
    small = sum(next((letter.islower() for letter in line if letter.isalpha()), False) for line in lines[1:])
    return ("\n" if 4 * small < len(lines) else " ").join(lines)


FORMAT = Format(
    title="play (NAME. or NAME: above the speech)",
    documentation="https://www.gutenberg.org/ebooks/100",
    notes=(
        "Shakespeare's plays from Project Gutenberg, the Folger Shakespeare and MIT, Tiny Shakespeare; cut at acts and "
        "scenes; verse keeps its line breaks, prose does not; stage directions, the list of persons and licences are "
        "counted as system messages, one a paragraph"
    ),
    claims=claims,
    read=read,
)
