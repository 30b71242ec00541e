"""All formats by name, collected from their files, and which one a file is of."""

from __future__ import annotations

from importlib import import_module

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.errors import FormatError, Setting
from wolf_chatbox.format_names import FORMAT_FILES
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.format import Format
from wolf_chatbox.importers.second_look.likeness import SILENT, certain

FORMATS: dict[str, Format] = {
    name: import_module(f"wolf_chatbox.importers.formats.{family}.{name}").FORMAT
    for name, family in FORMAT_FILES.items()
}


class Ambiguous(FormatError):
    """More than one format claims a file."""


def recognise(source: Source, config: ReadConfig, *, alone: bool = True) -> str:
    """The name of the format that claims the content; raises FormatError when none does, Ambiguous when several do.

    Where nothing claims a file that stands `alone`, its name's suffix decides: the user wants it read.
    """
    claimed = claimants(source, config)
    if not claimed and alone:
        claimed = [name for name, format in FORMATS.items() if source.path.suffix.lower() in format.suffixes]
    if len(claimed) == 1:
        return claimed[0]
    if claimed:
        raise Ambiguous(f"{source.path}: could be {' or '.join(claimed)}. Pass ", Setting("format"), ".")
    raise FormatError(f"{source.path}: not a known format. If it is one, pass ", Setting("format"), ".")


def claimants(source: Source, config: ReadConfig) -> list[str]:
    """The formats that claim the content; a general one only where no other does, and not of a program's source."""
    if certain(source.head):
        return []
    if config.speaker_column or config.text_column:
        claimed = [name for name, format in FORMATS.items() if format.columns and format.columns(source.head, config)]
        claimed = [name for name in claimed if FORMATS[name].claims(source.head)] or claimed
    else:
        claimed = [name for name, format in FORMATS.items() if format.claims(source.head)]
    if len(claimed) > 1 or source.path.suffix.lower().lstrip(".") in SILENT:
        claimed = [name for name in claimed if not FORMATS[name].general]
    return claimed
