"""XML, read piece by piece: the caller walks into some elements and takes the others whole, so memory stays small.

Entities are never expanded and nothing outside of the file is fetched: a file that declares entities is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from wolf_chatbox.data.tally import Truncated
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source

CHUNK = 1 << 16
MAX_SIZE = 1 << 24
"""Characters and elements inside one element taken whole: a larger one is no message."""
MAX_DEPTH = 100
MAX_TAG = 1 << 22
"""Bytes of one tag or comment, all of which must be in memory: a longer one is damage."""
UNFINISHED = (
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
)


@dataclass(slots=True)
class Element:
    """An element taken whole, or the start of one that is walked into."""

    tag: str
    attributes: dict[str, str]
    parts: list[str | Element] = field(default_factory=list)
    opens: bool = False
    """It is walked into: its content comes next."""

    @property
    def children(self) -> list[Element]:
        return [part for part in self.parts if isinstance(part, Element)]

    def text(self) -> str:
        """All its text; if it holds lines (`li`), one line each."""
        lines = [child.text() for child in self.children if child.tag == "li"]
        if lines:
            return "\n".join(lines)
        return "".join(part if isinstance(part, str) else part.text() for part in self.parts)


def elements(source: Source, walk: Sequence[str]) -> Iterator[Element]:
    """Yield elements in file order: those named in `walk` when they begin, the others inside of them when they end.

    Raises DataError where the text is not XML or declares entities, and Truncated where it ends too early.
    """
    builder = _Builder(str(source.path), walk)
    parser = builder.parser
    fed = 0
    with source.open_text() as file:
        while True:
            # Expat scans an unfinished tag again with each piece; pieces as long as the tag keep the work linear.
            chunk = file.read(max(CHUNK, fed - parser.CurrentByteIndex))
            data = (chunk if fed else chunk.removeprefix("\ufeff").lstrip()).encode()
            fed += len(data)
            try:
                parser.Parse(data, not chunk)
            except expat.ExpatError as error:
                yield from builder.done
                raise builder.error(error, at_end=not chunk) from error
            yield from builder.done
            builder.done.clear()
            if not chunk:
                return
            if fed - parser.CurrentByteIndex > MAX_TAG:
                raise DataError(f"{builder.where()}: a tag is not closed. Correct it there.")


class _Builder:
    """Builds elements from what the parser reports."""

    def __init__(self, path: str, walk: Sequence[str]) -> None:
        self.done: list[Element] = []
        self._path, self._walk = path, walk
        self._stack: list[Element] = []
        self._size = 0
        # The text is decoded already, whatever encoding its declaration names.
        self.parser = parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.EntityDeclHandler = self._characters, self._entity
        parser.buffer_text = True

    def where(self) -> str:
        return f"{self._path}, line {self.parser.CurrentLineNumber}"

    def error(self, error: expat.ExpatError, *, at_end: bool) -> DataError:
        if at_end and error.code in UNFINISHED:
            return Truncated(f"{self.where()}: the file ends inside an element; everything before it was read")
        what = f"not XML ({expat.ErrorString(error.code)})"
        return DataError(f"{self.where()}, column {error.offset + 1}: {what}. Correct it there.")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        stack = self._stack
        if not stack and tag in self._walk:
            self.done.append(Element(tag, attributes, opens=True))
            return
        element = Element(tag, attributes)
        if stack:
            stack[-1].parts.append(element)
        else:
            self._size = 0
        stack.append(element)
        self._grow(1)

    def _end(self, tag: str) -> None:
        if self._stack:
            element = self._stack.pop()
            if not self._stack:
                self.done.append(element)

    def _characters(self, text: str) -> None:
        if self._stack:
            self._stack[-1].parts.append(text)
            self._grow(len(text))

    def _grow(self, size: int) -> None:
        self._size += size
        if len(self._stack) > MAX_DEPTH or self._size > MAX_SIZE:
            raise DataError(f"{self.where()}: an element is too large for a message. Split it.")

    def _entity(self, *_: object) -> None:
        raise DataError(f"{self.where()}: declares an entity; entities are not expanded. Replace it by its text.")
