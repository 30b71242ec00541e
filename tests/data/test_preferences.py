"""Files of choices: what is written is read back, and what is wrong is told with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.preferences import Preference, read_preferences
from wolf_chatbox.errors import DataError

CONTEXT = (Turn("Morty", "Where are we?"), Turn("Rick", "Home."), Turn("system", "It rains."))
CHOICE = Preference(CONTEXT, Turn("Rick", "Out."), Turn("Rick", "In the garage."))
VOTE = CHOICE.to_dict() | {"chosen_by": "one", "rejected_by": "other", "voter": "Ann"}
TIE = {"prompt": VOTE["prompt"], "tied": [VOTE["chosen"], VOTE["rejected"]], "tied_by": ["one", "other"]}


def lines(path: Path, *values: Any) -> Path:
    path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in values) + "\n")
    return path


def test_what_is_written_is_read_back_and_a_vote_is_the_same_choice(tmp_path: Path) -> None:
    path = lines(tmp_path / "votes.jsonl", CHOICE.to_dict(), "", VOTE, TIE)
    assert list(read_preferences(path)) == [CHOICE, CHOICE, None]


def test_without_names_the_roles_speak(tmp_path: Path) -> None:
    said = {"prompt": [{"role": "user", "content": "Hi."}]}
    replies = {name: [{"role": "assistant", "content": name}] for name in ("chosen", "rejected")}
    [choice] = read_preferences(lines(tmp_path / "trl.jsonl", said | replies))
    assert choice == Preference((Turn("user", "Hi."),), Turn("assistant", "chosen"), Turn("assistant", "rejected"))


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{", "line 2, column 2: not JSON"),
        ([], "line 2: a choice is"),
        ({"prompt": "Hi."}, 'line 2: no list "prompt" of messages'),
        (CHOICE.to_dict() | {"chosen": []}, "line 2: .* one message each"),
        (CHOICE.to_dict() | {"chosen": [{"name": "Rick"}]}, 'line 2: each message of "chosen" needs "content"'),
        (CHOICE.to_dict() | {"chosen": [{"name": "Ann", "content": "x"}]}, "line 2: Ann is chosen and Rick rejected"),
        (VOTE | {"rejected": [{"role": 3, "content": "x"}]}, 'line 2: each message of "rejected"'),
        ('{"prompt": [], "chosen": "\\ud800"}', "line 2: half a surrogate pair"),
    ],
)
def test_a_bad_line_is_told_with_its_number(tmp_path: Path, bad: Any, told: str) -> None:
    path = lines(tmp_path / "votes.jsonl", CHOICE.to_dict(), bad)
    with pytest.raises(DataError, match=told) as caught:
        list(read_preferences(path))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.jsonl: No such file"):
        list(read_preferences(tmp_path / "none.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "caf\xe9"}\n')
    with pytest.raises(DataError, match="not UTF-8"):
        list(read_preferences(tmp_path / "latin.jsonl"))
