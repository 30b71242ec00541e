"""Scripts as tables: one line of dialogue a row, with a column for the speaker and one for the line.

The Rick and Morty script data set (`index,season no.,episode no.,episode name,name,line`) is one of many. Columns are
found by their names; the delimiter is the one most frequent in the header. EmoryNLP's tables (emorynlp_train_final.csv
of https://github.com/declare-lab/MELD) hold the speaker as a list of Python, `['Ross Geller']`; who speaks together is
one speaker, `Ann, Bob`: neither said it alone, and as a line of each it would be there twice.
"""

from __future__ import annotations

import csv
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, Setting
from wolf_chatbox.importers.files.source import MAX_LINE, PARQUET, Source, clean
from wolf_chatbox.importers.format import Format

SPEAKER_NAMES = (
    "name",
    "speaker",
    "speakername",
    "character",
    "charactername",
    "person",
    "author",
    "actor",
    "who",
    "role",
    "sender",
    "from",
)
TEXT_NAMES = (
    "line",
    "text",
    "dialogue",
    "dialog",
    "utterance",
    "spokenwords",
    "message",
    "content",
    "sentence",
    "quote",
    "lines",
    "rawtext",
)
INDEX_NAMES = ("index", "idx", "lineno", "linenumber", "lineindex")
GROUP_NAMES = (r"season(no|number|num|id)?", r"episode(no|number|num|id)?")
SCENE_NAMES = (r"(dialogue|dialog|conversation|conv)(id|no)", r"scene(no|number|num|id)?")
DISCORD = ["authorid", "author", "date", "content"]
"""How the header of a chat begins that has a format of its own (discord_csv)."""
DELIMITERS = ",\t;|"
QUOTED = r"""(?:'((?:[^'\\]|\\.){0,200})'|"((?:[^"\\]|\\.){0,200})")"""
NAMES = re.compile(rf"\[\s?(?:{QUOTED}(?:,\s?(?!\])|,?\s?(?=\]))){{0,50}}\]")
ONE_NAME = re.compile(QUOTED)
"""Names as Python writes a list of them."""
MAX_ROW = 100
"""Lines of the file that a row may span: more mean a quote that is not closed."""


@dataclass(frozen=True)
class Columns:
    """The numbers of the columns in a row."""

    speaker: int
    text: int
    index: int | None
    group: tuple[int, ...]
    scene: tuple[int, ...]


JSON = re.compile(r'\s*(?:\{\s*"|\[\s*[{\["])')


def claims(head: str) -> bool:
    """Whether the first line is a header with columns for the speaker and the line, and no JSON."""
    if JSON.match(head):
        return False
    header = _header(head)
    if header[:4] == DISCORD:
        return False
    return _find(header, SPEAKER_NAMES) is not None and _find(header, TEXT_NAMES) is not None


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation for each run of lines without a new episode or scene, or a large jump of the index."""
    numbered = rows(source)
    line, header = next(numbered, (1, []))
    columns = _columns(header, line, source, config)
    yield from _conversations((row for _, row in numbered), columns, source, config.cut_at_jump, tally)


def rows(source: Source, most: int = MAX_ROW) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of each row that is not blank.

    Raises DataError where a quote is not closed, and a row would span more than `most` lines.
    """
    csv.field_size_limit(MAX_ROW * MAX_LINE)
    delimiter = delimiter_of(source.head)
    first = 1
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in source.lines():
            if len(taken) == most:
                raise _open_quote(source, first)
            taken.append(line)
            yield line

    for row in csv.reader(lines(), delimiter=delimiter):
        if len(taken) > 1:
            # Quotes inside of a line may be careless; a row of several lines must be valid, or was not meant.
            try:
                next(csv.reader(taken, delimiter=delimiter, strict=True))
            except csv.Error as error:
                raise _open_quote(source, first) from error
        if any(cell.strip() for cell in row):
            yield first, row
        first += len(taken)
        taken.clear()


def _open_quote(source: Source, line: int) -> DataError:
    return DataError(f"{source.path}, line {line}: a quote is opened and not closed. Close or remove it.")


