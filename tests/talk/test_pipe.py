"""The chat through a pipe: each line a message, each reply a line; and the commands, which are the same everywhere."""

from __future__ import annotations

import io
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripted import talk
from wolf_chatbox.conversation import Turn
from wolf_chatbox.talk.menu import COMMANDS
from wolf_chatbox.talk.pipe import answer_lines

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
    replies, told = lines("@Beth hello\n/speak\n/whisper beth psst\n/set next=turn\n/next Rick\n")
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
