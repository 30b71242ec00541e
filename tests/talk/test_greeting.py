"""A character with a card: it begins a new chat, and its briefing is in its own prompts alone."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from scripted import talk
from serving import asked, make_served, post
from told import Told, carry_out
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.model.record import read_run
from wolf_chatbox.page.room import Room
from wolf_chatbox.page.rooms import Rooms
from wolf_chatbox.samples.briefing import Cards
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.archive import Archive
from wolf_chatbox.talk.commands import Commands
from wolf_chatbox.talk.memory import Memory
from wolf_chatbox.talk.pipe import answer_lines
from wolf_chatbox.talk.recollection import Recollection
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.shelf import Shelf, last_chat
from wolf_chatbox.talk.terminal import talk as chat_on_terminal
from wolf_chatbox.talk.tree import Message

SECRET = "Rick keeps geese for {{user}}."
CARDS = Cards({"Rick": SECRET, "Beth": "Beth hates geese."}, {"Rick": "Ahoy, {{user}}.", "Beth": "You."}, "Morty")


@pytest.fixture
def session(tokenizer: Any) -> ChatSession:
    found = talk(tokenizer, "one", "two", "three", "four")
    found.voice = replace(found.voice, cards=CARDS)
    return found


def prompt_of(session: ChatSession) -> str:
    """What the model read before the last reply."""
    assert session.drawn is not None
    return str(session.voice.renderer.tokenizer.decode(session.drawn.reply.prompt))


def texts(session: ChatSession) -> list[str]:
    return [turn.text for turn in session.history]


# The greeting


def test_a_new_chat_begins_with_the_greeting(session: ChatSession) -> None:
    greeting = session.greet()
    assert greeting == Message("Rick", "Ahoy, Morty.", heard=frozenset({"Rick", "Morty"}), greeting=True)
    assert session.greet() is None, "once"
    session.reply("hello")
    assert texts(session) == ["Ahoy, Morty.", "hello", "one"]
    assert "Rick: Ahoy, Morty.<|endoftext|>Morty: hello<|endoftext|>Rick:" in prompt_of(session)


def test_the_greeting_names_whoever_talks(session: ChatSession) -> None:
    session.user = "Jerry"
    session.greet()
    session.reply("hello")
    assert texts(session)[0] == "Ahoy, Jerry."
    assert prompt_of(session).startswith("system: Rick keeps geese for Jerry.<|endoftext|>Rick: Ahoy")


def test_without_a_card_nobody_greets(tokenizer: Any) -> None:
    session = talk(tokenizer, "one")
    assert session.greet() is None
    session.reply("hello")
    assert prompt_of(session) == "Morty: hello<|endoftext|>Rick:"
    assert "greeting" not in json.dumps(session.tree.to_dict())


def test_another_greeting_is_drawn_and_the_first_one_stays(session: ChatSession) -> None:
    session.greet()
    assert "".join(session.retry()) == "one"
    assert prompt_of(session) == "system: Rick keeps geese for Morty.<|endoftext|>Rick:"
    assert session.branches(0) == [0, 1]
    session.go(0)
    assert texts(session) == ["Ahoy, Morty."]
    session.reply("hello")
    session.back(3)
    session.reply("straight on")
    assert texts(session) == ["straight on", "three"]
    session.edit(0, "Hm.")
    assert texts(session) == ["Hm."]
    assert not session.tree.greeted


def test_another_persona_greets_in_its_place(session: ChatSession) -> None:
    session.greet()
    session.become("Beth")
    assert [(turn.speaker, turn.text) for turn in session.history] == [("Beth", "You.")]
    session.reply("hello")
    session.become("Rick")
    assert texts(session) == ["You.", "hello", "one"], "what was said stays"


def test_a_greeting_is_kept_nowhere_by_itself(session: ChatSession, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "home", "run")
    session.recollection = Recollection(Memory(tmp_path / "memory"))
    session.greet()
    shelf.keep(session)
    session.keep()
    assert not last_chat().exists()
    assert not shelf.archive or not shelf.archive.all()
    assert not list(tmp_path.glob("memory/*"))
    session.reply("hello")
    shelf.keep(session)
    assert shelf.archive is not None
    [kept] = shelf.archive.all()
    assert kept.title == "hello", "many chats begin with the same greeting"
    assert kept.tree == session.tree, "the file tells the greeting from what was said"


def test_reset_greets_again(session: ChatSession) -> None:
    told = Told()
    commands = Commands(session, told)
    assert carry_out(commands, "hello", "/reset", "/retry") == ["one", "two"]
    assert told.lines[-1] == "Rick: Ahoy, Morty."


def test_the_terminal_shows_the_greeting(session: ChatSession, capsys: pytest.CaptureFixture[str]) -> None:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("hello\r/quit\r")
        chat_on_terminal(session)
    shown = capsys.readouterr().out.splitlines()
    assert shown.index("Rick: Ahoy, Morty.") < shown.index("Rick: one")


def test_through_a_pipe_nobody_greets(session: ChatSession) -> None:
    out = io.StringIO()
    assert answer_lines(session, io.StringIO("hello\n/reset\nagain\n"), out)
    assert out.getvalue() == "one\ntwo\n"
    assert texts(session) == ["again", "two"]


class Hall:
    """Characters of whom one is there."""

    def __init__(self, served: Any) -> None:
        self.one = served

    async def served(self, run: str) -> Any:
        return self.one


def test_the_page_shows_the_greeting_and_keeps_what_follows(tokenizer: Any, tmp_path: Path) -> None:
    served = make_served(tokenizer)
    voice = replace(served.character.voice, cards=CARDS)
    served = replace(served, character=replace(served.character, voice=voice))
    rooms = Rooms(Hall(served), Archive(tmp_path / "chats"))  # type: ignore[arg-type]

    async def work() -> Room:
        room = rooms.new("run")
        await room.ready()
        assert [turn.text for turn in room.tree.turns] == ["Ahoy, Morty."]
        await room.tune(temperature=0.5)
        assert not rooms.archive.all(), "a greeting alone is not kept"
        await room.draw(lambda session: session.stream("hello"))
        assert [turn.text for turn in room.tree.turns][:2] == ["Ahoy, Morty.", "hello"]
        assert room.title == "hello"
        return room

    room = asyncio.run(work())
    [kept] = rooms.archive.all()
    assert kept.tree == room.tree


# The briefing


def test_each_of_a_group_knows_its_own_card_alone(session: ChatSession) -> None:
    session.invite("Beth")
    session.reply("hello", to="Rick")
    assert "keeps geese for Morty" in prompt_of(session)
    assert "hates geese" not in prompt_of(session)
    session.reply("hello", to="Beth")
    assert "hates geese" in prompt_of(session)
    assert "keeps geese" not in prompt_of(session)
    "".join(session.impersonate())
    assert session.voice.cards.brief(Scene((Turn("Rick", "hm"),), speaker="Morty")).opening == ""


def test_who_speaks_next_is_asked_without_a_card(session: ChatSession, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_of: list[list[int]] = []

    def scores(pairs: Any) -> list[list[float]]:
        asked_of.extend(start for start, _ in pairs)
        return [[-1.0] for _ in pairs]

    monkeypatch.setattr(session.voice.engine, "scores", scores, raising=False)
    session.voice.who_speaks(Scene((Turn("Morty", "hi"),)), ["Rick", "Beth"])
    assert asked_of
    assert not any("geese" in session.voice.renderer.tokenizer.decode(ids) for ids in asked_of)


def test_the_api_uses_the_briefing_and_adds_no_turn(tokenizer: Any) -> None:
    served = make_served(tokenizer)
    plain = post(served, "/v1/chat/completions", asked(seed=7)).json()["usage"]["prompt_tokens"]
    voice = replace(served.character.voice, cards=CARDS)
    briefed = replace(served, character=replace(served.character, voice=voice))
    found = post(briefed, "/v1/chat/completions", asked(seed=7)).json()["usage"]["prompt_tokens"]
    briefing = voice.renderer.start(Scene((), opening="Rick keeps geese for Morty.", narrator="system"), 256)
    assert found == plain + len(briefing)


def test_what_a_client_tells_takes_the_place_of_the_card() -> None:
    told = Scene((Turn("system", "You are a goose."), Turn("Morty", "hi")), speaker="Rick")
    assert CARDS.brief(told) is told
    view = Scene((), speaker="Rick", opening="You are a werewolf.", narrator="moderator")
    assert CARDS.brief(view) is view


def test_a_run_speaks_by_its_card(config: Any, tmp_path: Path) -> None:
    """From the files to the chat: the card is in the record, in the prompt and before the first message."""
    from wolf_chatbox.training.loop import train

    card = {
        **{"name": "bob", "description": "{{char}} counts geese for {{user}}.", "personality": "", "scenario": ""},
        **{"first_mes": "Another goose, {{user}}!", "mes_example": "<START>\n{{user}}: How many?\n{{char}}: All."},
    }
    (tmp_path / "bob.json").write_text(json.dumps(card))
    settings = config(persona="Bob", epochs=1)
    settings = replace(settings, data=(*settings.data, str(tmp_path / "bob.json")))
    train(settings)
    run = read_run(settings.output) or {}
    assert run["briefings"] == {"Bob": "bob counts geese for {{user}}."}
    assert run["greetings"] == {"Bob": "Another goose, {{user}}!"}
    assert run["data"]["speakers"]["Bob"] > 20
    assert "user" not in run["data"]["speakers"]
    session = ChatSession.load(
        settings.output, engine="torch", seed=1, sampling=SamplingConfig(max_new_tokens=2, temperature=0)
    )
    session.greet()
    session.reply("hello")
    assert texts(session)[:2] == ["Another goose, Ann!", "hello"]
    assert prompt_of(session) == (
        "system: bob counts geese for Ann.<|endoftext|>Bob: Another goose, Ann!<|endoftext|>Ann: hello<|endoftext|>Bob:"
    )
