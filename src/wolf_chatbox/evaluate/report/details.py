"""What is more than a number, laid out by its shape: matrices, tables, lines over turns, lists and texts.

{"labels": […], "rows": [[counts]]}         a matrix: a row is what is true, a column what was told
{name: [numbers], …}                        lines over their places
{name: {key: value}, …} or [{key: value}]   a table
{name: value, …} or [[value, value], …]     a table of two columns
[value, …]                                  a list
anything else                               headings, and what is below them
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from wolf_chatbox.evaluate.report.plots import Lines, lines

MOST = 40
"""Rows of a table that are shown."""


class Block(NamedTuple):
    """A piece of the page."""

    kind: Literal["heading", "text", "matrix", "table", "lines", "list"]
    title: str
    level: int
    value: Any = None


class Grid(NamedTuple):
    """A table; the first column of each row is its heading."""

    columns: list[str]
    rows: list[list[str]]
    left: int = 0
    """How many more rows there are."""


class Matrix(NamedTuple):
    """Counts by what is true (rows) and what was told (columns), with each row's shares."""

    labels: list[str]
    columns: list[str]
    rows: list[list[tuple[str, float]]]


def blocks(details: Any, title: str = "", level: int = 2) -> Iterator[Block]:
    """The pieces of some details, in order; what is empty is left out."""
    if details is None or details == {} or details == []:
        return
    block = _block(details)
    if block is not None:
        kind, value = block
        yield Block(kind, title, level, value)
        return
    if title:
        yield Block("heading", title, level)
    named = dict(details.items() if isinstance(details, Mapping) else enumerate(details, 1))
    alone = {name: value for name, value in named.items() if _scalar(value)}
    for name, value in ({"": alone} | named if alone else named).items():
        if name not in alone:
            yield from blocks(value, _title(name), level + bool(title))


def _block(details: Any) -> tuple[Any, Any] | None:
    """The kind and value of details that one piece shows."""
    if _scalar(details):
        return "text", cell(details)
    if isinstance(details, Mapping):
        return _of_mapping(details)
    if all(map(_scalar, details)):
        return "list", [cell(value) for value in details[:MOST]]
    if all(isinstance(row, Mapping) and all(map(_scalar, row.values())) for row in details):
        return "table", _records("", {str(at): row for at, row in enumerate(details, 1)}, numbered=False)
    if all(isinstance(row, Sequence) and not isinstance(row, str) and all(map(_scalar, row)) for row in details):
        return "table", Grid([], [[cell(value) for value in row] for row in details[:MOST]], len(details[MOST:]))
    return None


def _of_mapping(details: Mapping[str, Any]) -> tuple[Any, Any] | None:
    values = list(details.values())
    if "labels" in details and "rows" in details:
        return "matrix", _matrix(details)
    if all(map(_scalar, values)):
        rows = [[_title(name), cell(value)] for name, value in details.items()]
        return "table", Grid([], rows[:MOST], len(rows[MOST:]))
    if all(map(_numbers, values)) and max(map(len, values)) > 1:
        return "lines", lines(details)
    if all(isinstance(row, Mapping) and row and all(map(_scalar, row.values())) for row in values):
        return "table", _records("", details)
    return None


def _matrix(details: Mapping[str, Any]) -> Matrix:
    rows = []
    for row in details["rows"]:
        whole = sum(row) or 1
        rows.append([(cell(count), count / whole) for count in row])
    labels = [str(label) for label in details["labels"]]
    return Matrix(labels, [str(label) for label in details.get("columns", labels)], rows)


def _records(corner: str, records: Mapping[str, Mapping[str, Any]], *, numbered: bool = True) -> Grid:
    keys = list(dict.fromkeys(key for row in records.values() for key in row))
    rows = [
        [*([str(name)] if numbered else []), *(cell(row.get(key)) for key in keys)]
        for name, row in list(records.items())[:MOST]
    ]
    return Grid([*([corner] if numbered else []), *map(_title, keys)], rows, len(records) - len(rows))


def cell(value: Any) -> str:
    """A value in a table."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _numbers(values: Any) -> bool:
    return isinstance(values, list) and all(value is None or type(value) in (int, float) for value in values)


def _title(name: Any) -> str:
    return str(name).replace("_", " ")


__all__ = ["Block", "Grid", "Lines", "Matrix", "blocks", "cell"]
