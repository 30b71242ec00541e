"""Public data sets as conversations: a file of them, or a corpus of games with its datasheet."""

from __future__ import annotations

import filecmp
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TextIO

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, write_conversations
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import CheckpointError, DataError
from wolf_chatbox.files import check_folder, check_place, new_file, write_folder
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.lock import alone
from wolf_chatbox.public.catalogue import PublicSet
from wolf_chatbox.public.datasheet import Part, datasheet

LICENCES = "licences.txt"
OURS = re.compile(r"werewolf\.[a-z]+\.jsonl|datasheet(\.ja)?\.md|" + re.escape(LICENCES))
"""The files of a corpus folder."""

Fetched = Sequence[tuple[PublicSet, Path]]
"""Sets, and the folders with their files."""


class _Unchanged(Exception):
    """What would be written exists already."""


def read_set(wanted: PublicSet, folder: Path, tally: Tally) -> Iterator[Conversation]:
    """The conversations of a set; raises DataError if there are none."""
    count = 0
    for conversation in read_conversations(folder, ReadConfig(format=wanted.format, strict=True), tally):
        count += 1
        yield conversation
    if not count:
        raise DataError(f"{folder}: no conversations in the files of {wanted.name}. Please report this bug.")


def write_sets(fetched: Fetched, output: Path, overwrite: bool = False) -> tuple[Tally, int, bool]:
    """Write the conversations of sets to one file, and their licences beside it.

    Returns the tally, the number of conversations, and whether the file is new: it is not if an identical one exists.
    Raises CheckpointError if a different one exists and may not be overwritten.
    """
    tally = Tally()
    licences = output.with_suffix(".licences.txt")
    notes = notices([wanted for wanted, _ in fetched])
    same = licences.is_file() and licences.read_bytes() == notes.encode()
    if not same:
        check_place(licences, overwrite=overwrite)
    changed = True
    with suppress(_Unchanged), new_file(output, overwrite=True) as file:
        conversations = (each for wanted, folder in fetched for each in read_set(wanted, folder, tally))
        count = write_conversations(conversations, file)
        file.flush()
        if output.exists():
            changed = not filecmp.cmp(file.name, output, shallow=False)
            if not changed:
                raise _Unchanged
            check_place(output, overwrite=overwrite)
    if not same:
        with new_file(licences, overwrite=overwrite) as file:
            file.write(notes)
    return tally, count, changed


def write_corpus(fetched: Fetched, output: Path, overwrite: bool = False) -> tuple[list[Part], bool]:
    """Write games to a folder: a file per language (werewolf.en.jsonl, …), licences, and datasheets (en, ja).

    Returns the counts of each set, and whether the folder is new: it is not if an identical one exists. Raises
    CheckpointError if it holds other files, or a different corpus that may not be overwritten.
    """
    check_folder(output)
    if output.exists() and not all(path.is_file() and OURS.fullmatch(path.name) for path in output.iterdir()):
        raise CheckpointError(f"{output}: holds files other than a corpus of games. Choose another folder.")
    parts = [Part(wanted) for wanted, _ in fetched]

    def write(place: Path) -> None:
        files = _write_games(fetched, parts, place)
        (place / "datasheet.md").write_text(datasheet(parts, files, "en"), encoding="utf-8")
        (place / "datasheet.ja.md").write_text(datasheet(parts, files, "ja"), encoding="utf-8")
        (place / LICENCES).write_text(notices([wanted for wanted, _ in fetched]), encoding="utf-8")
        if not output.exists() or not any(output.iterdir()):
            return
        if _same_files(place, output):
            raise _Unchanged
        if not overwrite:
            remedy = "Replace it with --overwrite, or choose another folder."
            raise CheckpointError(f"{output}: holds a different corpus of games. {remedy}")

    try:
        with alone(output):
            write_folder(output, write)
    except _Unchanged:
        return parts, False
    return parts, True


def _write_games(fetched: Fetched, parts: Sequence[Part], place: Path) -> dict[str, tuple[str, int, int]]:
    """Write a file for each language, and count in `parts`; returns each file's language, games and utterances."""
    sizes: dict[str, tuple[int, int]] = {}
    with ExitStack() as stack:
        files: dict[str, TextIO] = {}
        for part, (wanted, folder) in zip(parts, fetched):
            for conversation in read_set(wanted, folder, part.tally):
                if conversation.game is None:
                    problem = f"a conversation of {wanted.name} is not a game ({conversation.group})"
                    raise DataError(f"{folder}: {problem}. Please report this bug.")
                part.add(conversation)
                language = conversation.game.language
                if language not in files:
                    path = place / f"werewolf.{language}.jsonl"
                    files[language] = stack.enter_context(path.open("w", encoding="utf-8"))
                write_conversations([conversation], files[language])
                games, turns = sizes.get(language, (0, 0))
                sizes[language] = games + 1, turns + len(conversation.turns)
            _check_account(part)
            # A datasheet is published: it does not name folders of this machine.
            part.tally.notes = [note.removeprefix(f"{folder}: ").replace(str(folder), "…") for note in part.tally.notes]
    return {f"werewolf.{language}.jsonl": (language, *sizes[language]) for language in sorted(sizes)}


def _check_account(part: Part) -> None:
    """Raise DataError if not every kept turn was written."""
    written = part.channels.total()
    if written != part.tally.kept or part.tally.joined:
        account = f"{written} utterances written, but {part.tally.kept} kept"
        raise DataError(f"{part.set.name}: {account}. Please report this bug; nothing was written.")


def _same_files(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    if names != sorted(path.name for path in other.iterdir()):
        return False
    _, different, unreadable = filecmp.cmpfiles(one, other, names, shallow=False)
    return not different and not unreadable


def notices(wanted: Sequence[PublicSet]) -> str:
    """The licences and citations of sets, one after the other."""
    return ("\n" + "-" * 72 + "\n\n").join(public.notice() for public in wanted)
