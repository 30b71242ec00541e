"""Characters' cards: the texts of a PNG, what is hostile in them, and what becomes of each field."""

from __future__ import annotations

import base64
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations, recognise
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.formats.characters.card import claims
from wolf_chatbox.importers.streams import png_text

SIGNATURE = b"\x89PNG\r\n\x1a\n"
IHDR = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)


def card(**fields: Any) -> dict[str, Any]:
    data = {"name": "Ada", "description": "{{char}} mends boats.", "first_mes": "Ahoy, {{user}}.", "mes_example": ""}
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": data | fields}


def packed(value: object) -> bytes:
    return base64.b64encode(json.dumps(value, ensure_ascii=False).encode())


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*texts: bytes, after: bool = True) -> bytes:
    data = chunk(b"IDAT", zlib.compress(b"\0\x40\x60\x80"))
    inside = data + b"".join(texts) if after else b"".join(texts) + data
    return SIGNATURE + chunk(b"IHDR", IHDR) + inside + chunk(b"IEND", b"")


def plain(content: bytes, keyword: bytes = b"chara") -> bytes:
    return chunk(b"tEXt", keyword + b"\0" + content)


def read(path: Path, tally: Tally | None = None) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(), tally))


def read_json(tmp_path: Path, value: object, tally: Tally | None = None) -> list[Conversation]:
    (tmp_path / "card.json").write_text(json.dumps(value), encoding="utf-8")
    return read(tmp_path / "card.json", tally)


def briefing_of(found: list[Conversation]) -> list[str]:
    [text] = found[0].briefings.values()
    return text.split("\n")


# The texts of a PNG

WAYS = {
    "plain": lambda content: plain(content),
    "without padding": lambda content: plain(content.rstrip(b"=")),
    "in capitals": lambda content: plain(content, b"Chara"),
    "packed": lambda content: chunk(b"zTXt", b"chara\0\0" + zlib.compress(content)),
    "international": lambda content: chunk(b"iTXt", b"chara\0\0\0en\0chara\0" + content),
    "international, packed": lambda content: chunk(b"iTXt", b"chara\0\1\0\0\0" + zlib.compress(content)),
}


@pytest.mark.parametrize("after", [True, False], ids=["after the picture", "before it"])
@pytest.mark.parametrize("way", WAYS)
def test_a_card_is_found_in_whatever_text_of_a_picture(tmp_path: Path, way: str, after: bool) -> None:
    path = tmp_path / "ada.png"
    assert packed(card()).endswith(b"=")
    path.write_bytes(png(plain(b"a comment", b"Comment"), WAYS[way](packed(card())), after=after))
    [talk] = read(path)
    assert talk == Conversation((Turn("Ada", "Ahoy, {{user}}."),), "ada", briefings={"Ada": "Ada mends boats."})


def test_the_newer_version_is_read_wherever_it_stands(tmp_path: Path) -> None:
    newer = packed(card(first_mes="The newer one.") | {"spec": "chara_card_v3"})
    for texts in ([plain(packed(card())), plain(newer, b"ccv3")], [plain(newer, b"ccv3"), plain(packed(card()))]):
        (tmp_path / "ada.png").write_bytes(png(*texts))
        assert [talk.turns[0].text for talk in read(tmp_path / "ada.png")] == ["The newer one."]


def test_a_picture_without_a_card_is_skipped_beside_a_chat(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png(plain(b"a lake", b"Comment")))
    (tmp_path / "talk.jsonl").write_text('{"turns": [{"speaker": "Ann", "text": "hello"}]}\n')
    tally = Tally()
    assert len(read(tmp_path, tally)) == 1
    assert tally.unread == []
    assert tally.notes == [f"{tmp_path}: skipped 1 files in no known format: photo.png"]
    with pytest.raises(DataError, match="a picture, not text"):
        Source.open(tmp_path / "photo.png")


