"""Tables of conversations: Parquet files, and Hugging Face data sets (`hf:owner/name:configuration:split`).

A row is a conversation (a column of messages or utterances, or a question and an answer), or one line of one (a column
for the speaker, one for the text; consecutive rows with the same `--group-column` belong together). A list in a column
has texts, whose speakers take turns, or objects with a speaker and a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import PARQUET, Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.formats.corpora import dialogues as dialogue_table
from wolf_chatbox.importers.formats.corpora import messages, oasst, preferences
from wolf_chatbox.importers.formats.scripts.script import GROUP_NAMES, SCENE_NAMES, SPEAKER_NAMES, TEXT_NAMES, column_of
from wolf_chatbox.importers.shared.messages import Message, conversations

HUB = "hf:"
LISTS = ("dialog", "dialogue", "utterances", "turns", "conversation", "chat")
"""Columns with a list: of texts, whose speakers take turns, or of objects with a speaker and a text."""
SIDES = ("A", "B")


def claims(head: str) -> bool:
    return head == PARQUET


def read(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of a Parquet file, one batch of rows in memory at a time. Needs pyarrow."""
    yield from from_rows(_parquet(source), str(source.path), source.path.stem, config, tally)


def choices(source: Source, config: ReadConfig, tally: Tally) -> Iterator[Preference]:
    """Yield the choices of a Parquet file of preferences, or of ranked replies. Needs pyarrow."""
    yield from choices_from_rows(_parquet(source), str(source.path), tally)


def read_hub(name: str, config: ReadConfig, tally: Tally) -> Iterator[Conversation]:
    """Yield the conversations of a Hugging Face data set, streamed; `name` begins with `hf:`. Needs datasets.

    Raises DataError when there is no such data set or split, or the hub cannot be reached.
    """
    stem = name.removeprefix(HUB).partition(":")[0].rpartition("/")[2]
    yield from from_rows(_hub(name), name, stem, config, tally)


def choices_of_hub(name: str, tally: Tally) -> Iterator[Preference]:
    """Yield the choices of a Hugging Face data set; raises DataError where `read_hub` does."""
    yield from choices_from_rows(_hub(name), name, tally)


def _parquet(source: Source) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            f"{source.path}: reading Parquet needs pyarrow: pip install 'wolf-chatbox[datasets]'"
        ) from error
    try:
        with source.open_bytes() as file:
            for batch in pyarrow.parquet.ParquetFile(file).iter_batches(1000):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(
            f"{source.path}: not a readable Parquet file ({str(error).splitlines()[0]}). Get it again."
        ) from error


def _hub(name: str) -> Iterator[Mapping[str, Any]]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise DataError(f"{name}: hub data sets need datasets: pip install 'wolf-chatbox[datasets]'") from error
    path, *parts = name.removeprefix(HUB).split(":")
    split = parts.pop() if parts else "train"
    try:
        yield from load_dataset(path, parts.pop() if parts else None, split=split or "train", streaming=True)
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
        yield from oasst.from_rows(_values(everything, where), stem, config, tally)
        return
    if preferences.holds(first):
        yield from preferences.from_values(_values(everything, where), stem, tally)
        return
    listed = next((name for name in (config.text_column, *LISTS) if name and _items(first.get(name)) is not None), None)
    if listed:
        for number, row in enumerate(everything, 1):
            said = _said(_items(row.get(listed)) or [], f"{where}, row {number}", config)
            yield from conversations(said, f"{stem} {number}", config, tally)
    elif messages.holds(first) and not config.text_column:
        yield from messages.from_values(_values(everything, where), stem, tally)
    elif dialogues := _dialogues(first, config):
        cells = ([str(row.get(name) or "") for name in names] for row in everything)
        yield from dialogue_table.from_rows(names, cells, dialogues, stem, config, tally)
    else:
        speaker, text = _columns(names, config.speaker_column, config.text_column, where)
        group = column_of(names, config.group_column, GROUP_NAMES + SCENE_NAMES, patterns=True)

        for key, lines in groupby(everything, lambda row: str(row.get(group or "", stem))):
            spoken = (Message(str(row.get(speaker) or ""), str(row.get(text) or "")) for row in lines)
            yield from conversations(spoken, key, config, tally)


def choices_from_rows(rows: Iterable[Mapping[str, Any]], where: str, tally: Tally) -> Iterator[Preference]:
    """Yield the choices of a table; none where it has no columns for them."""
    rows = iter(rows)
    first = next(rows, {})
    everything = _values(_chained(first, rows), where)
    if preferences.holds(first):
        yield from preferences.choices_of(everything, tally)
    elif oasst.holds(first):
        yield from oasst.choices_of(everything, tally)


def _values(rows: Iterable[Mapping[str, Any]], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row, with its lists as they are in JSON."""
    for number, row in enumerate(rows, 1):
        listed = {name: items for name, value in row.items() if (items := _items(value)) is not None}
        yield f"{where}, row {number}", {**row, **listed}


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
        "Parquet files, and data sets of the Hugging Face hub: `--data hf:owner/name`, `hf:owner/name:split` or "
        "`hf:owner/name:configuration:split`. Usual column names are found; else name them: `--text-column`, "
        "`--speaker-column`, `--group-column`. Needs `pip install 'wolf-chatbox[datasets]'`"
    ),
    claims=claims,
    read=read,
    choices=choices,
    suffixes=(".parquet",),
    columns=lambda head, config: claims(head),
)
