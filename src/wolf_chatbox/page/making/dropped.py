"""What is dropped on the page: under which name and where it is kept, whatever its sender called it."""

from __future__ import annotations

import asyncio
import math
import os
import re
import unicodedata
from collections.abc import AsyncIterator, Collection
from pathlib import Path

from wolf_chatbox.errors import DataError
from wolf_chatbox.files import writing
from wolf_chatbox.page.making.making import Making

LONGEST = 120
"""Bytes of a file's name, its ending among them; disks take 255."""
ENDING = 16
NOTHING = "file"
REMOVE = re.compile(r"[^\w .,()\[\]&+@#~='’-]")
SPOKEN = re.compile(r"[^\w -]|_{2,}")
LETTERS = 60


def file_name(given: str, taken: Collection[str] = ()) -> str:
    """A name for a file that nobody can mistake for a path; with a number where it is taken.

    >>> file_name("../../etc/pass wd")
    'pass wd'
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    clean = REMOVE.sub("_", last).strip(" .") or NOTHING
    stem, dot, ending = clean.rpartition(".")
    if not stem or len(ending) > ENDING:
        stem, dot, ending = clean, "", ""
    name, number = _joined(stem, dot + ending), 2
    lower = {each.casefold() for each in taken}
    while name.casefold() in lower:
        name, number = _joined(stem, f" ({number}){dot}{ending}"), number + 1
    return name


def character_name(given: str, taken: Collection[str] = ()) -> str:
    """A name for a character's folder, in whatever script; with a number where it is taken."""
    words = SPOKEN.sub(" ", unicodedata.normalize("NFKC", given)).split()
    stem = _cut("-".join(words).strip("-_")[:LETTERS], LONGEST).strip("-_") or "character"
    name, number = stem, 2
    lower = {each.casefold() for each in taken}
    while name.casefold() in lower:
        name, number = f"{stem}-{number}", number + 1
    return name


async def keep(making: Making, given: str, pieces: AsyncIterator[bytes], most: float = math.inf) -> Path:
    """Write a file piece by piece, readable by its owner only.

    The server has a limit of its own (--max-upload). Raises DataError for a file that is larger than `most` bytes or
    empty, CheckpointError when the disk refuses; then nothing of it stays.
    """
    folder = making.archives if given.lower().endswith(".zip") else making.files
    with writing(folder):
        folder.mkdir(exist_ok=True, mode=0o700)
        path, handle = await asyncio.to_thread(_new, folder, given)
    size = 0
    try:
        async for piece in pieces:
            size += len(piece)
            if size > most:
                raise DataError(f"{path.name}: larger than {most:,} bytes. Drop a part of it.")
            with writing(path):
                await asyncio.to_thread(_write, handle, piece)
        if not size:
            raise DataError(f"{path.name}: the file is empty. Export it again.")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    return path


def discard(making: Making, name: str) -> None:
    """Remove a file that was dropped; nothing else can be named."""
    for path in making.dropped:
        if path.name == name:
            path.unlink(missing_ok=True)


def _new(folder: Path, given: str) -> tuple[Path, int]:
    """A file that is nobody else's, however many come at once."""
    while True:
        path = folder / file_name(given, [each.name for each in folder.iterdir()])
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue


def _write(handle: int, piece: bytes) -> None:
    while piece:
        piece = piece[os.write(handle, piece) :]


def _joined(stem: str, end: str) -> str:
    return _cut(stem, LONGEST - len(end.encode())).rstrip(" .") + end


def _cut(text: str, most: int) -> str:
    return text.encode("utf-8", "ignore")[:most].decode("utf-8", "ignore")
