"""`wolf-chatbox data preferences`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wolf_chatbox.cli import READ_IN_PART
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.preferences import write_preferences
from wolf_chatbox.data.tally import LISTED, Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.files import new_file
from wolf_chatbox.importers import read_choices
from wolf_chatbox.talk.choices import saved_choices
from wolf_chatbox.visible import counted, shortlist


def preferences(
    files: Annotated[tuple[str, ...], Parameter(required=True, consume_multiple=True)],
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    read: ReadConfig | None = None,
    overwrite: bool = False,
) -> int:
    """Write the choices between replies that files hold, for preference learning (DPO).

    Exit code 3 means that the output is written, but some input files could not be read completely.

    Parameters
    ----------
    files
        Saved chats (`/save`), data sets of choices, chats whose replies were drawn again; folders or archives of these.
    output
        Output file: JSON Lines with prompt, chosen and rejected, as TRL's DPOTrainer reads them.
    overwrite
        Replace an existing output file.
    """
    tally = Tally()
    with new_file(output, overwrite=overwrite) as file:
        for path in files:
            before = len(tally.formats)
            count = write_preferences(read_choices(path, read, tally, saved_choices), file)
            titles = dict.fromkeys(title for _, title in tally.formats[before:])
            print(f"{path}: {counted(count, 'choice')} ({shortlist(titles, LISTED)})", file=sys.stderr)
        _account(tally)
        if not tally.kept:
            remedy = "Draw a reply again (/retry in a chat), or pass a data set of choices."
            raise DataError(f"{', '.join(files)}: no reply was passed over for another. {remedy}")
    print(f"{counted(tally.kept, 'choice')} in {output}", file=sys.stderr)
    return READ_IN_PART if tally.unread else 0


def _account(tally: Tally) -> None:
    """Print what became of the choices that are not written, and of the files."""
    for note in [*tally.notes, *(file.reason for file in tally.unread)]:
        print(f"note: {note}", file=sys.stderr)
    for reason, number in tally.dropped.items():
        print(f"  dropped: {number} ({reason})", file=sys.stderr)
