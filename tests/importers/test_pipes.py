"""Pipes and standard input, which can be read only once."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import DataError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.importers.files import pipes

FIXTURES = Path(__file__).parents[1] / "fixtures"


def read(path: Path, tally: Tally | None = None, **settings: Any) -> list[Conversation]:
    return list(read_conversations(path, ReadConfig(**settings), tally))


CHAT = "Ann: hello\nBob: hi\n" * 20_000
"""More than a pipe holds at a time."""


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe, file = tmp_path / "chat", tmp_path / "chat.txt"
    os.mkfifo(pipe)
    file.write_text(CHAT)
    writer = threading.Thread(target=pipe.write_text, args=[CHAT])
    writer.start()
    tally = Tally()
    assert read(pipe, tally) == read(file)
    writer.join()
    assert tally.formats == [(str(pipe), "screenplay (NAME: line, Fountain)")]


def test_standard_input_is_read_and_no_copy_stays(tmp_path: Path) -> None:
    program = "import wolf_chatbox as w; print(sum(len(c.turns) for c in w.read_conversations('/dev/stdin')))"
    settings = os.environ | {"TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        input=CHAT,
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stdout == "40000\n"
    assert not list(tmp_path.iterdir())


def test_a_pipe_into_which_nothing_writes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "PATIENCE", 0.01)
    os.mkfifo(tmp_path / "chat")
    with pytest.raises(
        DataError,
        match=r"^.*chat: nothing is written to this pipe\. Start the program that writes first, or pass a file\.$",
    ):
        read(tmp_path / "chat")


def test_a_pipe_that_does_not_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "MAX_COPY", 10_000)
    os.mkfifo(tmp_path / "chat")

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            (tmp_path / "chat").write_text(CHAT)

    writer = threading.Thread(target=write)
    writer.start()
    with pytest.raises(DataError, match="the pipe gave more than 10,000 bytes"):
        read(tmp_path / "chat")
    writer.join()
