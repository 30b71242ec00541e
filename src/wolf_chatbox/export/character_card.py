"""A character card, for programs that chat with any model and take the character from a card.

Version 2 (https://github.com/malfoyslastname/character-card-spec-v2) and version 3
(https://github.com/kwaroran/character-card-spec-v3), as JSON or in a PNG. The card holds no model: its description is
that of the card which the persona was trained with, its opening and its examples are turns of the data.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import CheckpointError, ConfigError
from wolf_chatbox.export.persona import Persona
from wolf_chatbox.files import check_place, new_file, new_path
from wolf_chatbox.importers.streams.png_text import SIGNATURE, text_of, with_texts

CardVersion = Literal[2, 3]
CHUNKS = {"chara": "card-v2.json", "ccv3": "card.json"}
"""The PNG's text chunks, by the specification's names, and the files with the same content."""
VERSIONS: dict[str, CardVersion] = {"chara": 2, "ccv3": 3}
V1 = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
TEXTS = (*V1, "creator_notes", "system_prompt", "post_history_instructions", "creator", "character_version")
"""The fields that must be texts."""
OLDER = " It is also there in version 3: use a program that reads that one, if you can."


def card(persona: Persona, version: CardVersion, *, beside: bool = False) -> dict[str, Any]:
    """The card of a persona in version 2 or 3 of the specification; `beside` says that both are in one place."""
    first, *others = persona.openings
    notes = (
        f"Made from {persona.turns} turns of {persona.name}. The model {persona.model} was trained on them: it needs "
        f"no card.{OLDER if beside and version == 2 else ''}"
    )
    own = {"model": persona.model, "base_model": persona.run.get("base_model"), "style": persona.run.get("style")}
    data: dict[str, Any] = {
        "name": persona.name,
        "description": persona.briefing or "{{char}} speaks as in the example messages.",
        "personality": "",
        "scenario": "",
        "first_mes": first,
        "mes_example": "\n".join(f"<START>\n{_example(turns, persona.name)}" for turns in persona.examples),
        "creator_notes": notes,
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": others,
        "tags": ["wolf_chatbox"],
        "creator": "",
        "character_version": "1",
        "extensions": {"wolf_chatbox": own},
    }
    if version == 3:
        data |= {"group_only_greetings": [], "creation_date": _date(persona.run)}
    return {"spec": f"chara_card_v{version}", "spec_version": f"{version}.0", "data": data}


def _date(run: Mapping[str, Any]) -> int:
    """When the run began, in seconds of Unix time; 0 where that is not known, as the specification has it."""
    try:
        return int(datetime.fromisoformat(str(run.get("started"))).timestamp())
    except ValueError:
        return 0


def _example(turns: Sequence[Turn], persona: str) -> str:
    return "\n".join(f"{'{{char}}' if turn.speaker == persona else '{{user}}'}: {turn.text}" for turn in turns)


def write_cards(folder: Path, persona: Persona) -> None:
    """Write card.json (version 3), card-v2.json and card.png into a folder, and read them again.

    Raises CheckpointError when what is read is not what was written.
    """
    cards = {chunk: card(persona, VERSIONS[chunk], beside=True) for chunk in CHUNKS}
    for chunk, content in cards.items():
        (folder / CHUNKS[chunk]).write_text(_json(content), encoding="utf-8")
        _check(folder / CHUNKS[chunk], content, json.loads((folder / CHUNKS[chunk]).read_text(encoding="utf-8")))
    _write_png(folder / "card.png", draw(persona.name), cards)


def write_card(
    place: Path, persona: Persona, version: CardVersion = 3, picture: Path | None = None, *, overwrite: bool = False
) -> None:
    """Write a persona's card to a file that ends in .json or .png, and read it again.

    A PNG of version 3 holds version 2 as well, for older programs. `picture` is the PNG that it shows; without it one
    is drawn. Raises ConfigError for another ending or picture, CheckpointError when the file cannot be written.
    """
    check_output(place, picture)
    check_place(place, overwrite=overwrite)
    if place.suffix.lower() == ".json":
        content = card(persona, version)
        with new_file(place, overwrite=overwrite) as file:
            file.write(_json(content))
        _check(place, content, json.loads(place.read_text(encoding="utf-8")))
        return
    chunks = [chunk for chunk in CHUNKS if VERSIONS[chunk] <= version]
    cards = {chunk: card(persona, VERSIONS[chunk], beside=version == 3) for chunk in chunks}
    shown = picture.read_bytes() if picture is not None else draw(persona.name)
    with new_path(place) as path:
        _write_png(path, shown, cards)


def check_output(place: Path, picture: Path | None) -> None:
    """Raise ConfigError for a card's file of another kind, and for a picture that is no PNG."""
    if place.suffix.lower() not in (".json", ".png"):
        raise ConfigError("output", place, "is a card's file, which ends in .json or .png.")
    if picture is not None:
        if place.suffix.lower() != ".png":
            raise ConfigError("picture", picture, "is for a card that ends in .png.")
        if not picture.is_file() or not picture.read_bytes()[: len(SIGNATURE)] == SIGNATURE:
            raise ConfigError("picture", picture, "is no PNG. Convert it to one.")


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _write_png(place: Path, shown: bytes, cards: Mapping[str, Mapping[str, Any]]) -> None:
    """A picture with cards in its text chunks: UTF-8 in base64."""
    texts = {
        chunk: base64.b64encode(json.dumps(content, ensure_ascii=False).encode()) for chunk, content in cards.items()
    }
    place.write_bytes(with_texts(shown, texts))
    for chunk, content in cards.items():
        _check(place, content, read_card(place, chunk))


