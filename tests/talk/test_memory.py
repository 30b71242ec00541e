from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.conversation import Conversation, Turn, parse_conversations
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.talk import memory as module
from wolf_chatbox.talk.memory import MOST_RECALLED, Memory, Recalled, new_chat

BOTH = ("Rick", "Morty")
BELLA = (Turn("Morty", "My dog Bella is ill"), Turn("Rick", "Give Bella some soup, then."))
CASTLE = (Turn("Morty", "We saw the castle"), Turn("Rick", "That castle is haunted."))
ASKED = (Turn("Morty", "How would I cure Bella, my dog?"),)


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    def tell(text: str) -> None:
        raise AssertionError(text)

    return Memory(tmp_path / "memory", tell)


def told(recalled: tuple[Recalled, ...]) -> list[tuple[Turn, ...]]:
    return [each.turns for each in recalled]


def test_what_fits_comes_back_with_the_words_it_was_found_by(memory: Memory) -> None:
    memory.keep(Conversation(BELLA + CASTLE, "monday"), BOTH)
    (recalled,) = memory.recall(ASKED, BOTH)
    assert (recalled.turns, recalled.chat, set(recalled.words)) == (BELLA, "monday", {"bella", "dog"})
    assert memory.recall((Turn("Morty", "The weather is fine"),), BOTH) == ()


def test_another_process_finds_it_and_any_spelling_or_order_of_the_names(memory: Memory) -> None:
    memory.keep(Conversation(BELLA, "monday"), BOTH)
    for names in (("rick", "ＭＯＲＴＹ"), ("Morty", "Rick")):
        (recalled,) = Memory(memory.folder).recall(ASKED, names)
        assert BELLA[0] in recalled.turns


def test_other_people_do_not_remember_it(memory: Memory) -> None:
    memory.keep(Conversation(BELLA, "monday"), BOTH)
    for names in (("Rick", "Beth"), ("Beth", "Morty"), ("Beth", "Jerry")):
        assert memory.recall(ASKED, names) == ()


heard = st.lists(st.sampled_from(["Rick", "Morty"]), unique=True)
words = st.sampled_from(["castle", "river", "Bella", "soup", "猫", "温泉"])
texts = st.lists(words, min_size=1, max_size=4).map(" ".join)
said = st.lists(st.builds(Turn, st.sampled_from(["Rick", "Morty", "Beth"]), texts), min_size=1, max_size=6).map(tuple)


@given(st.lists(st.tuples(said, heard), max_size=5), st.tuples(said, said), said, st.integers(0, 120))
def test_what_somebody_has_not_heard_never_changes_what_he_recalls(
    tmp_path_factory: pytest.TempPathFactory,
    chats: list[tuple[tuple[Turn, ...], list[str]]],
    unheard: tuple[tuple[Turn, ...], tuple[Turn, ...]],
    now: tuple[Turn, ...],
    room: int,
) -> None:
    recalled = []
    for secret in unheard:
        memory = Memory(tmp_path_factory.mktemp("memory"))
        memory.keep(Conversation(secret, "secret"), BOTH, heard_by=["Morty"])
        for number, (turns, by) in enumerate(chats):
            memory.keep(Conversation(turns, str(number)), BOTH, heard_by=by)
        recalled.append([each._replace(when=None) for each in memory.recall(now, BOTH, room=room)])  # type: ignore[arg-type]
        for each in recalled[-1]:
            of = next(turns for number, (turns, by) in enumerate(chats) if str(number) == each.chat and "Rick" in by)
            assert set(each.turns) <= set(of)
            assert not set(each.turns) <= set(now)
            assert each.words
        assert len(recalled[-1]) <= MOST_RECALLED
        assert sum(len(turn.text) for each in recalled[-1] for turn in each.turns) <= room
    assert recalled[0] == recalled[1]


