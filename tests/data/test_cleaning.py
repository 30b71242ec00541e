"""Cleaning: every step can be switched, every turn is accounted for."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import make_tokenizer
from wolf_chatbox.config import CleanConfig, ReadConfig, TrainConfig
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.data.cleaning import clean
from wolf_chatbox.data.near_duplicates import leak
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.samples import dataset
from wolf_chatbox.samples.dataset import prepare

FIXTURES = Path(__file__).parents[1] / "fixtures"
NOON = datetime(2024, 5, 1, 12)


def talk(*turns: tuple[str, str], group: str = "chat", seconds: float | None = None) -> Conversation:
    times = [NOON + timedelta(seconds=at * seconds) if seconds is not None else None for at in range(len(turns))]
    return Conversation(tuple(Turn(speaker, text, time) for (speaker, text), time in zip(turns, times)), group)


def cleaned(*conversations: Conversation, **settings: Any) -> tuple[list[Conversation], Tally]:
    tally = Tally(kept=sum(len(each.turns) for each in conversations))
    before = tally.read
    found = list(clean(conversations, CleanConfig(**settings), tally))
    assert tally.read == before
    assert tally.kept == sum(len(each.turns) for each in found)
    return found, tally


# Joining


@pytest.mark.parametrize(
    ("seconds", "within", "turns"), [(10, 180, 2), (10, 5, 3), (10, 0, 3), (None, 180, 3), (200, 180, 3)]
)
def test_what_one_says_in_a_row_is_one_turn(seconds: float | None, within: float, turns: int) -> None:
    (conversation,), tally = cleaned(
        talk(("Ann", "Hi"), ("Ann", "you"), ("Bob", "Hi"), seconds=seconds), join_within=within
    )
    assert len(conversation.turns) == turns
    assert tally.joined == 3 - turns
    if turns == 2:
        assert conversation.turns[0] == Turn("Ann", "Hi\nyou", NOON)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 400)), max_size=12))
def test_joining_loses_no_word(said: list[tuple[str, int]]) -> None:
    time, turns = NOON, []
    for at, (speaker, seconds) in enumerate(said):
        time += timedelta(seconds=seconds)
        turns.append(Turn(speaker, f"w{at}", time))
    (conversation,), _ = cleaned(Conversation(tuple(turns)))
    words = [(turn.speaker, word) for turn in conversation.turns for word in turn.text.split()]
    assert words == [(turn.speaker, turn.text) for turn in turns]


def test_what_is_said_to_others_is_not_joined() -> None:
    turns = (Turn("Ann", "Hi", NOON), Turn("Ann", "it is me", NOON, "whisper"), Turn("Ann", "indeed", NOON, "whisper"))
    (conversation,), tally = cleaned(Conversation(turns, "chat"))
    assert conversation.turns == (Turn("Ann", "Hi", NOON), Turn("Ann", "it is me\nindeed", NOON, "whisper"))
    assert tally.joined == 1


# Duplicates, languages, repair

LONG = [
    ("Ann", "Who brings the oars to the lake tomorrow?"),
    ("Bob", "Not me, I bring the sandwiches, as always."),
    ("Ann", "Then we swim."),
]


def test_duplicates() -> None:
    one, same, near = talk(*LONG), talk(*LONG, group="copy"), talk(*LONG[:2], ("Ann", "Then we swim!"), group="near")
    short = [talk(("Ann", "Hi"), ("Bob", "Hi"), group=f"{each}") for each in range(2)]
    everything = [one, same, near, *short]
    assert cleaned(*everything)[0] == everything
    assert cleaned(*everything, duplicates="exact")[0] == [one, near, *short]
    found, tally = cleaned(*everything, duplicates="near")
    assert found == [one, *short]
    assert tally.dropped == {"exact duplicate of another conversation": 3, "near-duplicate of another conversation": 3}


def test_languages() -> None:
    english = talk(*LONG)
    japanese = talk(
        ("花子", "明日は湖に行きますか？天気がいいですね。"), ("太郎", "はい、サンドイッチを持って行きます。")
    )
    found, tally = cleaned(english, japanese, languages=("ja",))
    assert found == [japanese]
    assert tally.dropped == {"in another language (en)": 3}


def test_repair_changes_what_is_broken_and_nothing_else() -> None:
    whole = "“Quotes”, ﬁne & ｗｉｄｅ – café &amp; all…"
    (conversation,), tally = cleaned(talk(("Ann", "cafÃ© at noon"), ("Bob", whole)), repair=True)
    assert [turn.text for turn in conversation.turns] == ["café at noon", whole]
    assert tally.changed["broken text"] == 1


def test_a_key_or_a_language_may_be_given_as_a_string(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"pseudonyms": str(tmp_path / "key.json"), "languages": "en"}
    (conversation,), _ = cleaned(talk(("Anna Smith", "I think that we should go to the market today.")), **settings)
    assert conversation.turns[0].speaker in json.loads((tmp_path / "key.json").read_text())["speakers"].values()


# The contract


def test_every_turn_of_a_cleaned_chat_is_accounted_for(tokenizer: Any, tmp_path: Path) -> None:
    clean_config = CleanConfig(scrub=True, duplicates="near", repair=True, pseudonyms=tmp_path / "key.json")
    config = TrainConfig(
        data=(str(FIXTURES / "whatsapp"),),
        clean=clean_config,
        read=ReadConfig(format="whatsapp"),
        output=tmp_path / "out",
    )
    turns = prepare(config, tokenizer, 64).turns()
    tally = Tally()
    list(read_conversations(FIXTURES / "whatsapp", ReadConfig(format="whatsapp"), tally))
    assert turns["read"] == tally.read
    assert (
        turns["read"]
        == turns["learnt"] + turns["held out"] + turns["context only"] + turns["joined"] + turns["dropped"]
    )
    assert turns["joined"]


def test_a_leak_is_a_held_out_conversation_that_is_nearly_one_to_learn_from() -> None:
    def talk(topic: str, *, group: str = "") -> Conversation:
        return Conversation(
            tuple(Turn("ab"[at % 2], f"{topic} number {at}, what do you say about {topic}?") for at in range(8)), group
        )

    training = [talk("boats"), talk("lakes")]
    assert leak(training, []) is leak([], training) is None
    assert leak(training, [talk("mountains")]) == 0
    assert leak(training, [talk("mountains"), talk("boats")]) == 0.5
    assert leak(training, [talk("boats")]) == 1


def test_a_run_whose_account_does_not_add_up_is_refused(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def miscounting(paths: Any, config: Any, tally: Tally) -> Any:
        yield from read_conversations(paths, config, tally)
        tally.kept += 1

    monkeypatch.setattr(dataset, "read_conversations", miscounting)
    with pytest.raises(
        DataError, match=r"turns read are not \d+ learnt \+ .* Please report this bug; nothing was trained\.$"
    ):
        prepare(TrainConfig(data=(str(script),)), make_tokenizer(), 128)
