"""`wolf-chatbox data preferences`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wolf_chatbox.data.preferences import write_preferences
from wolf_chatbox.errors import DataError
from wolf_chatbox.files import new_file
from wolf_chatbox.talk.choices import choices
from wolf_chatbox.talk.saved import read_trees


def preferences(
    files: Annotated[tuple[Path, ...], Parameter(required=True, consume_multiple=True)],
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    overwrite: bool = False,
) -> None:
    """Write the choices between replies in saved chats, for preference learning (DPO).

    Parameters
    ----------
    files
        Files that /save wrote in a chat.
    output
        Output file: JSON Lines with prompt, chosen and rejected, as TRL's DPOTrainer reads them.
    overwrite
        Replace an existing output file.
    """
    with new_file(output, overwrite=overwrite) as file:
        count = write_preferences(
            (choice for path in files for tree in read_trees(path) for choice in choices(tree)), file
        )
        if not count:
            raise DataError(
                f"{', '.join(map(str, files))}: no reply was passed over for another. Use /retry in a chat."
            )
    print(f"{count} choices in {output}", file=sys.stderr)
