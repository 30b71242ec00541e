"""Who says it: a character's own voice scores high, another's low, and nobody says nothing."""

from __future__ import annotations

import random

import pytest

from voices import entry, exchanges, line, measured, study, talk, told
from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.evaluate.entries import Answer, Entry
from wolf_chatbox.evaluate.measures import persona
from wolf_chatbox.evaluate.measures.persona import about, masked, names_of

TRAINING = [talk(seed) for seed in range(6)]
ASKED = exchanges([talk(seed) for seed in (100, 101, 102)])
CHANCE = random.Random(7)
OWN = [line("Ann", CHANCE) for _ in ASKED]
OTHER = [line("Bob", CHANCE) for _ in ASKED]


def test_the_characters_voice_is_told_and_anothers_is_not() -> None:
    of = study(ASKED, entry("own", OWN), entry("other", OTHER), entry("silent", [" "] * len(ASKED)), training=TRAINING)
    found = measured(persona, of)
    for name in ("right_character", "right_character_5"):
        assert found[name]["own"].value == 1
        assert found[name]["humans"].value == 1
        assert found[name]["other"].value == 0
        assert found[name]["silent"].value == 0
        assert found[f"{name}_of_ceiling"]["humans"].value == 1
        assert found[f"{name}_of_ceiling"]["other"].value == 0
    details = told(persona, of)
    assert details["chance"] == 0.5
    assert details["held_out"]["right"] == 1, "the lines of both, as they stand in the scenes"
    assert set(details["held_out"]["by_speaker"]) == {"Ann", "Bob"}
    assert details["entries"]["other"]["told_as"] == {"Ann": {"Bob": len(ASKED)}}
    assert details["entries"]["silent"]["told_as"] == {"Ann": {"": len(ASKED)}}


def test_of_the_ceiling_compares_with_the_humans_of_the_same_conversations() -> None:
    half = [own if at % 2 else other for at, (own, other) in enumerate(zip(OWN, OTHER))]
    of = study(ASKED, entry("half", half), training=TRAINING)
    # The real lines are told right in half of the cases too: half of them are Bob's words.
    mixed = Entry("humans", "humans", [Answer(text) for text in half])
    of = type(of)(of.persona, of.exchanges, (of.entries[0], mixed), of.training, of.language)
    found = measured(persona, of)
    assert found["right_character"]["half"].value == pytest.approx(7 / 15)
    assert found["right_character_of_ceiling"]["half"].value == pytest.approx(1)


def test_without_a_persona_each_reply_is_told_as_its_speakers() -> None:
    asked = exchanges([talk(100), talk(101)], None)
    real = [exchange.said.text for exchange in asked]
    swapped = [OTHER[0] if exchange.said.speaker == "Ann" else OWN[0] for exchange in asked]
    found = measured(
        persona, study(asked, entry("swapped", swapped), entry("real", real), training=TRAINING, persona=None)
    )
    assert found["right_character"]["real"].value == 1
    assert found["right_character"]["swapped"].value == 0


def test_a_name_that_is_called_tells_nothing() -> None:
    names = names_of(["Ann", "Lady Vesna", "The Cat", "花子"], ["Hello the world", "See Vesna!"])
    assert masked("Ann, the Annex; Vesna and Lady Vesna. The Cat? 花子さん", names) == "▯, the Annex; ▯ and ▯. ▯? ▯さん"
    assert masked("The world", names) == "The world", "a common word, which is written small too"
    # All that tells these speakers apart is whom they name: 11 replies, all told as one of them.
    turns = tuple(
        Turn(*pair) for _ in range(30) for pair in (("Ann", "Well, Bob, hello."), ("Bob", "Well, Ann, hello."))
    )
    asked = exchanges([Conversation(turns[:12])], None)
    found = measured(persona, study(asked, training=[Conversation(turns)], persona=None))
    assert found["right_character"]["humans"].value in (5 / 11, 6 / 11)


@pytest.mark.parametrize(
    "training",
    [[], [talk(1, 6)], [Conversation((Turn("Ann", "Ho!"),) * 50)]],
    ids=["nothing", "too few lines", "one speaker"],
)
def test_without_lines_to_learn_from_nothing_is_said(training: list[Conversation]) -> None:
    of = study(ASKED, entry("own", OWN), training=training)
    assert persona.measures(of) == []
    assert told(persona, of) == {}


def test_japanese_and_emoji() -> None:
    texts = {
        "Ann": ["やあ、元気だぜ！行こうぜ", "そうだぜ、面白いぜ"],
        "Bob": ["はい、そうでございます。", "恐れ入ります、結構です。"],
    }
    turns = [Turn(name, said[at % 2]) for at in range(60) for name, said in texts.items()]
    asked = exchanges([Conversation(tuple(turns[:8])), Conversation(tuple(turns[:8]))])
    right, wrong, emoji = (
        entry(name, [text] * len(asked))
        for name, text in (("r", "面白いぜ、行こうぜ！"), ("w", "結構でございます。"), ("e", "🎉🎉"))
    )
    found = measured(persona, study(asked, right, wrong, emoji, training=[Conversation(tuple(turns))], language="ja"))
    assert found["right_character"]["r"].value == 1
    assert found["right_character"]["w"].value == 0
    assert found["right_character"]["e"].value in (0, 1)


def test_pieces_are_about_as_long_as_asked_for() -> None:
    for count in range(40):
        pieces = about(5, list(range(count)))
        assert [value for piece in pieces for value in piece] == (list(range(count)) if count > 2 else [])
        assert all(3 <= len(piece) <= 7 for piece in pieces)