def _conversations(
    rows: Iterator[list[str]], columns: Columns, source: Source, cut_at_jump: int, tally: Tally
) -> Iterator[Conversation]:
    turns: list[Turn] = []
    group = ""
    place: tuple[str, ...] | None = None
    index: int | None = None
    bridged = cut = between = 0
    try:
        for row in rows:
            here = tuple(_cell(row, at) for at in (*columns.group, *columns.scene))
            before, index = index, _integer(_cell(row, columns.index))
            jump = 1 if before is None or index is None else index - before
            far = jump > cut_at_jump or jump < 0
            if here != place:
                between += jump > 1  # not back: the index may restart with each episode
            elif jump != 1:
                cut += far
                bridged += not far
            if here != place or far:
                if turns:
                    yield Conversation(tuple(turns), group)
                turns = []
                place = here
                group = _group(columns, here) or source.path.stem
            speaker, text = _speaker(_cell(row, columns.speaker)), _cell(row, columns.text)
            if not text:
                tally.dropped["no text"] += 1
            elif not speaker:
                tally.dropped["no speaker"] += 1
            else:
                tally.kept += 1
                turns.append(Turn(speaker, text))
    except DataError:  # keep what was read before the damage
        if turns:
            yield Conversation(tuple(turns), group)
        raise
    if turns:
        yield Conversation(tuple(turns), group)
    if bridged or cut or between:
        tally.note(
            source.path.name,
            f"{bridged + cut + between} gaps in the index (missing lines): {bridged} bridged, "
            f"{cut} above {cut_at_jump} begin a new conversation, {between} between episodes or scenes",
        )


def _columns(header: list[str], line: int, source: Source, config: ReadConfig) -> Columns:
    names = [_plain(cell) for cell in header]

    def column(what: str, setting: str, wanted: str | None, known: Sequence[str]) -> int:
        at = _find(names, (_plain(wanted),)) if wanted is not None else _find(names, known)
        if at is None:
            missing = f"no column {wanted!r}" if wanted is not None else f"no {what} column"
            raise DataError(
                f"{source.path}, line {line}: {missing} (found: {listed(header)}). Pass ", Setting(setting), "."
            )
        return at

    speaker = column("speaker", "speaker_column", config.speaker_column, SPEAKER_NAMES)
    text = column("line", "text_column", config.text_column, TEXT_NAMES)
    return Columns(
        speaker, text, _find(names, INDEX_NAMES), _find_all(names, GROUP_NAMES), _find_all(names, SCENE_NAMES)
    )


def listed(names: Iterable[str]) -> str:
    """Names of columns in one short line."""
    return textwrap.shorten(", ".join(names), 200, placeholder=" …")


def _group(columns: Columns, here: tuple[str, ...]) -> str:
    """`S1E1` for season and episode; without such columns, the scene."""
    parts = here[: len(columns.group)] or here
    if len(parts) == 2 and all(part.isdigit() for part in parts):
        return f"S{parts[0]}E{parts[1]}"
    return " ".join(parts)


def _header(head: str) -> list[str]:
    first = _first_line(head)
    if len(first) > 10_000:
        return []
    return [_plain(cell) for cell in next(csv.reader([first], delimiter=delimiter_of(head)), [])]


def delimiter_of(head: str) -> str:
    return max(DELIMITERS, key=_first_line(head).count)


def _first_line(head: str) -> str:
    return next((line for line in head.splitlines() if line.strip()), "")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def column_of(names: Sequence[str], wanted: str | None, known: Sequence[str], *, patterns: bool = False) -> str | None:
    """The name of the wanted column, or else of the first known one; None when there is none."""
    plain = [_plain(name) for name in names]
    if wanted is not None:
        at = _find(plain, (_plain(wanted),))
    elif patterns:
        at = next(iter(_find_all(plain, known)), None)
    else:
        at = _find(plain, known)
    return names[at] if at is not None else None


def _find(names: Sequence[str], known: Sequence[str]) -> int | None:
    """The number of the first known name among the names, in the order of the known ones."""
    return next((names.index(name) for name in known if name in names), None)


def _find_all(names: Sequence[str], patterns: Sequence[str]) -> tuple[int, ...]:
    return tuple(at for pattern in patterns for at, name in enumerate(names) if re.fullmatch(pattern, name))


def _cell(row: list[str], at: int | None) -> str:
    return clean(row[at]) if at is not None and at < len(row) else ""


def _speaker(cell: str) -> str:
    """The name in a cell; `Ann, Bob` for a list of Python with two."""
    if not cell.startswith("[") or not NAMES.fullmatch(cell):
        return cell
    return ", ".join(re.sub(r"\\(.)", r"\1", one or other).strip() for one, other in ONE_NAME.findall(cell))


def _integer(cell: str) -> int | None:
    try:
        return int(cell)
    except ValueError:
        return None


FORMAT = Format(
    title="script table (CSV, TSV)",
    notes=(
        "a column for the speaker and one for the line (`--speaker-column`, `--text-column`); MELD, EmoryNLP and "
        "Friends too; several speakers of a line (`['Ann', 'Bob']`) become one, `Ann, Bob`; cut at episodes, scenes, "
        "dialogues and gaps in the line index (`--cut-at-jump`)"
    ),
    claims=claims,
    read=read,
    suffixes=(".csv", ".tsv"),
    columns=lambda head, config: head != PARQUET,
)
