"""ConvoKit's corpora: conversations in any order, branches, compressed files, and what lies beside the utterances."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.streams.shelf import Shelf

FIXTURES = Path(__file__).parents[1] / "fixtures/convokit"
THREADS = FIXTURES / "threads.input.d/subreddit-boats"


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))


def utterance(id: str, conversation: str, text: str, to: str | None = None, **more: Any) -> str:
    about = {"id": id, "conversation_id": conversation, "text": text, "speaker": "Ann", "reply-to": to}
    return json.dumps({**about, "timestamp": None, "meta": {}, **more}) + "\n"


def test_the_order_of_the_lines_changes_nothing_where_times_tell_it(tmp_path: Path) -> None:
    lines = (THREADS / "utterances.jsonl").read_text().splitlines(keepends=True)
    expected = read(THREADS)
    draw = random.Random(1)
    folder = tmp_path / THREADS.name
    folder.mkdir()
    for name in ("conversations.json", "speakers.json"):
        (folder / name).write_text((THREADS / name).read_text())
    for _ in range(5):
        draw.shuffle(lines)
        (folder / "utterances.jsonl").write_text("".join(lines))
        assert sorted(read(folder), key=lambda conversation: conversation.group) == expected


def test_all_branches_are_read_on_request() -> None:
    tally = Tally()
    conversations = read(THREADS, tally, branches="all")
    assert [[turn.speaker for turn in conversation.turns] for conversation in conversations] == [
        ["oarlock", "tern", "reed"],
        ["oarlock", "pike", "oarlock"],
        ["oarlock"],
        ["reed", "tern"],
    ]
    assert tally.dropped == {"deleted message": 1}
    assert [note.partition(": ")[2] for note in tally.notes] == [
        "2 turns are repeated: several branches begin with them"
    ]


def test_without_scores_the_longest_talk_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "utterances.jsonl"
    tree = [("a", None), ("b", "a"), ("c", "a"), ("d", "c"), ("e", "c"), ("f", "e")]
    path.write_text("".join(utterance(id, "a", id, to) for id, to in tree))
    tally = Tally()
    assert [turn.text for conversation in read(path, tally) for turn in conversation.turns] == ["a", "c", "e", "f"]
    assert tally.dropped == {"on another branch": 2}


def test_replies_in_a_circle_and_ids_that_come_twice_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "utterances.jsonl"
    lines = [("a", None), ("a", None), ("b", "c"), ("c", "b"), ("d", "a")]
    path.write_text("".join(utterance(id, "a", id, to) for id, to in lines))
    tally = Tally()
    assert [turn.text for conversation in read(path, tally) for turn in conversation.turns] == ["a", "d"]
    assert tally.dropped == {"duplicate message": 1, "replies in a cycle": 2}


def test_a_corpus_of_compressed_files_is_read_as_it_is_without(tmp_path: Path) -> None:
    folder = tmp_path / THREADS.name
    folder.mkdir()
    for path in THREADS.iterdir():
        (folder / f"{path.name}.zst").write_bytes(zstd.compress(path.read_bytes()))
    tally = Tally()
    assert read(folder, tally) == read(THREADS)
    assert tally.notes == []


def test_a_file_beside_the_utterances_that_is_damaged_is_told(tmp_path: Path) -> None:
    (tmp_path / "utterances.jsonl").write_text(utterance("a", "a", "Row!") + utterance("b", "a", "No.", "a"))
    (tmp_path / "speakers.json").write_text('{"Ann": {"meta": {"name": "Anna"}}, "Bob": ')
    (tmp_path / "conversations.json").write_text("[1, 2]")
    tally = Tally()
    (conversation,) = read(tmp_path, tally)
    assert [(turn.speaker, turn.text) for turn in conversation.turns] == [("Anna", "Row!"), ("Anna", "No.")]
    assert len(tally.notes) == 2
    assert all("The names and titles there are left out." in note for note in tally.notes)


def test_what_stands_before_damage_is_read(tmp_path: Path) -> None:
    path = tmp_path / "utterances.jsonl"
    path.write_text(utterance("a", "a", "Row!") + utterance("b", "a", "No.", "a") + '{"id": "c", "conv')
    tally = Tally()
    (conversation,) = read(path, tally)
    assert [turn.text for turn in conversation.turns] == ["Row!", "No."]
    assert tally.unread[0].turns == 2


@pytest.mark.parametrize("value", [None, True, 7, 1.5, [], {}, "", "1e400", "\ud800"])
@pytest.mark.parametrize("key", ["id", "conversation_id", "text", "speaker", "reply-to", "timestamp", "meta"])
def test_a_value_of_any_kind_is_read_or_counted(tmp_path: Path, key: str, value: Any) -> None:
    path = tmp_path / "utterances.jsonl"
    line = json.loads(utterance("b", "a", "No.", "a"))
    path.write_text(utterance("a", "a", "Row!") + json.dumps({**line, key: value}) + "\n")
    tally = Tally()
    conversations = read(path, tally)
    assert tally.read == 2
    assert tally.kept == sum(len(conversation.turns) for conversation in conversations)


def test_a_shelf_gives_back_what_was_put_on_it_by_group() -> None:
    draw = random.Random(2)
    expected: dict[str, list[Any]] = {}
    with Shelf() as shelf:
        for number in range(5000):
            group, record = draw.choice(["a", "b", "ü", "", "\ud800"]), [number, "x" * draw.randrange(50), None]
            expected.setdefault(group, []).append(record)
            shelf.put(group, record)
        assert len(shelf) == 5
        assert list(shelf.groups()) == list(expected.items())
