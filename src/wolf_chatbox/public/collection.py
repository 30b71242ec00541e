"""Public sets as conversations: one file of them, or a corpus of games with its datasheet."""

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
"""What a corpus folder holds."""

Fetched = Sequence[tuple[PublicSet, Path]]
"""Sets, and the folders in which their files lie."""


class _Unchanged(Exception):
    """What would be written is there already."""


def read_set(wanted: PublicSet, folder: Path, tally: Tally) -> Iterator[Conversation]:
    """The conversations of a set; raises DataError when there are none."""
    count = 0
    for conversation in read_conversations(folder, ReadConfig(format=wanted.format, strict=True), tally):
        count += 1
        yield conversation
    if not count:
        raise DataError(f"{folder}: no conversation in the files of {wanted.name}. Report this.")


def write_sets(fetched: Fetched, output: Path, overwrite: bool = False) -> tuple[Tally, int, bool]:
    """Write the conversations of sets to one file, and their licences beside it.

    Returns what was read, how many conversations were written, and whether the file is new; it is not where the very
    same one is there. Raises CheckpointError when another one is, unless it may be overwritten.
    """
    tally = Tally()
    licences = output.with_suffix(".licences.txt")
    notes = notices([wanted for wanted, _ in fetched])
    same = licences.is_file() and licences.read_bytes() == notes.encode()
    if not same:
        check_place(licences, overwrite=overwrite)
    changed = True
    with suppress(_Unchanged), new_file(output, overwrite=True) as file:
        count = write_conversations(
            (each for wanted, folder in fetched for each in read_set(wanted, folder, tally)), file
        )
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
    """Write games to a folder: a file a language (werewolf.en.jsonl, …), the licences, and datasheets in English and Japanese.

    Returns what came of each set, and whether the folder is new; it is not where the very same one is there. Raises
    CheckpointError when it holds other things, or another corpus that may not be overwritten.
    """
    check_folder(output)
    if output.exists() and not (
        output.is_dir() and all(path.is_file() and OURS.fullmatch(path.name) for path in output.iterdir())
    ):
        raise CheckpointError(f"{output}: holds other things than a corpus of games. Choose another folder.")
    parts = [Part(wanted) for wanted, _ in fetched]

    def write(place: Path) -> None:
        with ExitStack() as stack:
            files: dict[str, TextIO] = {}
            sizes: dict[str, tuple[int, int]] = {}
            for part, (wanted, folder) in zip(parts, fetched):
                for conversation in read_set(wanted, folder, part.tally):
                    if conversation.game is None:
                        raise DataError(
                            f"{folder}: a conversation of {wanted.name} is no game ({conversation.group}). Report this."
                        )
                    part.add(conversation)
                    language = conversation.game.language
                    if language not in files:
                        files[language] = stack.enter_context(
                            (place / f"werewolf.{language}.jsonl").open("w", encoding="utf-8")
                        )
                    write_conversations([conversation], files[language])
                    games, turns = sizes.get(language, (0, 0))
                    sizes[language] = games + 1, turns + len(conversation.turns)
                if part.channels.total() != part.tally.kept or part.tally.joined:
                    account = f"{part.channels.total()} utterances written and {part.tally.kept} kept: some were lost"
                    raise DataError(f"{wanted.name}: {account}. Please report this bug; nothing was written.")
                part.tally.notes = [
                    note.removeprefix(f"{folder}: ").replace(str(folder), "…") for note in part.tally.notes
                ]
        listed = {f"werewolf.{language}.jsonl": (language, *sizes[language]) for language in sorted(sizes)}
        (place / "datasheet.md").write_text(datasheet(parts, listed, "en"), encoding="utf-8")
        (place / "datasheet.ja.md").write_text(datasheet(parts, listed, "ja"), encoding="utf-8")
        (place / LICENCES).write_text(notices([wanted for wanted, _ in fetched]), encoding="utf-8")
        names = sorted(path.name for path in place.iterdir())
        if output.exists() and any(output.iterdir()):
            if names == sorted(path.name for path in output.iterdir()) and not any(
                filecmp.cmpfiles(place, output, names, shallow=False)[1:]
            ):
                raise _Unchanged
            if not overwrite:
                raise CheckpointError(
                    f"{output}: holds another corpus of games. Replace it with --overwrite, or choose another folder."
                )

    try:
        with alone(output):
            write_folder(output, write)
    except _Unchanged:
        return parts, False
    return parts, True


def notices(wanted: Sequence[PublicSet]) -> str:
    """The licences and citations of sets, one after the other."""
    return ("\n" + "-" * 72 + "\n\n").join(each.notice() for each in wanted)
