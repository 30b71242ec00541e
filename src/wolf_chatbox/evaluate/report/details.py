"""What is more than a number, laid out by its shape: matrices, tables, plots, lists and texts.

{name: {name: count}}                       a matrix: a row is what is true, a column what was told
{name: [[x, y], …]}                         curves
{name: [number, …]}                         lines over their places, or a table where they are few
{name: {key: value}} or [{key: value}]      a table
{name: value} or [[value, value], …]        a table without headings
[value, …]                                  a list
{entry: {key: anything}}                    a heading for each key, with all entries below it
anything else                               headings, and what is below them
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from wolf_chatbox.evaluate.report.plots import curves, lines

Kind = Literal["heading", "text", "matrix", "table", "lines", "list"]
MOST = 40
"""Rows of a table that are shown."""
FEW = 8
"""Numbers in a row below which they are a table."""


class Block(NamedTuple):
    """A piece of the page."""

    kind: Kind
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


def blocks(
    details: Any, entries: Collection[str] = (), title: str = "", level: int = 3, *, told: bool = False
) -> Iterator[Block]:
    """The pieces of some details, in order, without what is empty.

    `entries` are the names of those compared; `told` says that counts are of what was told.
    """
    if details is None or details == {} or details == []:
        return
    told = told or title.startswith("told")
    block = _block(details, told)
    if block is not None:
        yield Block(block[0], title, level, block[1])
        return
    if title:
        yield Block("heading", title, level)
    parts = _parts(details, entries)
    entries = entries if parts is details else ()  # gathered once
    alone = {name: value for name, value in parts.items() if _scalar(value)}
    if alone:
        yield from blocks(alone, entries, "", level, told=told)
    for name, value in parts.items():
        if name not in alone:
            # The word "entries" tells nobody anything: what is below it stands in its place.
            inner = "" if name == "entries" else _title(name)
            yield from blocks(value, entries, inner, level + bool(title and inner), told=told)


def _parts(details: Any, entries: Collection[str]) -> Mapping[str, Any]:
    """The named parts of details; those of each entry are gathered under their own names."""
    if not isinstance(details, Mapping):
        return {str(number): value for number, value in enumerate(details, 1)}
    if not (entries and details.keys() <= set(entries) and all(isinstance(part, Mapping) for part in details.values())):
        return details
    keys = dict.fromkeys(key for part in details.values() for key in part)
    numbers = [key for key in keys if all(_scalar(part.get(key)) for part in details.values())]
    gathered = {key: {name: part[key] for name, part in details.items() if part.get(key)} for key in keys}
    together = (
        {"": {name: {key: part.get(key) for key in numbers} for name, part in details.items()}} if numbers else {}
    )
    return together | {key: _without_a_name(part) for key, part in gathered.items() if key not in numbers}


def _without_a_name(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """What each entry has about one and the same name, which need not be said then."""
    names = {tuple(value) if isinstance(value, Mapping) else () for value in part.values()}
    [only] = names if len(names) == 1 else [()]
    inner = {entry: value[only[0]] for entry, value in part.items()} if len(only) == 1 else {}
    return inner if inner and all(isinstance(value, Mapping) for value in inner.values()) else part


def _block(details: Any, told: bool) -> tuple[Kind, Any] | None:
    """The kind and value of details that one piece shows."""
    if _scalar(details):
        return "text", cell(details)
    if isinstance(details, Mapping):
        return _of_mapping(details, told)
    if all(map(_scalar, details)):
        return "list", [cell(value) for value in details[:MOST]]
    if all(map(_record, details)):
        return "table", _records({str(at): row for at, row in enumerate(details)}, named=False)
    if all(_sequence(row) and all(map(_scalar, row)) for row in details):
        return "table", Grid([], [[cell(value) for value in row] for row in details[:MOST]], len(details[MOST:]))
    return None


def _of_mapping(details: Mapping[str, Any], told: bool) -> tuple[Kind, Any] | None:
    values = [value for value in details.values() if value is not None]
    if all(map(_scalar, values)):
        rows = [[_title(name), cell(value)] for name, value in details.items()]
        return "table", Grid([], rows[:MOST], len(rows[MOST:]))
    if all(map(_numbers, values)):
        if max(map(len, values)) >= FEW:
            return "lines", lines(details)
        return "table", Grid([], [[str(name), *map(cell, row)] for name, row in details.items()])
    if all(_sequence(points) and points and all(_point(point) for point in points) for points in values):
        return "lines", curves(details)
    if told and all(_record(row) and all(type(count) is int for count in row.values()) for row in values):
        return "matrix", _matrix(details)
    return ("table", _records(details)) if all(map(_record, values)) else None


def _matrix(details: Mapping[str, Mapping[str, int]]) -> Matrix:
    told = [*details, *dict.fromkeys(name for row in details.values() for name in row if name not in details)]
    told = [name for name in told if any(name in row for row in details.values())]
    rows = []
    for row in details.values():
        whole = sum(row.values()) or 1
        rows.append([(cell(row.get(name, 0)), row.get(name, 0) / whole) for name in told])
    return Matrix(list(details), [name or "(nothing)" for name in told], rows)


def _records(records: Mapping[str, Mapping[str, Any]], *, named: bool = True) -> Grid:
    keys = list(dict.fromkeys(key for row in records.values() for key in row))
    shown = list(records.items())[:MOST]
    rows = [[*([name] if named else []), *(cell(row.get(key)) for key in keys)] for name, row in shown]
    return Grid([*([""] if named else []), *map(_title, keys)], rows, len(records) - len(rows))


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


def _sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _record(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(map(_scalar, value.values()))


def _numbers(value: Any) -> bool:
    return _sequence(value) and bool(value) and all(one is None or type(one) in (int, float) for one in value)


def _point(value: Any) -> bool:
    return _numbers(value) and len(value) == 2 and None not in value


def _title(name: Any) -> str:
    return str(name).replace("_", " ")