def test_what_is_in_the_prompt_is_not_brought_back_and_what_left_it_is(memory: Memory) -> None:
    memory.keep(Conversation(BELLA + CASTLE, "now"), BOTH)
    assert memory.recall((*BELLA, *CASTLE, *ASKED), BOTH, chat="now") == ()
    assert told(memory.recall((*CASTLE, *ASKED), BOTH, chat="now")) == [BELLA]


def test_a_reply_that_is_drawn_again_does_not_remember_the_one_before(memory: Memory) -> None:
    memory.keep(Conversation(BELLA, "now"), BOTH)
    assert memory.recall(BELLA[:1], BOTH, chat="now") == ()


def test_the_same_words_of_two_chats_come_back_once_from_the_later(memory: Memory) -> None:
    for chat in ("monday", "tuesday"):
        memory.keep(Conversation(BELLA, chat), BOTH)
    assert [each.chat for each in memory.recall(ASKED, BOTH)] == ["tuesday"]


def test_keeping_a_chat_again_replaces_it(memory: Memory) -> None:
    memory.keep(Conversation(BELLA, "monday"), BOTH)
    assert told(memory.recall(ASKED, BOTH)) == [BELLA]
    memory.keep(Conversation(CASTLE, "monday"), BOTH)
    assert memory.recall(ASKED, BOTH) == ()
    memory.keep(Conversation((), "monday"), BOTH)
    assert told(memory.recall((Turn("Morty", "castle"),), BOTH)) == [CASTLE]


def test_what_was_recalled_stays_as_long_as_nothing_else_fits(memory: Memory) -> None:
    memory.keep(Conversation(BELLA + CASTLE, "monday"), BOTH)
    first = memory.recall(ASKED, BOTH)
    later = (*ASKED, Turn("Rick", "I do not know."), Turn("Morty", "Well then"))
    assert memory.recall(later, BOTH, present=first) is first
    assert memory.recall((Turn("Morty", "Fine."),), BOTH, present=first) is first
    other = memory.recall((Turn("Morty", "Is the castle haunted?"),), BOTH, present=first)
    assert told(other) == [CASTLE]


def test_recalled_exchanges_are_in_the_order_of_time(memory: Memory) -> None:
    memory.keep(Conversation(BELLA, "monday"), BOTH)
    memory.keep(Conversation(CASTLE, "tuesday"), BOTH)
    for text in ("dog Bella, haunted castle", "haunted castle, dog Bella"):
        assert told(memory.recall((Turn("Morty", text),), BOTH)) == [BELLA, CASTLE]


def test_room_is_kept_by_leaving_out_whole_exchanges(memory: Memory) -> None:
    long = (Turn("Morty", "Bella the dog " * 20), Turn("Rick", "Woof"))
    memory.keep(Conversation(long, "monday"), BOTH)
    memory.keep(Conversation(BELLA, "tuesday"), BOTH)
    assert told(memory.recall(ASKED, BOTH, room=100)) == [BELLA]
    assert memory.recall(ASKED, BOTH, room=10) == ()


def test_forgetting_removes_the_chats_of_two_people_or_all(memory: Memory) -> None:
    for names in (BOTH, ("Rick", "Beth")):
        memory.keep(Conversation(BELLA, "monday"), names)
        memory.keep(Conversation(CASTLE, "tuesday"), names)
    assert memory.forget(("Morty", "Rick")) == 2
    assert memory.recall(ASKED, BOTH) == ()
    assert told(memory.recall(ASKED, ("Rick", "Beth"))) == [BELLA]
    assert memory.forget() == 2
    assert not memory.folder.exists()
    assert memory.forget() == 0
    assert memory.recall(ASKED, ("Rick", "Beth")) == ()


def test_only_the_owner_can_read_it_and_no_file_shows_a_name(memory: Memory) -> None:
    memory.keep(Conversation(BELLA, "../../escape"), ("../Rick", "Mor/ty\0"))
    (file,) = memory.folder.rglob("*.jsonl")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == stat.S_IMODE(memory.folder.stat().st_mode) == 0o700
    assert "ick" not in str(file.relative_to(memory.folder))
    assert file.parent.parent == memory.folder


