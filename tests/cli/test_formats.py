"""The formats by name: their list, the help, and a name that is none."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from wolf_chatbox.cli import app, run
from wolf_chatbox.format_names import FORMAT_FILES
from wolf_chatbox.importers import FORMATS

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(list(arguments), exit_on_error=False, print_error=False), {})
        return code, *capsys.readouterr()

    return call


def test_the_list_has_all_formats_with_their_titles(cli: Cli) -> None:
    code, out, _ = cli("data", "formats")
    lines = [line.strip() for line in out.splitlines()]
    assert code == 0
    for name, format in FORMATS.items():
        assert any(line.startswith(f"{name} ") and line.endswith(f" {format.title}") for line in lines), name
    assert set(FORMAT_FILES.values()) <= set(lines), "each folder is a heading"


def test_the_same_for_programs(cli: Cli) -> None:
    code, out, _ = cli("data", "formats", "--json")
    told = {each["name"]: each for each in json.loads(out)}
    assert code == 0
    assert list(told) == list(FORMATS)
    assert told["kakaotalk"]["kind"] == "chats"
    assert told["kakaotalk"]["export"] == FORMATS["kakaotalk"].export


@pytest.mark.parametrize("verb", ["data inspect", "data convert", "data preferences", "train"])
def test_the_help_names_the_list_and_not_every_format(cli: Cli, verb: str) -> None:
    _, out, _ = cli(*verb.split(), "--help")
    words = " ".join(out.replace("│", " ").split())
    assert "wolf-chatbox data formats lists the others" in words
    assert "jinro_bbs" not in words


@pytest.mark.parametrize(
    ("name", "meant"),
    [("kakao", "Did you mean kakaotalk? "), ("Telegram", "Did you mean telegram or telegram_html? "), ("zzz", "")],
)
def test_a_wrong_name_is_answered_with_those_like_it(cli: Cli, name: str, meant: str) -> None:
    assert cli("data", "inspect", "example", "--format", name) == (
        2,
        "",
        f"error: Invalid value for --format: {name} is not a known format. {meant}"
        "`wolf-chatbox data formats` lists them.\n",
    )
