"""What a process finds settled when torch is loaded, seen by a torch that only tells it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

MAIN = ("-c", "from wolf_chatbox.cli import main; main()")
COMMANDS = {
    "train": [*MAIN, "train", "--data", "example", "--dry-run"],
    "chat": [*MAIN, "chat", "--model", "."],
    "sweep": [*MAIN, "sweep", "sweep.yaml"],
    "dial_main": [str(ROOT / "dial_main.py"), "--data", "example"],
    "demo": [str(ROOT / "examples" / "demo.py")],
}
TORCH = """
import os, warnings
warnings.warn("a library's own warning", FutureWarning)
raise RuntimeError(f"torch sees {os.environ.get('OMP_WAIT_POLICY')}")
"""


def run(command: str, folder: Path, **environment: str) -> str:
    (folder / "torch").mkdir(exist_ok=True)
    (folder / "torch" / "__init__.py").write_text(TORCH)
    (folder / "config.json").write_text("{}")
    (folder / "sweep.yaml").write_text("train: {data: [example]}\nspace: {lr: [1e-4]}\n")
    plain = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "PYTHONWARNINGS")}
    paths = os.pathsep.join(filter(None, [str(folder), str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    shown = subprocess.run(
        [sys.executable, *COMMANDS[command]],
        cwd=folder,
        env=plain | {"PYTHONPATH": paths} | environment,
        capture_output=True,
        text=True,
    )
    return shown.stdout + shown.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_waiting_threads_sleep_and_warnings_are_not_shown(command: str, tmp_path: Path) -> None:
    shown = run(command, tmp_path)
    assert "torch sees passive" in shown
    assert "a library's own warning" not in shown


def test_what_the_user_has_set_stays(tmp_path: Path) -> None:
    assert "torch sees active" in run("train", tmp_path, OMP_WAIT_POLICY="active")
    assert "torch sees None" in run("train", tmp_path, GOMP_SPINCOUNT="1000")
    assert "a library's own warning" in run("train", tmp_path, PYTHONWARNINGS="default")