def _check(place: Path, content: Mapping[str, Any], read: object) -> None:
    check_card(content)
    if read != content:
        raise CheckpointError(f"{place}: the card was not written as it is. Please report this.")


def check_card(content: Mapping[str, Any]) -> None:
    """Raise ValueError where a card is not as its specification says."""
    version = {"chara_card_v2": "2.0", "chara_card_v3": "3.0"}[content["spec"]]
    data = content["data"]
    lists = ["alternate_greetings", "tags", *(["group_only_greetings"] if version == "3.0" else [])]
    fits = (
        content["spec_version"] == version
        and all(isinstance(data[name], str) for name in TEXTS)
        and all(isinstance(text, str) for name in lists for text in data[name])
        and isinstance(data["extensions"], dict)
    )
    if not fits:
        raise ValueError(f"not a card of version {version}")


def draw(name: str) -> bytes:
    """A portrait of the size that such programs show, as a PNG: one colour for each name."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import hsv_to_rgb
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle, Ellipse

    hue = sha256(name.encode()).digest()[0] / 256
    light, dark = ((float(red), float(green), float(blue)) for red, green, blue in map(hsv_to_rgb, _shades(hue)))
    figure = Figure(figsize=(4, 6), dpi=100, facecolor=light)
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 4), ylim=(0, 6))
    axes.set_axis_off()
    for shape in (Ellipse((2, 0.4), 3.4, 4.4), Circle((2, 3.7), 1)):
        shape.set_facecolor(dark)
        axes.add_patch(shape)
    file = io.BytesIO()
    canvas.print_png(file, metadata={"Software": None})
    return file.getvalue()


def _shades(hue: float) -> tuple[tuple[float, float, float], ...]:
    """A light and a dark shade of a colour: hue, saturation, value."""
    return (hue, 0.35, 0.9), (hue, 0.6, 0.55)


def read_card(path: Path, chunk: str) -> Any:
    """The card in a PNG's text chunk; raises KeyError where there is none."""
    with path.open("rb") as file:
        text = text_of(file, chunk, str(path))
    if text is None:
        raise KeyError(chunk)
    return json.loads(base64.b64decode(text))
