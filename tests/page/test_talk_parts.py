"""What the talk page shows, worked out without a browser: the lines of a thread, the spans of sliders, names."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from scripted import talk
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.page.pages.talk.chats import address, day
from wolf_chatbox.page.pages.talk.people import call
from wolf_chatbox.page.pages.talk.transcript import Line, Transcript
from wolf_chatbox.page.pages.talk.tuning import FIRST, span
from wolf_chatbox.page.room import Drawing, Room
from wolf_chatbox.page.rooms import Rooms
from wolf_chatbox.settings import declared
from wolf_chatbox.talk.tree import Message, Tree
from wolf_chatbox.words import languages, words_of

TREE = Tree.of([Turn("Zoe", "Hi"), Turn("Ann", "Honk"), Turn("Zoe", "Bye"), Turn("Ann", "Quack")])


def room_of(tree: Tree = TREE) -> Room:
    about = {"run": "goose", "persona": "Ann", "user": "Zoe"}
    return Room("one", about, tree, ("Ann", "Bob"), cast("Rooms", None))


def shown(room: Room) -> list[tuple[str, str, bool]]:
    return [(line.speaker, line.text, line.growing) for line in Transcript(room).lines()]


def test_lines_say_whose_they_are_and_what_can_be_done_with_them() -> None:
    lines = Transcript(room_of(TREE.instead(3, "Hiss"))).lines()
    assert [line.mine for line in lines] == [True, False, True, False]
    assert [line.reply for line in lines] == [False, True, False, True]
    assert [line.last for line in lines] == [False, False, False, True]
    assert (lines[3].place, lines[3].of, lines[3].number) == (1, 2, 4)


def test_a_message_before_it_is_in_the_tree_stands_before_its_reply() -> None:
    room = room_of()
    room.drawing = Drawing(asked="Well?")
    assert shown(room)[-2:] == [("Zoe", "Well?", False), ("Ann", "", True)]
    assert shown(room)[:-2] == [(turn.speaker, turn.text, False) for turn in TREE.turns]


def test_a_reply_that_is_drawn_takes_the_place_of_the_old_one_until_it_is_there() -> None:
    room = room_of()
    room.drawing = Drawing("Ann", "Mo", instead=1, entered=True, known=4)
    assert shown(room) == [("Zoe", "Hi", False), ("Ann", "Mo", True)]
    room._tree = TREE.instead(1, "Moo")  # the thread has added it, and the loop does not know yet
    assert shown(room) == [("Zoe", "Hi", False), ("Ann", "Moo", False)]


def test_a_reply_that_goes_on_shows_its_beginning_and_one_for_the_field_shows_nothing() -> None:
    room = room_of()
    room.drawing = Drawing("Ann", "quack", instead=3, begun="Quack", entered=True, known=4)
    assert shown(room)[-1] == ("Ann", "Quackquack", True)
    room.drawing = Drawing("Zoe", "I say", own=True)
    assert len(shown(room)) == 4


def test_whispers_and_what_is_hostile_are_shown_as_such() -> None:
    aside = Message("Zoe", "psst \u202ex\x1b[m", heard=frozenset({"Zoe", "Bob"}), whispered=True)
    room = room_of(TREE.say(aside))
    assert Transcript(room).lines()[-1] == Line(
        4, "Zoe", "psst [U+202E]x␛[m", True, whispered=("Bob",), last=True, of=1
    )
    room.drawing = Drawing("Bob", "What?", entered=True, known=5)
    assert Transcript(room).lines()[-1].whispered == ("Zoe",)


def test_where_the_chat_went_back_it_goes_on() -> None:
    transcript = Transcript(room_of(TREE.go(1)))
    transcript.lines()
    assert transcript.goes_on
    assert not Transcript(room_of()).goes_on


@pytest.mark.parametrize("name", [field.name for field in fields(SamplingConfig)])
def test_every_setting_has_words_and_a_slider_within_its_range(name: str) -> None:
    setting = declared(SamplingConfig)[name]
    least, most, step = span(setting)
    for value in (least, most, least + step):
        assert getattr(SamplingConfig(**cast("Any", {name: int(value) if setting.whole else value})), name) == value
    assert least <= setting.default <= most
    for language in languages():
        assert words_of(language)(f"talk.tuning.{name}.name")
    assert set(FIRST) <= set(declared(SamplingConfig))


def test_a_name_that_somebody_has_is_refused_and_a_new_one_has_heard_what_the_old_one_heard(tokenizer: Any) -> None:
    session, words = talk(tokenizer, "Hm."), words_of("en")
    session.reply("hello")
    for name in ("", "Rick"):
        with pytest.raises(ChatError):
            call(session, name, words)
    call(session, "Zoe", words)
    assert session.user == "Zoe"
    assert all("Zoe" in message.heard for message in session.tree.messages)


def test_addresses_and_days() -> None:
    assert address("a b", 3) == "/talk/a%20b?at=3"
    now = datetime.now()
    assert day(now) == f"{now:%H:%M}"
    assert day(now - timedelta(days=40)) == f"{now - timedelta(days=40):%Y-%m-%d}"
