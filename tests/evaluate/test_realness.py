"""Real or generated: what looks like the humans' replies cannot be told, what does not can."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from voices import entry, exchanges, line, measured, study, talk, told
from wolf_chatbox.evaluate.measures import realness
from wolf_chatbox.evaluate.measures.realness import Scores, area, give_away, surprise

ASKED = exchanges([talk(seed) for seed in range(12)])
CHANCE = random.Random(7)


def test_other_words_are_told_and_the_same_manner_is_not() -> None:
    alike = entry("alike", [line("Ann", CHANCE) for _ in ASKED])
    strange = entry("strange", [line("Bob", CHANCE) for _ in ASKED])
    same = entry("same", [exchange.said.text for exchange in ASKED])
    silent = entry("silent", [""] * len(ASKED))
    of = study(ASKED, alike, strange, same, silent, training=[])
    found = measured(realness, of)["real_or_generated"]
    assert found["strange"].value == found["silent"].value == 1
    assert found["same"].value == found["humans"].value == 0.5
    alike_value = found["alike"].value
    assert alike_value is not None
    assert 0.3 < alike_value < 0.7
    details = told(realness, of)
    assert "." in [one["words"] for one in details["strange"]["too_often"]], "Bob's mark; Ann's is another"
    assert "!" in [one["words"] for one in details["strange"]["too_seldom"]]
    assert details["same"] == {"too_often": [], "too_seldom": []}
    assert "humans" not in details


def test_what_is_asked_about_a_conversation_was_not_learnt_from_it() -> None:
    # Each side says one made-up word in each conversation, again and again: who has seen the conversation tells all.
    chance = random.Random(3)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(24)]
    real = [exchange._replace(said=exchange.said._replace(text=words[exchange.conversation])) for exchange in ASKED]
    generated = entry("own", [words[12 + exchange.conversation] for exchange in ASKED])
    found = measured(realness, study(real, generated, training=[]))["real_or_generated"]["own"]
    assert found.value is not None
    assert 0.1 < found.value < 0.9


def test_one_conversation_is_enough_and_one_reply_is_not() -> None:
    asked = exchanges([talk(1, 40)])
    found = measured(realness, study(asked, entry("bob", [line("Bob", CHANCE) for _ in asked]), training=[]))
    assert found["real_or_generated"]["bob"].value == 1
    assert found["real_or_generated"]["bob"].low is None, "no interval out of one conversation"
    found = measured(realness, study(asked[:1], entry("bob", ["x"]), training=[]))
    assert found["real_or_generated"]["bob"].value is None


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    # Of the pairs (3, 1), (3, 2), (2, 1), (2, 2) three and a half are in order.
    assert area([Scores(np.array([3.0]), np.array([1.0])), Scores(np.array([2.0]), np.array([2.0]))]) == 3.5 / 4
    assert area([Scores(np.array([]), np.array([1.0]))]) is None


def test_the_log_likelihood_ratio() -> None:
    # 2 · (10 ln 2 + 0 + 10 ln 2 …): all ten texts of one side hold it, none of the ten others.
    assert surprise(10, 0, 10, 10) == pytest.approx(math.sqrt(2 * 20 * math.log(2)))
    assert surprise(0, 10, 10, 10) == pytest.approx(-math.sqrt(2 * 20 * math.log(2)))
    assert surprise(5, 5, 10, 10) == 0
    details = give_away(["we do not know ."] * 5, ["never mind ."] * 5, str.split)
    assert {"words": "not know", "generated": 5, "real": 0} in details["too_often"]
    assert {"words": "⟨ never", "generated": 0, "real": 5} in details["too_seldom"]
    assert "." not in [one["words"] for side in details.values() for one in side]
