"""Chats of SillyTavern: whose words, when, and what a folder repeats."""

from __future__ import annotations

import json
import tracemalloc
from datetime import datetime
from pathlib import Path

import pytest

from tavern import FIRST_PAIRS, HEADER, alternating, claimed, lines, read, said, tavern, write
from wolf_chatbox.data.tally import Tally


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2023-4-21 @20h 02m 47s 124ms", "2023-04-21T20:02:47"),
        ("2024-07-12@01h31m37s123ms", "2024-07-12T01:31:37"),
        ("2024-7-2@1h31m37s", "2024-07-02T01:31:37"),
        ("April 21, 2023 8:02pm", "2023-04-21T20:02:00"),
        ("April 21, 2023 12:02am", "2023-04-21T00:02:00"),
        ("April 21, 2023 12:02 PM", "2023-04-21T12:02:00"),
        (1682107367000, "2023-04-21T20:02:47"),
        ("1682107367000", "2023-04-21T20:02:47"),
        (1682107367, "2023-04-21T20:02:47"),
        ("2023-04-21T20:02:47.500Z", "2023-04-21T20:02:47.500000"),
        ("Smarch 21, 2023 8:02pm", None),
        ("2023-13-41 @20h 02m 47s 124ms", None),
        ("yesterday", None),
        (True, None),
        (1e400, None),
        (None, None),
    ],
)
def test_a_time_is_read_in_the_form_of_every_version(tmp_path: Path, written: object, time: str | None) -> None:
    chat = tavern(tmp_path / "a.jsonl", said("A room?", send_date=written))
    [conversation] = read(chat)
    assert conversation.turns[0].time == (time and datetime.fromisoformat(time))


def test_what_was_hidden_is_read_and_who_is_nobody_is_not(tmp_path: Path) -> None:
    chat = tavern(
        tmp_path / "a.jsonl",
        said("Hidden.", is_system=True),
        said("It rains.", extra={"type": "narrator"}),
        said("Mind the oars.", is_system=True, extra={"type": "comment"}),
        said("Commands: …", is_system=True, name="SillyTavern System"),
        said("[{}]", is_system=True, extra={"tool_invocations": [{"name": "weather"}]}),
    )
    tally = Tally()
    assert lines(chat, tally) == [("Marlo", "Hidden.")]
    assert tally.dropped == {"system message": 4}


def test_macros_become_the_names_of_who_speaks_and_who_listens(tmp_path: Path) -> None:
    chat = tavern(
        tmp_path / "a.jsonl",
        said("{{user}}, I am {{Char}}. <USER>? <b>{{random::a::b}}</b>"),
        said("So {{char}} rows for {{user}}.", user=True),
        said("{{char}} fishes, not {{user}}.", name="Dora"),
    )
    assert [text for _, text in lines(chat)] == [
        "Ann, I am Marlo. Ann? <b>{{random::a::b}}</b>",
        "So Marlo rows for Ann.",
        "Dora fishes, not Ann.",
    ]


def test_without_names_the_speakers_are_user_and_assistant(tmp_path: Path) -> None:
    nameless = [
        {key: value for key, value in each.items() if key != "name"} for each in alternating("A?", "B, {{char}}.")
    ]
    chat = write(
        tmp_path / "a.jsonl", [{"chat_metadata": {}, "user_name": "unused", "character_name": "unused"}, *nameless]
    )
    assert lines(chat) == [("assistant", "A?"), ("user", "B, assistant.")]


@pytest.fixture
def branches(tmp_path: Path) -> Path:
    """A chat, a checkpoint in it, a branch off it, and a checkpoint in the branch."""
    branch = alternating(*FIRST_PAIRS[:3], "No bread.", "Then soup.")
    inn = {"chat_metadata": {"main_chat": "inn"}}
    tavern(tmp_path / "inn.jsonl", *alternating(*FIRST_PAIRS))
    tavern(tmp_path / "inn - Checkpoint #1.jsonl", *alternating(*FIRST_PAIRS[:2]), **inn)
    tavern(tmp_path / "inn - Branch #2.jsonl", *branch, **inn)
    tavern(tmp_path / "later.jsonl", *branch, chat_metadata={"main_chat": "inn - Branch #2"})
    return tmp_path


