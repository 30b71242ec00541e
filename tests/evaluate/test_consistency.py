"""Consistency: a chat that stays itself, and ones that do not."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from voices import entry, exchanges, line, measured, study, talk, told
from wolf_chatbox.conversation import Turn
from wolf_chatbox.evaluate.entries import Study
from wolf_chatbox.evaluate.measures import consistency
from wolf_chatbox.evaluate.measures.consistency import language_or_script, repeats, thirds

TRAINING = [talk(seed) for seed in range(8)]
ASKED = exchanges([talk(100), talk(101)])
CHANCE = random.Random(5)
TEXTS = [exchange.said.text for exchange in ASKED]


def chat(said: Sequence[str]) -> list[Turn]:
    """Bob, who always has something new to say, and Ann, who says this."""
    return [turn for text in said for turn in (Turn("Bob", line("Bob", CHANCE)), Turn("Ann", text))]


def of_chats(*chats: list[Turn], language: str = "en") -> Study:
    return study(ASKED, entry("run", TEXTS, chats=chats), training=TRAINING, language=language)


def anns(count: int) -> list[str]:
    return [line("Ann", CHANCE) for _ in range(count)]


def test_a_chat_that_stays_itself() -> None:
    found = measured(consistency, of_chats(*(chat(anns(15)) for _ in range(3))))
    values = {name: figure["run"].value for name, figure in found.items()}
    assert values["drift"] == values["repeated_turns"] == values["language_switch"] == 0
    assert values["turns_alive"] == 30
    assert values["repeated_4_grams"] is not None
    assert values["repeated_4_grams"] < 0.05
    assert found["drift"]["humans"].value is None, "they lead no such chats"


def test_drift_into_the_others_voice() -> None:
    drifting = chat([*anns(10), *(line("Bob", CHANCE) for _ in range(5))])
    of = of_chats(drifting, chat(anns(15)))
    assert measured(consistency, of)["drift"]["run"].value == 0.5
    details = told(consistency, of)["run"]
    assert details["right_by_third"] == {"first": 1, "second": 1, "last": 0.5}
    assert details["told_by_third"]["last"] == {"Ann": 5, "Bob": 5}


def test_repetition_and_early_death() -> None:
    stuck = [turn for _ in range(15) for turn in (Turn("Bob", "And then?"), Turn("Ann", "I told ye that already!"))]
    silent = [*chat(anns(2)), *[Turn("Bob", ""), Turn("Ann", " ")] * 13]
    found = measured(consistency, of_chats(stuck, stuck))
    assert found["repeated_turns"]["run"].value == pytest.approx(14 / 15)
    assert found["repeated_4_grams"]["run"].value == pytest.approx(14 / 15)
    assert found["turns_alive"]["run"].value == 2
    of = of_chats(silent)
    found = measured(consistency, of)
    assert found["repeated_turns"]["run"].value == pytest.approx(13 / 15)
    assert found["turns_alive"]["run"].value == 4
    assert told(consistency, of)["run"]["repeats_by_turn"] == [0] * 4 + [1] * 26


def test_nearly_the_same_turn_is_a_repetition() -> None:
    said = ["The ship sails at dawn, matey!", "the ship sails at dawn matey", "The ship rests.", "Yes.", "No.", "Yes."]
    assert repeats([Turn("Ann", text) for text in said]) == [False, True, False, False, False, True]


def test_another_language_is_told() -> None:
    german = "Ich weiß wirklich nicht, was du damit sagen willst, mein lieber Freund, aber wir werden es bald sehen."
    japanese = "それは本当に難しい質問ですね。私にはよくわかりませんが、一緒に考えてみましょう。"
    for strange in (german, japanese, "Я не знаю, что ты хочешь этим сказать, мой дорогой друг, но скоро увидим."):
        found = measured(consistency, of_chats(chat([*anns(10), *(f"{strange} {at}" for at in range(5))])))
        assert found["language_switch"]["run"].value == pytest.approx(1 / 3)
    found = measured(consistency, of_chats(chat(["🎉", "!", ""] * 5)))
    assert found["language_switch"]["run"].value is None, "too little text to tell"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The weather is nice today, and we are going to the park with our friends.", "en"),
        ("今日はとても良い天気なので、公園へ行きましょう。", "ja"),
        ("我们今天去公园散步吧天气非常好大家都很高兴", "CJK"),
        ("오늘은 날씨가 아주 좋아서 공원에 가려고 합니다", "HANGUL"),
        ("Σήμερα ο καιρός είναι πολύ καλός και θα πάμε στο πάρκο", "GREEK"),
        ("Well.", None),
        ("", None),
    ],
)
def test_languages_and_scripts(text: str, language: str | None) -> None:
    assert language_or_script([text]) == language


def test_few_turns_and_no_chats() -> None:
    assert consistency.measures(of_chats()) == []
    assert told(consistency, of_chats()) == {}
    assert [len(part) for part in thirds([Turn("Ann", "x")] * 2)] == [0, 1, 1]
    found = measured(consistency, of_chats([Turn("Ann", "")], [Turn("Bob", "Hello.")], []))
    assert found["turns_alive"]["run"].value == pytest.approx(1 / 3)
    assert found["drift"]["run"].value is None


def test_without_a_classifier_there_is_no_drift() -> None:
    of = study(ASKED, entry("run", TEXTS, chats=[chat(anns(5))]), training=[])
    assert "drift" not in measured(consistency, of)
    assert told(consistency, of)["run"]["told_by_third"] == {}
