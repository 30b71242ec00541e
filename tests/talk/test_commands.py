"""What the commands of a chat do beside drawing replies: swipes, branches, files, searches, votes, languages, times."""

from __future__ import annotations

import io
import json
import re
import stat
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from scripted import talk
from told import Told, carry_out
from wolf_chatbox.errors import ChatError
from wolf_chatbox.talk.archive import Archive
from wolf_chatbox.talk.commands import Commands
from wolf_chatbox.talk.menu import COMMANDS, menu
from wolf_chatbox.talk.pipe import answer_lines
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.shelf import Shelf, last_chat
from wolf_chatbox.talk.tree import Message
from wolf_chatbox.words import words_of

EVIL = "\x1b]52;c;aGk=\x07\x1b[2J\x9b31m\x1b]8;;http://a.b\x1b\\\u202e\u2066\x7f\x08\rFAKE"


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def commands(tokenizer: Any, told: Told) -> Commands:
    return Commands(talk(tokenizer, "one", "two", "three", "four"), told)


# Swipes and branches


def test_replies_are_swiped_and_past_the_last_one_another_is_drawn(commands: Commands) -> None:
    assert carry_out(commands, "hello", "/next", "/back", "/next", "/next") == ["one", "two", "one", "two", "three"]
    session = commands.session
    assert [turn.text for turn in session.history] == ["hello", "three"]
    assert len(session.tree) == 4, "a swipe draws nothing that is there"
    assert carry_out(commands, "/back", "and then?") == ["two", "four"]
    assert [turn.text for turn in session.history] == ["hello", "two", "and then?", "four"]


def test_there_is_no_reply_before_the_first(commands: Commands) -> None:
    with pytest.raises(ChatError, match="no reply yet"):
        commands.answer("/back")
    carry_out(commands, "hello")
    before = commands.session.tree
    with pytest.raises(ChatError, match="the first reply"):
        commands.answer("/back")
    assert commands.session.tree is before


def test_an_edited_reply_is_an_alternative_and_a_message_in_its_place_is_none(commands: Commands) -> None:
    carry_out(commands, "hello", "/edit 2 One!")
    assert carry_out(commands, "/back", "/next") == ["one", "One!"]
    carry_out(commands, "/undo 1", "in its place")
    assert [turn.text for turn in commands.session.history] == ["hello", "in its place", "two"]
    carry_out(commands, "/go 2")
    assert carry_out(commands, "/next") == ["One!"]
    assert carry_out(commands, "/next") == ["three"], "what the person said there is no reply"


def test_the_old_words_still_work_where_they_name_something(commands: Commands, told: Told) -> None:
    commands.session.invite("Beth")
    assert carry_out(commands, "@Rick hello", "/next Beth", "/speak Rick") == ["one", "two", "three"]
    assert [turn.speaker for turn in commands.session.history] == ["Morty", "Rick", "Beth", "Rick"]
    carry_out(commands, "/back 2")
    assert told.lines[-1] == "2 Rick: one"
    carry_out(commands, "/go", "/undo 2", "/undo")
    assert told.lines[-2:] == ["2 Rick: one", "Taken back: Rick hello"]


def test_a_branch_begins_after_the_message_that_is_named(commands: Commands, told: Told) -> None:
    carry_out(commands, "hello", "again", "/branch 2", "elsewhere")
    assert [turn.text for turn in commands.session.history] == ["hello", "one", "elsewhere", "three"]
    assert told.lines[:2] == ["2 Rick: one", "What is said next begins a branch here."]
    carry_out(commands, "/branch")
    assert told.lines[-1].splitlines()[-1] == "* 6 Rick: three"
    with pytest.raises(ChatError, match="no message 99"):
        commands.answer("/branch 99")


# Files


def test_a_chat_is_exported_and_nothing_is_replaced_unasked(commands: Commands, told: Told, tmp_path: Path) -> None:
    carry_out(commands, "hello")
    for name in ("chat.md", "chat.jsonl"):
        carry_out(commands, f"/export {tmp_path / name}")
        assert told.lines[-1] == f"Written to {tmp_path / name}."
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        with pytest.raises(Exception, match=r"already exists. Use /export! FILE"):
            commands.answer(f"/export {tmp_path / name}")
        carry_out(commands, f"/export! {tmp_path / name}")
    assert "**Rick:** one" in (tmp_path / "chat.md").read_text()
    assert json.loads((tmp_path / "chat.jsonl").read_text())["turns"][1]["text"] == "one"
    with pytest.raises(ChatError, match=r"neither .md nor .jsonl"):
        commands.answer(f"/export {tmp_path / 'chat.txt'}")