def test_a_branch_is_read_whole_in_the_group_of_its_chat_and_a_checkpoint_is_counted(branches: Path) -> None:
    tally = Tally()
    found = read(branches, tally)
    assert sorted((each.group, len(each.turns)) for each in found) == [("inn", 4), ("inn", 5), ("inn", 5)]
    assert tally.dropped == {"beginning of another chat": 2}


def test_a_checkpoint_alone_is_read(branches: Path) -> None:
    assert len(lines(branches / "inn - Checkpoint #1.jsonl")) == 2


def test_a_checkpoint_of_a_chat_in_another_folder_is_read(tmp_path: Path) -> None:
    tavern(tmp_path / "Marlo/inn.jsonl", *alternating(*FIRST_PAIRS))
    tavern(tmp_path / "Dora/checkpoint.jsonl", *alternating(*FIRST_PAIRS[:2]), chat_metadata={"main_chat": "inn"})
    tally = Tally()
    assert len(lines(tmp_path, tally)) == 6
    assert not tally.dropped


def test_chats_that_name_each_other_as_their_beginning_lose_nothing(tmp_path: Path) -> None:
    for name, main in (("a", "b"), ("b", "a"), ("c", "c"), ("d", "nowhere/../a")):
        tavern(tmp_path / f"{name}.jsonl", *alternating(*FIRST_PAIRS), chat_metadata={"main_chat": main})
    assert len(read(tmp_path)) == 4


def test_a_message_with_a_picture_of_several_megabytes_is_read(tmp_path: Path) -> None:
    picture = "data:image/png;base64," + "A" * 3_000_000
    chat = tavern(tmp_path / "a.jsonl", said("My boat."), *[said("And this.", user=True, extra={"image": picture})] * 4)
    tracemalloc.start()
    assert [text for _, text in lines(chat)] == ["My boat.", *["And this."] * 4]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * len(picture), "one line at a time"


def test_a_header_longer_than_what_is_looked_at_is_recognised(tmp_path: Path) -> None:
    variables = {"variables": {"notes": "row " * 50_000}}
    first = write(
        tmp_path / "a.jsonl", [{"chat_metadata": variables, "user_name": "unused", "character_name": "unused"}]
    )
    named = tavern(tmp_path / "b.jsonl", *alternating(*FIRST_PAIRS), chat_metadata=variables)
    assert [claimed(path) for path in (first, named)] == [["sillytavern"]] * 2
    assert lines(named)[0] == ("Marlo", "*bows* A room?")


def test_a_damaged_file_of_a_folder_is_left_and_the_others_are_read(branches: Path) -> None:
    (branches / "torn.jsonl").write_text(json.dumps(HEADER) + "\n" + json.dumps(said("A room?")) + '\n{"name": "Ma')
    tally = Tally()
    assert len(read(branches, tally)) >= 3
    assert [Path(unread.path).name for unread in tally.unread] == ["torn.jsonl"]


def test_the_text_export_is_read_as_a_screenplay(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("".join(f"{('Marlo', 'Ann')[n % 2]}: {text}\n\n" for n, text in enumerate(FIRST_PAIRS * 2)))
    assert claimed(path) == ["screenplay"]
    assert lines(path)[1] == ("Ann", "Only soup.")


def test_a_story_is_not_cut_where_it_was_silent(tmp_path: Path) -> None:
    chat = tavern(
        tmp_path / "a.jsonl",
        said("A room?", send_date="2023-04-21T20:00:00Z"),
        said("I am back.", user=True, send_date="2024-04-21T20:00:00Z"),
    )
    assert len(read(chat)) == 1


def test_a_message_of_ten_thousand_characters_with_marks_stays_as_it_is(tmp_path: Path) -> None:
    text = '*bows* "A room?" ' * 600 + "."
    assert lines(tavern(tmp_path / "a.jsonl", said(text), said("`~x~`", user=True))) == [
        ("Marlo", text),
        ("Ann", "`~x~`"),
    ]
