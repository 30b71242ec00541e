"""`wolf-chatbox data`: what can be done with files of conversations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from wolf_chatbox.checkpoint import writing
from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import write_conversations
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.importers import Tally, read_conversations

app = App(name="data", help="Read and convert files of conversations.")


@app.command
def convert(
    files: Annotated[tuple[str, ...], Parameter(required=True, consume_multiple=True)],
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    read: ReadConfig | None = None,
    overwrite: bool = False,
) -> int:
    """Convert files of any known format to one file of conversations (JSON Lines).

    Parameters
    ----------
    files
        Files of conversations; `example` is the bundled script.
    output
        The file to write.
    overwrite
        Replace the file if it is there.
    """
    if output.exists() and not overwrite:
        raise CheckpointError(f"{output}: is there already. Replace it with --overwrite, or choose another name.")
    tally = Tally()
    new = output.with_name(output.name + ".writing")
    try:
        with writing(output), new.open("w", encoding="utf-8") as file:
            count = write_conversations(read_conversations(files, read, tally), file)
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)
    for path, title in tally.formats:
        print(f"{path}: {title}", file=sys.stderr)
    for note in tally.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{tally.read} turns read = {tally.kept} kept + {sum(tally.dropped.values())} dropped", file=sys.stderr)
    for reason, number in tally.dropped.items():
        print(f"  dropped: {number} ({reason})", file=sys.stderr)
    print(f"{count} conversations in {output}", file=sys.stderr)
    return 0
