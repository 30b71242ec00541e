"""The screens of a chat on a real terminal (tmux): narrow and wide, in both languages."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from conftest import ROOT
from wolf_chatbox.talk.menu import COMMANDS
from wolf_chatbox.words import words_of

pytestmark = pytest.mark.slow

PATIENCE = 60
"""Seconds: a busy machine fails no test."""
ROWS = 130
HELLO = {"en": "Where are we?", "ja": "ここはどこですか。"}
REPLIES = {
    "en": [
        "We are in the house of the old innkeeper, who keeps a goose that lays golden eggs, and nobody may touch them.",
        "On a ship, far from home, and the \x1b]0;moon\x07 is full.",
    ],
    "ja": [
        "ここは古い宿屋の中だよ。主人は金の卵を産むガチョウを飼っていて、「誰も触ってはいけない」と言うんだ。",
        "船の上さ。\x1b]0;月\x07は満ちている。",
    ],
}
RIVAL = {"en": ["I do not know."], "ja": ["知らないね。"]}


class Window:
    """A program in a terminal of fixed size."""

    def __init__(self, tmux: list[str], name: str, size: tuple[int, int], command: list[str]) -> None:
        self.tmux, self.name, self.width = tmux, name, size[0]
        self._do("new-session", "-d", "-s", name, "-x", str(size[0]), "-y", str(size[1]), shlex.join(command))

    def _do(self, *arguments: str) -> str:
        done = subprocess.run([*self.tmux, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def screen(self, *how: str) -> str:
        """What is on the screen now."""
        return self._do("capture-pane", "-p", *how, "-t", self.name).rstrip()

    def until(self, pattern: str) -> str:
        """The screen, once it has what is waited for."""
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, self.screen(), re.MULTILINE):
            assert time.monotonic() < end, f"{pattern!r} is not on the screen:\n{self.screen()}"
            time.sleep(0.05)
        return self.screen()

    def type(self, text: str, *keys: str) -> None:
        """Type a text, and press keys, Enter if none is named."""
        self._do("send-keys", "-t", self.name, "-l", text)
        self._do("send-keys", "-t", self.name, *(keys or ("Enter",)))

    def say(self, text: str, *keys: str) -> str:
        """Type a text; returns what the program prints until it asks for the next."""
        before = self.until(PROMPT).count("\n")
        self.type(text, *keys)
        self.until(rf"(?s)\A(?:[^\n]*\n){{{before + 1},}}.*{PROMPT}")
        return "\n".join(self.screen().splitlines()[before:-1])


PROMPT = r"^Morty: ?\Z"
"""The last line when a message is waited for."""


@pytest.fixture(scope="module")
def tmux() -> Iterator[list[str]]:
    """A tmux server of our own, which is gone afterwards."""
    program = shutil.which("tmux")
    if program is None:
        pytest.fail("the tests of the terminal need tmux: scripts/browser installs it")
    folder = tempfile.mkdtemp(prefix="tmux")  # the path of a socket must be short
    command = [program, "-u", "-f", os.devnull, "-S", f"{folder}/socket"]
    yield command
    subprocess.run([*command, "kill-server"], capture_output=True, check=False)
    shutil.rmtree(folder)


@pytest.fixture
def open_chat(tmux: list[str], tiny_gpt2: Path, tmp_path: Path) -> Any:
    """Opens a chat in a window."""
    rival = shutil.copytree(tiny_gpt2, tmp_path / "rival")

    def start(language: str, width: int, *flags: str, **environment: str) -> Window:
        settings = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "LC_ALL": f"{language}.UTF-8"}
        settings |= {"PYTHONPATH": os.pathsep.join(sys.path), **environment}
        replies = json.dumps({tiny_gpt2.name: REPLIES[language], rival.name: RIVAL[language]})
        program = [sys.executable, str(ROOT / "tests" / "staged.py"), replies, "chat", "--model", str(tiny_gpt2)]
        pairs = [f"{name}={value}" for name, value in settings.items()]
        command = ["env", "-C", str(tmp_path), *pairs, *program, *flags]
        return Window(tmux, f"{language}{width}{''.join(environment)}", (width, ROWS), command)

    return start


@pytest.mark.parametrize("width", [40, 100])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_chat_in_a_terminal(open_chat: Any, language: str, width: int) -> None:
    words = words_of(language)
    window: Window = open_chat(language, width)
    welcome = window.until(PROMPT)
    assert "".join(welcome.split()).startswith("".join(words("terminal.welcome", who="Rick", user="Morty").split()))
    check_help(window.say("/help"), width)
    check_reply(window.say(HELLO[language]), REPLIES[language][0], width)
    other = REPLIES[language][1].replace("\x1b", "␛").replace("\x07", "␇")
    assert joined(window.say("/next")).endswith(f"Rick: {other} (2/2)".replace(" ", ""))
    assert joined(window.say("/back")).endswith("(1/2)")
    found = window.say(f"/search {'GOLDEN' if language == 'en' else '卵'}")
    assert re.search(r"^  1  \d{4}-\d\d-\d\d Rick: ", found, re.MULTILINE)
    assert joined(f"Rick: {REPLIES[language][0]}") in joined(window.say("/load 1"))
    assert joined(words_of("ja")("terminal.speaking")) in joined(window.say("/lang ja"))
    assert all(cell_len(line) <= width for line in window.screen().splitlines())
    window.type("/quit")
    window.until(joined(words_of("ja")("terminal.kept"))[:12])


def joined(text: str) -> str:
    """A text without its spaces and breaks."""
    return "".join(text.split())


def check_help(shown: str, width: int) -> None:
    """Each command stands there once, and each text where the others stand."""
    lines = shown.splitlines()
    rows = [line for line in lines if line.startswith("  /")]
    assert [row.split()[0] for row in rows] == list(COMMANDS)
    starts = {cell_len(found[0]) for row in rows if (found := re.match(r"  /.*?  +(?=\S)", row))}
    assert len(starts) == (0 if width == 40 else 1)
    assert all(cell_len(line) <= width for line in lines)


def check_reply(shown: str, reply: str, width: int) -> None:
    """A reply is wrapped between words, in Japanese by its own rules."""
    lines = shown.splitlines()
    lines = lines[next(at for at, line in enumerate(lines) if line.startswith("Rick: ")) :]
    assert len(lines) > 1
    assert joined("".join(lines)) == joined(f"Rick: {reply}")
    assert all(cell_len(line) <= width for line in lines)
    assert not [line for line in lines if line[0] in "。、」" or line[-1] in "「"]
    if reply.isascii():
        assert " ".join(lines) == f"Rick: {reply}"


def test_completion_a_vote_and_a_name_that_would_clear_the_screen(open_chat: Any) -> None:
    window: Window = open_chat("en", 100, NO_COLOR="1")
    window.until(PROMPT)
    window.type("/inv", "Tab")
    window.until(r"^Morty: /invite$")
    window.type(" B", "Tab")
    window.until(re.escape("Morty: /invite Beth[U+202E]^[[2J") + "|" + re.escape("Beth[U+202E]␛[2J"))
    window.type("", "Enter")
    window.until(re.escape("You are talking with Rick and Beth[U+202E]␛[2J as Morty."))
    window.say("/dismiss Beth\u202e", "C-c")
    window.say("Hello?")
    window.until(PROMPT)
    window.type("/compare rival")
    shown = window.until(r"^Which is better\?.* $|^Which is better\?.*skips:$")
    assert re.search("^[12]  Rick: I do not know.$", shown, re.MULTILINE)
    mine = re.search(r"^([12])  Rick: On a ship", shown, re.MULTILINE)
    assert mine
    window.type("x")
    window.until(r"(?s)skips: x\nWhich is better")
    window.type(mine[1])
    told = window.until(r"1 was .*, 2 was .*\. Your vote is kept in ~/wolf_chatbox/votes/terminal.jsonl\.")
    assert f"{mine[1]} was tiny-gpt2" in told
    assert not re.search("\x1b\\[[0-9;]*[34][0-7]", window.screen("-e")), "NO_COLOR"


def test_a_dumb_terminal_is_sent_no_codes(tiny_gpt2: Path, tmp_path: Path) -> None:
    import pexpect

    settings = {"TERM": "dumb", "PYTHONPATH": os.pathsep.join(sys.path), "XDG_STATE_HOME": str(tmp_path)}
    program = [str(ROOT / "tests" / "staged.py"), json.dumps({tiny_gpt2.name: REPLIES["en"]})]
    child = pexpect.spawn(
        sys.executable,
        [*program, "chat", "--model", str(tiny_gpt2)],
        encoding="utf-8",
        timeout=PATIENCE,
        env=os.environ | settings,
    )
    shown = ""
    for typed in ("hello", "/help", "/quit"):
        child.expect("Morty: ")
        shown += child.before
        child.send(f"{typed}\r")
    child.expect(pexpect.EOF)
    shown += child.before
    assert "Rick: We are in the house" in shown
    assert "\x1b" not in shown
