"""`werewolf host`: what it says, what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from agents import Packet, play
from wolf_chatbox.cli.werewolf.host import host
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.play.protocol.config import HostConfig
from wolf_chatbox.play.protocol.token import admits
from wolf_chatbox.screen import Screen
from wolf_chatbox.werewolf.table import TableConfig


@pytest.fixture
def _signals() -> Any:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_signals")
def test_a_game_against_players_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    agents: list[threading.Thread] = []

    def say(screen: Screen, text: str, style: str = "") -> None:
        said.append(text)
        if text.startswith("ready: "):
            agents.append(threading.Thread(target=play, args=(text.split()[1], ["ann1"])))
            agents[-1].start()

    monkeypatch.setattr(Screen, "say", say)
    table = TableConfig(talks=1)
    assert host(HostConfig(table=table, port=0, fill=("rules", "random"), games=1, output=tmp_path / "games")) == 0
    agents[0].join()
    assert re.match(r"ready: ws://127\.0\.0\.1:\d+/ws · agents a game: 1", said[0])
    assert any(re.search(r"begins: ann1, rules1, random2, rules3, random4", line) for line in said)
    assert re.match(r"games: 1, 1 won by (VILLAGER|WEREWOLF)", said[-1])
    assert sorted(path.suffix for path in (tmp_path / "games").iterdir()) == [".json", ".log"]


def test_ctrl_c_ends_and_keeps_what_there_is(tmp_path: Path) -> None:
    command = ("werewolf", "host", "--port", "0", "--output", str(tmp_path), "--with", "random", "--agents", "2")
    code = "from wolf_chatbox.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command], stderr=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stderr is not None
    url = next(line for line in process.stderr if line.startswith("ready: ")).split()[1]
    asked = threading.Event()

    def silent(packet: Packet) -> None:
        if packet["request"] == "TALK":
            asked.set()

    agents = threading.Thread(target=play, args=(url, ["ann1", "ann2"], lambda name: silent))
    agents.start()
    assert asked.wait(20)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    agents.join()
    rest = process.stderr.read()
    process.stderr.close()
    assert "leaving" in rest
    assert "was stopped: nobody won" in rest
    assert "Traceback" not in rest
    assert json.loads(next(tmp_path.glob("*.json")).read_text(encoding="utf-8"))["win_side"] == "NONE"
    assert next(tmp_path.glob("*.log")).read_text(encoding="utf-8").startswith("0,status,1,")


def secret(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.usefixtures("_signals")
def test_a_token_is_shown_for_each_invited_team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def say(screen: Screen, text: str, style: str = "") -> None:
        said.append(text)
        if text.startswith("token of team bob"):
            raise KeyboardInterrupt

    monkeypatch.setattr(Screen, "say", say)
    path = secret(tmp_path, "0123456789abcdef\n")
    config = HostConfig(port=0, host="0.0.0.0", secret_file=path, invite=("ann", "bob"), output=tmp_path / "games")
    with pytest.raises(KeyboardInterrupt):
        host(config)
    assert admits(said[1].rpartition(" ")[2], "0123456789abcdef", "ann")


@pytest.mark.parametrize(("text", "mode", "problem"), [("short", 0o600, "16 or more"), ("x" * 20, 0o644, "chmod 600")])
def test_a_secret_that_protects_nothing_is_refused(text: str, mode: int, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=problem):
        host(HostConfig(port=0, secret_file=secret(tmp_path, text, mode), output=tmp_path / "games"))


def test_other_machines_need_a_token(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--secret-file"):
        host(HostConfig(port=0, host="0.0.0.0", output=tmp_path / "games"))


def test_an_unknown_player_is_said_before_anybody_connects(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no player"):
        host(HostConfig(port=0, fill=("ruels",), output=tmp_path / "games"))
