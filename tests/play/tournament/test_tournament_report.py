"""The report has the figures, for people on a terminal, in a browser, and for programs."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tournaments import order, played
from wolf_chatbox.cli import app, run
from wolf_chatbox.evaluate.report.card import plain
from wolf_chatbox.play.tournament.report import show, to_html
from wolf_chatbox.play.tournament.results import results
from wolf_chatbox.screen import Screen

NAMES = ("ann<script>", "bob\x1b[31m")


@pytest.fixture(scope="module")
def found() -> Any:
    contest = order(NAMES).contest
    return plain(results(contest, played(40, NAMES)))


def shown(found: Any, width: int = 120) -> str:
    file = io.StringIO()
    show(found, Screen(file=file, width=width))
    return file.getvalue()


def test_the_page_has_every_figure_and_needs_no_other_host(found: Any) -> None:
    page = to_html(found)
    for measure in found["measures"]:
        assert measure["title"].replace("'", "&#39;") in page
        for each in measure["figures"].values():
            if each["value"] is not None and measure["unit"] == "%":
                assert f"{100 * each['value']:.1f} %" in page
    for each in found["ratings"]:
        assert f"{each['skill']['value']:.1f}" in page
    assert "10 of 11 wins leave 62 to 98 % open" in page
    assert not re.search(r"""(src|href)=["'](?!#)""", page)
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<svg") > 20


def test_what_players_are_called_is_neither_obeyed_nor_lost(found: Any) -> None:
    page = to_html(found)
    assert "<script>" not in page
    assert "ann&lt;script&gt;" in page
    for text in (page, shown(found)):
        assert "\x1b[31m" not in text
        assert "bob␛[31m" in text


def test_the_terminal_tells_figures_ratings_and_the_games_that_it_takes(found: Any) -> None:
    text = shown(found)
    for words in ("Villagers' side", "Macro (games won)", "OpenSkill", "Bradley-Terry", "games for 5 %", "392 games"):
        assert words in text
    [win] = [measure for measure in found["measures"] if measure["name"] == "win"]
    for each in win["figures"].values():
        assert f"{100 * each['value']:.1f} %" in text


def test_games_that_nobody_won_are_told(found: Any) -> None:
    outcomes = played(10, NAMES)
    none = plain(results(order(NAMES).contest, [replace(each, winner="") for each in outcomes]))
    assert "Nobody won 10 games" in shown(none)
    assert to_html(none)
    assert not none["ratings"]


def wolf_chatbox(*arguments: str) -> int:
    return run(lambda: app.meta(["werewolf", *arguments], exit_on_error=False, print_error=False), {})


def test_the_command_plays_reports_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ("tournament", "random", "--output", "games", "--json", "found.json", "--html", "found.html")
    assert wolf_chatbox(*command, "--games", "8") == 0
    first = json.loads(Path("found.json").read_text())
    assert first["games"] == 8
    assert "Games won" in capsys.readouterr().out
    assert wolf_chatbox(*command, "--games", "12") == 1  # the report is there
    assert wolf_chatbox(*command, "--games", "12", "--overwrite") == 0
    assert "8 games are in games; 4 are left" in capsys.readouterr().err
    assert json.loads(Path("found.json").read_text())["games"] == 12
    whole = Path("games/games.jsonl").read_text().splitlines()
    assert wolf_chatbox("tournament", "random", "--output", "again", "--games", "12") == 0
    assert Path("again/games.jsonl").read_text().splitlines() == whole


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("random", "random"), "names a player twice"),
        (("nobody",), "is no player"),
        (("random", "--players", "7"), "has no roles of its own"),
    ],
)
def test_what_cannot_be_played_is_one_line(
    arguments: tuple[str, ...], problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wolf_chatbox("tournament", *arguments, "--output", str(tmp_path / "games")) == 2
    error = capsys.readouterr().err
    assert problem in error
    assert error.count("\n") == 1
