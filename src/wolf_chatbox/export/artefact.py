"""One export, whatever its kind: made, checked, and only then in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from wolf_chatbox.config import Artefact, CleanConfig, Quantisation, ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.split import count_speakers, find_speaker
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import CheckpointError, DataError, ModelError, Setting
from wolf_chatbox.export.folder import place_of, write_export
from wolf_chatbox.importers import EXAMPLES, read_conversations
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
    from wolf_chatbox.export.character_card import persona_of, write_cards

    run = read_run(model)
    if run is None:
        raise ModelError(f"{model}: no trained model, so nobody to make a card of. Name the folder of one.")
    conversations = _read(model, run, data)
    name = persona or run.get("persona")
    speakers = count_speakers(conversations)
    user = run.get("user")
    chosen = find_speaker(name, speakers) if name else next(n for n, _ in speakers.most_common() if n != user)
    found = persona_of(chosen, conversations)
    write_cards(folder, found, model.resolve().name, run)
    return f"{chosen}, with {len(found.openings)} openings and {len(found.examples)} examples, reads as it was written"


def _read(model: Path, run: dict[str, Any], data: Sequence[str]) -> list[Conversation]:
    """The conversations that a run was trained on, cleaned as they were for it."""
    settings = run.get("settings", {})
    files = tuple(data) or tuple(str(path) for path in settings.get("data", ()))
    if not data and not all(path in EXAMPLES or Path(path).exists() for path in files):
        raise DataError(f"{model}: the data it was trained on is not here. Pass it with ", Setting("data"), ".")
    cleaning = _known(CleanConfig, settings.get("clean", {})) | {"pseudonyms": None}
    tally = Tally()
    read = read_conversations(files, ReadConfig(**_known(ReadConfig, settings.get("read", {}))), tally)
    conversations = list(clean(read, CleanConfig(**cleaning), tally))
    if not conversations:
        raise tally.nothing_in(files)
    if settings.get("clean", {}).get("pseudonyms") and not set(count_speakers(conversations)) <= set(
        run.get("data", {}).get("speakers", {})
    ):
        raise CheckpointError(
            f"{model}: was trained under pseudonyms, and this data has names. "
            "Convert it first: wolf-chatbox data convert --pseudonyms FILE."
        )
    return conversations


def _known(kind: type, settings: Any) -> dict[str, Any]:
    """The settings of a record that a config has."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in dict(settings or {}).items() if name in names}