def test_each_chat_is_kept_beside_the_others_and_found_again(tokenizer: Any, tmp_path: Path) -> None:
    def chat(*lines: str) -> tuple[Commands, Told]:
        told, shelf = Told(), Shelf(tmp_path / "home", "rick")
        commands = Commands(talk(tokenizer, "one", "two", "three"), told, shelf=shelf)
        for line in lines:
            carry_out(commands, line)
            shelf.keep(commands.session)
        return commands, told

    chat("the moon is full", "again")
    chat("no moon today", "/reset", "nor here")
    archive = Archive(tmp_path / "home" / "chats")
    assert sorted(len(kept.turns) for kept in archive.all()) == [2, 2, 4]
    assert {kept.about["run"] for kept in archive.all()} == {"rick"}
    commands, told = chat("/search FULL moon", "/load 1", "and then?")
    assert re.fullmatch(
        r"Found in one message; /load 1 opens the chat:\n  1  [\d-]+ Morty: the moon is full", told.lines[0]
    )
    assert [turn.text for turn in commands.session.history][:5] == [
        "the moon is full",
        "one",
        "again",
        "two",
        "and then?",
    ]
    assert sorted(len(kept.turns) for kept in archive.all()) == [2, 2, 6], "the chat that is opened goes on in its file"
    commands, told = chat("/load", "more")
    assert sorted(len(kept.turns) for kept in archive.all()) == [2, 2, 8], "and so does the last one"
    with pytest.raises(ChatError, match="found 0 messages, not 2"):
        commands.answer("/load 2")
    carry_out(commands, "/search nothing of the kind")
    assert told.lines[-1] == "Nobody said that: nothing of the kind"


def test_the_last_chat_of_an_earlier_version_is_not_lost(tokenizer: Any, tmp_path: Path) -> None:
    last_chat().parent.mkdir(parents=True)
    old = '{"turns": [{"speaker": "Morty", "text": "of old"}]}\n'
    last_chat().write_text(old)
    shelf = Shelf(tmp_path / "home")
    session = talk(tokenizer, "one")
    session.reply("hello")
    shelf.keep(session)
    assert {kept.turns[0].text for kept in Archive(tmp_path / "home" / "chats").all()} == {"of old", "hello"}
    last_chat().write_text(old)
    again, shelf = talk(tokenizer, "one"), Shelf(tmp_path / "home")
    shelf.load_last(again)
    again.reply("I am back")
    shelf.keep(again)
    texts = [[turn.text for turn in kept.turns] for kept in Archive(tmp_path / "home" / "chats").all()]
    assert ["of old", "I am back", "one"] in texts
    assert len(texts) == 3


def test_what_a_chat_is_called_on_the_page_stays(tokenizer: Any, tmp_path: Path) -> None:
    shelf, session = Shelf(tmp_path, "rick"), talk(tokenizer, "one", "two")
    session.reply("hello")
    shelf.keep(session)
    [kept] = Archive(tmp_path / "chats").all()
    Archive(tmp_path / "chats").keep(kept.id, kept.tree, kept.present, {**kept.about, "title": "A greeting"})
    session.reply("again")
    shelf.keep(session)
    [kept] = Archive(tmp_path / "chats").all()
    assert (kept.title, len(kept.turns)) == ("A greeting", 4)


def test_a_chat_that_goes_on_elsewhere_too_is_kept_twice_and_loses_nothing(tokenizer: Any, tmp_path: Path) -> None:
    shelf, session = Shelf(tmp_path), talk(tokenizer, "one", "two", "three")
    session.reply("hello")
    shelf.keep(session)
    archive = Archive(tmp_path / "chats")
    [kept] = archive.all()
    other = kept.tree.say(Message("Morty", "on the page"))
    archive.keep(kept.id, other, kept.present, kept.about)
    for text in ("again", "and again"):
        session.reply(text)
        shelf.keep(session)
    assert {tuple(turn.text for turn in each.turns) for each in archive.all()} == {
        ("hello", "one", "on the page"),
        ("hello", "one", "again", "two", "and again", "three"),
    }
    [kept] = [each for each in archive.all() if len(each.turns) == 6]
    archive.keep(kept.id, kept.tree.say(Message("Morty", "on the page too")), kept.present, kept.about)
    shelf, session = Shelf(tmp_path), talk(tokenizer, "four")
    shelf.load_last(session)
    session.reply("here")
    shelf.keep(session)
    assert sorted(each.turns[-1].text for each in archive.all()) == ["four", "on the page", "on the page too"]


