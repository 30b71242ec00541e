"""Files in, conversations out. One importer is one module and one row of IMPORTERS.

An importer is `claims(head)`, which looks at the first 64 KiB of decoded text, and `read(source, config, tally)`, which
yields conversations and counts every turn it keeps or drops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.errors import FormatError
from wolf_chatbox.importers import classic_raw, jsonl, messages, script_csv
from wolf_chatbox.importers.source import Source, Tally

__all__ = ["EXAMPLE", "IMPORTERS", "Importer", "Tally", "read_conversations"]

EXAMPLE = "example"
"""The name under which the bundled script goes."""


class Importer(NamedTuple):
    title: str
    claims: Callable[[str], bool]
    read: Callable[[Source, ReadConfig, Tally], Iterator[Conversation]]
    suffixes: tuple[str, ...] = ()
    """Files named so are read by this importer, to say what is wrong with them, when no importer claims their content."""


IMPORTERS = {
    "script": Importer("script table (CSV, TSV)", script_csv.claims, script_csv.read, (".csv", ".tsv")),
    "raw": Importer("classic raw samples", classic_raw.claims, classic_raw.read),
    "conversations": Importer("conversations (JSON Lines)", jsonl.claims, jsonl.read),
    "messages": Importer("messages (OpenAI, ShareGPT)", messages.claims, messages.read, (".json", ".jsonl")),
}


def read_conversations(
    paths: str | Path | Iterable[str | Path], config: ReadConfig | None = None, tally: Tally | None = None
) -> Iterator[Conversation]:
    """Read files of any known format, one after the other, lazily.

    `example` stands for the bundled script. What was kept, dropped and noticed is counted in `tally` as it goes.
    Raises DataError for a file that cannot be read, and FormatError for one whose format cannot be told.
    """
    config = config or ReadConfig()
    tally = tally if tally is not None else Tally()
    for path in [paths] if isinstance(paths, (str, Path)) else paths:
        source = Source.open(find(path), config.encoding)
        if config.encoding == "auto" and source.encoding == "cp1252":
            tally.notes.append(f"{source.path.name}: not UTF-8, read as CP1252; where characters look wrong, pass --encoding")
        name = config.format if config.format != "auto" else recognise(source, config)
        tally.formats.append((str(path), IMPORTERS[name].title))
        yield from IMPORTERS[name].read(source, config, tally)


def find(path: str | Path) -> Path:
    """The file that a name given as data stands for."""
    if str(path) == EXAMPLE and not Path(EXAMPLE).exists():
        return Path(str(files("wolf_chatbox") / "data" / "innkeeper.csv"))
    return Path(path)


def recognise(source: Source, config: ReadConfig) -> str:
    """The name of the importer that claims the content; raises FormatError when none does, or more than one."""
    if config.speaker_column or config.text_column:
        return "script"
    claimed = [name for name, importer in IMPORTERS.items() if importer.claims(source.head)]
    if not claimed:
        claimed = [name for name, importer in IMPORTERS.items() if source.path.suffix.lower() in importer.suffixes]
    if len(claimed) == 1:
        return claimed[0]
    if claimed:
        raise FormatError(f"{source.path}: could be {' or '.join(claimed)}. Pass --format.")
    raise FormatError(f"{source.path}: no known format of conversations ({', '.join(IMPORTERS)}). Pass --format if it is one of them.")