BAD = {
    "a text that goes on after the end": (png()[:-12] + struct.pack(">I4s", 5000, b"tEXt") + b"chara\0e30=", "ends"),
    "an impossible length": (
        png(chunk(b"tEXt", b"chara\0" + packed(card()))).replace(b"\0\0\0", b"\xff\xff\xff", 1),
        "a picture, not text",
    ),
    "no base64": (png(plain(b"abcde")), "not UTF-8 in base64"),
    "another encoding": (png(plain(base64.b64encode("é".encode("latin-1")))), "not UTF-8 in base64"),
    "no JSON": (png(plain(base64.b64encode(b"ahoy"))), "not JSON"),
    "no card": (png(plain(packed([1, 2]))), 'gives no "name"'),
    "a name of space": (png(plain(packed(card(name=" \n")))), 'gives no "name"'),
    "a packed text that is none": (png(chunk(b"zTXt", b"chara\0\0ahoy")), "cannot be unpacked"),
    "an international text without its parts": (png(chunk(b"iTXt", b"chara\0\0\0e30=")), "its text is damaged"),
    "nothing": (png(plain(b"")), "not JSON"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_damaged_picture_is_one_line(tmp_path: Path, what: str) -> None:
    content, told = BAD[what]
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}")
    assert "\n" not in str(caught.value)


def test_a_text_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png_text, "MOST_BYTES", 1000)
    path = tmp_path / "bomb.png"
    for text in (
        chunk(b"zTXt", b"chara\0\0" + zlib.compress(b"A" * 1001)),
        chunk(b"iTXt", b"chara\0\1\0\0\0" + zlib.compress(b"A" * 100_000)),
        plain(b"A" * 1001),
    ):
        path.write_bytes(png(text))
        with pytest.raises(DataError, match="so it is no character's card"):
            read(path)


def test_a_picture_gets_a_card_in_the_place_of_another() -> None:
    own = plain(b"somebody", b"Artist")
    picture = png(plain(b"old"), own, plain(b"old", b"ccv3"), after=False)
    written = png_text.with_texts(picture, {"chara": b"newer", "ccv3": b"new"})
    assert written == png(plain(b"newer"), plain(b"new", b"ccv3"), own, after=False), "the first text is the card"
    assert png_text.with_texts(written, {}) == png(own, after=False)


def test_a_charx_is_read(tmp_path: Path) -> None:
    path = tmp_path / "ada.charx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("card.json", json.dumps(card() | {"spec": "chara_card_v3"}))
        archive.writestr("assets/icon/images/main.png", png())
    tally = Tally()
    [talk] = read(path, tally)
    assert talk.turns == (Turn("Ada", "Ahoy, {{user}}."),)
    assert "assets/icon/images/main.png" in tally.notes[0]


# What is a card


def test_only_cards_are_claimed() -> None:
    escaped = json.dumps({"turns": [{"speaker": "Ann", "text": json.dumps(card())}]})
    for head in (escaped, '{"description": "x"}', '[{"first_mes": "x", "mes_example": ""}]', '"first_mes": "", ', ""):
        assert not claims(head)
    assert claims(json.dumps(card()))
    assert claims('{"name": "Ada", "first_mes": "x", "scenario": ""}')


def test_a_card_of_version_2_without_data_is_read(tmp_path: Path) -> None:
    flat = {"spec": "chara_card_v2", "spec_version": "2.0", **card()["data"]}
    assert [talk.turns[0].text for talk in read_json(tmp_path, flat)] == ["Ahoy, {{user}}."]


def test_a_byte_order_mark_is_no_part_of_a_card(tmp_path: Path) -> None:
    (tmp_path / "ada.json").write_text(json.dumps(card()), encoding="utf-8-sig")
    assert recognise(Source.open(tmp_path / "ada.json"), ReadConfig()) == "card"
    assert len(read(tmp_path / "ada.json")) == 1


# What becomes of the fields


