"""One export, whatever its kind: made, checked, and only then in its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from wolf_chatbox.config import Artefact, Quantisation
from wolf_chatbox.export.folder import place_of, write_export
from wolf_chatbox.model.licences import licence_of, write_texts
from wolf_chatbox.model.record import read_run
from wolf_chatbox.visible import Tell


class Exported(NamedTuple):
    """Where an export is, and what the check of it found, in words."""

    place: Path
    checked: str


def export(
    model: Path,
    to: Artefact,
    *,
    output: Path | None = None,
    quantise: Quantisation = "q8_0",
    persona: str | None = None,
    data: Sequence[str] = (),
    overwrite: bool = False,
    allow_base: bool = False,
    tell: Tell = lambda text: None,
) -> Exported:
    """Export a model's folder to `output`, by default the folder `NAME-gguf` (onnx, card) beside it.

    `persona` and `data` are for a card: the speaker, and the files that the model was trained on, by default those
    that its record names. Raises ModelError, CheckpointError when the folder cannot be written or the check fails,
    DataError when there is no data for a card.
    """
    place, checked = place_of(model, to, output), list[str]()

    def write(folder: Path) -> None:
        if to == "gguf":
            from wolf_chatbox.export.gguf import export_gguf

            checked.append(str(export_gguf(model, folder, quantise, allow_base=allow_base, tell=tell)))
        elif to == "onnx":
            from wolf_chatbox.export.onnx import export_onnx

            checked.append(str(export_onnx(model, folder, allow_base=allow_base, tell=tell)))
        else:
            checked.append(_write_card(model, folder, persona, data))
        if to != "card":  # a card holds no weights
            write_texts(model, folder, licence_of(read_run(model)))

    write_export(place, write, overwrite=overwrite)
    return Exported(place, checked[0])


def _write_card(model: Path, folder: Path, persona: str | None, data: Sequence[str]) -> str:
    from wolf_chatbox.export.character_card import write_cards
    from wolf_chatbox.export.persona import persona_of

    found = persona_of(model, persona, data)
    write_cards(folder, found)
    return f"{found}, reads as it was written"
