from __future__ import annotations

import io
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.data_structures import Size
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from scripted import talk
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines.sampling import Token
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.commands import COMMANDS, last_chat, last_state
from wolf_chatbox.talk.pipe import answer_lines
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.terminal import Names
from wolf_chatbox.talk.terminal import talk as chat_on_terminal

COMMAND = "from wolf_chatbox.cli import main; main()"


class Lines:
    """Feeds lines to a session through a pipe and keeps what comes out."""

    def __init__(self, session: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.session, self.capsys = session, capsys
        self.well = True

    def __call__(self, text: str, turns: int = 0) -> tuple[list[str], str]:
        self.capsys.readouterr()
        out = io.StringIO()
        self.well = answer_lines(self.session, io.StringIO(text), out, turns)
        captured = self.capsys.readouterr()
        assert captured.out == "", "replies go where they are told, and nothing else goes to stdout"
        return out.getvalue().splitlines(), captured.err


@pytest.fixture
def lines(tokenizer: Any, capsys: pytest.CaptureFixture[str]) -> Lines:
    return Lines(talk(tokenizer, "one\nand more", "two", "three", "four"), capsys)


def test_each_message_is_one_line_and_so_is_each_reply(lines: Lines) -> None:
    assert lines("hello\n\n   \nwho?\n") == (["one and more", "two"], "")
    assert lines.well


def test_turns_are_counted(lines: Lines) -> None:
    assert len(lines("a\nb\nc\nd\n", turns=2)[0]) == 2


def test_a_message_without_an_answer_leaves_its_line_empty(lines: Lines) -> None:
    replies, errors = lines("goose " * 17_000 + "\nhello\n")
    assert replies == ["", "one and more"]
    assert errors.startswith("error: the message has ")
    assert errors.count("\n") == 1
    assert not lines.well


def test_commands_speak_on_stderr(lines: Lines, tmp_path: Path) -> None:
    replies, told = lines("/help\n")
    assert replies == []
    assert all(command.split()[0] in told for command in COMMANDS)
    assert lines("hello\n/undo\n") == (["one and more"], "Taken back: hello\n")
    assert lines("hello\n/retry\n")[0] == ["two", "three"]
    assert f"Saved to {tmp_path}" in lines(f"/save {tmp_path / 'chat.jsonl'}\n/reset\n")[1]
    assert lines.session.history == ()
    assert lines(f"/load {tmp_path / 'chat.jsonl'}\n")[1] == "Morty: hello\nRick: three\n"
    assert "You are talking with Beth as Morty" in lines("/persona beth\n")[1]
    assert "Did you mean Rick" in lines("/persona rikc\n")[1]
    assert lines("/quit\nhello\n") == ([], "")


def test_settings_can_be_changed(lines: Lines) -> None:
    assert "top_p=0.9" in lines("/set top_p=0.9\n")[1]
    assert "max_new_tokens=7" in lines("/set temp=0.2 max_len_gen=7\n")[1]
    assert (lines.session.sampling.temperature, lines.session.sampling.max_new_tokens) == (0.2, 7)
    for bad, says in (
        ("top_p=2", "must be above 0"),
        ("volume=3", "unknown setting 'volume'"),
        ("top_k=x", "not a number"),
        ("top_k", "not a number"),
    ):
        assert says in lines(f"/set {bad}\n")[1]
    assert lines.session.sampling.top_p == 0.9


def test_values_that_no_number_can_hold_are_refused_and_the_chat_goes_on(lines: Lines) -> None:
    replies, told = lines("/set temperature=1e-300\n/set temperature=1e300\n/set temperature=nan\nhello\n")
    assert replies == ["", "", "", "one and more"]
    assert told.count("error: /set: temperature = ") == 3
    assert told.count("\n") == 3


def test_bytes_that_are_no_text_leave_their_line_empty(lines: Lines) -> None:
    replies, told = lines(b"caf\xe9\nhello\n".decode(errors="surrogateescape"))
    assert replies == ["", "one and more"]
    assert told.startswith("error: the message is not valid text")
    assert told.count("\n") == 1


def test_control_characters_are_shown(tokenizer: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    lines = Lines(talk(tokenizer, "a \x1b]52;c;aGk=\x07 word\x9b31m"), capsys)
    replies, told = lines("hello \x1b[2J\n/undo\n/dan\x1bce\n")
    assert replies == ["a ␛]52;c;aGk=␇ word[U+009B]31m", ""]
    assert (
        told == "Taken back: hello ␛[2J\n"
        "error: /dan␛ce: no such command. /help lists them; type // to send a message that begins with /.\n"
    )


def test_a_cut_reply_goes_on(tokenizer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(talk(tokenizer, "a long and winding reply about the goose"), capsys)
    lines("/set max_new_tokens=5\n")
    replies, told = lines("hello\n/more\n/more\n")
    assert told == 3 * "The reply was cut at its token limit. /more continues it.\n"
    assert "…" not in "".join(replies), "a line holds the model's words alone"
    assert replies[0] < replies[1] < replies[2]
    assert all("a long and winding reply about the goose".startswith(reply) for reply in replies)
    assert lines.session.history[-1].text == replies[-1]
    assert len(lines.session.history) == 2
    assert lines("/reset\n/more\n")[1].endswith("error: there is no reply of Rick to continue. Send a message first.\n")


def test_commands_with_nothing_to_act_on_say_so(lines: Lines) -> None:
    for command, says in (
        ("/load", "there is no saved chat yet"),
        ("/load nowhere.jsonl", "nowhere.jsonl: No such file"),
        ("/retry", "there is no message yet"),
        ("/undo", "there is no message yet"),
        ("/more", "there is no reply of Rick"),
        ("/save", "give a file"),
    ):
        told = lines(f"{command}\n")[1]
        assert says in told
        assert told.count("\n") == 1


def test_a_list_of_names_that_is_cut_says_so(lines: Lines, tokenizer: Any) -> None:
    assert lines("/persona\n")[1] == "You are talking with Rick as Morty. Others: Morty, Beth.\n"
    lines.session = talk(tokenizer, "hm", speakers={f"Ann{number}": 1 for number in range(24)})
    assert lines("/persona\n")[1].endswith("Ann10, Ann11, … and 12 more.\n")
    assert lines("/persona Zoe\n")[1].endswith("The data has Ann0, Ann1, Ann2, Ann3, Ann4, … and 19 more.\n")
    assert re.search(r"Did you mean Ann\d+, Ann\d+, Ann\d+, … and 21 more\?\n$", lines("/persona Ann\n")[1])
    lines.session = talk(tokenizer, "hm", speakers={})
    assert lines("/persona\n")[1] == "You are talking with Rick as Morty. The model knows no other names.\n"


def test_a_chat_is_saved_over_nothing_that_is_there(lines: Lines, tmp_path: Path) -> None:
    there, folder, link, fifo, device = (
        tmp_path / name for name in ("there.jsonl", "folder", "link", "fifo", "device")
    )
    there.write_text("precious")
    folder.mkdir()
    link.symlink_to(there)
    os.mkfifo(fifo)
    device.symlink_to("/dev/full")
    for command, says in (
        (f"/save {there}", "already exists. Use /save! FILE to overwrite it, or choose another name."),
        (f"/save {link}", "already exists"),
        *((f"/save{mark} {folder}", "a folder") for mark in ("", "!")),
        *((f"/save{mark} {fifo}", "a device or a pipe") for mark in ("", "!")),
        *((f"/save{mark} {device}", "a device or a pipe") for mark in ("", "!")),
        (f"/save {tmp_path / 'nowhere' / 'chat'}", "cannot be written"),
    ):
        told = lines(f"hello\n{command}\n")[1]
        assert says in told
        assert told.count("\n") == 1
    assert there.read_text() == "precious"
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert device.is_symlink()
    assert lines(f"/save! {link}\n")[1] == f"Saved to {link}.\n"
    assert link.is_symlink()
    assert '"hello"' in there.read_text()
    assert stat.S_IMODE(there.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device", "fifo", "folder", "link", "there.jsonl"], (
        "nothing is left behind"
    )


def test_unknown_commands_and_messages_that_look_like_one(lines: Lines) -> None:
    replies, told = lines("/dance\n")
    assert replies == [""]
    assert told.startswith("error: /dance: no such command.")
    lines("//dance\n")
    assert lines.session.history[0].text == "/dance"


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
def test_a_pipe_gives_replies_and_nothing_else(tiny_gpt2: Path) -> None:
    def chat(*flags: str) -> Any:
        command = [
            sys.executable,
            "-c",
            COMMAND,
            "chat",
            "--model",
            str(tiny_gpt2),
            "--seed",
            "1",
            "--max-new-tokens",
            "8",
            *flags,
        ]
        return subprocess.run(command, input="hello\nwho are you?\n", capture_output=True, text=True, check=True)

    first = chat()
    assert first.stdout.count("\n") == 2
    assert first.stdout == chat().stdout
    assert chat("--turns", "1").stdout == first.stdout[: first.stdout.index("\n") + 1]


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


def test_going_back_editing_and_branches_through_a_pipe(lines: Lines) -> None:
    assert lines("/branches\n")[1] == "Nothing is said yet.\n"
    replies, told = lines("hello\n/retry\n/branches\n/go 2\n/back 2\n/go\n")
    assert replies == ["one and more", "two"]
    assert told == (
        "* 1 Morty: hello\n  2 Rick: one and more\n* 3 Rick: two\n"
        "2 Rick: one and more\n"
        "At the beginning.\n"
        "2 Rick: one and more\n"
    )
    assert lines("/edit good day\n") == (["three"], "")
    assert lines("/edit 5 Four!\n") == ([], "6 Rick: Four!\n")
    assert [turn.text for turn in lines.session.history] == ["good day", "Four!"]
    for command, says in (
        ("/edit", "give the new text"),
        ("/edit 99 hm", "there is no message 99: the last one is 6"),
        ("/back x", "x is no number"),
        ("/back 9", "there are 2 messages to go back, not 9"),
        ("/go 0", "there is no message 0"),
        ("/whisper", "give a name and a text"),
        ("/whisper Beth hello", "Beth is not in this chat"),
        ("/whisper Rick", "the message is empty"),
        ("/invite", "give a name"),
    ):
        told = lines(f"{command}\n")[1]
        assert says in told
        assert told.count("\n") == 1


def test_a_group_through_a_pipe(lines: Lines) -> None:
    assert lines("/invite beth\n")[1] == "You are talking with Rick and Beth as Morty.\n"
    replies, told = lines("@Beth hello\n/next\n/whisper beth psst\n/set next=turn\n/next Rick\n")
    assert replies == ["one and more", "two", "three", "four"]
    assert [line for line in told.splitlines() if "answers" in line] == [
        "Beth answers.",
        "Rick answers.",
        "Beth answers.",
        "Rick answers.",
    ]
    assert "next=turn" in told
    assert lines("/set next=loudest\n")[1] == "error: /set: next=loudest is none of name, turn, model.\n"
    assert lines("/dismiss Rick\n")[1] == "You are talking with Beth as Morty.\n"
    assert lines("/impersonate\n") == (["four"], "Morty: four\n")
    assert lines.session.history[-2:] == (Turn("Morty", "four"), Turn("Beth", "four"))


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


@pytest.mark.slow
def test_a_chat_of_500_turns_never_fails_and_holds_no_more_at_its_end(tiny_gpt2: Path) -> None:
    """Resident memory at turns 100 and 500 with the engine that `auto` takes; the context is 256 tokens."""
    watching = (
        "import sys\nfrom wolf_chatbox.cli import main\nfrom wolf_chatbox.talk.session import ChatSession\n"
        "stream, turns = ChatSession.stream, iter(range(500))\n"
        "def watched(session, message, **more):\n"
        "    if next(turns) in (100, 499):\n"
        "        pages = int(open('/proc/self/statm').read().split()[1])\n"
        "        print(f'resident {pages}', file=sys.stderr)\n"
        "    return stream(session, message, **more)\n"
        "ChatSession.stream = watched\nmain()\n"
    )
    command = [
        sys.executable,
        "-c",
        watching,
        "chat",
        "--model",
        str(tiny_gpt2),
        "--seed",
        "1",
        "--max-new-tokens",
        "6",
    ]
    messages = "".join(f"message {number} of many{' and the goose' * (number % 17)}\n" for number in range(500))
    done = subprocess.run(command, input=messages, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 500
    early, late = (int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("resident"))
    assert (late - early) * os.sysconf("SC_PAGE_SIZE") < 64 * 2**20


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
