"""The cards that we write are as their specifications say, rule by rule; `broken` breaks each of the rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from card_rules import ENTRY, STRINGS, chunks, faults
from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.training.loop import train

# The cards of a run

CARD = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        "name": "BOB",
        "description": "{{char}} counts geese for {{user}}.\nHe never sleeps.",
        "personality": "",
        "scenario": "A yard at night. — 夜の庭",
        "first_mes": "Another goose, {{user}}!",
        "mes_example": "<START>\n{{user}}: How many?\n{{char}}: All of them.",
        "creator_notes": "",
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": ["Hush, they sleep."],
        "tags": [],
        "creator": "",
        "character_version": "",
        "extensions": {},
    },
}


def sillytavern_chat() -> Iterator[str]:
    """A chat of Ann with Bob as SillyTavern writes it, line by line."""
    yield json.dumps({"user_name": "Ann", "character_name": "Bob", "create_date": "2024-05-01@10h00m00s"})
    for at in range(40):
        said = {"name": "Bob" if at % 2 else "Ann", "is_user": at % 2 == 0, "is_system": False}
        yield json.dumps(said | {"send_date": f"May 1, 2024 10:{at}am", "mes": f"the goose number {at}", "extra": {}})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_gpt2: Path) -> Path:
    """A run of a SillyTavern chat and its card, in which Bob answers Ann."""
    folder = tmp_path_factory.mktemp("cards")
    (folder / "bob.json").write_text(json.dumps(CARD), encoding="utf-8")
    (folder / "Bob - 2024-05-01.jsonl").write_text("\n".join(sillytavern_chat()) + "\n", encoding="utf-8")
    train(
        TrainConfig(
            data=(str(folder / "Bob - 2024-05-01.jsonl"), str(folder / "bob.json")),
            model=str(tiny_gpt2),
            output=folder / "bob",
            persona="Bob",
            epochs=1,
            max_tokens=128,
            sampling=SamplingConfig(max_new_tokens=4),
        )
    )
    return folder / "bob"


def written(cli: Callable[..., tuple[int, str]], run: Path, place: Path, *flags: str) -> bytes:
    code, shown = cli("card", str(run), "-o", str(place), *flags)
    assert code == 0, shown
    return place.read_bytes()


@pytest.mark.parametrize("version", ["2", "3"])
def test_the_json_of_a_run_is_valid(run: Path, tmp_path: Path, cli: Any, version: str) -> None:
    card = json.loads(written(cli, run, tmp_path / "card.json", "--version", version).decode("utf-8"))
    assert list(faults(card)) == []
    assert card["spec"] == f"chara_card_v{version}"


def test_the_picture_of_a_run_holds_both_versions(run: Path, tmp_path: Path, cli: Any) -> None:
    found = chunks(written(cli, run, tmp_path / "card.png"))
    assert {name: card["spec"] for name, card in found.items()} == {"ccv3": "chara_card_v3", "chara": "chara_card_v2"}
    assert [list(faults(card)) for card in found.values()] == [[], []]
    notes = {name: card["data"]["creator_notes"] for name, card in found.items()}
    assert "version 3" in notes["chara"], "a version 2 beside a version 3 SHOULD say so"
    assert "version 3" not in notes["ccv3"]


def test_a_picture_of_version_2_holds_nothing_newer(run: Path, tmp_path: Path, cli: Any) -> None:
    found = chunks(written(cli, run, tmp_path / "card.png", "--version", "2"))
    assert list(found) == ["chara"]
    assert "version 3" not in found["chara"]["data"]["creator_notes"]


def test_a_card_of_ones_own_picture(run: Path, tmp_path: Path, cli: Any) -> None:
    from PIL import Image

    Image.new("RGB", (3, 2), (1, 2, 3)).save(tmp_path / "own.png")
    picture = written(cli, run, tmp_path / "card.png", "--picture", str(tmp_path / "own.png"))
    assert set(chunks(picture)) == {"ccv3", "chara"}
    again = written(cli, run, tmp_path / "again.png", "--picture", str(tmp_path / "card.png"))
    assert again == picture, "the cards of a picture are replaced"
    with Image.open(tmp_path / "card.png") as image:
        assert (image.size, image.getpixel((0, 0))) == ((3, 2), (1, 2, 3))


def test_a_card_comes_back_from_the_run_that_it_trained(run: Path, tmp_path: Path, cli: Any) -> None:
    data = json.loads(written(cli, run, tmp_path / "card.json"))["data"]
    assert data["name"] == "Bob", "as in the chats"
    assert data["description"] == "BOB counts geese for {{user}}.\nHe never sleeps.\nA yard at night. — 夜の庭"
    assert data["first_mes"] == CARD["data"]["first_mes"]
    assert CARD["data"]["alternate_greetings"][0] in data["alternate_greetings"]
    assert data["mes_example"].count("<START>\n{{user}}: ") == data["mes_example"].count("\n{{char}}: ") == 4


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("-o", "card.webp"), "error: --output card.webp: is a card's file, which ends in .json or .png."),
        (("-o", "card.json", "--picture", "a.png"), "error: --picture a.png: is for a card that ends in .png."),
        (("-o", "card.png", "--picture", "gone.png"), "error: --picture gone.png: is no PNG. Convert it to one."),
        (("-o", "card.json", "--version", "4"), "version"),
        (("-o", "card.json", "--persona", "Zoe"), "no such speaker"),
    ],
)
def test_what_cannot_be_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Any, flags: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, shown = cli("card", str(run), *flags)
    assert code
    assert told in " ".join(shown.split())
    assert list(tmp_path.glob("card.*")) == []


def test_a_file_is_replaced_only_when_asked(run: Path, tmp_path: Path, cli: Any) -> None:
    place = tmp_path / "card.json"
    place.write_text("mine")
    code, shown = cli("card", str(run), "-o", str(place))
    assert code == 1
    assert "already exists" in shown
    assert place.read_text() == "mine"
    written(cli, run, place, "--overwrite")


# The rules find what is wrong

WHOLE = {
    "character_book": {
        "name": "the yard",
        "extensions": {},
        "entries": [
            {
                **{"keys": ["goose"], "content": "It bites.", "extensions": {}, "enabled": True, "insertion_order": 1},
                **{"use_regex": False, "constant": True, "position": "before_char"},
            }
        ],
    },
    "assets": [{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}],
    "group_only_greetings": [],
    "source": ["https://example.org/bob"],
    "creation_date": 1_700_000_000,
    "creator_notes_multilingual": {"ja": "庭"},
}


def third() -> dict[str, Any]:
    """A card of version 3 with every part."""
    card = deepcopy(CARD) | {"spec": "chara_card_v3", "spec_version": "3.0"}
    card["data"] |= deepcopy(WHOLE)
    return card


def broken() -> Iterator[tuple[str, dict[str, Any]]]:
    """Cards that break one rule each, with what is wrong."""
    for where, name, value in (
        *(("", name, value) for name, value in (("spec", "chara_card_v4"), ("spec_version", "2"), ("more", 1))),
        *(("data", name, None) for name in (*STRINGS, "alternate_greetings", "tags", "extensions")),
        *(("data", name, value) for name, value in (("alternate_greetings", [1]), ("tags", "a"), ("own_field", ""))),
        *(("data", name, None) for name in ("group_only_greetings", "nickname", "source", "assets", "character_book")),
        *(("data", "creation_date", value) for value in ("today", 1_700_000_000_000, True)),
        *(("data", "creator_notes_multilingual", value) for value in ({"japanese": ""}, {"ja": 1}, [])),
        *(
            ("asset", name, value)
            for name, value in (("ext", ".PNG"), ("uri", "main.png"), ("name", 1), ("type", None))
        ),
        *(("book", name, None) for name in ("extensions", "entries", "name")),
        *(("entry", name, None) for name in (*ENTRY, "use_regex", "constant", "position")),
        ("entry", "enabled", 1),
        ("entry", "insertion_order", True),
    ):
        card = third()
        data = card["data"]
        book = data["character_book"]
        place = {"": card, "data": data, "asset": data["assets"][0], "book": book, "entry": book["entries"][0]}[where]
        place[name] = value
        yield f"{where} {name} {value}", card
    card = third()
    card["data"]["assets"] *= 2
    yield "two main icons", card


def test_whole_cards_have_no_faults() -> None:
    assert list(faults(CARD)) == []
    assert list(faults(third())) == []


@pytest.mark.parametrize(("what", "card"), [*broken()], ids=lambda value: value if isinstance(value, str) else "")
def test_a_broken_card_is_found_out(what: str, card: dict[str, Any]) -> None:
    assert list(faults(card)), what
