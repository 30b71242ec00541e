"""The files in an archive: a zip as it is, a tar (compressed or not) or a 7z repacked into a temporary zip.

Nothing of an archive is written to the disk under a name of its own, so no path in it can lead outside.
"""

from __future__ import annotations

import contextlib
import re
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from wolf_chatbox.data.tally import Truncated
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files import compression
from wolf_chatbox.importers.files.compression import AnyPath, Compressed
from wolf_chatbox.importers.files.pipes import Copy

ZIP = re.compile(rb"PK(?:\x03\x04|\x05\x06)")
OFFICE = re.compile(rb"PK\x03\x04.{26}(?:mimetype|\[Content_Types\]\.xml|_rels/|word/|xl/)", re.DOTALL)
"""Documents, tables and books, which are zips inside, and no archives to whoever has them."""
SEVEN = b"7z\xbc\xaf\x27\x1c"
TAR = slice(257, 262), b"ustar"
START = 512
CHUNK = 1 << 18
HIDDEN = (".", "__MACOSX")


def kind_of(place: AnyPath) -> str:
    """Whether a file begins as a "zip", a "7z" or a "tar", compressed or not; nothing for any other."""
    try:
        with place.open("rb") as file:
            start = file.read(START)
        if ZIP.match(start):
            return "" if OFFICE.match(start) else "zip"
        if start.startswith(SEVEN):
            return "7z"
        if packed := compression.kind_of(start):
            with Compressed(place, packed).open() as file:
                start = file.read(START)
    except (OSError, DataError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError):
        return ""  # whoever reads the file tells
    where, mark = TAR
    return "tar" if start[where] == mark else ""


def opened(place: AnyPath, kind: str) -> tuple[list[zipfile.Path], Truncated | None]:
    """The files in an archive, sorted by name, and where the archive is damaged if it is read in part only.

    Raises DataError for an archive that is broken, encrypted, a bomb, or contains different files of the same name.
    """
    if kind == "zip":
        return _members(_zip(place), place), None
    repacked = _Repacked(place)
    try:
        damage = (_take_tar if kind == "tar" else _take_seven)(place, repacked)
    finally:
        archive = repacked.finish()
    found = [member for member in _members(archive, place) if member.at in repacked.names]
    if not damage:
        return found, None
    if not found:
        raise DataError(f"{place}: not a readable {kind} archive ({damage}). Export it again.")
    return found, Truncated(f"{place}: damaged after {repacked.names[-1]} ({damage}); everything before it was read")


def is_hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(HIDDEN) and part != ".." for part in parts)


def _zip(place: AnyPath) -> zipfile.ZipFile:
    try:
        with _on_disk(place) as path:
            archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
        raise DataError(f"{place}: not a readable zip archive ({error}). Export it again.") from error
    archive.filename = str(place)
    return archive


def _members(archive: zipfile.ZipFile, place: AnyPath) -> list[zipfile.Path]:
    members = [
        member for member in archive.infolist() if not member.is_dir() and not is_hidden(Path(member.filename).parts)
    ]
    unpacked = sum(member.file_size for member in members)
    if unpacked > compression.most_of(place):
        raise DataError(
            f"{place}: would unpack to {unpacked:,} bytes, over {compression.MAX_RATIO} times its size. "
            "If you trust it, unpack it and pass the folder."
        )
    if any(member.flag_bits & 1 for member in members):
        raise DataError(f"{place}: the archive is encrypted. Unpack it, and pass the folder.")
    contents = {(member.filename, member.CRC, member.file_size) for member in members}
    names = Counter(name for name, _, _ in contents)
    if twice := next((name for name, count in names.items() if count > 1), None):
        raise DataError(
            f"{place}: contains different files named {twice!r}. Unpack it, rename them, and pass the folder."
        )
    return [zipfile.Path(archive, name) for name in sorted(names)]