# This program


def test_the_language_changes_and_so_does_everything_that_is_said(commands: Commands, told: Told) -> None:
    carry_out(commands, "/lang ja", "/reset", "/lang")
    assert told.lines == [
        "このチャットは日本語で表示します。",
        "新しい会話を始めます。",
        "このチャットは日本語で表示します。",
    ]
    with pytest.raises(ChatError, match="/lang: fr は使えません。en、ja"):
        commands.answer("/lang fr")
    with pytest.raises(ChatError, match="という設定はありません"):
        commands.answer("/set volume=3")
    carry_out(commands, "/lang EN")
    assert told.lines[-1] == "This chat is in English."


def test_the_time_of_a_reply_is_told_on_request(commands: Commands, told: Told) -> None:
    carry_out(commands, "hello")
    assert commands.took() == ""
    carry_out(commands, "/time on", "again")
    found = re.fullmatch(r"([\d.]+) s · (\d+) tokens, [\d.]+ a second · first words after ([\d.]+) s", commands.took())
    assert found
    drawn = commands.session.drawn
    assert drawn is not None
    assert int(found[2]) == drawn.reply.drawn > 0
    assert float(found[3]) <= float(found[1])
    carry_out(commands, "/retry", "/back")
    assert commands.took() == "", "nothing was drawn"
    carry_out(commands, "/time off", "once more")
    assert commands.took() == ""
    with pytest.raises(ChatError, match="neither on nor off"):
        commands.answer("/time maybe")


def test_both_languages_have_all_the_words_of_the_terminal() -> None:
    def texts(words: Any, above: str = "") -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in words.items():
            if isinstance(value, str):
                found[above + key] = value
            else:
                found |= texts(value if "other" not in value else {"": value["other"]}, f"{above}{key}.")
        return found

    english, japanese = (texts(words_of(code).texts["terminal"]) for code in ("en", "ja"))
    assert set(english) == set(japanese)
    for key, text in english.items():
        fields = [{name for _, name, _, _ in Formatter().parse(one) if name} for one in (text, japanese[key])]
        assert fields[0] == fields[1], key
    for code in ("en", "ja"):
        rows = [row for _, group in menu(words_of(code)) for row in group]
        assert [usage.split()[0] for usage, _ in rows] == list(COMMANDS)
        assert len({meaning for _, meaning in rows}) == len(rows)


def test_each_command_of_the_list_is_known(
    tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in (*COMMANDS, "/unheard-of"):
        answer_lines(talk(tokenizer, "hm"), io.StringIO(command), io.StringIO())
        assert ("no such command" in capsys.readouterr().err) == (command == "/unheard-of")


# Text from outside


def test_nothing_from_data_models_or_files_is_obeyed(
    tokenizer: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name, user = f"Rick\n{EVIL}", f"Mo{EVIL}rty"
    speakers = {name: 2, user: 2, f"Be\nth{EVIL}": 1}
    session: ChatSession = talk(tokenizer, f"a {EVIL} word", persona=name, user=user, speakers=speakers)
    archive = Archive(tmp_path / "home" / "chats")
    session.reply("moon")
    archive.keep("old", session.tree, session.present, {"run": EVIL, "title": EVIL})
    lines = [f"moon {EVIL[-5:]}", "/persona", "/next", "/back", "/branches", "/branch 1", "/search moon", "/load 1"]
    lines += [f"/invite Be{EVIL[:3]}", f"/{EVIL[:5]}", f"/lang {EVIL[:9]}", f"/set {EVIL[:9]}=1", "/why", "/forget"]
    lines += [f"/export x{EVIL[:4]}.md", "/load nowhere", "/edit", "/undo", "/help", "/lang ja"]
    out = io.StringIO()
    answer_lines(session, io.StringIO("\n".join(lines)), out, shelf=Shelf(tmp_path / "home"))
    shown = out.getvalue() + capsys.readouterr().err
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", shown)
    assert "␛]52;c;aGk=" in shown
    assert "Rick␊␛" in shown
    assert len(out.getvalue().splitlines()) == out.getvalue().count("\n"), "a reply is one line"
