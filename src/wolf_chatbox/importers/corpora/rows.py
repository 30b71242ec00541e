"""Tables of conversations: Parquet files, and Hugging Face data sets (`hf:owner/name:configuration:split`).

A row is a conversation (a column of messages or utterances, or a question and an answer), or one line of one (a column
for the speaker, one for the text; consecutive rows with the same `--group-column` belong together).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.corpora import dialogues as dialogue_table
from wolf_chatbox.importers.corpora import messages, oasst
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.messages import Message, conversations
from wolf_chatbox.importers.scripts.script import GROUP_NAMES, SCENE_NAMES, SPEAKER_NAMES, TEXT_NAMES, column_of
from wolf_chatbox.importers.source import PARQUET, Source

HUB = "hf:"
LISTS = ("dialog", "dialogue", "utterances", "turns", "conversation", "chat")
"""Columns with a list: of texts, whose speakers take turns, or of objects with a speaker and a text."""
SIDES = ("A", "B")


def claims(head: str) -> bool:
    return head == PARQUET


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of a Parquet file, one batch of rows in memory at a time. Needs pyarrow."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            f"{source.path}: reading Parquet needs pyarrow: pip install 'wolf-chatbox[datasets]'"
        ) from error
    try:
        with source.open_bytes() as file:
            table = pyarrow.parquet.ParquetFile(file)
            rows = (row for batch in table.iter_batches(1000) for row in batch.to_pylist())
            yield from from_rows(rows, str(source.path), source.path.stem, config, tally)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{source.path}: not a readable Parquet file ({str(error).splitlines()[0]}). Get it again."
        ) from error


def read_hub(name: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of a Hugging Face data set, streamed; `name` begins with `hf:`. Needs datasets.

    Raises DataError when there is no such data set or split, or the hub cannot be reached.
    """
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise DataError(f"{name}: hub data sets need datasets: pip install 'wolf-chatbox[datasets]'") from error
    path, *parts = name.removeprefix(HUB).split(":")
    split = parts.pop() if parts else "train"
    try:
        rows = load_dataset(path, parts.pop() if parts else None, split=split or "train", streaming=True)
        yield from from_rows(rows, name, path.rpartition("/")[2], config, tally)
    except DataError:
        raise
    except Exception as error:  # datasets raises all that its many readers raise
        raise DataError(
            f"{name}: cannot be loaded ({str(error).splitlines()[0][:200]}). Check the name, the split and the network."
        ) from error


def from_rows(
    rows: Iterable[Mapping[str, Any]], where: str, stem: str, config: ReadConfig, tally: Tally
) -> Iterator[Conversation]:
    """Yield the conversations of a table; raises DataError when no column is known to hold them."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    everything = _chained(first, rows)
    names = list(first)
    if oasst.holds(first):
        messages_of_trees = ((f"{where}, row {number}", dict(row)) for number, row in enumerate(everything, 1))
        yield from oasst.from_rows(messages_of_trees, stem, config, tally)
        return
    listed = next((name for name in (config.text_column, *LISTS) if name and _items(first.get(name)) is not None), None)
    if listed:
        for number, row in enumerate(everything, 1):
            said = _said(_items(row.get(listed)) or [], f"{where}, row {number}", config)
            yield from conversations(said, f"{stem} {number}", config, tally)
    elif messages.holds(first) and not config.text_column:
        yield from messages.from_values(
            ((f"{where}, row {number}", dict(row)) for number, row in enumerate(everything, 1)), stem, tally
        )
    elif dialogues := _dialogues(first, config):
        cells = ([str(row.get(name) or "") for name in names] for row in everything)
        yield from dialogue_table.from_rows(names, cells, dialogues, stem, config, tally)
    else:
        speaker, text = _columns(names, config.speaker_column, config.text_column, where)
        group = column_of(names, config.group_column, GROUP_NAMES + SCENE_NAMES, patterns=True)

        for key, lines in groupby(everything, lambda row: str(row.get(group or "", stem))):
            spoken = (Message(str(row.get(speaker) or ""), str(row.get(text) or "")) for row in lines)
            yield from conversations(spoken, key, config, tally)


def _dialogues(first: Mapping[str, Any], config: ReadConfig) -> list[int]:
    """The columns whose cells are whole dialogues, in a table without a speaker column."""
    if config.speaker_column or config.text_column or column_of(list(first), None, SPEAKER_NAMES):
        return []
    return dialogue_table.columns(list(first), [[str(cell or "") for cell in first.values()]])


def _items(value: Any) -> list[Any] | None:
    """A column's list, or None. datasets gives a list of structs as a struct of lists, which is turned around here."""
    if isinstance(value, Mapping) and value and all(isinstance(part, list) for part in value.values()):
        return [dict(zip(value, parts)) for parts in zip(*value.values())]
    return value if isinstance(value, list) else None


def _said(items: list[Any], where: str, config: ReadConfig) -> Iterator[Message]:
    for at, item in enumerate(items):
        if isinstance(item, Mapping):
            speaker, text = _columns(list(item), config.speaker_column, None, where)
            name = str(item.get(speaker) or "")
            yield Message(messages.ROLES.get(name, name), str(item.get(text) or ""))
        else:
            yield Message(SIDES[at % 2], item if isinstance(item, str) else "")


def _columns(names: list[str], speaker_column: str | None, text_column: str | None, where: str) -> tuple[str, str]:
    """The columns of the speaker and of the text; raises DataError when one is missing."""
    speaker = column_of(names, speaker_column, SPEAKER_NAMES)
    text = column_of(names, text_column, (*TEXT_NAMES, "value"))
    if speaker is None or text is None:
        missing = "speaker" if speaker is None else "text"
        raise DataError(f"{where}: no {missing} column (found: {', '.join(names)[:200]}). Pass --{missing}-column.")
    return speaker, text


def _chained(first: Mapping[str, Any], rest: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    yield first
    yield from rest


FORMAT = Format(
    title="table of conversations (Parquet, hub)",
    documentation="https://huggingface.co/docs/datasets",
    notes=(
        "Parquet files, and any data set of the Hugging Face hub: `--data hf:owner/name`, `hf:owner/name:split` or "
        "`hf:owner/name:configuration:split`. `--text-column` names a column of texts (with `--speaker-column`, and "
        "`--group-column` for what belongs together) or of lists: of texts whose speakers take turns, or of objects "
        "with a speaker and a text. The usual column names are found without it. Needs `pip install "
        "'wolf-chatbox[datasets]'`"
    ),
    claims=claims,
    read=read,
    suffixes=(".parquet",),
    columns=lambda head, config: claims(head),
)
