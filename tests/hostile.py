"""Hostile files, made of a file's own pieces, repeated: lines, words, marks and paragraphs, or JSON values.

Pieces are repeated as they are, or numbered so that no two are alike, or with impossible numbers.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

NUMBER = "\ue000"
"""Where a piece has its number."""


class Hostile(NamedTuple):
    """A file of any size: parts, each a text that stands once and a piece that is repeated, and an end."""

    label: str
    parts: tuple[tuple[str, str], ...]
    end: str = ""

    def content(self, size: int) -> bytes:
        """The file with repeated pieces of about so many characters."""
        times = max(1, size // sum(len(piece) for _, piece in self.parts))
        text = "".join(once + _times(piece, times) for once, piece in self.parts) + self.end
        return text.encode(errors="surrogateescape")


class Rows(NamedTuple):
    """The rows of a Parquet file, over and over."""

    label: str
    table: bytes

    def content(self, size: int) -> bytes:
        import pyarrow
        from pyarrow import parquet

        table = parquet.read_table(io.BytesIO(self.table))
        written = io.BytesIO()
        parquet.write_table(pyarrow.concat_tables([table] * (size // (50 * table.num_rows))), written)
        return written.getvalue()


def _times(piece: str, times: int) -> str:
    return "".join(piece.replace(NUMBER, f"{at:06}") for at in range(times)) if NUMBER in piece else piece * times


def hostile(content: bytes, *, all_ways: bool) -> Iterator[Hostile | Rows]:
    """Hostile files made of a file; the ways that have found something, or all of them."""
    if content.startswith(b"PAR1"):
        yield Rows("rows", content)
        return
    text = content.decode(errors="surrogateescape")
    if not text.strip():
        return
    try:
        yield from _of_json(json.loads(text), all_ways)
        return
    except ValueError:
        pass
    yield from _of_lines(text.splitlines(keepends=True), all_ways)
    if all_ways:
        for paragraph in dict.fromkeys(re.split(r"(?<=\n)\n+", text)):
            for way, piece in (("", paragraph), (", numbered", _numbered(paragraph))):
                yield Hostile(f"paragraph {paragraph[:20]!r}{way}", ((text, f"{piece}\n\n"),))


def _of_lines(lines: list[str], all_ways: bool) -> Iterator[Hostile]:
    for way, change in (("", str), (", numbered", _numbered), (", impossible", _impossible)):
        yield Hostile(f"all lines{way}", tuple((line, change(line)) for line in lines))
    seen: set[str] = set()
    for at, line in enumerate(lines):
        looks = re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", line))
        if looks in seen or not line.strip():
            continue
        seen.add(looks)
        before, after = "".join(lines[: at + 1]), "".join(lines[at + 1 :])
        whole, word, label = line.rstrip("\n") + "\n", line.split()[-1][-3:], f"line {at + 1}"
        yield Hostile(f"{label}, then its last word", ((before, f"{word}\n"),), after)
        yield Hostile(f"{label}, impossible", ((before, _impossible(whole)),), after)
        if not all_ways:
            continue
        yield Hostile(f"{label}, then its last word, folded", ((before, f" {word}\n"),), after)
        yield Hostile(label, ((before, whole),), after)
        yield Hostile(f"{label}, numbered", ((before, _numbered(whole)),), after)
        for mark in dict.fromkeys(re.findall(r"\W", line.rstrip("\n"))):
            inside = line.index(mark)
            yield Hostile(
                f"{label}, {mark!r} in it", (("".join(lines[:at]) + line[:inside], mark),), line[inside:] + after
            )
        if line.startswith("{"):
            for inner in _of_json(json.loads(line), all_ways):
                (once, piece), *_ = inner.parts
                yield Hostile(
                    f"{label}, {inner.label}", (("".join(lines[:at]) + once, piece),), f"{inner.end}\n{after}"
                )


def _numbered(text: str) -> str:
    return re.sub(r"([^\W\d_]{2,})", rf"\1{NUMBER}", text)


def _impossible(text: str) -> str:
    return re.sub(r"\d", "9", text)


def _of_json(value: Any, all_ways: bool) -> Iterator[Hostile]:
    seen: set[str] = set()
    for bad in _inside(value, "", "", ""):
        if bad.label not in seen and (all_ways or not bad.label.endswith('"')):
            seen.add(bad.label)
            yield bad


def _inside(value: Any, path: str, before: str, after: str) -> Iterator[Hostile]:
    """At each place in a JSON value what can be repeated there; `before` and `after` are the text around it."""
    if isinstance(value, str):
        if value.startswith('{"'):  # JSON in a string
            for label, ((once, piece),), end in _inside(json.loads(value), f"{path}{{}}", "", ""):
                yield Hostile(
                    label, ((f'{before}"{_text(once)[1:-1]}', _text(piece)[1:-1]),), f'{_text(end)[1:-1]}"{after}'
                )
        yield Hostile(f'{path}"', ((f'{before}"', _text(value)[1:-1] or "a"),), f'"{after}')
        return
    if not isinstance(value, (list, dict)) or not value:
        return
    opens, closes = "[]" if isinstance(value, list) else "{}"
    keys = [""] * len(value) if isinstance(value, list) else [f"{_text(key)}:" for key in value]
    values = value if isinstance(value, list) else list(value.values())
    inner = [key + _text(part) for key, part in zip(keys, values)]
    for at, (key, part) in enumerate(zip(keys, values)):
        place = f"{path}[]" if isinstance(value, list) else f"{path}.{key[1:-2]}"
        rest = f"{','.join(inner)}{closes}{after}"
        if isinstance(value, list):
            yield Hostile(place, ((before + opens, f"{inner[at]},"),), rest)
        other_key = f'{key[:-2]}{NUMBER}":' if key else ""
        yield Hostile(f"{place}, numbered", ((before + opens, f"{other_key}{_text(_marked(part))},"),), rest)
        left = before + opens + "".join(f"{other}," for other in inner[:at]) + key
        right = "".join(f",{other}" for other in inner[at + 1 :]) + closes + after
        yield from _inside(part, place, left, right)


def _text(value: Any) -> str:
    return json.dumps(value).replace("\\ue000", NUMBER)


def _marked(value: Any) -> Any:
    """The value with a number behind each text in it."""
    if isinstance(value, str):
        return value + NUMBER
    if isinstance(value, list):
        return [_marked(part) for part in value]
    return {key: _marked(part) for key, part in value.items()} if isinstance(value, dict) else value
