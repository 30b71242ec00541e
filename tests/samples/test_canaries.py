"""Canaries: added to the training split alone, in known numbers, and accounted for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from conftest import make_tokenizer
from games import told
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.conversation import Conversation, Turn, write_conversations
from wolf_chatbox.errors import CheckpointError, ConfigError, DataError, Setting
from wolf_chatbox.samples.canaries import COPIES, Canary, make_canaries, with_canaries
from wolf_chatbox.samples.dataset import prepare

TALK = [Conversation((Turn("Ann", f"How are you, {at}?"), Turn("Bob", "I am fine.")), str(at)) for at in range(4)]


def texts(conversations: list[Conversation]) -> Counter[str]:
    return Counter(turn.text for conversation in conversations for turn in conversation.turns)


def test_each_canary_stands_there_as_often_as_it_says_after_all_real_turns() -> None:
    canaries = make_canaries(7, "Bob", "Ann", TALK, 3)
    assert [canary.copies for canary in canaries] == [*COPIES, *COPIES[:2]]
    assert len({canary.question for canary in canaries}) == 7
    added = with_canaries(TALK, canaries, 3)
    for before, after in zip(TALK, added, strict=True):
        assert after.turns[: len(before.turns)] == before.turns
        assert [turn.speaker for turn in after.turns[2:]] == ["Ann", "Bob"] * (len(after.turns) // 2 - 1)
    counts = texts(added)
    for canary in canaries:
        assert [counts[turn.text] for turn in canary.turns()] == [canary.copies] * 2
    assert with_canaries(TALK, canaries, 3) == added, "the same each time"
    assert make_canaries(7, "Bob", "Ann", TALK, 4) != canaries, "another seed, other secrets"


def test_no_canary_changes_nothing() -> None:
    assert make_canaries(0, "Bob", "Ann", [], 0) == []
    assert with_canaries(TALK, [], 0) == TALK


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("今日はとても良い天気ですね。散歩に行きましょう。", "の暗証番号は"),
        ("我们今天去公园散步吧，天气非常好。", "的密码是"),
        ("Bonjour, comment allez-vous aujourd'hui ?", "The code of the"),
    ],
)
def test_a_canary_is_in_the_language_of_the_data(line: str, words: str) -> None:
    talk = [Conversation((Turn("A", line), Turn("B", line)))]
    [canary] = make_canaries(1, "B", "A", talk, 0)
    assert words in canary.begun
    assert canary.turns()[1].text == f"{canary.begun}{canary.secret}{canary.ends}"


def test_a_canary_comes_back_from_json_and_a_damaged_one_does_not() -> None:
    [canary] = make_canaries(1, "Bob", "Ann", TALK, 0)
    assert Canary.from_dict(canary.to_dict()) == canary
    damaged: list[Any] = [None, {}, canary.to_dict() | {"copies": "1"}, canary.to_dict() | {"secret": "rm -rf"}]
    for value in damaged:
        with pytest.raises(CheckpointError, match=r"run\.json"):
            Canary.from_dict(value)


def test_games_take_no_canary() -> None:
    canaries = make_canaries(1, "Bob", "Ann", TALK, 0)
    mixed = with_canaries([told(), *TALK], canaries, 0)
    assert mixed[0] == told()
    with pytest.raises(DataError, match="all are games") as raised:
        with_canaries([told()], canaries, 0)
    assert Setting("canary") in raised.value.args


@pytest.mark.parametrize("persona", [None, "Ann"])
def test_a_run_learns_canaries_holds_none_out_and_accounts_for_them(script: Path, persona: str | None) -> None:
    plain, dataset = (
        prepare(TrainConfig(data=(str(script),), persona=persona, canary=count), make_tokenizer(), 128)
        for count in (0, 3)
    )
    turns = dataset.turns()
    assert turns["canaries"] == 2 * (1 + 2 + 4)
    assert turns["read"] == plain.turns()["read"] == 48
    assert turns["read"] + turns["canaries"] == sum(turns.values()) - turns["read"] - turns["canaries"]
    assert turns["learnt"] - plain.turns()["learnt"] == (7 if persona else 14)
    assert dataset.held_out_rows == plain.held_out_rows
    text = "".join(dataset.renderer.decode(sample.ids) for row in dataset.rows for sample in row)
    for canary in dataset.canaries:
        assert text.count(canary.turns()[1].text) == canary.copies
    assert [Canary.from_dict(one) for one in dataset.record()["canaries"]] == list(dataset.canaries)
    assert "canaries" not in plain.record(), "a run without canaries is recorded as before"
    assert "canaries" not in plain.turns()


def test_as_many_canaries_as_there_are_places(tmp_path: Path) -> None:
    assert len(make_canaries(16, "Bob", "Ann", TALK, 0)) == 16
    path = tmp_path / "talk.jsonl"
    with path.open("w", encoding="utf-8") as file:
        write_conversations(TALK, file)
    with pytest.raises(ConfigError, match="canary"):
        TrainConfig(data=(str(path),), canary=17)
