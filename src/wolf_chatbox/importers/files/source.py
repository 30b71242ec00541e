"""A file as the importers see it: unpacked and decoded text, with the encoding found by trial."""

from __future__ import annotations

import codecs
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TextIO, cast
from zipfile import BadZipFile

from wolf_chatbox.data.tally import Truncated
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.compression import AnyPath, Compressed, Damaged, damage_of, kind_of, name_without
from wolf_chatbox.importers.files.encodings import probable
from wolf_chatbox.importers.files.pipes import Copy, copy_of, is_pipe
from wolf_chatbox.importers.second_look.look import Look, Seen, Unclaimed
from wolf_chatbox.importers.second_look.magic import EMPTY, bytes_seen, is_binary, seen_in
from wolf_chatbox.importers.streams import png_text

PARQUET = "PAR1"
"""How a Parquet file begins; nothing else of it is decoded."""
PNG = "PNG "
"""How the head of a picture with a character's card begins; the keywords of its texts follow."""
WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte-order marks; that of UTF-32 begins like that of UTF-16."""
DECLARED = re.compile(
    rb"""<\?xml[^>]{0,100}encoding=["'](?:shift[_-]jis|x-sjis|windows-31j|(euc-jp))["']""", re.IGNORECASE
)
"""How an XML file in a Japanese legacy encoding begins."""
PASS_ENCODING = "Pass --encoding (Japanese files are often cp932)."
MAILS = re.compile(
    rb"From [^\n]|(?:Return-Path|Received|Delivered-To|From|To|Subject|Date|Message-I[Dd]|M(?:IME|ime)-Version|Reply-To"
    rb"|Content-Type|DKIM-Signature|Authentication-Results|(?:X|ARC|List)-[\w-]{1,40}):"
    rb"(?=[^\0]{0,65536}?\n(?:Date|Message-I[Dd]):)"
)
"""How a mailbox, and a mail with its headers, begins."""
MAX_LINE = 1_000_000
"""Characters of a line: a longer one is no dialogue, and would only fill the memory."""


