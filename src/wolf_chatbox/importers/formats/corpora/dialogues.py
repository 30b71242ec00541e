"""Tables whose cells are whole dialogues: a cell holds lines `NAME: text`, a row is a conversation.

Synthetic-Persona-Chat (`user 1 personas,user 2 personas,Best Generated Conversation`), SAMSum and DialogSum
(`id,dialogue,summary`) are such tables.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, Setting
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.formats.scripts import script as script_csv
from wolf_chatbox.importers.shared.messages import SYSTEM, Message, conversations

NAME = r"#?(?:[A-Z][a-z]{0,4}\. ){0,2}[^\W\d_][^:\uff1a.?!;\"\n]{0,39}?"
LINE = re.compile(rf"\s{{0,8}}({NAME})\s?[:\uff1a](?!//)\s*(.*)", re.DOTALL)
"""A line of a dialogue; its speaker may be `#Person1#` or `Dr. Low`."""
PERSONA = re.compile(r"persona", re.IGNORECASE)
MOST_WORDS = 4
"""Words of a speaker's name: more before a colon are a sentence."""
MAX_ROW = 5000
"""Lines of the file that a row may span."""


def claims(head: str) -> bool:
    """Whether there is a header with a column of dialogues below it; a table with a speaker column is a script."""
    if head.lstrip().startswith(("{", "[", "<")) or script_csv.claims(head):
        return False
    header, rows = _beginning(head)
    return bool(columns(header, rows))


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield a conversation for each cell of dialogue; persona columns are system messages."""
    header, beginning = _beginning(source.head)
    found = columns(header, beginning, config.text_column)
    if not found:
        what = "column of dialogues" if config.text_column is None else f"column {config.text_column!r}"
        raise DataError(
            f"{source.path}, line 1: no {what} (found: {script_csv.listed(header)}). Pass ", Setting("text_column"), "."
        )
    rows = (cells for _, cells in script_csv.rows(source, MAX_ROW))
    next(rows, None)
    yield from from_rows(header, rows, found, source.path.stem, config, tally)


def from_rows(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    dialogues: Sequence[int],
    stem: str,
    config: ReadConfig,
    tally: Tally,
) -> Iterator[Conversation]:
    """Yield the conversations of a table, one group a row; `dialogues` are the numbers of their columns."""
    personas = [at for at, name in enumerate(header) if at not in dialogues and PERSONA.search(name)]
    unread = [name for at, name in enumerate(header) if at not in (*dialogues, *personas) and name.strip()]
    left = f"; not read: {script_csv.listed(unread)}" if unread else ""
    tally.note(stem, f"dialogues from {script_csv.listed([header[at] for at in dialogues])}{left}")
    for number, row in enumerate(rows, 1):
        notices = [Message("", line, kind=SYSTEM) for at in personas for line in _lines(row, at)]
        for at in dialogues:
            yield from conversations(chain(notices, _said(_lines(row, at))), f"{stem} {number}", config, tally)
            notices = []


def columns(header: Sequence[str], rows: Sequence[Sequence[str]], wanted: str | None = None) -> list[int]:
    """The columns whose cells are mostly dialogues, or the wanted one."""
    if wanted is not None:
        name = script_csv.column_of(header, wanted, ())
        return [] if name is None else [list(header).index(name)]
    named = [at for at, name in enumerate(header) if name.strip() and not PERSONA.search(name)]
    return [at for at in named if _are_dialogues([_lines(row, at) for row in rows])]


def _are_dialogues(cells: Sequence[list[str]]) -> bool:
    """Whether most cells are lines with names, and the names are speakers': one recurs, or there are only two.

    `Age: 30` is no dialogue.
    """
    filled = [lines for lines in cells if lines]
    found = [[match[1] for line in lines if (match := _match(line))] for lines in filled]
    dialogues = [
        names for lines, names in zip(filled, found) if _match(lines[0]) and max(4, len(lines)) <= 2 * len(names)
    ]
    back = any(max(Counter(names).values()) > 1 for names in dialogues)
    return 2 * len(dialogues) > len(filled) and (back or len({name for names in dialogues for name in names}) == 2)


def _said(lines: list[str]) -> Iterator[Message]:
    """Messages of a dialogue; a line without a name continues the one above."""
    speaker, said = "", list[str]()
    for line in lines:
        if match := _match(line):
            if speaker:
                yield Message(speaker, "\n".join(said))
            speaker, said = match[1], [match[2]]
        elif speaker:
            said.append(line.strip())
        else:
            yield Message("", line)
    if speaker or not lines:
        yield Message(speaker, "\n".join(said))


def _match(line: str) -> re.Match[str] | None:
    match = LINE.match(line)
    return match if match and len(match[1].split()) <= MOST_WORDS else None


def _lines(row: Sequence[str], at: int) -> list[str]:
    return [line for line in row[at].splitlines() if line.strip()] if at < len(row) else []


def _beginning(head: str) -> tuple[list[str], list[list[str]]]:
    """The header, and the complete rows in the head of a file."""
    try:
        cells = csv.reader(head.splitlines(keepends=True), delimiter=script_csv.delimiter_of(head))
        header, *rows = [row for row in cells if any(row)]
    except (csv.Error, ValueError):
        return [], []
    return header, rows[:-1] or rows


FORMAT = Format(
    title="table of dialogues (CSV, TSV)",
    documentation="https://github.com/google-research-datasets/Synthetic-Persona-Chat",
    notes=(
        "a cell holds a whole dialogue, lines `NAME: text`: Synthetic-Persona-Chat, SAMSum, DialogSum. A cell is a "
        "conversation, a row a group; personas are counted as system messages. Other columns are not read; a note "
        "lists them. `--text-column` names the column"
    ),
    claims=claims,
    read=read,
    columns=lambda head, config: not config.speaker_column and claims(head),
)
