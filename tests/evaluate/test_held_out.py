"""What was learnt is never asked."""

from __future__ import annotations

from typing import Any

import pytest

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import DataError
from wolf_chatbox.evaluate.held_out import divide, exchanges, in_blocks
from wolf_chatbox.samples.learnt import Learnt
from wolf_chatbox.samples.rendering import make_renderer


def talk(name: str, turns: int = 8, first: int = 0) -> Conversation:
    said = (
        Turn("Ann" if at % 2 else "Bob", f"in the house {name} line {at} is said with some care")
        for at in range(first, turns)
    )
    return Conversation(tuple(said), name)


def test_learnt_and_held_out_conversations_are_told_apart() -> None:
    found = divide([talk("a"), talk("b")], {"run": Learnt.of([talk("a")])}, ["file"])
    assert [one.group for one in found.learnt] == ["a"]
    assert [one.group for one in found.held_out] == ["b"]


def test_what_one_of_two_runs_learnt_is_not_asked() -> None:
    runs = {"one": Learnt.of([talk("a")]), "two": Learnt.of([talk("b")])}
    assert [one.group for one in divide([talk("a"), talk("b"), talk("c")], runs, ["file"]).held_out] == ["c"]


def test_where_all_was_learnt_the_leak_is_shown() -> None:
    with pytest.raises(DataError, match=r"^story.csv: nothing is held out: of 2 conversations \(a, b\) .* 2 by run\."):
        divide([talk("a"), talk("b")], {"run": Learnt.of([talk("a"), talk("b")])}, ["story.csv"])


def test_of_one_long_chat_the_end_that_was_not_learnt_is_asked() -> None:
    found = divide([talk("a", 20)], {"run": Learnt.of([talk("a", 12)])}, ["file"])
    assert found.learnt == [talk("a", 12)]
    assert found.held_out == [talk("a", 20, 12)]


def test_one_common_line_does_not_make_a_conversation_learnt() -> None:
    common = (Turn("Ann", "good evening to all of you here"), Turn("Bob", "and a very good one to you"))
    one, other = talk("a", 30), talk("b", 30)
    one, other = (Conversation(common + part.turns, part.group) for part in (one, other))
    assert divide([other], {"run": Learnt.of([one])}, ["file"]).held_out == [other]


def test_what_was_learnt_in_part_is_left_out_and_told() -> None:
    half = Conversation(talk("a", 4).turns + talk("x", 7).turns + talk("a", 8, 4).turns, "half")
    found = divide([half, talk("b")], {"run": Learnt.of([talk("a")])}, ["file"])
    assert [one.group for one in found.held_out] == ["b"]
    assert "1 conversation learnt in part" in found.notices[0]


def asked(tokenizer: Any, conversations: list[Conversation], persona: str | None, count: int = 99) -> list[Any]:
    return exchanges(conversations, make_renderer(tokenizer, "named", persona, "Bob", {}), "player", persona, count)


def test_an_exchange_is_the_persona_after_somebody_else(tokenizer: Any) -> None:
    found = asked(tokenizer, [talk("a"), talk("b")], "Ann")
    assert {exchange.said.speaker for exchange in found} == {"Ann"}
    assert len(found) == 8
    assert [exchange.conversation for exchange in found] == [0] * 4 + [1] * 4
    assert found[1].scene.turns == talk("a").turns[:3]
    assert all(exchange.scene.speaker == "Ann" for exchange in found)


def test_few_exchanges_are_spread_over_the_conversations(tokenizer: Any) -> None:
    found = asked(tokenizer, [talk(name) for name in "abcd"], "Ann", 4)
    assert [exchange.conversation for exchange in found] == [0, 1, 2, 3]


def test_real_replies_to_the_same_turns_are_references(tokenizer: Any) -> None:
    one, other = talk("a", 2), talk("a", 1)
    other = Conversation((*other.turns, Turn("Ann", "something else is said here")), "a")
    found = asked(tokenizer, [one, other], "Ann")
    assert [exchange.references for exchange in found] == [(other.turns[1].text,), (one.turns[1].text,)]


def test_nothing_to_ask_is_told(tokenizer: Any) -> None:
    with pytest.raises(DataError, match="no turn by Eve"):
        asked(tokenizer, [talk("a")], "Eve")


def test_of_few_conversations_the_units_are_blocks_in_a_row(tokenizer: Any) -> None:
    found = in_blocks(asked(tokenizer, [talk("a", 24), talk("b", 8)], "Ann"))
    assert [exchange.conversation for exchange in found] == [0] * 5 + [1] * 5 + [2] * 2 + [3] * 4
    many = asked(tokenizer, [talk(name) for name in "abcdefghij"], "Ann")
    assert in_blocks(many) == many
