"""Files, folders, archives and hub data sets, read one after the other: each file by the importer of its format."""

from __future__ import annotations

import json
import os
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from zipfile import Path as ZipPath

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import SAME, Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, FormatError, Setting
from wolf_chatbox.importers.files.compression import AnyPath, Damaged
from wolf_chatbox.importers.files.finding import Lost, expand, find
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import ChoiceReader
from wolf_chatbox.importers.formats.corpora.rows import HUB, choices_of_hub, read_hub
from wolf_chatbox.importers.neighbours import Neighbours
from wolf_chatbox.importers.registry import FORMATS, Ambiguous, recognise
from wolf_chatbox.importers.second_look.answer import look_at, nothing_known
from wolf_chatbox.importers.second_look.look import Unclaimed
from wolf_chatbox.importers.shared.aiwolf_play import ULID
from wolf_chatbox.werewolf.sight import SOURCE as OWN

SAVED = "conversations"
"""The format of saved chats, whose trees belong to the talk."""


def read_conversations(
    paths: str | Path | Iterable[str | Path], config: ReadConfig | None = None, tally: Tally | None = None
) -> Iterator[Conversation]:
    """Read files of any known format, one after the other, lazily.

    `example` is the bundled script, `example-ja` one in Japanese. What was kept, dropped and noticed is counted in
    `tally` on the way. In a folder or an archive, a file that cannot be read is skipped and listed in `tally.unread`,
    unless `config.strict`. Raises DataError for any other file that cannot be read, and when no file of a folder can;
    FormatError for an unknown format.
    """
    config = config or ReadConfig()
    tally = tally if tally is not None else Tally()
    games = _Games()
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        if str(path).startswith(HUB):
            tally.formats.append((str(path), "Hugging Face data set"))
            yield from read_hub(str(path), config, tally)
            continue
        places, several = expand(find(path))
        whole, before = False, len(tally.unread)
        for name, source in _sources(str(path), places, several, config, tally):
            unread = len(tally.unread)
            for conversation in games.once(_readable(name, source, config, tally, alone=not several), tally):
                whole = True
                yield conversation
            whole = whole or len(tally.unread) == unread
        if not whole and len(tally.unread) > before and several:
            raise DataError(f"{path}: no file in it can be read. The first error: {tally.unread[before].reason}")


def _readable(name: str, source: Source, config: ReadConfig, tally: Tally, *, alone: bool) -> Iterator[Conversation]:
    """Yield the conversations of a file up to where it is damaged; the turns of the conversation there are dropped."""
    conversations = FORMATS[name].read(source, config, tally)
    read = pending = 0
    while True:
        before = tally.kept
        try:
            conversation = next(conversations, None)
        except DataError as error:
            if lost := pending + tally.kept - before:
                tally.drop(lost, "conversation cut off by damage")
            place = source.folder if source.more else source.path
            tally.leave(place, source.damage or error, read, alone=alone, strict=config.strict)
            return
        if conversation is None:
            for part in (source, *source.more):
                if part.damage:
                    tally.leave(part.path, part.damage, read, alone=alone, strict=config.strict)
            return
        pending += tally.kept - before - len(conversation.turns)
        read += len(conversation.turns)
        yield conversation


def read_choices(
    paths: str | Path | Iterable[str | Path],
    config: ReadConfig | None = None,
    tally: Tally | None = None,
    saved: ChoiceReader | None = None,
) -> Iterator[Preference]:
    """Read the choices between replies in files of the formats that have them, one after the other, lazily.

    `saved` reads those of saved chats. `tally` counts choices as `read_conversations` counts turns. Raises DataError
    where that does, and FormatError for a path without any file that may hold choices.
    """
    config = config or ReadConfig()
    tally = tally if tally is not None else Tally()
    readers = {name: format.choices for name, format in FORMATS.items() if format.choices}
    readers |= {SAVED: saved} if saved else {}
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        if str(path).startswith(HUB):
            tally.formats.append((str(path), "Hugging Face data set"))
            yield from _choices(choices_of_hub(str(path), tally), None, config, tally, alone=True)
            continue
        places, several = expand(find(path))
        others: list[str] = []
        before, found = len(tally.unread), False
        for name, source in _sources(str(path), places, several, config, tally):
            if reader := readers.get(name):
                found = True
                yield from _choices(reader(source, config, tally), source, config, tally, alone=not several)
            else:
                others.append(name)
        if others and not found:
            titles = ", ".join(FORMATS[name].title for name in dict.fromkeys(others))
            raise FormatError(f"{path}: {titles}: has no choices between replies. These may: {', '.join(readers)}.")
        if others:
            tally.notes.append(f"{path}: skipped {len(others)} files in formats without choices between replies")
            without = {FORMATS[name].title for name in others}
            tally.formats[:] = [known for known in tally.formats if known[1] not in without]
        if not found and len(tally.unread) > before:
            raise DataError(f"{path}: no file in it can be read. The first error: {tally.unread[before].reason}")


def _choices(
    found: Iterable[Preference], source: Source | None, config: ReadConfig, tally: Tally, *, alone: bool
) -> Iterator[Preference]:
    """Yield the choices of a file up to where it is damaged; replies without words, or the same, are none."""
    read = 0
    try:
        for choice in found:
            if not (choice.chosen.text.strip() and choice.rejected.text.strip()):
                tally.dropped["no text"] += 1
            elif choice.chosen.text == choice.rejected.text:
                tally.dropped[SAME] += 1
            else:
                tally.kept += 1
                read += 1
                yield choice
    except DataError as error:
        if source is None:  # a data set of the hub
            raise
        place = source.folder if source.more else source.path
        tally.leave(place, source.damage or error, read, alone=alone, strict=config.strict)
        return
    for part in (source, *source.more) if source else ():
        if part.damage:
            tally.leave(part.path, part.damage, read, alone=alone, strict=config.strict)


