"""What a run learnt is known again, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.samples.learnt import LEARNT_FILE, Learnt


def talk(*texts: str, group: str = "") -> Conversation:
    return Conversation(tuple(Turn("Ann" if at % 2 else "Bob", text) for at, text in enumerate(texts)), group)


LONG = "this is a line of more than thirty bytes"


@given(st.lists(st.text(min_size=30), min_size=2, max_size=6))
def test_what_was_learnt_is_known(texts: list[str]) -> None:
    conversation = talk(*texts)
    assert all(Learnt.of([conversation]).knows(conversation))


def test_another_line_after_the_same_one_is_not_known() -> None:
    learnt = Learnt.of([talk(LONG, LONG + " one")])
    assert learnt.knows(talk(LONG, LONG + " two")) == [False]


def test_case_and_spaces_do_not_hide_a_learnt_line() -> None:
    assert Learnt.of([talk(LONG, LONG)]).knows(talk(LONG.upper(), f"  {LONG}  ")) == [True]


def test_two_short_turns_prove_nothing() -> None:
    assert Learnt.of([talk("Yes.", "No.")]).knows(talk("Yes.", "No.")) == [None]


def test_the_file_holds_no_text_and_comes_back(tmp_path: Path) -> None:
    learnt = Learnt.of([talk(LONG, LONG + " one")])
    learnt.write(tmp_path)
    assert Learnt.read(tmp_path) == learnt
    assert b"thirty" not in (tmp_path / LEARNT_FILE).read_bytes()
    assert Learnt.read(tmp_path / "elsewhere") is None


@pytest.mark.parametrize("cut", [3, -1])
def test_a_damaged_file_is_told(tmp_path: Path, cut: int) -> None:
    Learnt.of([talk(LONG, LONG)]).write(tmp_path)
    path = tmp_path / LEARNT_FILE
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(CheckpointError, match="damaged"):
        Learnt.read(tmp_path)


def test_two_runs_have_other_hashes_of_the_same_line() -> None:
    one, other = Learnt.of([talk(LONG, LONG)]), Learnt.of([talk(LONG, LONG), talk(LONG, "and more of it")])
    assert not one.hashes & other.hashes
