"""Tables of conversations: Parquet files, and data sets of the Hugging Face hub (`hf:owner/name`, `hf:owner/name:split`).

A row is a conversation (a column of messages with roles, of utterances, or Alpaca's instruction and output), or one line of
one (a column for the speaker, one for the text; rows that follow each other with the same `--group-column` belong together).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import messages
from wolf_chatbox.importers.chats import Message, conversations
from wolf_chatbox.importers.script_csv import GROUP_NAMES, SCENE_NAMES, SPEAKER_NAMES, TEXT_NAMES, column_of
from wolf_chatbox.importers.source import PARQUET, Source, Tally

HUB = "hf:"
LISTS = ("dialog", "dialogue", "utterances", "turns")
"""Columns that hold a list of texts, whose speakers take turns."""
SIDES = ("A", "B")


def claims(head: str) -> bool:
    return head == PARQUET


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of a Parquet file; one batch of rows is held in memory at a time. Needs pyarrow."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(f"{source.path}: Parquet files need pyarrow: pip install 'wolf-chatbox[datasets]'") from error
    try:
        with source.path.open("rb") as file:
            table = pyarrow.parquet.ParquetFile(file)
            rows = (row for batch in table.iter_batches(1000) for row in batch.to_pylist())
            yield from from_rows(rows, str(source.path), source.path.stem, config, tally)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{source.path}: a Parquet file that cannot be read ({str(error).splitlines()[0]}). Get it again.") from error


def read_hub(name: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of a data set of the hub, streamed; `name` begins with `hf:`. Needs datasets.

    Raises DataError when there is no such data set or split, or the hub cannot be reached.
    """
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise DataError(f"{name}: data sets of the hub need datasets: pip install 'wolf-chatbox[datasets]'") from error
    path, _, split = name.removeprefix(HUB).partition(":")
    try:
        rows = load_dataset(path, split=split or "train", streaming=True)
        yield from from_rows(rows, name, path.rpartition("/")[2], config, tally)
    except DataError:
        raise
    except Exception as error:  # datasets raises whatever its many readers raise
        raise DataError(f"{name}: cannot be loaded ({str(error).splitlines()[0][:200]}). Check the name, the split and the network.") from error


def from_rows(rows: Iterable[Mapping[str, Any]], where: str, stem: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of a table's rows; raises DataError when no column is known to hold them."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    everything = _chained(first, rows)
    names = list(first)
    listed = next((name for name in (config.text_column, *LISTS) if name and isinstance(first.get(name), list)), None)
    if listed:
        for number, row in enumerate(everything, 1):
            said = [each if isinstance(each, str) else "" for each in row.get(listed) or []]
            yield from conversations((Message(SIDES[at % 2], text) for at, text in enumerate(said)), f"{stem} {number}", config, tally)
    elif messages.KEYS & set(names) and not config.text_column:
        yield from messages.from_values(((f"{where}, row {number}", dict(row)) for number, row in enumerate(everything, 1)), stem, tally)
    else:
        speaker = column_of(names, config.speaker_column, SPEAKER_NAMES)
        text = column_of(names, config.text_column, TEXT_NAMES)
        if speaker is None or text is None:
            missing = "speaker" if speaker is None else "text"
            raise DataError(f"{where}: no column for the {missing} (found: {', '.join(names)[:200]}). Pass --{missing}-column.")
        group = column_of(names, config.group_column, GROUP_NAMES + SCENE_NAMES, patterns=True)

        for key, lines in groupby(everything, lambda row: str(row.get(group or "", stem))):
            spoken = (Message(str(row.get(speaker) or ""), str(row.get(text) or "")) for row in lines)
            yield from conversations(spoken, key, config, tally)


def _chained(first: Mapping[str, Any], rest: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    yield first
    yield from rest
