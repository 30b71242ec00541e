"""Files that the reader of another file of their folder finds by itself: no conversations of their own."""

from __future__ import annotations

import re
import zlib
from typing import cast
from zipfile import BadZipFile

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.compression import AnyPath, Compressed, kind_of
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.registry import FORMATS

HEAD = 1 << 16


class Neighbours:
    """Knows which files belong to others; what it has learnt of a folder it keeps."""

    def __init__(self) -> None:
        self._holds: dict[tuple[str, str], bool] = {}
        """Whether a format claims a file of a folder."""

    def belongs(self, place: AnyPath) -> bool:
        """Whether a format calls for a file of this name beside its own, one of which is there."""
        return any(
            format.beside
            and re.fullmatch(format.beside, place.name)
            and not format.claims(_head(place))
            and self._is_there(name, format, place)
            for name, format in FORMATS.items()
        )

    def _is_there(self, name: str, format: Format, place: AnyPath) -> bool:
        folder = cast(AnyPath, place.parent)
        key = (name, str(folder))
        if key not in self._holds:
            files = (file for file in folder.iterdir() if file.is_file())
            self._holds[key] = any(format.claims(_head(file)) for file in files)
        return self._holds[key]


def _head(place: AnyPath) -> str:
    try:
        with place.open("rb") as file:
            start = file.read(HEAD)
        if kind := kind_of(start):
            with Compressed(place, kind).open() as file:
                start = file.read(HEAD)
        return start.decode("utf-8-sig", errors="replace")
    except (DataError, OSError, BadZipFile, zlib.error, EOFError, NotImplementedError):
        return ""  # whoever reads the file tells
