from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from test_chat import talk
from wolf_chatbox.terminal import COMMANDS, answer_lines

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
    assert errors.startswith("error: your message is ")
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
    assert "You talk with Beth as Morty" in lines("/persona beth\n")[1]
    assert "Did you mean Rick" in lines("/persona rikc\n")[1]
    assert lines("/quit\nhello\n") == ([], "")


def test_settings_can_be_changed(lines: Lines) -> None:
    assert "top_p=0.9" in lines("/set top_p=0.9\n")[1]
    assert "max_new_tokens=7" in lines("/set temp=0.2 max_len_gen=7\n")[1]
    assert (lines.session.sampling.temperature, lines.session.sampling.max_new_tokens) == (0.2, 7)
    for bad, says in (("top_p=2", "must be above 0"), ("volume=3", "no setting 'volume'"), ("top_k=x", "no number"), ("top_k", "no number")):
        assert says in lines(f"/set {bad}\n")[1]
    assert lines.session.sampling.top_p == 0.9


def test_unknown_commands_and_messages_that_look_like_one(lines: Lines) -> None:
    replies, told = lines("/dance\n")
    assert replies == [""]
    assert told.startswith("error: /dance: no such command.")
    lines("//dance\n")
    assert lines.session.history[0].text == "/dance"


@pytest.mark.slow
def test_a_pipe_gives_replies_and_nothing_else(tiny_gpt2: Path) -> None:
    def chat(*flags: str) -> Any:
        command = [sys.executable, "-c", COMMAND, "chat", "--model", str(tiny_gpt2), "--seed", "1", "--max-new-tokens", "8", *flags]
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
        "import time; from wolf_chatbox.engines.torch_engine import TorchEngine as T; stream = T.stream\n"
        "def slowly(*a, **k):\n    for each in stream(*a, **k):\n        time.sleep(0.02); yield each\nT.stream = slowly\n"
    )

    def start() -> Any:
        arguments = ["-c", slow + COMMAND, "chat", "--model", str(tiny_gpt2), "--seed", "1", "--max-new-tokens", "200", "--no-repeat-ngram-size", "0"]
        child = pexpect.spawn(sys.executable, arguments, encoding="utf-8", timeout=60, dimensions=(40, 120))
        child.expect("You talk with .*assistant.* as .*user")
        child.expect("user: ")
        return child

    child = start()
    child.send("/help\r")
    child.expect("/persona NAME")
    child.send("half a mess")
    child.expect("half a mess")
    child.sendintr()
    child.expect("Ctrl-D or /quit leaves")
    child.send("hello\r")
    child.expect("assistant: (\x1b\\[0m)?[^\x1b]")  # a first piece of the reply, not the colour behind the name
    child.sendintr()
    child.expect("…")
    child.expect("user: ")
    child.send("/set max_new_tokens=4\r")
    child.expect("max_new_tokens=4")
    child.send("again\r")
    child.expect("assistant: ")
    child.expect("user: ")
    child.sendeof()
    child.expect("The conversation is kept")
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
