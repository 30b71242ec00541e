"""Laws of the tree of messages: whatever a person does, nothing that was said is lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError, DataError
from wolf_chatbox.talk.choices import choices
from wolf_chatbox.talk.tree import START, Message, Tree

NAMES = ["Morty", "Rick", "ベス"]
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=8)
spoken = st.builds(
    Message,
    st.sampled_from(NAMES),
    words,
    heard=st.frozensets(st.sampled_from(NAMES)),
    drawn=st.booleans(),
    cut=st.booleans(),
    whispered=st.booleans(),
).map(lambda message: message._replace(heard=message.heard | {message.speaker}))
steps = st.lists(
    st.tuples(st.sampled_from(["say", "add", "instead", "grow", "go", "end", "back"]), st.integers(0, 99), spoken),
    max_size=20,
)


def step(tree: Tree, what: str, number: int, message: Message) -> Tree:
    """One thing that a person may do; `number` chooses a message."""
    at = number % len(tree) if len(tree) else START
    match what:
        case "say":
            return tree.say(message)
        case "add":
            return tree.add(at, message)
        case "instead" if len(tree):
            return tree.instead(at, message.text)
        case "grow" if len(tree):
            return tree.grow(at, tree.messages[at].text + message.text)
        case "go":
            return tree.go(at)
        case "end":
            return tree.go(tree.end(at))
        case "back" if tree.path():
            return tree.back(1 + number % len(tree.path()))
    return tree


def grown(what: list[tuple[str, int, Message]]) -> Tree:
    tree = Tree()
    for one in what:
        tree = step(tree, *one)
    return tree


@given(
    steps,
    st.tuples(st.sampled_from(["say", "add", "instead", "grow", "go", "end", "back"]), st.integers(0, 99), spoken),
)
def test_nothing_that_was_said_is_ever_lost(
    before: list[tuple[str, int, Message]], one: tuple[str, int, Message]
) -> None:
    tree = grown(before)
    after = step(tree, *one)
    assert len(after) >= len(tree)
    for old, new in zip(tree.messages, after.messages):
        assert new._replace(text="", cut=False) == old._replace(text="", cut=False)
        assert new.text.startswith(old.text)


@given(steps)
def test_the_path_leads_from_the_beginning_to_where_the_chat_is(what: list[tuple[str, int, Message]]) -> None:
    tree = grown(what)
    path = tree.path()
    assert [tree.messages[number].after for number in path] == [START, *path][:-1]
    assert ([START, *path])[-1] == tree.at
    assert all(tree.taken[after] == number for after, number in zip([START, *path], path))
    assert all(tree.messages[number].after == after for after, number in tree.taken.items())
    assert tree.path(tree.end(tree.at))[: len(path)] == path
    assert sorted(number for numbers in tree.branches().values() for number in numbers) == list(range(len(tree)))


@given(steps)
def test_a_tree_comes_back_from_json(what: list[tuple[str, int, Message]]) -> None:
    tree = grown(what)
    back = Tree.from_dict(json.loads(json.dumps(tree.to_dict())))
    assert (back.messages, back.at) == (tree.messages, tree.at)
    assert {at: back.end(at) for at in range(START, len(tree))} == {at: tree.end(at) for at in range(START, len(tree))}


@given(steps, st.sampled_from(NAMES))
def test_each_hears_what_it_heard_and_nothing_else(what: list[tuple[str, int, Message]], name: str) -> None:
    tree = grown(what)
    hidden = tuple(
        message if name in message.heard else message._replace(text="?", speaker="nobody") for message in tree.messages
    )
    other = Tree(hidden, tree.at, tree.taken)
    assert other.heard_by(name) == tree.heard_by(name)
    conversation = tree.conversation()
    if name in conversation.speakers():
        heard = tuple(turn[:2] for turn in conversation.turns if not turn.heard or name in turn.heard)
        assert heard == tuple(turn[:2] for turn in tree.heard_by(name)), "the file says who heard what"


@pytest.mark.parametrize(
    "form",
    [
        None,
        {},
        {"messages": {}, "at": 0},
        {"messages": [], "at": 0},
        {"messages": [], "at": True},
        {"messages": [{"speaker": "Ann", "text": "hi", "heard": [], "after": 0}], "at": 0},
        {"messages": [{"speaker": "Ann", "text": 1, "heard": []}], "at": 0},
        {"messages": [{"speaker": "Ann", "text": "hi", "heard": [2]}], "at": 0},
        {"messages": [{"speaker": "Ann", "text": "hi"}], "at": 0},
        {"messages": [{"speaker": "Ann", "text": "hi", "heard": []}], "at": 0, "taken": {"5": 0}},
        {"messages": [{"speaker": "Ann", "text": "hi", "heard": []}], "at": 0, "taken": {"-1": -1}},
        {"messages": [{"speaker": "Ann", "text": "hi", "heard": []}], "at": 0, "taken": []},
    ],
)
def test_what_is_no_tree_is_told(form: object) -> None:
    with pytest.raises(DataError, match=r"^here: not a tree of messages .*Remove it to keep the turns\.$"):
        Tree.from_dict(form, "here")


def test_going_back_further_than_the_beginning_is_told() -> None:
    tree = Tree().say(Message("Ann", "hi"))
    assert tree.back(1).at == START
    for count in (0, 2):
        with pytest.raises(ChatError, match="1 messages to go back"):
            tree.back(count)
    for number in (-1, 1):
        with pytest.raises(ChatError, match="there is no message"):
            tree.known(number)


def said(*messages: tuple[str, str, int]) -> Tree:
    """A tree of drawn replies of Rick and of messages of others: speaker, text, and the message before it."""
    tree = Tree()
    for speaker, text, after in messages:
        everybody = frozenset({"Rick", "Morty"})
        tree = tree.add(after, Message(speaker, text, heard=everybody, drawn=speaker == "Rick"))
    return tree


HELLO = (("Morty", "hello", START), ("Rick", "hm", 0), ("Rick", "hi!", 0))


def pairs(tree: Tree) -> list[tuple[str, str]]:
    return [(choice.chosen.text, choice.rejected.text) for choice in choices(tree)]


def test_going_on_after_a_reply_chooses_it() -> None:
    assert pairs(said(*HELLO)) == [], "the second one may be no better"
    [choice] = choices(said(*HELLO, ("Morty", "good", 2)))
    assert choice.to_dict() == {
        "prompt": [{"role": "user", "name": "Morty", "content": "hello"}],
        "chosen": [{"role": "assistant", "name": "Rick", "content": "hi!"}],
        "rejected": [{"role": "assistant", "name": "Rick", "content": "hm"}],
    }


def test_going_back_to_a_reply_and_editing_it_choose_it() -> None:
    assert pairs(said(*HELLO).go(1)) == [("hm", "hi!")]
    assert pairs(said(*HELLO[:2]).instead(1, "Hello, Morty.")) == [("Hello, Morty.", "hm")]


def test_choices_off_the_path_count_too() -> None:
    tree = said(*HELLO, ("Morty", "good", 2), ("Morty", "bye", START))
    assert tree.turns == (Turn("Morty", "bye"),)
    assert pairs(tree) == [("hi!", "hm")]


def test_what_is_no_choice() -> None:
    person = said(("Morty", "hello", START), ("Rick", "hm", 0)).instead(0, "good day")
    assert pairs(person.say(Message("Rick", "good day", drawn=True))) == [], "a person's messages are not drawn"
    other = said(*HELLO[:2], ("Beth", "hi!", 0), ("Morty", "good", 2))
    assert pairs(other) == [], "another speaker"
    longer = said(*HELLO[:2], ("Rick", "hm, so it is", 0), ("Morty", "good", 2))
    assert pairs(longer) == [], "the same reply, which went on"
    stopped = said(*HELLO, ("Morty", "good", 2))
    cut = tuple(message._replace(cut=number == 1) for number, message in enumerate(stopped.messages))
    assert pairs(Tree(cut, stopped.at, stopped.taken)) == []


def test_a_preference_holds_only_what_its_speaker_heard() -> None:
    tree = Tree()
    for speaker, text, heard in (("Morty", "secret", {"Morty", "Beth"}), ("Morty", "hello", {"Morty", "Beth", "Rick"})):
        tree = tree.say(Message(speaker, text, heard=frozenset(heard)))
    tree = tree.say(Message("Rick", "hm", drawn=True)).add(1, Message("Rick", "hi!", drawn=True))
    [choice] = choices(tree.say(Message("Morty", "good")))
    assert choice.context == (Turn("Morty", "hello"),)
