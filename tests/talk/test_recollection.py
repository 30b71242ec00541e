"""What comes back of earlier chats, what /why says of a reply, and the state that the last chat leaves behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_pipe import Lines

from scripted import talk
from wolf_chatbox.cli.chat import prepare
from wolf_chatbox.config import ChatConfig, SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk import state
from wolf_chatbox.talk.memory import Memory
from wolf_chatbox.talk.recollection import OFTEN, Recollection
from wolf_chatbox.talk.session import ChatSession

GOOSE = "My goose Gertrude laid a golden egg"


def remembering(tokenizer: Any, *replies: str, **settings: Any) -> ChatSession:
    session = talk(tokenizer, *replies, context=512, **settings)
    session.recollection = Recollection(Memory())
    return session


def prompt(session: ChatSession) -> str:
    return str(session.voice.renderer.tokenizer.decode(session.voice.engine.prompts[-1]))


def earlier(tokenizer: Any) -> None:
    session = remembering(tokenizer, "Keep it warm.")
    session.reply(GOOSE)
    session.keep()


def test_what_was_said_in_an_earlier_chat_comes_back_where_it_fits(tokenizer: Any) -> None:
    earlier(tokenizer)
    session = remembering(tokenizer, "She does.", "Hm.")
    session.reply("Does Gertrude still lay golden eggs?")
    assert prompt(session) == (
        f"Morty: {GOOSE}<|endoftext|>Rick: Keep it warm.<|endoftext|>"
        "Morty: Does Gertrude still lay golden eggs?<|endoftext|>Rick:"
    )
    assert session.history == (Turn("Morty", "Does Gertrude still lay golden eggs?"), Turn("Rick", "She does."))
    session.reset()
    session.reply("Good morning")
    assert prompt(session) == "Morty: Good morning<|endoftext|>Rick:"


def test_nothing_comes_back_for_one_who_was_not_there(tokenizer: Any) -> None:
    earlier(tokenizer)
    session = remembering(tokenizer, "Hm.")
    session.invite("Beth")
    session.reply("Does Gertrude still lay golden eggs?", to="Beth")
    assert GOOSE not in prompt(session)
    list(session.speak("Rick"))
    assert GOOSE in prompt(session)


def test_a_whisper_comes_back_for_the_one_who_heard_it(tokenizer: Any) -> None:
    session = remembering(tokenizer, "Keep it warm.")
    session.invite("Beth")
    list(session.whisper("Beth", GOOSE))
    session.reset()
    for name, knows in (("Rick", False), ("Beth", True)):
        session.reply("Does Gertrude still lay golden eggs?", to=name)
        assert (GOOSE in prompt(session)) is knows


def test_what_is_recalled_leaves_room_for_the_chat(tokenizer: Any) -> None:
    renderer = talk(tokenizer, "hm").voice.renderer
    recalled = tuple((Turn("Rick", f"the goose number {number}"), Turn("Morty", "honk")) for number in range(9))
    turns = tuple(Turn("Morty", f"hello {number}") for number in range(40))
    scene = Scene(turns, speaker="Rick", recalled=recalled)
    for room in (40, 80, 200):
        ids = renderer.prompt(scene, room)
        assert len(ids) <= room
        text = tokenizer.decode(ids)
        sizes = [sum(len(renderer.turn(turn, scene)) for each in recalled[at:] for turn in each) for at in range(9)]
        assert text.count("goose") == text.count("honk") == sum(size <= room // 4 for size in sizes)
        assert text.endswith("hello 39<|endoftext|>Rick:")
        assert text.count("hello") == renderer.held(scene, room)
    long = Scene((Turn("Morty", "goose " * 20),), speaker="Rick", recalled=recalled)
    alone = len(renderer.prompt(Scene(long.turns, speaker="Rick"), 999))
    assert "number" not in tokenizer.decode(renderer.prompt(long, alone)), "the message comes first"


def test_a_chat_is_kept_as_it_goes_on(tokenizer: Any) -> None:
    session = remembering(tokenizer, "hm", "so it is")
    for _ in range(OFTEN // 2):
        assert Memory().forget(("Rick", "Morty")) == 0
        session.reply("hello")
    assert Memory().forget(("Rick", "Morty")) == 1


@pytest.fixture
def lines(tokenizer: Any, capsys: pytest.CaptureFixture[str]) -> Lines:
    return Lines(talk(tokenizer, "one", "two", "three", "four"), capsys)


def test_why(lines: Lines, tokenizer: Any) -> None:
    assert lines("/why\n")[1] == "error: no reply was drawn yet. Send a message first.\n"
    told = lines("hello\n/why\n")[1].splitlines()
    assert told[0].startswith("Rick read 1 of 1 turns heard so far: ")
    assert told[1].startswith("Engine: scripted, seed ")
    assert len(told) == 2
    earlier(tokenizer)
    prepare(lines.session, ChatConfig(remember=True), print)
    told = lines("Good morning\n/why\n")[1].splitlines()
    assert told[-1] == "Nothing of earlier chats fits."
    told = lines("Does Gertrude still lay golden eggs?\n/why\n")[1].splitlines()
    assert told[-1].startswith("Recalled from 2")
    assert "gertrude" in told[-1]
    assert told[-1].endswith(f": Morty: {GOOSE} / Rick: Keep it warm.")


def test_why_shows_what_there_was_to_choose_from(tiny_gpt2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = ChatSession.load(tiny_gpt2, sampling=SamplingConfig(max_new_tokens=4, best_of=3), seed=1)
    told = Lines(session, capsys)("hello\n/why\n")[1].splitlines()
    assert "Best of 3, by mean log-probability less repetition:" in told
    assert [line[0] for line in told[-3:]].count("*") == 1


def test_forgetting(lines: Lines, tokenizer: Any) -> None:
    earlier(tokenizer)
    prepare(lines.session, ChatConfig(remember=True), print)
    assert lines("hello\n/forget\n")[1] == "Forgotten: 1 chat with Rick. This one is not kept in memory.\n"
    lines.session.keep()
    assert Memory().forget() == 0


def test_the_settings_of_the_command_line(tokenizer: Any) -> None:
    session = talk(tokenizer, "hm")
    prepare(session, ChatConfig(invite=("beth",), next="turn"), print)
    assert (session.present, session.next, session.recollection) == (("Rick", "Beth"), "turn", None)


@pytest.fixture
def chatted(tiny_gpt2: Path, tmp_path: Path) -> tuple[ChatSession, Path]:
    session = ChatSession.load(tiny_gpt2, sampling=SamplingConfig(max_new_tokens=4), seed=1, engine="torch")
    session.reply("hello, and a long story about the goose in the house")
    return session, tmp_path / "chat.state"


def fresh(tiny_gpt2: Path) -> ChatSession:
    return ChatSession.load(tiny_gpt2, sampling=SamplingConfig(max_new_tokens=4), seed=1, engine="torch")


def test_what_the_engine_has_read_is_there_after_a_restart(
    chatted: tuple[ChatSession, Path], tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, path = chatted
    assert session.write_state(path)
    assert path.stat().st_mode & 0o777 == 0o600
    other = fresh(tiny_gpt2)
    assert state.read_state(other.voice.engine, path)
    read: list[int] = []
    decoder = other.voice.engine.decoder
    whole = type(decoder).read
    monkeypatch.setattr(
        type(decoder), "read", lambda self, feeds: read.extend(len(feed.ids) for feed in feeds) or whole(self, feeds)
    )
    other.history = session.history
    again = fresh(tiny_gpt2)
    again.history = session.history
    assert other.reply("and then?") == again.reply("and then?"), "it is the same chat"
    assert read[0] < 20 < len(other.voice.prompt(Scene(session.history, "user"), other.sampling))


def test_a_state_that_does_not_fit_or_is_not_ours_is_left(
    chatted: tuple[ChatSession, Path], tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, path = chatted
    assert session.write_state(path)
    engine = fresh(tiny_gpt2).voice.engine
    path.chmod(0o644)
    assert not state.read_state(engine, path), "others could have read it"
    path.chmod(0o600)
    with monkeypatch.context() as somebody:
        somebody.setattr(os, "getuid", lambda: 12345)
        assert not state.read_state(engine, path)
    with monkeypatch.context() as small:
        small.setattr(state, "MOST_BYTES", 10)
        assert not session.write_state(path)
    with np.load(path) as saved:
        parts = dict(saved)
    for part, value in (
        ("fingerprint", np.array("another")),
        ("state", parts["state"][:-8]),
        ("ids", np.array(["x"])),
        ("ids", None),
    ):
        changed = {name: array for name, array in (parts | {part: value}).items() if array is not None}
        with path.open("wb") as file:
            np.savez(file, **changed)
        assert not state.read_state(engine, path)
    for content in (b"", b"PK\x03\x04", b"\x80\x04K\x01.", b"\x93NUMPY\x01\x00"):
        path.write_bytes(content)
        assert not state.read_state(engine, path)
    assert not state.read_state(engine, path.with_name("none"))
    assert not session.write_state(path.with_name("nowhere") / "chat.state")
