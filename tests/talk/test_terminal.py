"""The chat on a terminal."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.layout.processors import TransformationInput
from prompt_toolkit.output import DummyOutput
from rich.cells import cell_len

from scripted import talk
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines.sampling import Token
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.completion import Names
from wolf_chatbox.talk.editor import Shown
from wolf_chatbox.talk.menu import COMMANDS
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.shelf import last_chat, last_state
from wolf_chatbox.talk.terminal import talk as chat_on_terminal
from wolf_chatbox.visible import visible
from wolf_chatbox.words import words_of

COMMAND = "from wolf_chatbox.cli import main; main()"


class Narrow(DummyOutput):
    """A terminal of 30 columns."""

    def get_size(self) -> Size:
        return Size(rows=40, columns=30)


@pytest.fixture
def on_terminal(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[str]]:
    """Types lines into a chat on a terminal of 30 columns; returns the lines that the chat prints."""

    def chat(session: Any, *typed: str) -> list[str]:
        with create_pipe_input() as keys, create_app_session(input=keys, output=Narrow()):
            for line in typed:
                keys.send_text(f"{line}\r")
            keys.send_text("/quit\r")
            chat_on_terminal(session)
        return capsys.readouterr().out.splitlines()

    return chat


def test_replies_are_wrapped_marked_and_go_on(tokenizer: Any, on_terminal: Callable[..., list[str]]) -> None:
    text = "a long and winding reply about the grumpy goose, who lives in the house of the innkeeper."
    session = talk(tokenizer, text, sampling=SamplingConfig(max_new_tokens=40))
    shown = on_terminal(session, "hello", "/more")[1:-1]
    at = next(number for number, line in enumerate(shown) if line.startswith("Rick: …"))
    first, rest = shown[:at], shown[at:]
    assert first[0] == "Rick: a long and winding reply"
    assert first[-1].endswith(" …")
    assert all(len(line.rstrip()) <= 30 for line in shown)
    words = " ".join(first).removeprefix("Rick: ").removesuffix(" …") + " ".join(rest).removeprefix("Rick: …")
    assert words == text
    assert session.history == (Turn("Morty", "hello"), Turn("Rick", text)), "marks are no part of it"


def test_what_the_program_says_is_not_said_by_the_character(
    tokenizer: Any, on_terminal: Callable[..., list[str]]
) -> None:
    session = talk(tokenizer, "hm", context=64)
    shown = on_terminal(session, "goose " * 40, "/dance", "/retry", "hello")[1:-1]
    assert [line for line in shown if "Rick" in line] == ["Rick: hm"]
    notes = " ".join(shown).split("wolf-chatbox: ")[1:]
    assert [note.split()[0] for note in notes] == ["the", "/dance:", "there"]
    assert not any("error" in line for line in shown)


def test_a_model_that_fails_while_it_speaks_ends_the_line_and_not_the_chat(
    tokenizer: Any, on_terminal: Callable[..., list[str]]
) -> None:
    session = talk(tokenizer, "hm")
    whole = session.voice.engine.stream

    def failing(*arguments: Any, **more: Any) -> Iterator[Token]:
        session.voice.engine.stream = whole
        yield from map(Token, tokenizer(" warm and so is the", add_special_tokens=False).input_ids)
        raise ModelError("the logits are NaN.")

    session.voice.engine.stream = failing
    shown = on_terminal(session, "hello", "again")[1:-1]
    assert shown[0].startswith("Rick: warm and so is")
    assert "wolf-chatbox: the logits are NaN." in shown
    assert shown[-1] == "Rick: hm"


def test_names_and_replies_with_control_characters_are_shown_on_a_terminal(
    tokenizer: Any, on_terminal: Callable[..., list[str]]
) -> None:
    session = talk(tokenizer, "a \x1b]52;c;aGk=\x07 word", persona="Ri\x1bck", user="Mo\x07rty")
    shown = "\n".join(on_terminal(session, "hello", "/persona", "/load"))
    assert not set(map(chr, range(32))) & set(shown) - {"\n"}
    assert "Ri␛ck: a ␛]52;c;aGk=␇ word" in shown


def test_what_a_chat_keeps_is_for_the_persons_eyes_only(tokenizer: Any, on_terminal: Callable[..., list[str]]) -> None:
    last_chat().parent.mkdir(parents=True)
    messages = last_chat().with_name("messages")
    for path in (messages, last_chat()):
        path.write_text("")
        path.chmod(0o644)
    on_terminal(talk(tokenizer, "hm"), "hello")
    assert "hello" in messages.read_text()
    assert "hello" in last_chat().read_text()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (messages, last_chat())] == [0o600, 0o600]
    for path in (messages, last_chat()):
        path.unlink()
    on_terminal(talk(tokenizer, "hm"), "hello")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (messages, last_chat())] == [0o600, 0o600]


def test_a_chat_that_cannot_be_kept_goes_on_and_says_so(
    tokenizer: Any, on_terminal: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    shown = " ".join(on_terminal(talk(tokenizer, "one", "two"), "hello", "again"))
    assert "Rick: two" in shown
    assert "cannot be written" in shown
    assert "conversation is saved" not in shown


@pytest.mark.slow
def test_a_real_terminal(tiny_gpt2: Path, tmp_path: Path) -> None:
    import pexpect

    # The tiny model answers too fast to be stopped: each token takes a while here.
    slow = (
        "import time; from wolf_chatbox.model.engines.engine import Engine as T; stream = T.stream\n"
        "def slowly(*a, **k):\n    for id in stream(*a, **k):\n        time.sleep(0.02); yield id\nT.stream = slowly\n"
    )

    def start() -> Any:
        arguments = [
            "-c",
            slow + COMMAND,
            "chat",
            "--model",
            str(tiny_gpt2),
            "--seed",
            "2",
            "--max-new-tokens",
            "200",
            "--no-repeat-ngram-size",
            "0",
        ]
        child = pexpect.spawn(sys.executable, arguments, encoding="utf-8", timeout=60, dimensions=(40, 120))
        child.expect("You are talking with .*assistant.* as .*user")
        child.expect("user: ")
        return child

    child = start()
    child.send("/help\r")
    child.expect(r"/persona \[NAME\]")
    child.send("half a mess")
    child.expect("half a mess")
    child.sendintr()
    child.expect("Ctrl-D or /quit leaves")
    child.send("hello\r")
    child.expect("assistant:(\x1b\\[0m)? [^\x1b]")  # a first piece of the reply, not the colour behind the name
    child.sendintr()
    child.expect("…")
    child.expect("user: ")
    child.send("/set max_new_tokens=4\r")
    child.expect("max_new_tokens=4")
    child.send("/more\r")
    child.expect("assistant:(\x1b\\[0m)?.*…")
    child.expect("user: ")
    child.send("again\r")
    child.expect("assistant:")
    child.expect("user: ")
    child.sendeof()
    child.expect("The conversation is saved")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0

    child = start()
    child.send("/load\r")
    child.expect("user: hello")
    child.expect("user: again")
    child.send("/quit\r")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_what_the_model_writes_for_the_person_and_old_messages_can_be_edited(
    tokenizer: Any, on_terminal: Callable[..., list[str]]
) -> None:
    session = talk(tokenizer, "one", "let us go", "two", "three")
    shown = on_terminal(session, "hello", "/impersonate", " now", "/edit 1", ", Rick")[1:-1]
    assert [line for line in shown if line.startswith("Rick")] == ["Rick: one", "Rick: two", "Rick: three"]
    assert [message.text for message in session.tree.messages if message.speaker == "Morty"] == [
        "hello",
        "let us go now",
        "hello, Rick",
    ]


def test_names_and_commands_are_completed(tokenizer: Any) -> None:
    session = talk(tokenizer, "hm", speakers={"Rick": 2, "Beth": 1, "Be\x1bn": 1})
    session.invite("Beth")

    def complete(text: str) -> list[tuple[str, str]]:
        found = Names(session).get_completions(Document(text), CompleteEvent())
        return [(text[: len(text) + one.start_position] + one.text, one.display_text) for one in found]

    assert complete("/in") == [("/invite", "/invite")]
    assert complete("/invite b") == [("/invite Beth", "Beth"), ("/invite Be\x1bn", "Be␛n")]
    assert complete("@b") == [("@Beth", "Beth")]
    assert complete("/dismiss ") == [("/dismiss Rick", "Rick"), ("/dismiss Beth", "Beth")]
    assert complete("be") == []


def test_files_settings_languages_and_hits_are_completed(
    tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chats").mkdir()
    for name in ("chat.jsonl", "chats/old.jsonl", "chats/.hidden", "chat\x1b]0;x\x07\u202e.md"):
        (tmp_path / name).write_text("")
    names = Names(talk(tokenizer, "hm"), lambda: 2)

    def complete(text: str) -> list[tuple[str, str]]:
        found = names.get_completions(Document(text), CompleteEvent())
        return [(text[: len(text) + one.start_position] + one.text, one.display_text) for one in found]

    assert [line for line, _ in complete("/load ")][:3] == ["/load 1", "/load 2", "/load chat\x1b]0;x\x07\u202e.md"]
    assert [shown for _, shown in complete("/save ch")] == ["chat␛]0;x␇[U+202E].md", "chat.jsonl", "chats/"]
    assert complete("/load chats/") == [("/load chats/old.jsonl", "chats/old.jsonl")]
    assert complete("/load chats/.") == [("/load chats/.hidden", "chats/.hidden")]
    assert complete("/load nowhere/") == []
    assert complete("/set top") == [("/set top_k=", "top_k="), ("/set top_p=", "top_p=")]
    assert complete("/set top_k=3 temp")[0][0] == "/set top_k=3 temperature="
    assert complete("/set next=t") == [("/set next=turn", "next=turn")]
    assert complete("/set top_k=") == [("/set top_k=50", "top_k=50")]
    assert complete("/lang ") == [("/lang en", "en"), ("/lang ja", "ja")]
    assert complete("/time o") == [("/time on", "on"), ("/time off", "off")]
    assert complete("/SPEAK r") == [("/SPEAK Rick", "Rick")]


@given(st.text(st.characters() | st.sampled_from("\x1b\x07\x9b\u202e\u2066\t漢"), max_size=30))
def test_the_line_that_is_edited_shows_marks_of_direction_and_the_cursor_keeps_its_place(text: str) -> None:
    fragments = [("", character) for character in text]
    buffer: Any = SimpleNamespace(width=80, height=1)
    given = TransformationInput(buffer, Document(text), 0, lambda at: at, fragments, 80, 1)
    shown = Shown().apply_transformation(given)
    whole = "".join(fragment[1] for fragment in shown.fragments)
    assert whole == visible(text).replace("\t", "    ") or "\r\n" in text
    assert not set(whole) & set("\u202e\u2066\u200f\x1b\x9b")
    places = [shown.source_to_display(at) for at in range(len(text) + 2)]
    assert places == sorted(set(places)), "each character has a place of its own"
    assert [shown.display_to_source(at) for at in places] == list(range(len(text) + 2))


def test_a_message_of_several_lines(tokenizer: Any, on_terminal: Callable[..., list[str]]) -> None:
    session = talk(tokenizer, "one", "two", "three", "four")
    pasted = "\x1b[200~a poem\r\nof two lines\x1b[201~"
    on_terminal(session, "first\\\rsecond", "first\x1b\rsecond", pasted, "a path C:\\\\")
    said = [turn.text for turn in session.history if turn.speaker == "Morty"]
    assert said == ["first\nsecond", "first\nsecond", "a poem\nof two lines", "a path C:\\\\"]


def test_swipes_and_times_are_shown_behind_a_reply(tokenizer: Any, on_terminal: Callable[..., list[str]]) -> None:
    session = talk(tokenizer, "one", "two", "three")
    shown = on_terminal(session, "hello", "/next", "/back", "/back", "/time on", "/retry")[1:-1]
    assert shown[:3] == ["Rick: one", "Rick: two (2/2)", "Rick: one (1/2)"]
    assert shown[3] == "wolf-chatbox: this is the first reply. /next shows the next one."
    assert shown[5] == "Rick: three (3/3)"
    assert re.fullmatch(r"[\d.]+ s · \d+ tokens, [\d.]+ a second · first words after [\d.]+ s", shown[6])


def test_a_name_of_two_lines_takes_one(tokenizer: Any, on_terminal: Callable[..., list[str]]) -> None:
    session = talk(tokenizer, "hm", persona="Ri\nck", user="Mo\nrty")
    shown = on_terminal(session, "hello", "/undo", "/branches", "/persona")
    assert shown[0].startswith("You are talking with Ri␊ck as Mo␊rty. ")
    assert shown[1] == "Ri␊ck: hm"
    assert not [line for line in shown if line.startswith(("ck", "rty"))]


def test_the_terminal_speaks_japanese(
    tokenizer: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    session = talk(tokenizer, "one", "two")
    with create_pipe_input() as keys, create_app_session(input=keys, output=Narrow()):
        keys.send_text("/help\r/back\rhello\r/next\r/quit\r")
        chat_on_terminal(session, words=words_of("ja"))
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("Morty として Rick と話しています。")
    assert all(cell_len(line) <= 70 for line in shown)
    rows = [line for line in shown if line.startswith("  /")]
    starts = {cell_len(re.match(r"  /.*?  +(?=\S)", row)[0]) for row in rows}  # type: ignore[index]
    assert len(rows) == len(COMMANDS)
    assert len(starts) == 1, "the column begins at one place, however wide its characters are"
    assert shown[-2] == "Rick: two (2/2)"
    assert not [line for line in shown if re.search("[a-z]{3,} [a-z]{3,}", line)], "no English is left over"


def test_a_chat_that_is_only_loaded_does_not_take_the_place_of_the_last_one(
    tokenizer: Any, on_terminal: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / "other.jsonl").write_text('{"turns": [{"speaker": "Morty", "text": "of old"}]}\n')
    session = talk(tokenizer, "hm")
    on_terminal(session, "hello")
    on_terminal(session, f"/load {tmp_path / 'other.jsonl'}")
    assert "hello" in last_chat().read_text()
    on_terminal(session, "/retry")
    assert "of old" in last_chat().read_text()


def test_a_reply_that_is_the_last_one_again_is_marked(tokenizer: Any, on_terminal: Callable[..., list[str]]) -> None:
    session = talk(tokenizer, "hm")
    shown = on_terminal(session, "hello", "again")[1:-1]
    assert shown == ["Rick: hm", "Rick: hm (as before)"]
    assert session.history[-1] == Turn("Rick", "hm"), "the mark is no part of it"


def test_the_last_chat_leaves_behind_what_the_engine_has_read(
    tiny_gpt2: Path, on_terminal: Callable[..., list[str]]
) -> None:
    def session() -> ChatSession:
        return ChatSession.load(tiny_gpt2, engine="torch", sampling=SamplingConfig(max_new_tokens=4), seed=1)

    on_terminal(session(), "hello to the goose in the house")
    assert stat.S_IMODE(last_state().stat().st_mode) == 0o600
    again = session()
    on_terminal(again, "/load")
    prompt = again.voice.prompt(Scene(again.history, "assistant"), again.sampling)
    held = again.voice.engine.save(prompt)
    assert held is not None
    assert len(held[0]) > 10


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("width", [20, 40, 200])
def test_what_the_program_says_fits_the_terminal(
    tokenizer: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, language: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    session = talk(tokenizer, "one", "two", persona="宿屋の主人", speakers={"宿屋の主人": 2, "旅の女の人": 1})
    with create_pipe_input() as keys, create_app_session(input=keys, output=Narrow()):
        keys.send_text("/help\r/back\r/persona\rhello\r/set\r/branches\r/why\r/dance\r/quit\r")
        chat_on_terminal(session, words=words_of(language))
    shown = capsys.readouterr().out
    assert "\x1b" not in shown, "no colours where there is no terminal"
    long = [line for line in shown.splitlines() if cell_len(line) > width]
    assert not long
