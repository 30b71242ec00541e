"""A file as the importers see it: decoded text, with the encoding found by trial."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO, cast
from zipfile import BadZipFile
from zipfile import Path as ZipPath

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import png_text
from wolf_chatbox.importers.pipes import Copy, copy_of, is_pipe

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
MAX_LINE = 1_000_000
"""Characters of a line: a longer one is no dialogue, and would only fill the memory."""


class Damaged(DataError):
    """The file exists, but its content cannot be read: wrong encoding, a broken archive, a disk error."""


AnyPath = Path | ZipPath
"""A file on the disk or in a zip archive."""


@dataclass(frozen=True)
class Source:
    """One file, and the encoding that decodes all of it."""

    path: AnyPath
    encoding: str
    head: str
    """The first 64 KiB, decoded, without a byte-order mark."""
    more: tuple[Source, ...] = ()
    """Further files of the same chat, for exports that write one chat into several."""
    copy: Copy | None = None
    """What came out of a pipe, which cannot be read twice."""

    @classmethod
    def open(cls, path: AnyPath, encoding: str = "auto") -> Source:
        """Find out how the file is encoded.

        Raises DataError when the file does not exist, is a folder, empty or binary; Damaged when it cannot be read or
        unpacked, and when neither UTF-8 nor CP1252 (or the given encoding) decodes all its bytes.
        """
        try:
            copy = copy_of(path) if isinstance(path, Path) and is_pipe(path) else None
            place = copy.path if copy else path
            with place.open("rb") as file:
                start = file.read(1 << 16)
            if start.startswith(PARQUET.encode()):
                return cls(path, "binary", PARQUET, copy=copy)
            if start.startswith(png_text.SIGNATURE):
                with place.open("rb") as file:
                    texts = png_text.keywords(file)
                if any(text in png_text.CARDS for text in texts):
                    return cls(path, "binary", PNG + " ".join(texts), copy=copy)
            wide = next((name for mark, name in WIDE.items() if start.startswith(mark)), None)
            if b"\0" in start and not wide and encoding == "auto":
                raise DataError(f"{path}: a binary file, not text. Export the conversations as CSV, JSON or text.")
            guesses = [encoding] if encoding != "auto" else [wide] if wide else ["utf-8", "cp1252"]
            if encoding == "auto" and start.startswith(b"From "):
                guesses.append("latin-1")  # a mailbox: each message declares its own encoding
            if encoding == "auto" and (declared := DECLARED.match(start)):
                guesses.insert(0, "euc_jp" if declared[1] else "cp932")
            for guess in guesses:
                bad_byte = _first_bad_byte(place, guess)
                if bad_byte is None:
                    head = codecs.getincrementaldecoder(guess)().decode(start).removeprefix("\ufeff")
                    if not head.strip():
                        raise DataError(f"{path}: the file is empty. Export the conversations again.")
                    return cls(path, guess, head, copy=copy)
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
        tried = " or ".join(guess.upper() for guess in guesses)
        raise Damaged(f"{path}, byte {bad_byte}: not valid {tried}. Pass --encoding (Japanese files are often cp932).")

    @property
    def folder(self) -> AnyPath:
        """The folder of the file, on the disk or in its archive."""
        return cast(AnyPath, self.path.parent)

    def text(self) -> str:
        """The whole file, without a byte-order mark."""
        with self.open_text() as file:
            return file.read().removeprefix("\ufeff")

    def open_text(self) -> TextIO:
        """The file, opened for reading text; line ends come as `\\n`."""
        return (self.copy.path if self.copy else self.path).open(encoding=self.encoding)

    def open_bytes(self) -> IO[bytes]:
        """The file, opened for reading bytes."""
        return (self.copy.path if self.copy else self.path).open("rb")

    def lines(self) -> Iterator[str]:
        """The lines, each ending in `\\n`, without a byte-order mark. Raises DataError at one longer than MAX_LINE."""
        with self.open_text() as file:
            number = 1
            while line := file.readline(MAX_LINE + 1):
                if len(line) > MAX_LINE:
                    raise DataError(
                        f"{self.path}, line {number}: longer than {MAX_LINE:,} characters. Split it into turns."
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


def _first_bad_byte(path: AnyPath, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return position - pending + error.start
            position += len(chunk)
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return position - pending
    return None
