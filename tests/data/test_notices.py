"""What is noticed while files are read: what is the same of many is said once."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

from wolf_chatbox.data.tally import Note, Tally, listed
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations


def test_a_note_about_many_files_is_one_line_with_some_names_and_their_number() -> None:
    tally = Tally()
    for number in range(50):
        tally.note(f"{number}.txt", "no year in its dates")
    tally.note("a.txt", "something else")
    assert tally.notices() == [
        "0.txt, 1.txt, 2.txt, … and 47 more: no year in its dates",
        "a.txt: something else",
    ]
    assert tally.record()["notes"] == tally.notices()


def test_of_many_files_the_first_are_named_and_of_the_others_the_formats() -> None:
    files = [(f"{number}.txt", f"format {number % 15}") for number in range(60)]
    assert list(listed(files[:12])) == [f"{path}: {title}" for path, title in files[:12]]
    *named, more = listed(files)
    assert named == list(listed(files[:12]))
    titles = "; ".join(f"format {number % 15}" for number in range(12, 24))
    assert more == f"… and 48 more: {titles}; and 3 more formats"
    assert list(listed(files[:14]))[12:] == ["… and 2 more: format 12; format 13"]


def test_a_note_made_again_about_one_file_is_said_once() -> None:
    tally = Tally()
    for _ in range(3):
        tally.note("a.txt", "no year in its dates")
        tally.notes.append("all is well")
    assert tally.notices() == ["a.txt: no year in its dates", "all is well (3 times)"]


def test_a_note_alone_reads_as_it_was_made() -> None:
    note = Note("a.txt", "no year in its dates")
    assert note == "a.txt: no year in its dates"
    for again in (pickle.loads(pickle.dumps(note)), copy.deepcopy(note)):
        assert (again, again.where, again.what) == (note, note.where, note.what)


def test_files_that_are_not_read_for_one_reason_are_one_line() -> None:
    tally = Tally()
    for number in range(9):
        path = f"chats/{number}.csv"
        tally.leave(path, DataError(f"{path}: could be raw or script."), 0, alone=False, strict=False)
    tally.leave("chats/x.csv", DataError("chats/x.csv, line 3: a quote is open."), 2, alone=False, strict=False)
    assert tally.notices() == [
        "not read: 0.csv, 1.csv, 2.csv, … and 6 more: could be raw or script.",
        "read in part (2 turns): chats/x.csv, line 3: a quote is open.",
    ]
    assert len(tally.unread) == 10


def test_the_encoding_of_fifty_files_is_noted_once(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number:02}.txt").write_bytes("Zoë: café?\nBob: non\nZoë: si\n".encode("cp1252"))
    tally = Tally()
    assert len(list(read_conversations(tmp_path, tally=tally))) == 50
    assert tally.notices() == [
        "00.txt, 01.txt, 02.txt, … and 47 more: not UTF-8, read as CP1252; if characters look wrong, pass --encoding"
    ]
