"""What is known about a format. Each file in a folder of formats/ is one, and has its FORMAT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers.files.source import Source

ChoiceReader = Callable[[Source, ReadConfig, Tally], Iterator[Preference]]
"""Yields the choices of a file, and counts those that it leaves out as dropped; who reads them counts the others."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """A file format, and the importer that reads it. Its name is that of its file."""

    title: str
    claims: Callable[[str], bool]
    """Whether the first 64 KiB of a file, decoded, are of this format and of no other."""
    read: Callable[[Source, ReadConfig, Tally], Iterator[Conversation]]
    """Yield the conversations, and count every turn that is kept or dropped."""
    choices: ChoiceReader | None = None
    """Yield the choices between two replies that the file holds, for `data preferences`: drawn again, ranked, compared.

    `read` yields the conversation with the chosen ones, and counts the others as dropped."""
    documentation: str = ""
    """Where the format, or the program that writes it, is documented."""
    export: str = ""
    """How a user gets such a file (Markdown)."""
    notes: str = ""
    """What a user should know of it (Markdown)."""
    suffixes: tuple[str, ...] = ()
    """A single file with such a name that no format claims is read as this one, whose error says what is wrong."""
    joins: bool = False
    """The files of a folder are one chat: `read` gets the first, with the others as its `more`."""
    general: bool = False
    """Claims much: where another format claims the file as well, that one is meant."""
    beside: str = ""
    """Pattern of the names of files that `read` finds beside the claimed one: they are not reported as skipped."""
    columns: Callable[[str, ReadConfig], bool] | None = None
    """Whether a table whose columns the user names (`--speaker-column`, `--text-column`) may be of this format."""
