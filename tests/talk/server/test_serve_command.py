"""`wolf-chatbox serve` as a process: what it says, what it refuses, and how it leaves."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_limits import until

from serving import asked, events, held, make_served
from wolf_chatbox.cli import app as cli
from wolf_chatbox.cli import run
from wolf_chatbox.cli.serve import read_keys
from wolf_chatbox.config import ServeConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.talk.server.app import make_app
from wolf_chatbox.talk.server.place import is_loopback, listen, url_of
from wolf_chatbox.talk.server.roster import Roster, Served, run_names
from wolf_chatbox.talk.server.serving import Server

PROGRAM = [sys.executable, "-c", "from wolf_chatbox.cli import main; main()", "serve"]
CHAT = "/v1/chat/completions"
KEY = "0123456789abcdef"


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [*PROGRAM, *arguments, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200", **environment},
    )
    try:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"ready: (http://\S+)/v1", line):
                yield process, found[1]
                break
        else:
            pytest.fail("".join(said))
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(lambda: cli.meta(["serve", *arguments], exit_on_error=False, print_error=False), {})
    return code, capsys.readouterr().err


@pytest.mark.slow
def test_the_command_serves_a_folder_and_leaves_on_sigterm(tiny_gpt2: Path) -> None:
    with serving(str(tiny_gpt2), WOLF_CHATBOX_API_KEY=KEY) as (process, url):
        assert httpx.get(f"{url}/health").json() == {"status": "ok", "models": ["tiny-gpt2"]}
        assert httpx.get(f"{url}/v1/models").status_code == 401
        key = {"authorization": f"Bearer {KEY}"}
        response = httpx.post(url + CHAT, json=asked(model="tiny-gpt2", max_tokens=5), headers=key, timeout=60)
        assert response.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        rest = process.stderr.read() if process.stderr else ""
        assert "leaving: 0 requests are answered to their end (Ctrl-C: at once)" in rest
        assert "Traceback" not in rest


@contextmanager
def leaving(served: Served, grace: float) -> Iterator[tuple[Server, str, threading.Thread]]:
    """A server in this process, which a test tells to leave as a signal would."""
    app, house = make_app(Roster([served]))
    with listen("127.0.0.1", 0) as place:
        server = Server(app, house, grace, lambda text: None)
        thread = threading.Thread(target=lambda: server.run(sockets=[place]))
        thread.start()
        try:
            yield server, url_of(place), thread
        finally:
            held(served).set()
            for _ in range(2):
                server.handle_exit(signal.SIGTERM, None)
            thread.join(30)
            assert not thread.is_alive()


def in_background(call: Callable[[], httpx.Response]) -> tuple[threading.Thread, list[httpx.Response]]:
    found: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    return thread, found


def test_a_server_that_leaves_ends_what_it_began_and_takes_nothing_new(tokenizer: Any) -> None:
    served = make_served(tokenizer, slots=1, queue=2)
    with leaving(served, grace=60) as (server, url, thread):
        held(served).clear()
        running = [
            in_background(lambda stream=stream: httpx.post(url + CHAT, json=asked(stream=stream), timeout=60))
            for stream in (False, True)
        ]
        until(lambda: (served.gate.running, served.gate.waiting) == (1, 1))
        server.handle_exit(signal.SIGTERM, None)
        refused = httpx.post(url + CHAT, json=asked())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        health = httpx.get(f"{url}/health")
        assert (health.status_code, health.json()["status"]) == (503, "leaving")
        held(served).set()
        thread.join(30)
        assert not thread.is_alive()
        for worker, _ in running:
            worker.join(30)
        assert [response.status_code for _, [response] in running] == [200, 200]
        streamed = next(response for _, [response] in running if "event-stream" in response.headers["content-type"])
        assert events(streamed.text)[-1] == "[DONE]"


def test_after_its_grace_it_leaves_with_replies_unsaid(tokenizer: Any) -> None:
    served = make_served(tokenizer, slots=1)
    with leaving(served, grace=0.2) as (server, url, thread):
        held(served).clear()

        def ask() -> httpx.Response:
            try:
                return httpx.post(url + CHAT, json=asked(), timeout=60)
            except httpx.HTTPError:
                return httpx.Response(599)

        worker, found = in_background(ask)
        until(lambda: served.gate.running == 1)
        begun = time.monotonic()
        server.handle_exit(signal.SIGTERM, None)
        thread.join(30)
        assert not thread.is_alive(), "a thread that never comes back does not hold the server"
        assert time.monotonic() - begun < 20
        worker.join(30)
        assert found[0].status_code != 200


def test_a_second_signal_leaves_at_once(tokenizer: Any) -> None:
    served = make_served(tokenizer, slots=1)
    with leaving(served, grace=3600) as (server, url, thread):
        held(served).clear()
        worker, _ = in_background(lambda: httpx.Response(httpx.get(f"{url}/health").status_code))
        worker.join(30)
        server.handle_exit(signal.SIGINT, None)
        server.handle_exit(signal.SIGINT, None)
        thread.join(30)
        assert not thread.is_alive()


def test_a_port_in_use_is_one_line(tiny_gpt2: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused(capsys, str(tiny_gpt2), "--port", str(port))
    assert code == 2
    assert said == f"error: --port {port}: is in use. Choose another, or 0 for any that is free.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0: lets other machines in, which needs a key."),
        (["--host", "no.such.host.invalid"], "--host no.such.host.invalid: "),
        (["--api-key", "short"], "--api-key (not shown): needs 16 or more ASCII characters"),
        (["--port", "70000"], "--port 70000: must be from 0 to 65535."),
        (["--slots", "0"], "--slots 0: must be from 1 to 256."),
        (
            ["--reverse-model", "a", "b"],
            "--reverse-model a b: must be one folder for each of the 1 runs, in their order.",
        ),
        (["--temperature", "-1"], "--temperature -1.0: must be 0 or more."),
    ],
)
def test_wrong_settings_are_one_line(
    tiny_gpt2: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    code, said = refused(capsys, str(tiny_gpt2), *arguments)
    assert code == 2
    assert said.startswith(f"error: {words}")
    assert said.count("\n") == 1
    assert "short" not in said


def test_there_is_no_trained_model_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = refused(capsys)
    assert code == 2
    assert "no trained model here. Train one first: wolf-chatbox train --data FILE" in said


def test_the_extra_is_named_when_it_is_missing(
    tiny_gpt2: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wolf_chatbox.cli.serve.find_spec", lambda name: None)
    assert "pip install 'wolf-chatbox[serve]'" in refused(capsys, str(tiny_gpt2))[1]


def test_keys_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"{KEY}\n\n  second-key-of-many  \n")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=r"others can read it\. Close it: chmod 600"):
        read_keys(ServeConfig(api_key_file=path))
    path.chmod(0o600)
    assert read_keys(ServeConfig(api_key_file=path)) == [KEY, "second-key-of-many"]
    path.write_text("\n")
    with pytest.raises(ConfigError, match="has no key"):
        read_keys(ServeConfig(api_key_file=path))
    with pytest.raises(ConfigError, match=r"cannot be read \(No such file or directory\)"):
        read_keys(ServeConfig(api_key_file=tmp_path / "none"))
    assert KEY not in repr(ServeConfig(api_key=KEY))


def test_names_of_runs() -> None:
    assert run_names(["a/rick", "morty"]) == ["rick", "morty"]
    with pytest.raises(ConfigError, match="two runs are named rick"):
        run_names(["a/rick", "b/rick"])
    with pytest.raises(ConfigError, match="has a colon"):
        run_names(["a/rick:morty"])


def test_what_is_the_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LocalHost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "box.example", "")))
