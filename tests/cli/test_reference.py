"""A setting is declared once: the help, YAML, both command lines and the reference follow."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from classic import dial_main
from conftest import ROOT
from wolf_chatbox.config import ChatConfig, SamplingConfig, TrainConfig
from wolf_chatbox.settings import build, declared, flat

spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
assert spec is not None
assert spec.loader is not None
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

NEW = '''    brightness: Annotated[Whole, LEARNING, AT_LEAST_1] = 7
    """How bright the goose shines."""
'''
TRAIN = ["-c", "from wolf_chatbox.cli import main; main()", "train"]
PLACE = "    read: ReadConfig = field(default_factory=ReadConfig)\n"


def test_the_reference_is_as_the_settings_are() -> None:
    for path, content in reference.pages().items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name} is stale: make reference"


def test_every_setting_has_a_japanese_text() -> None:
    assert not reference.untranslated(), "add them to words/settings/ja.yaml"


def test_no_japanese_text_is_of_a_setting_that_is_gone() -> None:
    known = {verb: {"purpose", *reference.described(command)} for verb, command in reference.verbs(reference.app)}
    for verb in known:
        assert set(reference.JAPANESE[verb]) <= known[verb]
    assert set(reference.JAPANESE["shared"]) <= set.union(*known.values())


@pytest.mark.parametrize("name", ["reference.md", "reference.ja.md"])
def test_the_reference_lists_every_classic_flag(name: str) -> None:
    rows = [line.split(" | ") for line in (ROOT / "docs" / name).read_text(encoding="utf-8").splitlines()]
    listed = {cells[1].strip("`"): cells[3] for cells in rows if len(cells) == 5}
    assert set(dial_main.FLAGS.values()) <= set(listed)
    chosen = {
        "reference.md": ("chosen by the base model's weights", "chosen by the number of learnt tokens"),
        "reference.ja.md": ("ベースモデルの重みの大きさから決める", "学習対象トークンの数から決める"),
    }
    assert (listed["--train_bz"], listed["--lr"], listed["--epoch"]) == ("`1`", *chosen[name])


def test_every_setting_has_a_help_text_and_a_group() -> None:
    for kind in (TrainConfig, ChatConfig):
        for setting in declared(kind).values():
            assert setting.help.endswith((".", ")")), setting.name
            assert setting.help[0].isupper(), setting.name
    assert "Parameters" not in {group.name for setting in declared(TrainConfig).values() for group in setting.groups}


def test_flat_settings_make_the_same_config_again() -> None:
    config = TrainConfig(data=("a", "b"), sampling=SamplingConfig(top_k=3), seed=5)
    assert build(TrainConfig, flat(config)) == config
    assert build(TrainConfig, {"data": ("x",), "top_k": 3, "format": "irc"}).read.format == "irc"
    with pytest.raises(TypeError, match="bogus"):
        build(TrainConfig, {"data": ("x",), "bogus": 1})


def test_no_two_settings_of_a_run_share_a_name() -> None:
    settings = TrainConfig(data=("x",))
    nested = [part for field in fields(settings) if is_dataclass(part := getattr(settings, field.name))]
    names = [field.name for part in (settings, *nested) for field in fields(part)]
    assert len(names) == len(set(names)), "a flag or a line of YAML would set two things at once"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with one more setting, which is declared in config.py and nowhere else."""
    place = tmp_path_factory.mktemp("copy")
    for folder in ("src", "scripts"):
        shutil.copytree(ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "dial_main.py", place)
    (place / "docs").mkdir()
    config = place / "src" / "wolf_chatbox" / "config.py"
    before = config.read_text(encoding="utf-8")
    assert before.count(PLACE) == 1
    config.write_text(before.replace(PLACE, NEW + PLACE), encoding="utf-8")
    return place


def call(copy: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "COLUMNS": "200"}
    return subprocess.run([sys.executable, *command], cwd=copy, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("command", [TRAIN, ["dial_main.py"]], ids=["wolf-chatbox", "dial_main.py"])
def test_a_new_setting_is_in_the_help(copy: Path, command: list[str]) -> None:
    shown = call(copy, *command, "--help").stdout
    [line] = [line for line in shown.splitlines() if "--brightness" in line]
    assert "How bright the goose shines. [default: 7]" in line


def test_a_new_setting_is_read_from_yaml_and_checked(copy: Path) -> None:
    (copy / "run.yaml").write_text("data: [example]\nbrightness: 0\n", encoding="utf-8")
    for command in ([*TRAIN, "--config", "run.yaml"], ["dial_main.py", "--data", "example", "--brightness", "0"]):
        refused = call(copy, *command)
        assert (refused.returncode, refused.stderr) == (2, "error: --brightness 0: must be 1 or more.\n")


@pytest.mark.slow
def test_a_new_setting_is_in_the_reference(copy: Path) -> None:
    made = call(copy, "scripts/reference.py")
    assert made.returncode == 0, made.stderr
    for name in ("reference.md", "reference.ja.md"):
        assert "| `--brightness` | `--brightness` | `brightness` | `7` | How" in (copy / "docs" / name).read_text(
            encoding="utf-8"
        )
