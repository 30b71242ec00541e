"""JSON, read piece by piece: a file of any size takes the memory of its largest element.

A pull parser over the standard library's decoder. The caller walks into objects and arrays, and takes small values
whole:

    with JsonStream(source) as stream:
        for key in stream.fields():
            if key == "messages":
                for message in stream.items():
                    ...
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any, Self

from wolf_chatbox.conversation import parse_json
from wolf_chatbox.data.tally import Truncated
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import MAX_LINE, Source

CHUNK = 1 << 18
MAX_VALUE = 1 << 26
"""Characters of a value taken whole: a larger one is no message."""
SPACE = " \t\n\r"
UNFINISHED = re.compile(
    r"\s*(?:t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?|N(?:a)?|-?I?[a-z]{0,7}|[-+\d.eE]+|\\?u?[0-9a-fA-F]{0,4})\Z"
)
"""What may stand between an error and the end of the buffer if only the rest of a value is missing."""
OPEN_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+\\?\Z', re.DOTALL)
"""A string without its end."""
NUMBER = re.compile(r"[-+.eE\d]*\Z")
_decoder = json.JSONDecoder()


class JsonStream:
    """Reads one JSON document. Raises DataError where it is not JSON or has extra data, Truncated where it is cut."""

    def __init__(self, source: Source) -> None:
        self._where = str(source.path)
        self._file = source.open_text()
        self._buffer = ""
        self._at = 0
        self._lines = 0
        """Line ends in the text before the buffer, and characters since the last of them."""
        self._column = 0
        self._begun = False
        self._ended = False
        self._taken = True
        self._depth = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fields(self) -> Iterator[str]:
        """Walk an object: after each key, take its value or walk into it; otherwise it is skipped."""
        self._open("{")
        if self._close("}"):
            return
        while True:
            key = self._decode()
            if not isinstance(key, str):
                raise self._error("an object's key must be a string")
            self._expect(":")
            self._taken = False
            yield key
            if not self._taken:
                self.value()
            if self._close("}"):
                return
            self._expect(",")

    def items(self) -> Iterator[Any]:
        """Walk an array: yield its elements, decoded."""
        for _ in self.elements():
            yield self.value()

    def elements(self) -> Iterator[None]:
        """Walk an array: at each element, take it or walk into it; otherwise it is skipped."""
        self._open("[")
        if self._close("]"):
            return
        while True:
            self._taken = False
            yield
            if not self._taken:
                self.value()
            if self._close("]"):
                return
            self._expect(",")

    def value(self) -> Any:
        """Take the next value whole."""
        self._taken = True
        return self._decode()

    def begins(self) -> str:
        """The character that the next value begins with: `{`, `[`, `"`, …"""
        return self._peek()

    def _decode(self) -> Any:
        self._peek()
        size = 0
        while True:
            try:
                value, end = _decoder.raw_decode(self._buffer, self._at)
            except RecursionError as error:
                raise self._unreadable(error) from error
            except ValueError as error:
                if not isinstance(error, json.JSONDecodeError):
                    raise self._unreadable(error) from error  # a number of thousands of digits
                # Damaged, or incomplete; reading twice as much each time keeps the work linear.
                size = max(CHUNK, 2 * size)
                if len(self._buffer) - self._at > MAX_VALUE:
                    raise self._error(f"a value longer than {MAX_VALUE:,} characters") from error
                if not self._is_unfinished(error.pos):
                    raise self._error(error.msg, error.pos) from error
                if not self._more(size):
                    raise self._cut() from error
                continue
            if (
                type(value) in (int, float)
                and NUMBER.match(self._buffer, end)
                and self._more(size := max(CHUNK, 2 * size))
            ):
                continue  # the number may continue
            self._at = end
            return value

    def _is_unfinished(self, at: int) -> bool:
        """Whether the error there only means that the rest of the value is missing."""
        if not self._buffer.startswith('"', at):
            return bool(UNFINISHED.match(self._buffer, at))
        before = at - 1
        while before >= self._at and self._buffer[before] in SPACE:
            before -= 1
        # After a value, the string is wrong there, whether it ends or not.
        return (before < self._at or self._buffer[before] in "[{,:") and bool(OPEN_STRING.match(self._buffer, at))

    def _peek(self) -> str:
        """Skip space; the character there."""
        if character := self._next():
            return character
        raise self._cut()

    def _next(self) -> str:
        """Skip space; the character there, or nothing at the end."""
        while True:
            while self._at < len(self._buffer):
                character = self._buffer[self._at]
                if character not in SPACE:
                    return character
                self._at += 1
            if not self._more(CHUNK):
                return ""

    def _take(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str) -> None:
        self._taken = True
        if not self._take(character):
            raise self._error(f"{character!r} expected, found {self._buffer[self._at]!r}")

    def _open(self, character: str) -> None:
        self._expect(character)
        self._depth += 1

    def _close(self, character: str) -> bool:
        """Whether the object or array ends here; nothing may follow the outermost one."""
        if not self._take(character):
            return False
        self._depth -= 1
        if not self._depth and (more := self._next()):
            raise self._error(f"extra data after the end: {more!r}")
        return True

    def _more(self, size: int) -> bool:
        if self._ended:
            return False
        more = self._file.read(size)
        if not self._begun:
            more, self._begun = more.removeprefix("\ufeff"), True
        self._ended = not more
        line, self._column = self._place(self._at)
        self._lines = line - 1
        self._buffer = self._buffer[self._at :] + more
        self._at = 0
        return bool(more)

    def _error(self, what: str, at: int | None = None) -> DataError:
        line, column = self._place(self._at if at is None else at)
        return DataError(f"{self._where}, line {line}, column {column + 1}: not JSON ({what}). Correct it there.")

    def _unreadable(self, error: Exception) -> DataError:
        return DataError(
            f"{self._where}, line {self._place(self._at)[0]}: not JSON that can be read ({error}). Correct it there."
        )

    def _cut(self) -> Truncated:
        line, column = self._place(len(self._buffer))
        return Truncated(
            f"{self._where}, line {line}, column {column + 1}: the file ends inside a value; "
            "everything before it was read"
        )

    def _place(self, at: int) -> tuple[int, int]:
        """The line, from 1, and the characters before `at` in it."""
        last = self._buffer.rfind("\n", 0, at)
        return self._lines + 1 + self._buffer.count("\n", 0, at), at - last - 1 if last >= 0 else self._column + at


def json_lines(source: Source, longest: int = MAX_LINE) -> Iterator[tuple[str, Any]]:
    """Yield (where, value) for each line that is not blank.

    Raises DataError where a line is not JSON or has more than `longest` characters, and Truncated where the last of
    several is cut.
    """
    path = str(source.path)
    for number, line in enumerate(source.lines(longest), 1):
        if line.strip():
            try:
                yield f"{path}, line {number}", parse_json(line, path, number)
            except DataError as error:
                if line.endswith("\n") or number == 1:
                    raise
                raise Truncated(
                    f"{path}, line {number}: the file ends inside it; everything before it was read"
                ) from error


def json_values(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield (where, value) for each item of a list, or for each line of JSON Lines."""
    if not source.head.lstrip().startswith("["):
        yield from json_lines(source)
        return
    with JsonStream(source) as stream:
        for number, value in enumerate(stream.items(), 1):
            yield f"{source.path}, item {number}", value


def described(value: Any) -> str:
    """What a JSON value is, in a phrase: an object with its keys, or what a list holds.

    >>> described([{"id": 1, "city": "Oslo"}])
    'a list whose first item is an object with the keys id, city'
    """
    if isinstance(value, dict):
        keys = textwrap.shorten(", ".join(map(str, value)), 160, placeholder=" …")
        return f"an object with the keys {keys}" if value else "an empty object"
    if isinstance(value, list):
        first = "a list" if value and isinstance(value[0], list) else described(value[0]) if value else ""
        return f"a list whose first item is {first}" if first else "an empty list"
    return {str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
