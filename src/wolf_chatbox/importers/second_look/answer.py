"""A second look at a file that no format claims, or several do: what it looks like, and what formats make of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.errors import DataError, Setting
from wolf_chatbox.importers.files.compression import AnyPath, Damaged
from wolf_chatbox.importers.files.encodings import USUAL
from wolf_chatbox.importers.files.finding import expand, find
from wolf_chatbox.importers.files.pipes import is_pipe
from wolf_chatbox.importers.files.source import PARQUET, Source
from wolf_chatbox.importers.registry import FORMATS, claimants
from wolf_chatbox.importers.second_look.likeness import likeness
from wolf_chatbox.importers.second_look.look import POSSIBLE, SUPPORTED, Guess, Look, Seen, Unclaimed
from wolf_chatbox.importers.second_look.trial import beginning_of, try_reading

GUESSES = 2
LINES = 5
"""First lines of a file that are shown."""
WIDTH = 100
LOOKED, OPENED = 3, 20
"""Files of a folder that are looked at, and that are opened to find texts among them."""
WITHOUT_SHAPE = ("prose", "text", "line")
"""What a text looks like where nothing of it stands out."""


def look_at(source: Source, config: ReadConfig) -> Look:
    """What is seen in a file. Each format that may be meant reads its beginning, 64 KiB at most."""
    claimed = claimants(source, config)
    if source.head == PARQUET:
        return Look(path=str(source.path), seen=Seen("parquet", "a Parquet table", ""), claimed=tuple(claimed))
    if decoded := source.in_probable_encoding():
        return replace(in_encoding(decoded, config), claimed=tuple(claimed))
    beginning, cut = beginning_of(source)
    wanted = claimed if len(claimed) > 1 else [name for name, format in FORMATS.items() if not format.beside]
    wanted = [name for name in wanted if not FORMATS[name].claims(PARQUET)]
    guesses = [try_reading(name, FORMATS[name], beginning, cut, config) for name in wanted]
    guesses = [one for one in guesses if one.claimed or one.score >= POSSIBLE]
    guesses.sort(key=lambda one: (one.claimed, one.score), reverse=True)
    return Look(
        path=str(source.path),
        seen=_seen(source, claimed, guesses),
        claimed=tuple(claimed),
        lines=tuple(first_lines(source.head)),
        guesses=tuple(guesses[:GUESSES]),
    )


def in_encoding(source: Source, config: ReadConfig) -> Look:
    """What is seen in a file that is read in another encoding than the settings ask for."""
    name = source.encoding
    seen = Seen("encoding", f"text that is probably {name.upper()}", f"Pass --encoding {name}.")
    return replace(look_at(source, config), seen=seen)


def _seen(source: Source, claimed: Sequence[str], guesses: Sequence[Guess]) -> Seen:
    if len(claimed) > 1:
        return Seen("claimed", f"could be {' or '.join(claimed)}", "")
    seen = likeness(source.head, source.path.name)
    if seen.kind in (*WITHOUT_SHAPE, "table") and claimed:
        return Seen("claimed", FORMATS[claimed[0]].title, "")
    if seen.kind in WITHOUT_SHAPE and guesses and guesses[0].likely:
        return Seen("turns", "lines that could be a conversation", seen.remedy)
    return seen


def first_lines(head: str) -> Iterable[str]:
    """The first lines that are not blank, each cut where it is long."""
    lines = [line for line in head[: 100 * WIDTH].splitlines() if line.strip()]
    for line in lines[:LINES]:
        line = line.expandtabs(4).rstrip()
        yield line if len(line) <= WIDTH else line[: WIDTH - 2] + " …"


def look_again(paths: Iterable[str | Path], config: ReadConfig) -> tuple[Look, ...]:
    """What is seen in files that were not read, whatever the reason; nothing of those that are not there."""
    return tuple(look for path in paths for look in _looks(find(path), config))[:LOOKED]


def _looks(path: Path, config: ReadConfig) -> Iterable[Look]:
    try:
        if is_pipe(path):
            return  # its content is gone
        _, several = expand(path)
        yield from looks_at([] if several else [path], config)
    except (DataError, OSError):
        return


def looks_at(places: Iterable[AnyPath], config: ReadConfig) -> Iterable[Look]:
    """What is seen in each file that can be opened."""
    for place in places:
        try:
            yield look_at(Source.open(place, config.encoding), config)
        except Unclaimed as error:
            yield from error.looks
        except Damaged:
            yield from _in_other_encodings(place, config)
        except DataError:
            continue


def _in_other_encodings(place: AnyPath, config: ReadConfig) -> Iterable[Look]:
    for encoding in USUAL:
        with suppress(DataError):
            yield in_encoding(Source.open(place, encoding), config)
            return


def nothing_known(path: str, places: Sequence[AnyPath], config: ReadConfig) -> Unclaimed:
    """The error for a folder in which no file is of a known format; a few of its files are looked at."""
    looks = tuple(islice(looks_at(_texts_first(places[:OPENED], config), config), LOOKED))
    said = "; ".join(f"{Path(look.path).name} is {look.seen.what}" for look in looks)
    said = textwrap.shorten(said, 300, placeholder=" …")
    more = f"; and {len(places) - LOOKED:,} more" if len(places) > LOOKED else ""
    told = f" ({said}{more})" if said else ""
    parts = (f"{path}: no file in it is in a known format{told}. {SUPPORTED} If one is, pass ", Setting("format"), ".")
    return Unclaimed.of(*looks, parts=parts)


def _texts_first(places: Sequence[AnyPath], config: ReadConfig) -> list[AnyPath]:
    """The files in another order: a text is what was meant, and not the pictures beside it."""
    return sorted(places, key=lambda place: not _is_text(place, config))


def _is_text(place: AnyPath, config: ReadConfig) -> bool:
    try:
        Source.open(place, config.encoding)
    except DataError:
        return False
    return True
