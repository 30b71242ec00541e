"""`wolf-chatbox data card`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wolf_chatbox.export.character_card import CardVersion, check_output, write_card
from wolf_chatbox.export.persona import persona_of
from wolf_chatbox.files import check_place


def card(
    model: Path,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    version: CardVersion = 3,
    persona: str | None = None,
    data: tuple[str, ...] = (),
    picture: Path | None = None,
    overwrite: bool = False,
) -> None:
    """Write a character card of a trained persona, which SillyTavern and other programs load.

    Parameters
    ----------
    model
        Folder of a trained model.
    output
        Output file: the card as .json, or a picture with the card inside as .png.
    version
        Version of the card: 3, or 2. A picture of version 3 holds both.
    persona
        Whose card it is; without it, the trained persona, else the speaker with the most turns.
    data
        Files that the model was trained on, if they are not where they were then.
    picture
        The PNG that the card shows; without it, one is drawn.
    overwrite
        Replace an existing output file.
    """
    check_output(output, picture)
    check_place(output, overwrite=overwrite)
    found = persona_of(model, persona, data)
    write_card(output, found, version, picture, overwrite=overwrite)
    print(f"{found} in {output}", file=sys.stderr)
