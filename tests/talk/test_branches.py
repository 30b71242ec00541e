"""Going back, editing and branching in a session: what a person sees, what is saved, what the model reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripted import talk
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.talk.choices import choices
from wolf_chatbox.talk.session import ChatSession


def texts(session: ChatSession) -> list[str]:
    return [turn.text for turn in session.history]


def test_another_reply_leaves_the_first_one_in_the_tree(tokenizer: Any) -> None:
    session = talk(tokenizer, "one", "two", "three")
    session.reply("hello")
    list(session.retry())
    assert session.branches(1) == [1, 2]
    assert texts(session) == ["hello", "two"]
    session.go(1)
    assert texts(session) == ["hello", "one"]
    session.reply("and?")
    session.go(2)
    assert texts(session) == ["hello", "two"]
    session.go(1)
    assert texts(session) == ["hello", "one", "and?", "three"], "on to the end of its branch"


def test_an_edited_message_is_answered_in_a_branch_of_its_own(tokenizer: Any) -> None:
    session = talk(tokenizer, "one", "two", "three")
    session.reply("hello")
    session.reply("bye")
    session.edit(0, " good day ")
    assert texts(session) == ["good day"]
    list(session.speak())
    assert texts(session) == ["good day", "three"]
    assert tokenizer.decode(session.voice.engine.prompts[-1]) == "Morty: good day<|endoftext|>Rick:"
    session.go(0)
    assert texts(session) == ["hello", "one", "bye", "two"]
    session.edit(1, "One!")
    assert session.history == (Turn("Morty", "hello"), Turn("Rick", "One!"))
    assert [choice.chosen.text for choice in choices(session.tree)] == ["One!"]
    with pytest.raises(ChatError, match="message is empty"):
        session.edit(0, "  ")
    with pytest.raises(ChatError, match="there is no message 8"):
        session.edit(7, "hm")


def test_going_back_and_on(tokenizer: Any) -> None:
    session = talk(tokenizer, "one", "two")
    session.reply("hello")
    session.reply("bye")
    session.back(3)
    assert texts(session) == ["hello"]
    session.go()
    assert texts(session) == ["hello", "one", "bye", "two"]
    session.undo()
    assert texts(session) == ["hello", "one"]
    session.undo()
    assert texts(session) == []
    with pytest.raises(ChatError, match="no message yet"):
        session.undo()
    session.go(3)
    assert texts(session) == ["hello", "one", "bye", "two"]
    with pytest.raises(ChatError, match="there are 4 messages to go back, not 5"):
        session.back(5)


def test_a_reply_that_is_refused_or_empty_leaves_the_chat_where_it_was(tokenizer: Any) -> None:
    session = talk(tokenizer, "one", "")
    session.reply("hello")
    assert list(session.retry()) == []
    assert texts(session) == ["hello", "one"]
    before = session.tree
    with pytest.raises(ChatError, match="the message has"):
        session.stream("goose " * 17_000)
    assert session.tree is before


def test_a_reply_that_is_stopped_is_marked_in_the_tree_and_goes_on(tokenizer: Any) -> None:
    session = talk(tokenizer, "a long and winding reply about the goose", "x")
    pieces = session.stream("hello")
    next(pieces)
    pieces.close()
    assert session.tree.last is not None
    assert session.tree.last.cut
    list(session.more())
    assert session.tree.last.text == "a long and winding reply about the goose"
    assert not session.tree.last.cut
    assert len(session.tree) == 2, "it is one message"


def test_what_was_said_meanwhile_is_not_lost(tokenizer: Any) -> None:
    session = talk(tokenizer, "a long reply about the goose", "two")
    pieces = session.stream("hello")
    next(pieces)
    session.edit(0, "good day")
    list(pieces)
    assert [message.text for message in session.tree.messages] == [
        "hello",
        "good day",
        "a long reply about the goose",
    ]
    assert texts(session) == ["hello", "a long reply about the goose"]


def test_a_saved_chat_is_the_path_for_others_and_the_tree_for_us(tokenizer: Any, tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    session = talk(tokenizer, "one", "two", "three")
    session.reply("hello")
    list(session.retry())
    session.save(path)
    assert path.read_text().count("\n") == 1
    form = json.loads(path.read_text())
    turns = [{"speaker": "Morty", "text": "hello"}, {"speaker": "Rick", "text": "two"}]
    assert (form["group"], form["turns"]) == ("chat", turns)
    [conversation] = read_conversations([str(path)])
    assert conversation.turns == session.history
    other = talk(tokenizer, "x")
    other.load_history(path)
    assert other.tree == session.tree
    assert other.branches(2) == [1, 2]


def test_chats_of_before_load(tokenizer: Any, tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    path.write_text(
        '{"group": "chat", "turns": [{"speaker": "Ann", "text": "hi"}, {"speaker": "Bob", "text": "hm"}]}\n'
    )
    session = talk(tokenizer, "x")
    session.load_history(path)
    session.reply("hello")
    assert tokenizer.decode(session.voice.engine.prompts[-1]) == (
        "Ann: hi<|endoftext|>Bob: hm<|endoftext|>Morty: hello<|endoftext|>Rick:"
    )
    (tmp_path / "empty.jsonl").write_text("")
    session.load_history(tmp_path / "empty.jsonl")
    assert session.history == ()


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"turns": [], "tree": {}}, "not a saved chat"),
        ({"turns": [], "tree": 5}, "not a saved chat"),
        (
            {"turns": [{"speaker": "Ann", "text": "hi"}], "tree": {"messages": [], "at": -1}},
            "are not those of its tree",
        ),
        ({"turns": [], "tree": {"messages": [], "at": -1, "present": 5}}, "not a saved chat"),
        (
            {"turns": [], "tree": {"messages": [{"speaker": "A", "text": "\ud83d", "heard": []}], "at": -1}},
            "not a saved chat",
        ),
    ],
)
def test_a_damaged_tree_is_one_line_and_changes_nothing(tokenizer: Any, tmp_path: Path, form: Any, says: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(form))
    session = talk(tokenizer, "one")
    session.reply("hello")
    with pytest.raises(ChatError, match=says) as caught:
        session.load_history(path)
    assert "\n" not in str(caught.value)
    assert texts(session) == ["hello", "one"]


def test_choices_are_written_for_preference_learning(tokenizer: Any, tmp_path: Path, cli: Any) -> None:
    session = talk(tokenizer, "one", "two", "three")
    session.reply("hello")
    session.save(tmp_path / "plain.jsonl")
    list(session.retry())
    session.reply("good")
    session.save(tmp_path / "chat.jsonl")
    out = tmp_path / "choices.jsonl"
    code, told = cli("preferences", str(tmp_path / "plain.jsonl"), "-o", str(out))
    assert (code, out.exists()) == (1, False)
    assert "no reply was passed over for another" in told
    both = [str(tmp_path / name) for name in ("plain.jsonl", "chat.jsonl")]
    read = "".join(
        f"{path}: {count} (conversations (JSON Lines))\n" for count, path in zip(("0 choices", "1 choice"), both)
    )
    assert cli("preferences", *both, "-o", str(out)) == (0, f"{read}1 choice in {out}\n")
    [line] = out.read_text().splitlines()
    assert json.loads(line) == {
        "prompt": [{"role": "user", "name": "Morty", "content": "hello"}],
        "chosen": [{"role": "assistant", "name": "Rick", "content": "two"}],
        "rejected": [{"role": "assistant", "name": "Rick", "content": "one"}],
    }


def test_an_earlier_reply_is_drawn_again_and_goes_on_in_a_branch_and_nothing_moves_where_nothing_comes(
    tokenizer: Any,
) -> None:
    session = talk(tokenizer, "one", "two", "three four")
    session.reply("hello")
    session.reply("bye")
    assert list(session.retry(1)) != []
    assert texts(session) == ["hello", "three four"]
    session.go(1)
    assert texts(session) == ["hello", "one", "bye", "two"]
    list(session.reword(2, "farewell"))
    assert texts(session) == ["hello", "one", "farewell", "three four"]
    session.go(2)
    before = session.tree
    with pytest.raises(ChatError, match="fit"):
        session.reword(2, "word " * 400)
    assert session.tree == before
    with pytest.raises(ChatError, match="there is no message"):
        session.retry(99)


def test_an_earlier_reply_goes_on_in_a_branch_of_its_own(tokenizer: Any) -> None:
    session = talk(tokenizer, "one two three")
    session.sampling = session.sampling.changed(max_new_tokens=2)
    session.reply("hello")
    begun = session.history[1].text
    session.reply("and?")
    list(session.more(1))
    assert session.history[1].text.startswith(begun)
    assert len(session.history[1].text) > len(begun)
    assert len(session.branches(1)) == 2
