"""Corpora in one file: tables whose cells are whole dialogues, and OpenAssistant's trees of messages."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations, recognise
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.formats.corpora import dialogues as dialogue_table

FIXTURES = Path(__file__).parents[1] / "fixtures"
PERSONAS = ["user 1 personas", "user 2 personas", "Best Generated Conversation"]


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))


def table(path: Path, *rows: list[str], delimiter: str = ",") -> Path:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(rows)
    path.write_text(file.getvalue(), encoding="utf-8", newline="")
    return path


def spoken(conversations: list[Conversation]) -> list[list[tuple[str, str]]]:
    return [[(turn.speaker, turn.text) for turn in conversation.turns] for conversation in conversations]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpora") / "table.csv"


# Tables of dialogues

lines = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters=":："), min_size=1, max_size=12
).filter(str.strip)
talks = st.lists(st.lists(lines, min_size=2, max_size=5), min_size=2, max_size=6)


@settings(deadline=None)  # files are written
@given(talks, st.sampled_from(",;\t"))
def test_a_cell_is_a_dialogue_and_no_line_is_lost(scratch: Path, talks: list[list[str]], delimiter: str) -> None:
    said = [[(f"User {at % 2 + 1}", text.strip()) for at, text in enumerate(talk)] for talk in talks]
    rows = [
        ["I row.\nI swim.", "I wait: always.", "\n".join(f"{name}: {text}" for name, text in talk)] for talk in said
    ]
    tally = Tally()
    conversations = read(table(scratch, PERSONAS, *rows, delimiter=delimiter), tally)
    assert spoken(conversations) == said
    assert tally.dropped == {"system message": 3 * len(rows)}
    assert tally.read == sum(3 + len(talk) for talk in said)
    assert len({conversation.group for conversation in conversations}) == len(rows)


def test_a_table_of_dialogues_is_no_screenplay_and_a_script_with_lines_in_a_cell_is_none_of_dialogues(
    tmp_path: Path,
) -> None:
    dialogues = table(
        tmp_path / "a.csv",
        PERSONAS,
        *(["I row.", "I sail.", f"User 1: Hi, {n}!\nUser 2: Hello.\nUser 1: Bye."] for n in range(900)),
    )
    assert recognise(Source.open(dialogues), ReadConfig()) == "dialogues"
    assert len(read(dialogues)) == 900
    script = table(
        tmp_path / "b.csv",
        ["name", "dialogue"],
        *(["Ann", f"Bob: he said {n}.\nAnn: I said.\nBob: he did."] for n in range(9)),
    )
    assert recognise(Source.open(script), ReadConfig()) == "script"
    facts = table(
        tmp_path / "c.csv", ["id", "person"], *([f"{n}", f"Name: Ann {n}\nAge: 3{n}\nTown: Bay"] for n in range(9))
    )
    assert not dialogue_table.claims(Source.open(facts).head)


def test_personas_can_be_kept_as_system_lines() -> None:
    conversations = read(FIXTURES / "dialogues/personas.input.csv", also_keep=("system",))
    assert conversations[0].turns[:2] == (Turn("system", "I row every morning."), Turn("system", "I have two dogs."))


def test_the_columns_of_dialogues_are_told_and_can_be_named(tmp_path: Path) -> None:
    row = ["7", "Ann: a\nBob: b\nAnn: c", "Ann: d\nBob: e\nAnn: f", "They talk."]
    path = table(tmp_path / "two.csv", ["id", "first", "second", "summary"], row, row)
    tally = Tally()
    both = read(path, tally)
    assert [conversation.turns[0].text for conversation in both] == ["a", "d", "a", "d"]
    assert both[0].group == both[1].group != both[2].group
    assert tally.notes == ["two: dialogues from first, second; not read: id, summary"]
    assert spoken(read(path, text_column="second")) == spoken(both[1::2])
    with pytest.raises(
        DataError,
        match=r"two\.csv, line 1: no column 'third' \(found: id, first, second, summary\)\. Pass --text-column\.",
    ) as no:
        read(path, text_column="third")
    assert no.value.line({"text_column": "--text_column"}).endswith("Pass --text_column.")


def test_dialogues_and_messages_of_a_tree_are_read_from_parquet_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = ["User 1: Hi!\nUser 2: Hello.\nUser 1: Bye.", "User 1: Rain.\nUser 2: Again."]
    pq.write_table(
        pa.table({"user 1 personas": ["I row.", "I sail."], "Best Generated Conversation": cells}),
        tmp_path / "a.parquet",
    )
    assert [len(conversation.turns) for conversation in read(tmp_path / "a.parquet")] == [3, 2]
    rows = [json.loads(line) for line in (FIXTURES / "oasst/messages.input.jsonl").read_text().splitlines()]
    columns = ("message_id", "parent_id", "text", "role", "rank", "deleted")
    pq.write_table(pa.table({name: [row[name] for row in rows] for name in columns}), tmp_path / "b.parquet")
    assert spoken(read(tmp_path / "b.parquet")) == spoken(read(FIXTURES / "oasst/messages.input.jsonl"))


# Trees


def test_messages_in_any_order_are_the_same_trees(tmp_path: Path) -> None:
    whole = FIXTURES / "oasst/messages.input.jsonl"
    rows = whole.read_text().splitlines()
    expected, tally = read(whole), Tally()
    random.Random(0).shuffle(rows)
    (tmp_path / "shuffled.jsonl").write_text("\n".join(rows) + "\n")
    assert sorted(spoken(read(tmp_path / "shuffled.jsonl", tally))) == sorted(spoken(expected))
    assert tally.read == len(rows)
    (tmp_path / "list.json").write_text(json.dumps([json.loads(row) for row in rows]))
    assert sorted(spoken(read(tmp_path / "list.json"))) == sorted(spoken(expected))


def test_every_message_of_a_damaged_tree_is_counted(tmp_path: Path) -> None:
    def message(id: str, parent: str | None) -> str:
        return json.dumps({"message_id": id, "parent_id": parent, "role": "prompter", "text": f"text {id}"}) + "\n"

    path = tmp_path / "trees.jsonl"
    path.write_text(
        message("a", None)
        + message("a", None)
        + message("b", "c")
        + message("c", "b")
        + message("d", "d")
        + message("e", "a")
    )
    tally = Tally()
    assert spoken(read(path, tally)) == [[("user", "text a"), ("user", "text e")]]
    assert tally.dropped == {"duplicate message": 1, "replies in a cycle": 3}
    path.write_text(message("a", None) + message("b", "a") + '{"message_id": 3, "role": "prompter", "text": "x"}\n')
    with pytest.raises(
        DataError,
        match=r'trees\.jsonl, line 3: not a message of a tree\. It needs "message_id", "text" and "role", all strings',
    ):
        read(path)
    path.write_text(message("a", None) + message("b", "a") + message("c", "b")[:20])
    tally = Tally()
    assert spoken(read(path, tally)) == [[("user", "text a"), ("user", "text b")]]
    assert tally.unread[0].turns == 2


def test_a_thread_of_thousands_of_replies_is_read(tmp_path: Path) -> None:
    rows = [
        json.dumps({"message_id": f"m{n}", "parent_id": f"m{n - 1}", "role": "assistant", "text": f"{n}"})
        for n in range(5000)
    ]
    (tmp_path / "long.jsonl").write_text("\n".join(rows) + "\n")
    (conversation,) = read(tmp_path / "long.jsonl")
    assert len(conversation.turns) == 5000


@pytest.mark.parametrize("wrap", ["bare", "messages", "conversation"])
def test_messages_with_a_text_and_a_prompter_are_read(tmp_path: Path, wrap: str) -> None:
    talk = [{"text": "Who brings the oars?", "role": "prompter"}, {"text": "Not me.", "role": "assistant"}]
    path = tmp_path / "talk.json"
    path.write_text(json.dumps(talk if wrap == "bare" else [{wrap: talk}], indent=1))
    tally = Tally()
    assert spoken(read(path, tally)) == [[("user", "Who brings the oars?"), ("assistant", "Not me.")]]
    assert not tally.dropped
