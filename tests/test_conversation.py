"""Conversations and their JSON Lines form."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.conversation import CHANNELS, Conversation, Turn, parse_conversations, write_conversations
from wolf_chatbox.errors import DataError

GOOD = '{"group": "g", "turns": [{"speaker": "a", "text": "b"}]}\n'

texts = st.text()
turns = st.builds(Turn, texts, texts, st.none(), st.sampled_from(CHANNELS))
conversations = st.builds(Conversation, st.lists(turns).map(tuple), texts)


@given(st.lists(conversations))
def test_what_is_written_is_read_back(written: list[Conversation]) -> None:
    file = io.StringIO()
    assert write_conversations(written, file) == len(written)
    file.seek(0)
    assert list(parse_conversations(file, "f")) == written


@given(conversations)
def test_a_conversation_is_one_line(conversation: Conversation) -> None:
    file = io.StringIO()
    write_conversations([conversation], file)
    assert file.getvalue().endswith("\n")
    assert file.getvalue().count("\n") == 1


def test_characters_are_written_as_themselves() -> None:
    file = io.StringIO()
    write_conversations([Conversation((Turn("桜", "é"),), "g")], file)
    assert file.getvalue() == '{"group": "g", "turns": [{"speaker": "桜", "text": "é"}]}\n'


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"turns": [', "column 12: not JSON (Expecting value)"),
        ("word", "column 1: not JSON"),
        ("[" * 100_000, "not JSON that can be read (maximum recursion depth"),
        ('{"turns": [' + "9" * 5_000 + "]}", "not JSON that can be read (Exceeds the limit"),
        ("[]", "a conversation is"),
        ("3", "a conversation is"),
        ("null", "a conversation is"),
        ('{"messages": []}', "a conversation is"),
        ('{"turns": {"speaker": "a"}}', "a conversation is"),
        ('{"turns": ["a"]}', 'each turn needs "speaker" and "text"'),
        ('{"turns": [{"speaker": "a"}]}', 'each turn needs "speaker" and "text"'),
        ('{"turns": [{"speaker": "a", "text": null}]}', 'each turn needs "speaker" and "text"'),
        ('{"turns": [{"speaker": 1, "text": "b"}]}', 'each turn needs "speaker" and "text"'),
    ],
)
def test_a_bad_line_is_named_by_its_number(line: str, problem: str) -> None:
    read = parse_conversations([GOOD, "\n", line], "talk.jsonl")
    assert next(read) == Conversation((Turn("a", "b"),), "g")
    with pytest.raises(DataError) as caught:
        next(read)
    message = str(caught.value)
    assert message.startswith("talk.jsonl, line 3")
    assert problem in message
    assert "\n" not in message


@pytest.mark.parametrize(("given_group", "group"), [("S1E1", "S1E1"), (7, "7"), (0, "0"), (None, ""), ("", "")])
def test_any_group_becomes_text(given_group: object, group: str) -> None:
    assert Conversation.from_dict({"group": given_group, "turns": []}).group == group


def test_the_group_may_be_left_out() -> None:
    assert Conversation.from_dict(json.loads('{"turns": []}')) == Conversation(())


def test_speakers_are_the_names_of_all_turns() -> None:
    assert Conversation((Turn("a", "1"), Turn("b", "2"), Turn("a", "3"))).speakers() == {"a", "b"}
