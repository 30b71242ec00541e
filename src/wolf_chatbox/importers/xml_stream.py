"""XML read piece by piece: each element inside the ones walked into, whole, and nothing more in memory.

Entities are never expanded and nothing outside of the file is fetched: a file that declares entities is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

from wolf_chatbox.data.tally import Truncated
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.source import Source

CHUNK = 1 << 16
MAX_SIZE = 1 << 24
"""Characters and elements of one element taken whole: a larger one is no message."""
MAX_TAG = 1 << 22
"""Bytes of one tag or comment: a longer one is damage, and all of it would have to be held."""
UNFINISHED = (
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
)


@dataclass(slots=True)
class Element:
    """An element that was taken whole, or the beginning of one that is walked into."""

    tag: str
    attributes: dict[str, str]
    parts: list[str | Element] = field(default_factory=list)
    opens: bool = False
    """It is walked into: what is inside it comes next."""

    @property
    def children(self) -> list[Element]:
        return [each for each in self.parts if isinstance(each, Element)]

    def text(self) -> str:
        """All its text; where it holds lines (`li`), a line each."""
        lines = [each.text() for each in self.children if each.tag == "li"]
        return (
            "\n".join(lines)
            if lines
            else "".join(each if isinstance(each, str) else each.text() for each in self.parts)
        )


def elements(source: Source, walk: Sequence[str]) -> Iterator[Element]:
    """Yield the elements in the order of the file, those called as in `walk` when they begin, the others inside of them when they end.

    Raises DataError where the text is no XML or declares entities, and Truncated where it ends too early.
    """
    done: list[Element] = []
    stack: list[Element] = []
    size = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal size
        tag = tag.rpartition(":")[2]
        size = size + 1 if stack else 0
        if not stack and tag in walk:
            done.append(Element(tag, attributes, opens=True))
        else:
            element = Element(tag, attributes)
            if stack:
                stack[-1].parts.append(element)
            stack.append(element)
        if len(stack) > 100 or size > MAX_SIZE:
            raise DataError(f"{where()}: an element that is too large for a message. Cut it into pieces.")

    def end(tag: str) -> None:
        if stack and (element := stack.pop()) and not stack:
            done.append(element)

    def characters(text: str) -> None:
        nonlocal size
        if stack:
            size += len(text)
            stack[-1].parts.append(text)
            if size > MAX_SIZE:
                raise DataError(f"{where()}: an element that is too large for a message. Cut it into pieces.")

    def entity(*_: object) -> None:
        raise DataError(f"{where()}: declares an entity, which is not expanded here. Write its text instead.")

    def where() -> str:
        return f"{source.path}, line {parser.CurrentLineNumber}"

    parser = expat.ParserCreate("utf-8")  # whatever encoding its declaration names: the text is decoded already
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    parser.EntityDeclHandler = entity
    parser.buffer_text = True
    with source.open_text() as file:
        fed = 0
        while True:
            # The parser begins a tag anew with each piece; pieces as long as what it has of the tag keep the work linear.
            chunk = file.read(max(CHUNK, fed - parser.CurrentByteIndex))
            data = (chunk if fed else chunk.removeprefix("\ufeff").lstrip()).encode()
            fed += len(data)
            try:
                parser.Parse(data, not chunk)
            except expat.ExpatError as error:
                yield from done
                if not chunk and error.code in UNFINISHED:
                    raise Truncated(f"{where()}: the file ends within an element; what came before is read") from error
                raise DataError(
                    f"{where()}, column {error.offset + 1}: not XML ({expat.ErrorString(error.code)}). Correct it there."
                ) from error
            yield from done
            done.clear()
            if not chunk:
                return
            if fed - parser.CurrentByteIndex > MAX_TAG:
                raise DataError(f"{where()}: a tag that does not end. Correct it there.")
