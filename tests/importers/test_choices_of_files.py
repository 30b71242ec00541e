"""Choices between replies, out of files of any format that has them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.data.preferences import read_preferences, write_preferences
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError, FormatError
from wolf_chatbox.importers import read_choices, read_conversations
from wolf_chatbox.talk.choices import saved_choices

Cli = Callable[..., tuple[int, str]]
FIXTURES = Path(__file__).parents[1] / "fixtures"
TREES = FIXTURES / "oasst/trees.input.jsonl"
CHAT = FIXTURES / "whatsapp/japanese.input.txt"
SAVED = {
    "turns": [{"speaker": "Ann", "text": "Hi."}, {"speaker": "Bob", "text": "Two."}, {"speaker": "Ann", "text": "Oh."}],
    "tree": {
        "messages": [
            {"speaker": "Ann", "text": "Hi.", "heard": ["Ann", "Bob"]},
            {"speaker": "Bob", "text": "One.", "heard": ["Ann", "Bob"], "drawn": True},
            {"speaker": "Bob", "text": "Two.", "after": 0, "heard": ["Ann", "Bob"], "drawn": True},
            {"speaker": "Ann", "text": "Oh.", "heard": ["Ann", "Bob"]},
        ],
        "at": 3,
        "taken": {},
    },
}


def pairs(path: Path | list[Path], tally: Tally | None = None, **settings: object) -> list[tuple[str, str]]:
    config = ReadConfig(**settings)  # type: ignore[arg-type]
    found = read_choices(path, config, tally, saved_choices)
    return [(choice.chosen.text, choice.rejected.text) for choice in found]


def test_the_best_of_ranked_replies_against_each_other() -> None:
    tally = Tally()
    assert pairs(TREES, tally) == [
        ("Wipe it, then hang it up in the shade.", "Lay it in the sun.\nTurn it every hour.")
    ]
    assert (tally.kept, dict(tally.dropped)) == (1, {"reply without a rank, or deleted": 1})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    read = list(read_choices(TREES))
    with (tmp_path / "choices.jsonl").open("w", encoding="utf-8") as file:
        assert write_preferences(read, file) == len(read) == 1
    assert list(read_preferences(tmp_path / "choices.jsonl")) == read


def test_a_folder_gives_the_choices_of_all_its_files_and_names_those_without(tmp_path: Path) -> None:
    for path in (TREES, CHAT):
        shutil.copy(path, tmp_path)
    (tmp_path / "saved.jsonl").write_text(json.dumps(SAVED) + "\n")
    tally = Tally()
    assert ("Two.", "One.") in (found := pairs(tmp_path, tally))
    assert len(found) == tally.kept == 2
    assert tally.notes == [f"{tmp_path}: skipped 1 files in formats without choices between replies"]


def test_a_format_without_choices_names_those_that_have_them(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"WhatsApp chat: has no choices .* These may: .*oasst") as caught:
        pairs(CHAT)
    assert "\n" not in str(caught.value)
    shutil.copy(CHAT, tmp_path)
    with pytest.raises(FormatError, match="WhatsApp chat: has no choices"):
        pairs(tmp_path)


def test_a_damaged_file_gives_what_stands_before_the_damage_only_beside_others(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text(TREES.read_text() + '{"prompt": 3}\n{"message_id": 1}\n')
    with pytest.raises(DataError, match="line 3"):
        pairs(tmp_path / "bad.jsonl")
    (tmp_path / "saved.jsonl").write_text(json.dumps(SAVED) + "\n")
    tally = Tally()
    assert len(pairs(tmp_path, tally)) == 2
    assert [file.turns for file in tally.unread] == [1]
    with pytest.raises(DataError, match="line 3"):
        pairs(tmp_path, strict=True)


def test_replies_that_are_the_same_or_empty_are_no_choice(tmp_path: Path) -> None:
    text = TREES.read_text().replace("Lay it in the sun.\\nTurn it every hour.", "{}")
    for said in (" ", "Wipe it, then hang it up in the shade."):
        (tmp_path / "trees.jsonl").write_text(text.replace("{}", said))
        tally = Tally()
        assert pairs(tmp_path / "trees.jsonl", tally) == []
        assert tally.dropped.total() == 2


def test_all_branches_of_a_tree_are_of_one_group_and_what_they_share_is_noted() -> None:
    tally = Tally()
    found = list(read_conversations(TREES, ReadConfig(branches="all"), tally))
    assert [[turn.text for turn in each.turns][1:] for each in found if each.group.endswith(" 1")] == [
        ["Lay it in the sun.\nTurn it every hour.", "And in the rain?"],
        ["Wipe it, then hang it up in the shade.", "Thank you!"],
    ]
    assert tally.kept == sum(len(each.turns) for each in found) == 9
    assert tally.notes == ["trees.input: 2 turns are repeated: several branches begin with them"]
    assert tally.read - 2 == 9, "the messages in the file"


def test_the_command_says_how_many_came_from_where(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "saved.jsonl").write_text(json.dumps(SAVED) + "\n")
    (tmp_path / "both").mkdir()
    shutil.copy(TREES, tmp_path / "both/trees.jsonl")
    (tmp_path / "both/bad.jsonl").write_text(TREES.read_text() + '{"message_id": 1}\n')
    out, saved, both = tmp_path / "out.jsonl", tmp_path / "saved.jsonl", tmp_path / "both"
    code, told = cli("preferences", str(saved), str(both), "-o", str(out))
    assert code == 3, "a file was read in part"
    assert told.splitlines()[:2] == [
        f"{saved}: 1 choice (conversations (JSON Lines))",
        f"{both}: 2 choices (OpenAssistant (trees or messages))",
    ]
    assert f"note: {both}/bad.jsonl, line 3: not a message of a tree" in told
    assert told.endswith(f"  dropped: 2 (reply without a rank, or deleted)\n3 choices in {out}\n")
    assert len(list(read_preferences(out))) == 3


def test_the_command_names_no_format_without_choices(tmp_path: Path, cli: Cli) -> None:
    for path in (TREES, CHAT):
        shutil.copy(path, tmp_path)
    _, told = cli("preferences", str(tmp_path), "-o", str(tmp_path / "out.jsonl"))
    assert told.splitlines()[0] == f"{tmp_path}: 1 choice (OpenAssistant (trees or messages))"


def test_the_command_writes_nothing_where_there_is_no_choice(tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "out.jsonl"
    code, told = cli("preferences", str(CHAT), "-o", str(out))
    assert (code, out.exists()) == (1, False)
    assert told.startswith(f"error: {CHAT}: WhatsApp chat: has no choices between replies. These may: ")
    assert told.count("\n") == 1