@dataclass(frozen=True)
class Source:
    """One file, and the encoding that decodes all of it."""

    path: AnyPath
    """Where it lies; a compressed file is named as it would be without compression."""
    encoding: str
    head: str
    """The first 64 KiB, decoded, without a byte-order mark."""
    more: tuple[Source, ...] = ()
    """Further files of the same chat, for exports that write one chat into several."""
    place: AnyPath | Compressed | None = None
    """What is opened, if it is not the path."""
    copy: Copy | None = None
    """What came out of a pipe, which cannot be read twice: kept as long as it may be read."""
    damage: Truncated | None = None
    """What is wrong with a compressed file that can be unpacked up to there."""

    @classmethod
    def open(cls, path: AnyPath, encoding: str = "auto") -> Source:
        """Find out how the file is compressed and encoded.

        Raises DataError when the file does not exist or is a folder, Unclaimed when it is empty or no text; Damaged
        when it cannot be read or unpacked, and when neither UTF-8 nor CP1252 (or the given encoding) decodes its bytes.
        """
        try:
            return cls._open(path, encoding)
        except FileNotFoundError as error:
            raise DataError(
                f"{path}: there is no such file. Check the path, or try the bundled script: example."
            ) from error
        except IsADirectoryError as error:
            raise DataError(f"{path}: a folder, not a file. Pass the folder that holds it.") from error
        except PermissionError as error:
            raise Damaged(f"{path}: no permission to read it. Change the file's permissions.") from error
        except (BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Damaged(
                f"{path}: cannot be unpacked ({error}). Export it again, or unpack the archive and pass the folder."
            ) from error
        except OSError as error:
            raise Damaged(f"{path}: cannot be read ({error.strerror}). Check the path and the disk.") from error

    @classmethod
    def _open(cls, path: AnyPath, encoding: str) -> Source:
        copy = copy_of(path) if isinstance(path, Path) and is_pipe(path) else None
        name = path
        place: AnyPath | Compressed = copy.path if copy else path
        start, damage = _start(place)
        if kind := kind_of(start):
            place, name = Compressed(copy.path if copy else path, kind), name_without(path)
            start, damage = _start(place)
            if damage and not start:
                raise Damaged(f"{path}: cannot be unpacked ({damage}). Get it again.")
        if start.startswith(PARQUET.encode()):
            return cls(name, "binary", PARQUET, place=place, copy=copy)
        if start.startswith(png_text.SIGNATURE):
            with _seekable(place) as file:
                texts = png_text.keywords(file)
            if any(text in png_text.CARDS for text in texts):
                return cls(name, "binary", PNG + " ".join(texts), place=place, copy=copy)
        if seen := seen_in(start, name.name, lambda: place.open("rb")):
            raise _no_text(path, seen)
        guesses = _guesses(path, start, encoding)
        for guess in guesses:
            bad_byte, damage = _first_bad_byte(place, guess)
            if bad_byte is None:
                errors = "replace" if damage else "strict"
                head = codecs.getincrementaldecoder(guess)(errors).decode(start).removeprefix("\ufeff")
                if not head.strip():
                    raise _no_text(path, EMPTY)
                cut = Truncated(f"{path}: damaged ({damage}); everything before that was read") if damage else None
                return cls(name, guess, head, place=place, copy=copy, damage=cut)
        if isinstance(place, Compressed) and (damage := place.damage()):
            raise Damaged(f"{path}: cannot be unpacked ({damage}). Get it again.")
        tried = " or ".join(guess.upper() for guess in guesses)
        hint = probable(start) if encoding == "auto" else ""
        remedy = f"It is probably {hint.upper()}: pass --encoding {hint}." if hint else PASS_ENCODING
        raise Damaged(f"{path}, byte {bad_byte}: not valid {tried}. {remedy}")

    def in_probable_encoding(self) -> Source | None:
        """The file in the encoding that it is probably in, if it could only be read as CP1252."""
        if self.encoding != "cp1252":
            return None
        with self.open_bytes() as file:
            start = file.read(1 << 16)
        if encoding := probable(start):
            head = codecs.getincrementaldecoder(encoding)(errors="replace").decode(start)
            return replace(self, encoding=encoding, head=head)
        return None

    @property
    def folder(self) -> AnyPath:
        """The folder of the file, on the disk or in its archive."""
        return cast(AnyPath, self.path.parent)

    def text(self) -> str:
        """The whole file, without a byte-order mark."""
        with self.open_text() as file:
            return file.read().removeprefix("\ufeff")

    def open_text(self) -> TextIO:
        """The file, opened for reading text; line ends come as `\n`."""
        # A damaged file may end within a character.
        return io.TextIOWrapper(
            (self.place or self.path).open("rb"), self.encoding, "replace" if self.damage else "strict"
        )

    def open_bytes(self) -> IO[bytes]:
        """The file, opened for reading bytes from any place; what is compressed is unpacked into a temporary file."""
        return _seekable(self.place or self.path)

    def lines(self, longest: int = MAX_LINE) -> Iterator[str]:
        """The lines, each ending in `\\n`, without a byte-order mark. Raises DataError at one longer than `longest`."""
        with self.open_text() as file:
            number = 1
            while line := file.readline(longest + 1):
                if len(line) > longest:
                    raise DataError(
                        f"{self.path}, line {number}: longer than {longest:,} characters. Split it into turns."
                    )
                yield line.removeprefix("\ufeff") if number == 1 else line
                number += 1


def clean(text: str) -> str:
    """The text without surrounding space; half a surrogate pair (an emoji cut in two), which no file holds, is `?`."""
    text = text.strip()
    return text if text.isascii() else text.encode(errors="replace").decode()


def share_of_lines(head: str, pattern: re.Pattern[str]) -> float:
    """The share of the first 1,000 lines, blank ones aside, whose beginning matches the pattern."""
    lines = [line for line in head.splitlines()[:1000] if line.strip()]
    return sum(bool(pattern.match(line)) for line in lines) / len(lines) if lines else 0.0


def _no_text(path: AnyPath, seen: Seen) -> Unclaimed:
    what = {"empty": "the file is empty", "wide": seen.what}.get(seen.kind, f"{seen.what}, not text")
    return Unclaimed.of(Look(path=str(path), seen=seen), parts=(f"{path}: {what}. {seen.remedy}",))


def _seekable(place: AnyPath | Compressed) -> IO[bytes]:
    return (place.copy.path if isinstance(place, Compressed) else place).open("rb")


def _start(place: AnyPath | Compressed) -> tuple[bytes, str]:
    """The first 64 KiB, and what is wrong there."""
    with place.open("rb") as file:
        return file.read(1 << 16), damage_of(file)


def _guesses(path: AnyPath, start: bytes, encoding: str) -> list[str]:
    """The encodings to try, the likeliest first. Raises Unclaimed for a binary file."""
    if encoding != "auto":
        return [encoding]
    wide = next((name for mark, name in WIDE.items() if start.startswith(mark)), None)
    if (b"\0" in start or is_binary(start)) and not wide:
        raise _no_text(path, bytes_seen(start))
    guesses = [wide] if wide else ["utf-8", "cp1252"]
    if MAILS.match(start):
        guesses = [wide] if wide else ["utf-8", "latin-1"]  # each mail declares its own encoding
    if declared := DECLARED.match(start):
        guesses.insert(0, "euc_jp" if declared[1] else "cp932")
    return guesses


def _first_bad_byte(place: AnyPath | Compressed, encoding: str) -> tuple[int | None, str]:
    """The first byte that the encoding does not decode, and where the file is damaged, which it may be at its end."""
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    with place.open("rb") as file:
        while chunk := file.read(1 << 20):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return position - pending + error.start, ""
            position += len(chunk)
        damage = damage_of(file)
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=not damage)
    except UnicodeDecodeError:
        return position - pending, ""
    return None, damage
