"""Chats with a character in other forms than SillyTavern's; and values of another type in all of them."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tavern import Json, claimed, drawn, lines, read, write
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import FORMATS

FIXTURES = Path(__file__).parents[1] / "fixtures"


# character.ai


def candidate(number: int, text: str, at: int) -> Json:
    return {
        "candidate_id": str(number),
        "raw_content": text,
        "create_time": f"2024-05-01T18:30:{at:02}Z",
        "is_final": True,
    }


def turn(text: str, at: int, *, human: bool = False, others: list[str] | None = None, primary: int = 0) -> Json:
    candidates = [candidate(number, each, at + number) for number, each in enumerate([text, *(others or [])])]
    author = {"author_id": "1", "name": "Ann" if human else "Marlo", "is_human": human}
    return {
        "turn_key": {"chat_id": "c", "turn_id": f"t{at}"},
        "create_time": f"2024-05-01T18:30:{at:02}Z",
        "author": author,
        "candidates": candidates,
        "primary_candidate_id": str(primary),
    }


def test_turns_that_come_newest_first_are_put_in_order_and_the_primary_candidate_is_read(tmp_path: Path) -> None:
    turns = [
        turn("A room?", 10),
        turn("Only soup.", 20, human=True),
        turn("Sure.", 30, others=["Bread too?"], primary=1),
        turn("Yes.", 40, human=True),
    ]
    path = write(tmp_path / "a.json", {"turns": turns[::-1], "meta": {"next_token": ""}})
    assert claimed(path) == ["character_ai"]
    assert [text for _, text in lines(path)] == ["A room?", "Only soup.", "Bread too?", "Yes."]
    assert drawn(path) == [("Bread too?", "Sure.")]


# KoboldAI


def story(path: Path, prompt: str, *actions: str, **settings: object) -> Path:
    document = {"gamestarted": True, "prompt": prompt, "memory": "An inn.", "actions": list(actions)}
    return write(path, document | ({"savedsettings": settings} if settings else {}))


def test_a_chat_of_kobold_is_cut_at_the_names_of_its_settings(tmp_path: Path) -> None:
    path = story(
        tmp_path / "a.json",
        "An inn by a lake.",
        "\nAnn: A ro",
        "om?\nNote: by the window\nMarlo: Only soup.",
        opmode=3,
        chatname="Ann",
        chatopponent="Marlo||$||Dora",
    )
    tally = Tally()
    assert lines(path, tally) == [("Ann", "A room?\nNote: by the window"), ("Marlo", "Only soup.")]
    assert tally.dropped == {"system message": 1}


def test_a_story_has_no_speakers_until_they_are_asked_for(tmp_path: Path) -> None:
    path = story(tmp_path / "a.json", "The lake lay still.", " A boat came.", opmode=1)
    tally = Tally()
    assert lines(path, tally) == []
    assert tally.dropped == {"system message": 2}
    [kept] = read(path, also_keep=("system",))
    assert [each.text for each in kept.turns] == ["The lake lay still.", "A boat came."]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("You: A room?\nMarlo: Soup.\nYou: Bread?\nMarlo: Yes.", [("You", "A room?"), ("Marlo", "Soup.")]),
        ("\n{{[INPUT]}}\nA room?\n{{[OUTPUT]}}\nSoup.", [("user", "A room?"), ("assistant", "Soup.")]),
        ("A lake.\n\n> row\n\nYou row.", [("assistant", "A lake."), ("user", "row")]),
        ("Note: a lake.\nIt lay still.", []),
    ],
)
def test_a_story_without_settings_shows_its_mode(tmp_path: Path, prompt: str, expected: list[tuple[str, str]]) -> None:
    assert lines(story(tmp_path / "a.json", prompt))[:2] == expected


# text-generation-webui, RisuAI


def test_a_list_of_data_alone_is_no_log(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"data": [["a", "b"], ["c", "d"]]})
    assert "text_generation_webui" not in claimed(path)


def test_the_character_of_a_log_is_named_by_its_folder(tmp_path: Path) -> None:
    log = {"internal": [["<|BEGIN-VISIBLE-CHAT|>", "A room, {{user}}?"], ["Soup &amp; bread.", "Yes, <USER>."]]}
    path = write(tmp_path / "Marlo/20240501-18-30-00.json", log | {"visible": log["internal"]})
    assert lines(path) == [("Marlo", "A room, user?"), ("user", "Soup &amp; bread."), ("Marlo", "Yes, user.")]
    alone = write(tmp_path / "log.json", {"internal": [["A?", "B."]], "visible": [["A?", "B."]]})
    assert lines(alone) == [("user", "A?"), ("assistant", "B.")]


def test_dashes_in_a_text_of_risu_are_no_name(tmp_path: Path) -> None:
    path = tmp_path / "Marlo_2024-05-01T10-00-00-000Z_chat.txt"
    path.write_text("--Marlo\nA room?\n\n--Ann\nSoup.\n\n--or bread--\n\n--Marlo\nYes.\n\n--Ann\nGood.\n")
    assert lines(path) == [("Marlo", "A room?"), ("Ann", "Soup.\n\n--or bread--"), ("Marlo", "Yes."), ("Ann", "Good.")]


# Any of them


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a JSON value something else could stand."""
    yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, (*path, key))


def put(value: Any, path: tuple[Any, ...], other: object) -> Any:
    if not path:
        return other
    parts = dict(value) if isinstance(value, dict) else list(value)
    parts[path[0]] = put(parts[path[0]], path[1:], other)
    return parts


@pytest.mark.parametrize("name", [name for name, known in FORMATS.items() if "characters" in known.read.__module__])
def test_a_value_of_another_type_anywhere_is_read_or_told(name: str, tmp_path: Path) -> None:
    others = itertools.cycle([None, [], {}, 1e400, ["a"], True, {"a": {}}, -1, "", [{}]])
    for path in (FIXTURES / name).rglob("*.json*"):
        if ".input." not in str(path):
            continue
        text = path.read_text(encoding="utf-8")
        documents = list(map(json.loads, text.splitlines())) if path.suffix == ".jsonl" else [json.loads(text)]
        for line, document in enumerate(documents):
            for place in places(document):
                changed = [*documents[:line], put(document, place, next(others)), *documents[line + 1 :]]
                with contextlib.suppress(DataError):
                    read(write(tmp_path / path.name, changed), format=name)
