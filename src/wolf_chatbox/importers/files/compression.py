"""Compressed files (gzip, bzip2, xz, Zstandard), unpacked while they are read.

What stands before a damaged place is read; `damage` says afterwards that there was one.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast
from zipfile import BadZipFile
from zipfile import Path as ZipPath

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.pipes import Copy

AnyPath = Path | ZipPath
"""A file on the disk or in a zip archive."""
MAX_UNPACKED = 4 << 30
MAX_RATIO = 200
"""What unpacks to more than 4 GiB and 200 times its size is a bomb: text packs ten to one at best."""
BEGINNINGS = {
    "gz": re.compile(rb"\x1f\x8b\x08"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    # Parallel compressors begin with a frame to be skipped.
    "zst": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
}
OPENERS: dict[str, Callable[[Any], Any]] = {
    "gz": lambda file: gzip.GzipFile(fileobj=file),
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
SUFFIXES = (".gz", ".gzip", ".bz2", ".xz", ".zst", ".zstd")
BUFFER = 1 << 16
LONGEST_WINDOW = 31
"""Log2 of the bytes that a Zstandard frame may look back: big dumps are written so."""


class Damaged(DataError):
    """The file exists, but its content cannot be read: wrong encoding, a broken archive, a disk error."""


@dataclass(frozen=True)
class Compressed:
    """A file of one compressed stream."""

    place: AnyPath
    kind: str
    """A key of BEGINNINGS."""

    def open(self, mode: str = "rb") -> io.BufferedReader:
        """Open it for reading what was compressed; see `damage_of`."""
        assert mode == "rb", mode
        return io.BufferedReader(Unpacked(self.place, self.kind), BUFFER)

    @cached_property
    def copy(self) -> Copy:
        """What comes out of it in a temporary file, for readers that go back and forth."""
        copy = Copy()
        with self.open() as file, copy.path.open("wb") as out:
            shutil.copyfileobj(file, out)
        return copy

    def damage(self) -> str:
        """What is wrong with it, found by reading all of it."""
        with self.open() as file:
            while file.read(BUFFER):
                pass
            return damage_of(file)


class Unpacked(io.RawIOBase):
    """The bytes that were compressed, up to the end or to where they are damaged.

    Raises DataError when more comes out than is allowed, and when the package for the kind is missing.
    """

    def __init__(self, place: AnyPath, kind: str) -> None:
        opener, errors = _opener(kind, place)
        self.damage = ""
        self._place = place
        self._errors = errors
        self._left = most_of(place)
        self._outer = place.open("rb")
        self._inner = opener(self._outer)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.damage:
            return 0
        try:
            piece = self._inner.read1(min(len(buffer), BUFFER))  # what is lost by damage depends on the size
        except self._errors as error:
            self.damage = str(error) or "it ends too early"
            return 0
        self._left -= len(piece)
        if self._left < 0:
            raise bomb(self._place, most_of(self._place))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._outer.close()
        super().close()


def damage_of(file: IO[bytes]) -> str:
    """What was found wrong with a compressed file while it was read; nothing if it is not compressed."""
    raw = getattr(file, "raw", None)
    return raw.damage if isinstance(raw, Unpacked) else ""


def kind_of(start: bytes) -> str:
    """How a file that begins so is compressed; nothing if it is not."""
    return next((kind for kind, beginning in BEGINNINGS.items() if beginning.match(start)), "")


def name_without(path: AnyPath) -> AnyPath:
    """The path that a compressed file would have, were it not compressed."""
    return cast(AnyPath, path.parent).joinpath(path.stem) if path.suffix.lower() in SUFFIXES else path


def most_of(place: AnyPath) -> int:
    """How many bytes may come out of a file."""
    size = place.stat().st_size if isinstance(place, Path) else place.root.getinfo(place.at).file_size
    return max(MAX_UNPACKED, MAX_RATIO * size)


def bomb(place: object, most: int) -> Damaged:
    return Damaged(
        f"{place}: would unpack to more than {most:,} bytes, over {MAX_RATIO} times its size. "
        "If you trust it, unpack it and pass what comes out."
    )


def lacking(place: object, what: str) -> Damaged:
    return Damaged(f"{place}: {what} needs a package that is not installed: pip install 'wolf-chatbox[archives]'")


def _opener(kind: str, place: AnyPath) -> tuple[Callable[[IO[bytes]], Any], tuple[type[Exception], ...]]:
    """What opens a compressed stream, and the errors of a damaged one."""
    errors = (EOFError, OSError, zlib.error, lzma.LZMAError, BadZipFile)
    if kind != "zst":
        return OPENERS[kind], errors
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:
        try:
            from backports import zstd
        except ImportError as error:
            raise lacking(place, "Zstandard") from error
    window = {zstd.DecompressionParameter.window_log_max: LONGEST_WINDOW}
    return lambda file: zstd.ZstdFile(file, options=window), (*errors, zstd.ZstdError)
