"""`werewolf play`: a game through a pipe and in a real terminal."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.cli import main
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.words import words_of

PATIENCE = 60


# The command, through a pipe


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """Runs `werewolf play` with lines; returns the exit code, what was printed, and the folder of the games."""

    def run(lines: str, *flags: str) -> tuple[int, str, Path]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        monkeypatch.setenv("COLUMNS", "100")
        given = ["werewolf", "play", "--with", "random", "--home", str(tmp_path), "--seed", "7", *flags]
        monkeypatch.setattr(sys, "argv", ["wolf-chatbox", *given])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out + err, tmp_path / "werewolf"

    return run


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("talk", ["turns", "anytime"])
def test_a_game_is_played_through_a_pipe(play: Any, language: str, talk: str) -> None:
    lines = "Hello.\n/over\n1\n" * 40
    code, printed, folder = play(lines, "--name", "Ann", "--language", language, "--talk", talk, "--seat-role", "seer")
    assert code == 0, printed
    words = words_of(language)
    assert words("werewolf_terminal.roles") in printed
    assert "Ann: Hello." in printed
    [game] = read_conversations(folder)
    assert game.game is not None
    assert game.game.winner
    assert game.game.language == language
    [log] = (folder / "logs").iterdir()
    assert str(log) in printed
    assert "\x1b" not in printed


def test_input_that_ends_is_a_known_error_and_the_game_is_saved(play: Any) -> None:
    code, printed, folder = play("Hello.\n", "--name", "Ann")
    assert code == 1
    assert "error: standard input: ended before the game did" in printed
    [game] = read_conversations(folder)
    assert [turn.text for turn in game.turns if turn.speaker == "Ann"] == ["Hello."]
    assert game.game is not None
    assert game.game.winner == ""


def test_a_game_that_could_not_be_saved_is_not_begun(play: Any, tmp_path: Path) -> None:
    (tmp_path / "werewolf").write_text("a file")
    code, printed, folder = play("Hello.\n")
    assert code == 1
    assert printed.startswith(f"error: {folder / 'logs'}: cannot be written")


def test_quitting_through_a_pipe_is_at_once(play: Any) -> None:
    code, _, folder = play("Hello.\n/quit\n", "--name", "Ann")
    assert code == 0
    assert len(list(read_conversations(folder))) == 1


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--with", "nobody"), "--with nobody"),
        (("--seat-role", "medium"), "--seat-role medium"),
        (("--name", "@nn"), "--name @nn"),
        (("--with", "random", "random", "random", "random", "random"), "--with"),
    ],
)
def test_a_wrong_setting_is_named(play: Any, flags: tuple[str, ...], named: str) -> None:
    code, printed, folder = play("", *flags)
    assert code == 2
    assert f"error: {named}" in printed
    assert not folder.exists()


# A real terminal


@pytest.mark.slow
def test_a_dumb_terminal_is_sent_no_codes(tmp_path: Path) -> None:
    import pexpect

    flags = ["werewolf", "play", "--with", "random", "--name", "Ann", "--home", str(tmp_path), "--seed", "3"]
    child = pexpect.spawn(
        sys.executable,
        ["-c", "from wolf_chatbox.cli import main; main()", *flags],
        encoding="utf-8",
        timeout=PATIENCE,
        env=os.environ | {"TERM": "dumb", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    shown = ""
    for typed in ("Hello.", "/quit"):
        child.expect("Ann: (?!Hello)")
        shown += child.before
        child.send(f"{typed}\r")
    child.expect(pexpect.EOF)
    shown += child.before
    assert "Ann: Hello." in shown
    assert "\x1b" not in shown
    assert len(list(read_conversations(tmp_path / "werewolf"))) == 1


@pytest.mark.slow
def test_a_game_in_a_terminal(tmp_path: Path) -> None:
    """Ctrl-C asks, a line takes it back, what is typed while others speak stays, two Ctrl-C save."""
    program = shutil.which("tmux")
    assert program, "the tests of the terminal need tmux: scripts/browser installs it"
    folder = tempfile.mkdtemp(prefix="tmux")
    tmux = [program, "-u", "-f", os.devnull, "-S", f"{folder}/socket"]

    def do(*arguments: str) -> str:
        return subprocess.run([*tmux, *arguments], capture_output=True, text=True, check=True).stdout

    def until(pattern: str) -> str:
        end = time.monotonic() + PATIENCE
        while not re.search(pattern, screen := do("capture-pane", "-p", "-t", "play"), re.MULTILINE):
            assert time.monotonic() < end, f"{pattern!r} is not on the screen:\n{screen}"
            time.sleep(0.05)
        return screen

    command = [sys.executable, "-c", "from wolf_chatbox.cli import main; main()", "werewolf", "play"]
    command += [
        "--with",
        "random",
        "--name",
        "Ann",
        "--seed",
        "3",
        "--home",
        str(tmp_path),
        "--seat-role",
        "seer",
        "--pace",
        "0.2",
    ]
    environment = [f"PYTHONPATH={os.pathsep.join(sys.path)}", "NO_COLOR=1", "LC_ALL=C.UTF-8", f"HOME={tmp_path}"]
    try:
        do(
            "new-session",
            "-d",
            "-s",
            "play",
            "-x",
            "60",
            "-y",
            "20",
            shlex.join(["env", *environment, *command]) + "; cat",
        )
        until("^Ann:$")
        do("send-keys", "-t", "play", "-l", "I am the seer.")
        do("send-keys", "-t", "play", "Enter")
        until("^Ann: I am the seer.  ◆ claims to be seer")
        do("send-keys", "-t", "play", "-l", "And now")
        screen = until(r"(?s)I have nothing to tell yet.*^Ann: And now")
        assert not re.search(r"^(… | +)\w+: ", screen, re.MULTILINE), "a line stands beside the prompt"
        coloured = do("capture-pane", "-p", "-e", "-t", "play")
        assert "\x1b[1m" in coloured
        assert not re.search("\x1b\\[[0-9;]*[34][0-7]m", coloured), "NO_COLOR"
        do("send-keys", "-t", "play", "C-c")
        until("Leave the table")
        do("send-keys", "-t", "play", "C-c")
        until("The game is saved in")
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)
        shutil.rmtree(folder)
    [game] = read_conversations(tmp_path / "werewolf")
    assert [turn.text for turn in game.turns if turn.speaker == "Ann"] == ["I am the seer."]
