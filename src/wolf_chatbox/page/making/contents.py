"""What is in the files of a making, for people: who speaks, what to look into, and what privacy would replace."""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import entry_points
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from wolf_chatbox.config import CleanConfig, ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.privacy.pseudonyms import Pseudonyms
from wolf_chatbox.data.privacy.scrubbing import Scrubber
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, FormatError, Setting
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.registry import FORMATS
from wolf_chatbox.importers.second_look.look import Look as Seen
from wolf_chatbox.importers.second_look.look import Unclaimed, kinds_of
from wolf_chatbox.samples.inspection import Inspection, inspect
from wolf_chatbox.samples.warnings import Advice

PEOPLE = 60
"""Speakers that are shown to choose from."""
LINES, LONG = 2, 160
"""Sample lines of a speaker, and characters of one at most."""
SHOWN = 3
"""Turns of a preview."""
EVERY = 500
"""Turns after which it is told again how many were read."""
MOST_SPARE = 200
"""Turns that show nothing new, after which no other ones are looked for."""
WORD = re.compile(r"\[\w+\]|\w+|\s+|[^\w\s]")

Piece = tuple[str, bool]
"""A part of a text, and whether it is replaced, or replaces something."""
Turned = dict[str, Any]
"""A turn before and after: `speaker` and `text` of each, in pieces."""


@dataclass(kw_only=True)
class Look:
    """What the page shows of the files; `asdict` is its JSON form."""

    inspection: dict[str, Any]
    advice: list[dict[str, Any]]
    people: list[dict[str, Any]]
    """Each speaker with its name, its name after scrubbing, turns, share, mean length, and two lines."""
    data: list[str]
    """The paths that can be read."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why a path cannot be read, by its name."""
    seen: dict[str, str] = field(default_factory=dict)
    """What files are that no format claims, by their names: a kind of `importers.second_look.look.Seen`."""
    skipped: list[str] = field(default_factory=list)
    """Names of dropped files that are of no known format."""
    replaced: dict[str, int] = field(default_factory=dict)
    """How much scrubbing would replace, by kind."""
    previews: dict[str, list[Turned]] = field(default_factory=dict)
    """Real turns before and after `scrub` and `pseudonyms`."""
    names_known: bool = False
    """Whether names in texts can be found here."""


def look(
    paths: Sequence[str], read: ReadConfig, cleaning: CleanConfig, tell: Callable[[int], None] = lambda turns: None
) -> Look:
    """Read and inspect files; `tell` is told how many turns are read. Privacy is left to the previews.

    Raises FormatError when none of them is in a known format, DataError when none can be read, and ConfigError for
    settings that do not fit.
    """
    tally, failed, looks = Tally(), dict[str, str](), list[Seen]()
    raw = _read(paths, read, tally, failed, looks, tell)
    cleaned = clean(raw, replace(cleaning, scrub=False, scrub_names=False, pseudonyms=None), tally)
    conversations = list(cleaned)
    tell(tally.read)
    if not conversations:
        if failed and not any(failed.values()):
            parts = ("no file is in a known format. Export it anew, or choose other files.",)
            raise Unclaimed.of(*looks, parts=parts)
        nothing = _shown(str(tally.nothing_in(paths)), paths[0])
        raise DataError(next(filter(None, failed.values()), nothing))
    found = inspect(conversations, tally)
    counted = Counter[str]()
    scrubbed = list(map(Scrubber(counted).scrub, conversations))
    names = _renamed(conversations, scrubbed)
    return Look(
        inspection=found.to_dict(),
        advice=[_advice(each) for each in found.warnings],
        people=_people(found, conversations, names),
        data=[path for path in paths if path not in failed],
        failed=failed,
        seen=kinds_of(looks),
        skipped=list(_skipped(paths, tally)),
        replaced={kind: count for kind, count in counted.items() if count},
        previews={
            "scrub": list(islice(_changed(conversations, scrubbed, names=False), SHOWN)),
            "pseudonyms": _under_pseudonyms(conversations),
        },
        names_known=find_spec("presidio_analyzer") is not None and bool(entry_points(group="spacy_models")),
    )


def _read(
    paths: Sequence[str],
    config: ReadConfig,
    tally: Tally,
    failed: dict[str, str],
    looks: list[Seen],
    tell: Callable[[int], None],
) -> Iterator[Conversation]:
    """The conversations of each path; one that cannot be read is noted, and the others are read all the same."""
    told = 0
    for path in paths:
        try:
            for conversation in read_conversations([path], config, tally):
                if tally.read - told >= EVERY:
                    told = tally.read
                    tell(told)
                yield conversation
        except FormatError as error:
            failed[path] = ""
            looks += error.looks if isinstance(error, Unclaimed) else ()
        except DataError as error:
            failed[path] = _shown(str(error), path)