@dataclass
class _Games:
    """The games that were read, so that one recorded in several files, in whatever format, is read once."""

    turns: dict[bytes, int] = field(default_factory=dict)
    """How many turns a game had, by digest: of its id, and of what was said in it."""

    def once(self, conversations: Iterable[Conversation], tally: Tally) -> Iterator[Conversation]:
        """Drop a game that is known with as many turns or more: one of the same id, or with the same turns."""
        for conversation in conversations:
            turns, digests = len(conversation.turns), _digests(conversation)
            if any(self.turns.get(digest, 0) >= turns for digest in digests):
                tally.drop(turns, "game already read")
                continue
            self.turns |= dict.fromkeys(digests, turns)
            yield conversation


def _digests(conversation: Conversation) -> list[bytes]:
    """What a game is known by; nothing for a conversation that is no game."""
    game = conversation.game
    if game is None:
        return []
    # Servers put other blanks around a mention in a log than in their packets.
    said = [(turn.speaker, "".join(turn.text.split()), turn.channel) for turn in conversation.turns]
    number = game.facts.get("game_id")
    own = number if game.source == OWN else ""  # our players by chance say the same in many games
    keys: list[object] = [["turns", game.source, game.same_as, said, own]]
    if number:  # a ULID is one game's, whoever recorded it
        keys.append(["id", "" if ULID.fullmatch(str(number)) else game.source, number])
    return [blake2b(json.dumps(key, sort_keys=True).encode(), digest_size=16).digest() for key in keys]


def _sources(
    path: str, places: Iterable[AnyPath | Lost], several: bool, config: ReadConfig, tally: Tally
) -> Iterator[tuple[str, Source]]:
    """Yield the files behind a path, each with its format; the files of one chat come as one.

    In a folder or an archive, files that are no conversations are skipped, and a note names them.
    """
    before = len(tally.unread)
    skipped: list[AnyPath] = []
    parts: list[Source] = []
    last = ""
    used: set[str] = set()
    kept: dict[str, int] = {}
    neighbours = Neighbours()
    for place in places:
        if isinstance(place, ZipPath):
            kept.setdefault(str(place.root.filename), tally.kept)
        elif isinstance(place, Lost):
            yield from _whole(last, parts)
            parts = []
            turns = tally.kept - kept.get(str(place.place), tally.kept)
            tally.leave(place.place, place.error, turns, alone=False, strict=config.strict)
            continue
        if several and neighbours.belongs(place):
            continue
        try:
            name, source = _opened(place, several, config)
        except (Damaged, Ambiguous) as error:
            tally.leave(place, error, 0, alone=not several, strict=config.strict)
            continue
        except DataError:
            if not several:
                raise
            skipped.append(place)
            continue
        if config.encoding == "auto" and source.encoding == "cp1252":
            tally.note(source.path.name, _encoding_note(source))
        used.add(name)
        tally.formats.append((path if not several else str(place), FORMATS[name].title))
        if parts and not (name == last and FORMATS[name].joins and str(parts[0].folder) == str(source.folder)):
            yield from _whole(last, parts)
            parts = []
        parts.append(source)
        last = name
    _note_skipped(path, skipped, used, tally)
    yield from _whole(last, parts)
    if not used and several and len(tally.unread) == before:
        raise nothing_known(path, skipped, config)


def _whole(name: str, parts: list[Source]) -> Iterator[tuple[str, Source]]:
    """The parts of one chat as one file, if there are any."""
    if parts:
        yield name, replace(parts[0], more=tuple(parts[1:]))


def _opened(place: AnyPath, several: bool, config: ReadConfig) -> tuple[str, Source]:
    """A file with the name of its format. A given format decides for a single file, and selects among several."""
    source = Source.open(place, config.encoding)
    if config.format == "auto":
        try:
            return recognise(source, config, alone=not several), source
        except FormatError as error:
            if several:
                raise
            raise Unclaimed.of(look_at(source, config)) from error
    if several and not FORMATS[config.format].claims(source.head):
        raise FormatError(f"{place}: not of the format {config.format}. Pass another ", Setting("format"), ".")
    return config.format, source


def _encoding_note(source: Source) -> str:
    if decoded := source.in_probable_encoding():
        name = decoded.encoding
        return f"not UTF-8, read as CP1252; it is probably {name.upper()}: pass --encoding {name}"
    return "not UTF-8, read as CP1252; if characters look wrong, pass --encoding"


def _note_skipped(path: str, skipped: list[AnyPath], used: set[str], tally: Tally) -> None:
    """Note the files that were skipped, but for those that an importer finds by itself beside its own."""
    patterns = [FORMATS[name].beside for name in used]
    strange = [
        os.path.relpath(str(file), path)
        for file in skipped
        if not any(re.fullmatch(pattern, file.name) for pattern in patterns)
    ]
    if strange:
        names = textwrap.shorten(", ".join(strange), 200, placeholder=" …")
        tally.note(path, f"skipped {len(strange)} files in no known format: {names}")