def test_no_type_of_a_field_is_a_fault(tmp_path: Path) -> None:
    strange = [None, 7, True, "x", [], [None, 3, {}], {}, {"entries": [1, {"content": 2}, {"insertion_order": "z"}]}]
    names = ("description", "first_mes", "mes_example", "alternate_greetings", "character_book", "nickname", "scenario")
    for value in strange:
        for name in names:
            tally = Tally()
            found = read_json(tmp_path, card(**{name: value}), tally)
            assert tally.kept == sum(len(talk.turns) for talk in found)


def test_what_is_for_people_is_not_read(tmp_path: Path) -> None:
    notes = dict.fromkeys(("creator_notes", "creator", "character_version"), "for people") | {"tags": ["for people"]}
    assert "for people" not in json.dumps([talk.to_dict() for talk in read_json(tmp_path, card(**notes))])


def test_a_card_that_only_describes_briefs(tmp_path: Path) -> None:
    tally = Tally()
    [talk] = read_json(tmp_path, card(first_mes=""), tally)
    assert talk == Conversation((), "card", briefings={"Ada": "Ada mends boats."})
    assert tally.read == 0
    (tmp_path / "kept.jsonl").write_text(json.dumps(talk.to_dict()) + "\n")
    assert read(tmp_path / "kept.jsonl")[0].briefings == talk.briefings


def test_what_matters_least_comes_second(tmp_path: Path) -> None:
    """Of a briefing that is too long the lines after the first are left out first."""
    entries = [
        {"content": "always", "enabled": True, "constant": True, "insertion_order": 0},
        {"content": "@@depth 2\nlater", "enabled": True, "insertion_order": 9},
        {"content": "sooner", "enabled": True, "insertion_order": 1},
        {"content": "never", "enabled": False, "insertion_order": 0},
    ]
    fields = {
        "description": "who\n\nand how",
        "personality": "kind",
        "scenario": "here and now",
        "system_prompt": "{{original}} be brief",
        "post_history_instructions": "stay so",
        "character_book": {"entries": entries},
    }
    lines = ["who", "sooner", "later", "always", "be brief", "stay so", "and how", "kind", "here and now"]
    assert briefing_of(read_json(tmp_path, card(**fields))) == lines


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{{CHAR}} and <BOT> meet {{ user }}, <User>", "Ada and Ada meet {{user}}, {{user}}"),
        ("a {{random:red,green}} {{pick::old::new}} boat", "a red old boat"),
        ("a{{// not for the model}}b{{hidden_key:x}}c{{comment: y}}d", "abcd"),
        ("{{time}} stays", "{{time}} stays"),
    ],
)
def test_macros(tmp_path: Path, written: str, meant: str) -> None:
    assert read_json(tmp_path, card(first_mes=written))[0].turns[0].text == meant


@pytest.mark.parametrize(("name", "called"), [("Ada Byron", "Ada"), ("Lady Lovelace", "Lady Lovelace")])
def test_a_nickname_that_pseudonyms_cannot_know_is_not_used(tmp_path: Path, name: str, called: str) -> None:
    [talk] = read_json(tmp_path, card(name=name, nickname="Ada", first_mes="I am {{char}}."))
    assert talk.turns == (Turn(name, f"I am {called}."),)


def test_examples_follow_their_labels(tmp_path: Path) -> None:
    example = (
        "{{user}}: One.\nand on\n\n{{char}}:Two.\n<start>\nA narrator sets the scene.\nADA: Three: four\n"
        "<USER> : Five.\n{{random_user_2}}: Six.\r\nNote: no label\n{{char}}：七。\n<START>\n<START>\n{{user}}:\n"
    )
    tally = Tally()
    _, one, two = read_json(tmp_path, card(mes_example=example), tally)
    assert one.turns == (Turn("user", "One.\nand on"), Turn("Ada", "Two."))
    assert two.turns == (
        Turn("Ada", "Three: four"),
        Turn("user", "Five."),
        Turn("random_user_2", "Six.\nNote: no label"),
        Turn("Ada", "七。"),
    )
    assert dict(tally.dropped) == {"system message": 1}