class _Repacked:
    """A temporary zip, written file by file; it is gone when the last of its members is."""

    def __init__(self, place: AnyPath) -> None:
        self.names: list[str] = []
        """Of the files in it that are whole, or read up to where the archive is damaged."""
        self._place = place
        self._most = self._left = compression.most_of(place)
        self._copy = Copy()
        self._zip = zipfile.ZipFile(self._copy.path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._name = ""
        self._file: IO[bytes] | None = None

    def begin(self, name: str) -> None:
        self._name = name.encode(errors="replace").decode().removeprefix("./")
        if self._name in self.names:
            raise DataError(
                f"{self._place}: contains several files named {self._name!r}. "
                "Unpack it, rename them, and pass the folder."
            )
        entry = zipfile.ZipInfo(self._name)
        entry.compress_type = zipfile.ZIP_DEFLATED
        self._file = self._zip.open(entry, "w", force_zip64=True)

    def write(self, piece: bytes) -> int:
        assert self._file is not None
        self._left -= len(piece)
        if self._left < 0:
            raise compression.bomb(self._place, self._most)
        return self._file.write(piece)

    def end(self, *, keep: bool = True) -> None:
        """End the file that was begun, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None
            if keep:
                self.names.append(self._name)

    def finish(self) -> zipfile.ZipFile:
        """Close it, and open it for reading; the open file outlives its name on the disk."""
        self.end(keep=False)
        self._zip.close()
        archive = zipfile.ZipFile(self._copy.path)
        self._copy.path.unlink()
        archive.filename = str(self._place)
        return archive


class _Header(tarfile.TarInfo):
    """A tar's member; tarfile takes a damaged header for the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except (tarfile.TruncatedHeaderError, tarfile.InvalidHeaderError) as error:  # type: ignore[attr-defined]
            archive.damage = str(error)  # type: ignore[attr-defined]
            raise


def _take_tar(place: AnyPath, repacked: _Repacked) -> str:
    """Repack the files of a tar; returns what is wrong with it. Of a file that is cut, the beginning is taken."""
    with place.open("rb") as file:
        packed = compression.kind_of(file.read(START))
    with Compressed(place, packed).open() if packed else place.open("rb") as file:
        damage = ""
        try:
            with tarfile.open(fileobj=file, mode="r|", tarinfo=_Header, errorlevel=1) as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.isreg() else None
                    if content is not None:
                        repacked.begin(member.name)
                        while piece := content.read(CHUNK):
                            repacked.write(piece)
                        repacked.end()
                damage = getattr(archive, "damage", "")
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            damage = str(error)
            repacked.end()
        return compression.damage_of(file) or damage


class _Writers:
    """What py7zr writes the files of an archive to, one after the other."""

    def __init__(self, repacked: _Repacked) -> None:
        self._repacked = repacked

    def create(self, name: str) -> _Writers:
        self._repacked.begin(name)
        return self

    def write(self, piece: bytes) -> int:
        return self._repacked.write(piece)

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self._repacked.end()


def _take_seven(place: AnyPath, repacked: _Repacked) -> str:
    """Repack the files of a 7z; returns what is wrong with it. Only files whose checksum is right are taken."""
    try:
        import py7zr
    except ImportError as error:
        raise compression.lacking(place, "7z") from error
    with contextlib.ExitStack() as stack:
        try:
            path = stack.enter_context(_on_disk(place))
            file = stack.enter_context(path.open("rb"))  # of an open file, py7zr unpacks one member after the other
            archive = stack.enter_context(py7zr.SevenZipFile(file))
            if archive.needs_password():
                raise DataError(f"{place}: the archive is encrypted. Unpack it, and pass the folder.")
            names = [member.filename for member in archive.list() if member.is_file]
            if sum(member.uncompressed for member in archive.list()) > (most := compression.most_of(place)):
                raise compression.bomb(place, most)
            archive.extract(targets=names, factory=_Writers(repacked))
        except DataError:
            raise
        except py7zr.exceptions.PasswordRequired as error:
            raise DataError(f"{place}: the archive is encrypted. Unpack it, and pass the folder.") from error
        except Exception as error:  # py7zr raises all kinds of errors for a broken archive
            return " ".join(str(error).split())[:200] or type(error).__name__
    return ""


@contextlib.contextmanager
def _on_disk(place: AnyPath) -> Iterator[Path]:
    """The file's path, to be opened in time; one in an archive, which cannot be read backwards, is copied."""
    if isinstance(place, Path):
        yield place
        return
    copy, left = Copy(), compression.most_of(place)
    try:
        with place.open("rb") as file, copy.path.open("wb") as out:
            while piece := file.read(CHUNK):
                out.write(piece)
                left -= len(piece)
                if left < 0:
                    raise compression.bomb(place, compression.most_of(place))
        yield copy.path
    finally:
        copy.path.unlink()  # what has opened it keeps it