def test_a_kept_chat_is_training_data(memory: Memory) -> None:
    memory.keep(Conversation(BELLA, "monday"), BOTH)
    (file,) = memory.folder.rglob("*.jsonl")
    with file.open(encoding="utf-8") as lines:
        assert list(parse_conversations(lines, "memory")) == [Conversation(BELLA, "monday")]


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"turns": 3}',
        '{"group": "x", "turns": [{"speaker": "Rick", "text": "castle"}]}',
        '{"turns": [], "heard_by": [3], "kept": "2026-01-01"}',
        '{"turns": [], "heard_by": ["rick"], "kept": "yesterday"}',
        '{"turns": [{"speaker": "Rick", "text": "\\ud800"}], "heard_by": ["rick"], "kept": "2026-01-01"}',
    ],
)
def test_a_damaged_file_is_told_once_and_skipped(memory: Memory, damage: str) -> None:
    memory.keep(Conversation(BELLA, "monday"), BOTH)
    (file,) = memory.folder.rglob("*.jsonl")
    bad = file.with_name("bad.jsonl")
    bad.write_text(damage, encoding="utf-8")
    notes: list[str] = []
    memory.tell = notes.append
    for _ in range(2):
        assert told(memory.recall(ASKED, BOTH)) == [BELLA]
    assert notes == [f"{bad}: not a chat that was kept. It is skipped; delete it."]
    assert memory.forget(BOTH) == 2


def test_a_file_of_bytes_that_are_no_text_is_skipped(memory: Memory) -> None:
    memory.keep(Conversation(BELLA, "monday"), BOTH)
    (file,) = memory.folder.rglob("*.jsonl")
    file.write_bytes(b"\xff\xfe")
    notes: list[str] = []
    memory.tell = notes.append
    assert memory.recall(ASKED, BOTH) == ()
    assert len(notes) == 1


def test_the_oldest_chats_leave_when_there_is_no_room(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    for number in range(20):
        memory.keep(Conversation((Turn("Morty", f"castle{number}"),), str(number)), BOTH)
        os.utime(
            next(path for path in memory.folder.rglob("*.jsonl") if f'castle{number}"' in path.read_text()),
            (number, number),
        )
    kept = sorted(json.loads(path.read_text())["group"] for path in memory.folder.rglob("*.jsonl"))
    assert sum(path.stat().st_size for path in memory.folder.rglob("*.jsonl")) <= 1000
    assert 1 < len(kept) < 20
    assert sorted(kept, key=int) == [str(number) for number in range(20 - len(kept), 20)]
    memory.keep(Conversation((Turn("Morty", "long " * 1000),), "long"), BOTH)
    assert [json.loads(path.read_text())["group"] for path in memory.folder.rglob("*.jsonl")] == ["long"]


def test_two_processes_at_once_lose_no_chat(memory: Memory) -> None:
    keep = (
        "import sys; from pathlib import Path; from wolf_chatbox.conversation import *\n"
        "from wolf_chatbox.talk.memory import Memory\n"
        "for n in range(25): Memory(Path(sys.argv[1])).keep("
        "Conversation((Turn('Morty', f'castle {n}'),), f'{sys.argv[2]}{n}'), ('Rick', 'Morty'))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", keep, memory.folder, name]) for name in "ab"]
    assert [process.wait() for process in processes] == [0, 0]
    chats = {json.loads(path.read_text())["group"] for path in memory.folder.rglob("*.jsonl")}
    assert chats == {f"{name}{number}" for name in "ab" for number in range(25)}


def test_a_folder_that_cannot_be_written_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "memory").write_text("a file")
    with pytest.raises(CheckpointError, match="chat without --remember"):
        Memory(tmp_path / "memory").keep(Conversation(BELLA, "monday"), BOTH)


def test_names_of_chats_differ() -> None:
    assert len({new_chat() for _ in range(100)}) == 100
