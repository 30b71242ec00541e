"""A character card, for programs that chat with any model and take the character from a card.

Version 2 (https://github.com/malfoyslastname/character-card-spec-v2) and version 3
(https://github.com/kwaroran/character-card-spec-v3), each as JSON, and both in one PNG. The card holds no model: its
opening and its examples are turns of the data, in which the persona speaks.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import CheckpointError, DataError

OPENINGS, EXAMPLES, LONGEST = 4, 4, 600
"""How many openings and examples a card has at most, and the characters of a turn that is long enough for one."""
CHUNKS = {"chara": "card-v2.json", "ccv3": "card.json"}
"""The PNG's text chunks, by the specification's names, and the files with the same content."""
V1 = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
TEXTS = (*V1, "creator_notes", "system_prompt", "post_history_instructions", "creator", "character_version")
"""The fields that must be texts."""


@dataclass(frozen=True)
class Persona:
    """What a card says of a character."""

    name: str
    openings: tuple[str, ...]
    examples: tuple[tuple[Turn, ...], ...]
    """What somebody said, and what the persona answered."""
    turns: int


def persona_of(name: str, conversations: Sequence[Conversation]) -> Persona:
    """The openings and examples of a speaker, spread over the data; raises DataError when it never speaks.

    An opening is a turn that begins a conversation, else the persona's first turn in one.
    """
    turns = [turn for conversation in conversations for turn in conversation.turns if turn.speaker == name]
    if not turns:
        raise DataError(f"{name}: says nothing in the data. Give the data that the model was trained on.")
    begun = [talk.turns[0].text for talk in conversations if talk.turns and talk.turns[0].speaker == name]
    spoken = ([turn.text for turn in talk.turns if turn.speaker == name] for talk in conversations)
    first = [texts[0] for texts in spoken if texts]
    openings = [text for text in dict.fromkeys([*begun, *first]) if len(text) <= LONGEST] or [turns[0].text]
    examples = [
        (before, turn)
        for talk in conversations
        for before, turn in zip(talk.turns, talk.turns[1:])
        if turn.speaker == name and before.speaker not in (name, "system") and len(before.text + turn.text) <= LONGEST
    ]
    return Persona(name, tuple(openings[:OPENINGS]), tuple(_spread(examples, EXAMPLES)), len(turns))


def _spread(found: Sequence[tuple[Turn, ...]], most: int) -> Iterator[tuple[Turn, ...]]:
    """At most so many of a list, evenly spread over it."""
    count = min(most, len(found))
    return (found[(2 * at + 1) * len(found) // (2 * count)] for at in range(count))


def card(persona: Persona, version: int, model: str, run: Mapping[str, Any]) -> dict[str, Any]:
    """The card of a persona in version 2 or 3 of the specification."""
    first, *others = persona.openings
    notes = (
        f"Made from {persona.turns} turns of {persona.name}. The model {model} was trained on them: it needs no card."
    )
    data: dict[str, Any] = {
        "name": persona.name,
        "description": "{{char}} speaks as in the example messages.",
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
        "extensions": {
            "wolf_chatbox": {"model": model, "base_model": run.get("base_model"), "style": run.get("style")}
        },
    }
    if version == 3:
        data["group_only_greetings"] = []
    return {"spec": f"chara_card_v{version}", "spec_version": f"{version}.0", "data": data}


def _example(turns: Sequence[Turn], persona: str) -> str:
    return "\n".join(f"{'{{char}}' if turn.speaker == persona else '{{user}}'}: {turn.text}" for turn in turns)


def write_cards(folder: Path, persona: Persona, model: str, run: Mapping[str, Any]) -> None:
    """Write card.json (version 3), card-v2.json and card.png into a folder, and read them again.

    Raises CheckpointError when what is read is not what was written.
    """
    cards = {"ccv3": card(persona, 3, model, run), "chara": card(persona, 2, model, run)}
    for chunk, content in cards.items():
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        (folder / CHUNKS[chunk]).write_text(text, encoding="utf-8")
    _draw(folder / "card.png", persona.name, cards)
    for chunk, content in cards.items():
        check_card(content)
        written = json.loads((folder / CHUNKS[chunk]).read_text(encoding="utf-8"))
        if not written == read_card(folder / "card.png", chunk) == content:
            raise CheckpointError(f"{folder}: the card was not written as it is. Please report this.")


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


def _draw(path: Path, name: str, cards: Mapping[str, Any]) -> None:
    """A portrait of the size that such programs show, with the cards in its text chunks: one colour for each name."""
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
    texts = {chunk: base64.b64encode(json.dumps(content).encode()).decode() for chunk, content in cards.items()}
    canvas.print_png(path, metadata={**texts, "Software": "wolf_chatbox"})


def _shades(hue: float) -> tuple[tuple[float, float, float], ...]:
    """A light and a dark shade of a colour: hue, saturation, value."""
    return (hue, 0.35, 0.9), (hue, 0.6, 0.55)


def read_card(path: Path, chunk: str) -> Any:
    """The card in a PNG's text chunk (https://www.w3.org/TR/png-3/#11tEXt); raises KeyError where there is none."""
    content, at, found = path.read_bytes(), 8, dict[str, bytes]()
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        if kind == b"tEXt":
            keyword, _, text = content[at + 8 : at + 8 + length].partition(b"\0")
            found[keyword.decode("latin-1")] = text
        at += length + 12
    return json.loads(base64.b64decode(found[chunk]))