def _shown(text: str, path: str) -> str:
    """A message without the folder of a making, which nobody chose.

    >>> _shown("/home/a/making/1/files/chat.txt: no turns.", "/home/a/making/1/files")
    'chat.txt: no turns.'
    """
    return text.replace(path + os.sep, "").replace(path, Path(path).name)


def _skipped(paths: Sequence[str], tally: Tally) -> Iterator[str]:
    """The files of a folder that were not read, but for those that belong to one that was."""
    known = {path for path, _ in tally.formats} | {file.path for file in tally.unread}
    titles = {title for _, title in tally.formats}
    beside = [each.beside for each in FORMATS.values() if each.beside and each.title in titles]
    for file in (file for path in paths if Path(path).is_dir() for file in sorted(Path(path).iterdir())):
        if str(file) not in known and not any(re.fullmatch(pattern, file.name) for pattern in beside):
            yield file.name


def _advice(advice: Advice) -> dict[str, Any]:
    """A warning for the page: its kind with its values, and the settings that are its remedy."""
    return {
        "settings": [str.__str__(part) for part in advice.parts if isinstance(part, Setting)],
        "kind": advice.kind,
        "values": {name: str(value) if isinstance(value, Mapping) else value for name, value in advice.values.items()},
    }


def _renamed(before: Iterable[Conversation], after: Iterable[Conversation]) -> dict[str, str]:
    """The names of the speakers after scrubbing, by their own names."""
    return {
        turn.speaker: hidden.speaker
        for one, other in zip(before, after)
        for turn, hidden in zip(one.turns, other.turns)
    }


def _people(found: Inspection, conversations: Sequence[Conversation], names: Mapping[str, str]) -> list[dict[str, Any]]:
    lines = _lines(conversations, {speaker.name for speaker in found.speakers[:PEOPLE]})
    return [
        asdict(speaker) | {"scrubbed": names.get(speaker.name, speaker.name), "lines": lines[speaker.name]}
        for speaker in found.speakers[:PEOPLE]
    ]


def _lines(conversations: Sequence[Conversation], names: set[str]) -> dict[str, list[str]]:
    """Lines of each speaker that are neither short nor long, spread over the data."""
    all_: dict[str, list[str]] = defaultdict(list)
    for conversation in conversations:
        for turn in conversation.turns:
            if turn.speaker in names:
                all_[turn.speaker].append(turn.text)
    chosen: dict[str, list[str]] = defaultdict(list)
    for name, texts in all_.items():
        good = [text for text in texts if 12 <= len(text) <= LONG] or texts
        places = dict.fromkeys((2 * at + 1) * len(good) // (2 * LINES) for at in range(LINES))
        chosen[name] = [good[place][: LONG + 1] for place in places]
    return chosen


def _under_pseudonyms(conversations: Sequence[Conversation]) -> list[Turned]:
    """Turns as pseudonyms would make them; the names are invented anew, and are not those of the training."""
    some = conversations[:: max(1, len(conversations) // 200)]
    pseudonyms = Pseudonyms({}, {}).extended(some)
    hidden, _ = pseudonyms.hide(some, Counter())
    found = list(islice(_changed(some, hidden, names=True), SHOWN))
    return found or list(islice(_changed(some, hidden, names=True, all_=True), SHOWN))


def _changed(
    before: Iterable[Conversation], after: Iterable[Conversation], *, names: bool, all_: bool = False
) -> Iterator[Turned]:
    """Turns whose texts are changed, first those that show something new; with `all_` also those whose speaker is."""
    seen, spare = set[str](), list[Turned]()
    pairs = ((turn, hidden) for one, other in zip(before, after) for turn, hidden in zip(one.turns, other.turns))
    for turn, hidden in pairs:
        if turn.text != hidden.text or (all_ and turn.speaker != hidden.speaker):
            left, right = compare(turn.text, hidden.text)
            speakers = (turn.speaker, hidden.speaker if names else turn.speaker)
            found = {"speakers": speakers, "before": left, "after": right}
            new = {text for text, changed in right if changed} - seen
            seen |= new
            spare.append(found)
            if new:
                yield found
                spare.pop()
            if len(seen) >= SHOWN or len(spare) >= MOST_SPARE:
                break
    yield from spare


def compare(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, with what differs marked."""
    one, other = WORD.findall(before), WORD.findall(after)
    left, right = list[Piece](), list[Piece]()
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        same = kind == "equal"
        left.append(("".join(one[a:b]), not same))
        right.append(("".join(other[c:d]), not same))
    return [piece for piece in left if piece[0]], [piece for piece in right if piece[0]]
