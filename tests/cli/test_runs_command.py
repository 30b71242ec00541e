"""`wolf-chatbox runs`: on a terminal, on a narrow one, without colours, and in a pipe."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.cells import cell_len

from conftest import ROOT
from wolf_chatbox.cli import app
from wolf_chatbox.cli import run as main
from wolf_chatbox.cli.plot import plot
from wolf_chatbox.screen import Screen

BRAILLE = re.compile("[\u2801-\u28ff]")
Cli = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of an earlier version, with figures of a training."""
    folder = tmp_path / "runs" / "goose"
    shutil.copytree(ROOT / "tests/fixtures/old_run/finished", folder)
    lines = [
        {"update": at, "loss": 4 - at / 10, "learning_rate": 0.1, "tokens": 50, "seconds": 1.0} for at in range(20)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run `wolf-chatbox runs …`; returns the exit code and what was shown."""

    def call(*arguments: str) -> tuple[int, str]:
        code = main(lambda: app.meta(["runs", *arguments], exit_on_error=False, print_error=False), {})
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return call


def test_the_runs_of_a_folder_are_listed_and_a_damaged_one_is_told(run: Path, cli: Cli) -> None:
    damaged = run.with_name("broken")
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    code, said = cli("list", str(run.parent))
    assert code == 0
    assert re.search(r"^goose +\S", said, re.MULTILINE)
    assert f"damaged: {damaged / 'run.json'}: damaged" in said
    code, said = cli("list", str(run))
    assert code == 1
    assert "no trained model one level below" in said


def test_in_a_pipe_curves_are_figures(run: Path, cli: Cli) -> None:
    other = run.with_name("gander")
    shutil.copytree(run, other)
    code, said = cli("show", str(run), str(other))
    assert code == 0
    assert not BRAILLE.search(said)
    assert re.search(r"^update +goose +gander", said, re.MULTILINE)
    assert re.search(r"^19 +\S+ +\S+", said, re.MULTILINE)
    assert "not evaluated: wolf-chatbox evaluate" in said
    code, said = cli("show", str(run.parent))
    assert code == 1
    assert "no trained model, and no training under way" in said


@pytest.mark.parametrize("width", [12, 40, 80, 200])
def test_a_plot_fits_its_terminal_and_has_each_line(width: int) -> None:
    screen = Screen(file=StringIO(), width=width, force_terminal=True)
    up = [(float(at), float(at)) for at in range(50)]
    lines = {"up": up, "下がる線": [(at, 49 - value) for at, value in up], "none": [(1.0, None)]}
    rows = "\n".join(row.plain for row in plot(lines, screen)).splitlines()
    assert all(cell_len(row) <= max(width, 20) for row in rows)
    drawn = [row for row in rows if BRAILLE.search(row)]
    assert len(drawn) == 8  # the lines cross the whole field
    if width >= 80:
        assert drawn[0].rstrip().endswith("up")
        assert drawn[-1].rstrip().endswith("下がる線")
    assert not plot({"none": [(1.0, None)]}, screen)


def test_a_flat_line_is_drawn_and_controls_in_a_name_are_shown() -> None:
    screen = Screen(file=StringIO(), width=80, force_terminal=True)
    flat = [(1.0, 2.0), (2.0, 2.0)]
    text = "\n".join(row.plain for row in plot({"\x1b[31mred": flat, "b": flat}, screen))
    assert BRAILLE.search(text)
    assert "\x1b" not in text
