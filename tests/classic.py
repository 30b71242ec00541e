"""The classic command line, called as a program would."""

from __future__ import annotations

import importlib.util
import io
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, write_script
from wolf_chatbox.cli import run

spec = importlib.util.spec_from_file_location("dial_main", ROOT / "dial_main.py")
assert spec is not None
assert spec.loader is not None
dial_main = importlib.util.module_from_spec(spec)
spec.loader.exec_module(dial_main)


Classic = Callable[..., dict[str, Any]]


@pytest.fixture
def classic(
    tmp_path: Path, tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Classic:
    """Runs dial_main.py in a folder with the default script; quick settings stand where no flag is given."""
    monkeypatch.chdir(tmp_path)
    write_script(
        tmp_path / "RickAndMortyScripts.csv",
        say=lambda episode, line: f"the goose number {line} of house {episode} is ours",
    )
    quick = {"--initial_point": str(tiny_gpt2), "--epoch": "1", "--max_len_dial": "64", "--max_len_gen": "4"}

    def call(*flags: str, stdin: str = "") -> dict[str, Any]:
        given = (
            [*flags]
            if "--play" in flags
            else [*flags, *(each for flag, value in quick.items() if flag not in flags for each in (flag, value))]
        )
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        capsys.readouterr()
        code = run(lambda: dial_main.app(given, exit_on_error=False, print_error=False), dial_main.FLAGS)
        out, err = capsys.readouterr()
        record = (
            Path(next((value for flag, value in itertools.pairwise(flags) if flag == "--ptr_model_path"), "wolf_model"))
            / "run.json"
        )
        made = json.loads(record.read_text()) if record.exists() else {}
        return {"code": code, "out": out, "err": err, "metrics": {}, "data": {}} | made

    return call
