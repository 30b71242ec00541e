"""Data sets of choices between replies, in all forms: what is said before, what is chosen, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.preferences import Preference, write_preferences
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_choices, read_conversations

ASKED, OAK, ASH = Turn("user", "Ash or oak?"), Turn("assistant", "Oak."), Turn("assistant", "Ash.")
CHOICE = Preference((ASKED,), ASH, OAK)
DIALOGUE = "\n\nHuman: Ash or oak?\n\nAssistant:"


def said(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def write(place: Path, *values: Any) -> Path:
    place.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return place


FORMS = {
    "texts": {"prompt": "Ash or oak?", "chosen": "Ash.", "rejected": "Oak."},
    "messages": {
        "prompt": [said("user", "Ash or oak?")],
        "chosen": [said("assistant", "Ash.")],
        "rejected": [said("assistant", "Oak.")],
    },
    "whole dialogues, no prompt": {
        "chosen": [said("user", "Ash or oak?"), said("assistant", "Ash.")],
        "rejected": [said("user", "Ash or oak?"), said("assistant", "Oak.")],
    },
    "whole dialogues and the prompt": {
        "prompt": "Ash or oak?",
        "chosen": [said("user", "Ash or oak?"), said("assistant", "Ash.")],
        "rejected": [said("user", "Ash or oak?"), said("assistant", "Oak.")],
        "score_chosen": 5.0,
    },
    "a question": {"system": "", "question": "Ash or oak?", "chosen": "Ash.", "rejected": "Oak."},
    "an instruction": {"instruction": "Ash", "input": "or oak?", "chosen": "Ash.", "rejected": "Oak."},
    "ShareGPT": {
        "conversations": [{"from": "human", "value": "Ash or oak?"}],
        "chosen": {"from": "gpt", "value": "Ash."},
        "rejected": {"from": "gpt", "value": "Oak."},
    },
    "other names": {"prompt": "Ash or oak?", "chosen_response": "Ash.", "rejected_response": "Oak."},
    "HH-RLHF": {"chosen": f"{DIALOGUE} Ash.", "rejected": f"{DIALOGUE} Oak."},
    "HH-RLHF, its prompt apart": {"prompt": DIALOGUE, "chosen": " Ash.", "rejected": " Oak."},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_choice_and_the_conversation_with_the_chosen_reply(tmp_path: Path, form: str) -> None:
    path, tally, counted = write(tmp_path / "a.jsonl", FORMS[form]), Tally(), Tally()
    before = Turn("user", "Ash\nor oak?") if form == "an instruction" else ASKED
    assert list(read_choices(path, tally=counted)) == [Preference((before,), ASH, OAK)]
    assert (counted.kept, counted.dropped.total()) == (1, 0)
    [conversation] = read_conversations(path, tally=tally)
    assert conversation.turns == (before, ASH)
    assert (tally.kept, tally.dropped) == (2, {"rejected reply": 1})
    (tmp_path / "a.json").write_text(json.dumps([FORMS[form]]))
    assert list(read_choices(tmp_path / "a.json")) == [Preference((before,), ASH, OAK)]


@pytest.mark.parametrize("form", ["texts", "whole dialogues and the prompt", "HH-RLHF"])
def test_a_table_holds_choices_too(tmp_path: Path, form: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([FORMS[form]] * 2), tmp_path / "train.parquet")
    assert list(read_choices(tmp_path / "train.parquet")) == [CHOICE, CHOICE]
    [first, _] = read_conversations(tmp_path / "train.parquet")
    assert first.turns == (ASKED, ASH)
    assert list(read_choices(f"hf:{tmp_path}")) == [CHOICE, CHOICE]


def test_what_data_preferences_writes_is_a_corpus_of_what_was_chosen(tmp_path: Path) -> None:
    named = Preference((Turn("Lena", "Ash?"), Turn("Milo", "Hm.")), Turn("Grimbold", "Oak."), Turn("Grimbold", "Ash."))
    with (tmp_path / "choices.jsonl").open("w", encoding="utf-8") as file:
        write_preferences([named, CHOICE], file)
    assert list(read_choices(tmp_path / "choices.jsonl")) == [named, CHOICE]
    [first, _] = read_conversations(tmp_path / "choices.jsonl")
    assert first.turns == (*named.context, named.chosen)


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        (" Ash.\n\nHuman: Why?\n\nAssistant: It bends.", " Oak.\n\nHuman: Why?\n\nAssistant: So.", "not one reply"),
        (" Ash.", " Ash.\n\nHuman: Why?\n\nAssistant: It bends.", "not one reply"),
        (" Ash.\n\nHuman: Why?", " Ash.\n\nHuman: How?", "not of one assistant"),
        (" Ash.", " Ash.", "both replies are the same"),
        (" Ash.", "", "no text"),
    ],
)
def test_what_differs_in_more_than_a_reply_is_counted(tmp_path: Path, chosen: str, rejected: str, reason: str) -> None:
    value = {"chosen": DIALOGUE + chosen, "rejected": DIALOGUE + rejected}
    tally = Tally()
    assert list(read_choices(write(tmp_path / "a.jsonl", value), tally=tally)) == []
    assert [(why[: len(reason)], count) for why, count in tally.dropped.items()] == [(reason, 1)]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("\n\nHuman: Say Human: or\nAssistant: aloud\n\nAssistant: No.", ["Say Human: or\nAssistant: aloud", "No."]),
        ("\n\nHuman: One\n\ntwo\n\nAssistant: A\n\nB", ["One\n\ntwo", "A\n\nB"]),
        ("\n\nHuman: Hi\n\nHuman: Still me\n\nAssistant: Oh.", ["Hi", "Still me", "Oh."]),
        ("\n\nHuman: Hi\n\nAssistant: \n\nHuman: Hello?", ["Hi", "Hello?"]),
    ],
)
def test_a_mark_counts_after_a_blank_line(tmp_path: Path, text: str, turns: list[str]) -> None:
    path, tally = write(tmp_path / "red_team.jsonl", {"transcript": text, "rating": 1.0}), Tally()
    [conversation] = read_conversations(path, tally=tally)
    assert [turn.text for turn in conversation.turns] == turns
    assert tally.read == text.count("\n\nHuman:") + text.count("\n\nAssistant:")
    assert list(read_choices(path)) == []


def test_what_is_no_choice_is_told_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", FORMS["texts"], {"prompt": "Ash?", "chosen": "Ash."})
    with pytest.raises(DataError, match=r'a\.jsonl, line 2: not a choice\. It needs "chosen" and "rejected"'):
        list(read_choices(path))
    path = write(tmp_path / "b.jsonl", FORMS["texts"], FORMS["texts"] | {"chosen": 3})
    with pytest.raises(DataError, match=r"b\.jsonl, line 2, message 1: a message needs"):
        list(read_conversations(path, tally=Tally()))
