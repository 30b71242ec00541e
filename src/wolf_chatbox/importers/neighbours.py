"""Files that the reader of another file of their folder finds by itself: no conversations of their own."""

from __future__ import annotations

import re
import zlib
from zipfile import BadZipFile

from wolf_chatbox.importers.compression import AnyPath
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
        folder = place.parent
        key = (name, str(folder))
        if key not in self._holds:
            files = (file for file in folder.iterdir() if file.is_file())  # type: ignore[union-attr]
            self._holds[key] = any(format.claims(_head(file)) for file in files)
        return self._holds[key]


def _head(place: AnyPath) -> str:
    try:
        with place.open("rb") as file:
            return file.read(HEAD).decode("utf-8-sig", errors="replace")
    except (OSError, BadZipFile, zlib.error, EOFError, NotImplementedError):
        return ""  # whoever reads the file tells
