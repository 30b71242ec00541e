"""`wolf-chatbox web`: where it says the page is, and what it refuses."""

from __future__ import annotations

import io
import os
import socket
import sys
import webbrowser
from pathlib import Path

import pytest

from wolf_chatbox.cli.web import _has_display, _lead_to, _say_what_goes_on, web
from wolf_chatbox.config import WebConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.screen import Screen

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was asked to open."""
    found: list[str] = []
    monkeypatch.setattr(webbrowser, "open", found.append)
    for name in DISPLAYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    return found


def said(url: str, *, opens: bool = True, local: bool = True) -> str:
    out = io.StringIO()
    _lead_to(url, Screen(file=out, width=200), opens=opens, local=local)
    return out.getvalue()


def test_where_there_is_a_display_the_page_opens(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert "http://127.0.0.1:8080" in said("http://127.0.0.1:8080")
    assert opened == ["http://127.0.0.1:8080"]


@pytest.mark.parametrize("environment", [{}, {"SSH_CONNECTION": "x", "DISPLAY": ":10"}, {"DISPLAY": ""}])
def test_without_a_display_the_address_is_said(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert "Open http://127.0.0.1:8080 in a browser" in said("http://127.0.0.1:8080")
    assert opened == []


def test_a_mac_has_a_display(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _has_display()


def test_in_a_script_nothing_opens_and_nothing_more_is_said(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    assert said("http://127.0.0.1:8080", opens=False) == ""
    assert opened == []


@pytest.mark.parametrize(
    ("url", "here"), [("http://0.0.0.0:80", "http://127.0.0.1:80"), ("http://[::]:80", "http://[::1]:80")]
)
def test_others_are_told_a_name_and_that_they_need_the_key(opened: list[str], url: str, here: str) -> None:
    text = said(url, local=False)
    assert f"Open {here} in" in text
    assert f"http://{socket.gethostname()}:80" in text
    assert "key" in text


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match=r"in use.*0 for any"):
        web(WebConfig(home=tmp_path, port=taken.getsockname()[1], no_browser=True))
    assert list(tmp_path.iterdir()) == []


def test_beyond_this_machine_a_key_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="WOLF_CHATBOX_API_KEY"):
        web(WebConfig(home=tmp_path, host="0.0.0.0", port=0))


def test_what_is_no_run_is_told_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"run\.json.*on the page"):
        web(WebConfig(runs=(str(tmp_path),), home=tmp_path))


def test_a_training_that_goes_on_is_said(tmp_path: Path) -> None:
    from wolf_chatbox.page.making.queue import Queue
    from wolf_chatbox.page.workspace import Workspace

    def said_at_the_end() -> str:
        out = io.StringIO()
        _say_what_goes_on(tmp_path, Screen(file=out, width=200))
        return out.getvalue()

    Workspace(tmp_path).make()
    making = Queue(Workspace(tmp_path)).begin(name="goose")
    assert said_at_the_end() == ""
    making.note_process(os.getpid())
    assert said_at_the_end().startswith("The training of goose goes on.")
