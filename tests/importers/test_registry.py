"""What is known about a format stands in its file alone, and everything else follows from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from wolf_chatbox.config import ReadConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.importers import FORMATS
from wolf_chatbox.settings import declared
from wolf_chatbox.words import formats_in

ROOT = Path(__file__).parents[2]
COMMAND = ("-c", "from wolf_chatbox.cli import main; main()")
IMPORTERS = ROOT / "src/wolf_chatbox/importers"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the package that is in a folder, and nothing of this one."""
    env = {**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def with_one_more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which somebody has copied the template to chats/myapp.py, and done no more."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("src", "scripts", "docs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    importers = folder / "src/wolf_chatbox/importers"
    shutil.copy(importers / "_template.py", importers / "formats/chats/myapp.py")
    (folder / "boats.txt").write_text("12:00 Ann> Who brings the oars?\n12:01 Bob> Not me.\n")
    return folder


def test_a_new_format_is_recognised_and_can_be_named(with_one_more: Path) -> None:
    for more in ([], ["--format", "myapp"]):
        done = run(with_one_more, *COMMAND, "data", "inspect", "boats.txt", *more)
        assert done.returncode == 0, done.stderr
        assert "NAME OF THE FORMAT" in done.stdout + done.stderr


def test_a_new_format_is_in_the_list_and_in_the_error(with_one_more: Path) -> None:
    assert "myapp" in run(with_one_more, *COMMAND, "data", "formats").stdout
    done = run(with_one_more, *COMMAND, "data", "inspect", "boats.txt", "--format", "yourapp")
    assert done.returncode == 2
    assert "myapp" in done.stderr
    done = run(with_one_more, "-c", "from wolf_chatbox.config import ReadConfig; ReadConfig(format='yourapp')")
    assert "myapp" in done.stderr.splitlines()[-1]


def test_a_new_format_makes_the_pages_stale_until_they_are_written_anew(with_one_more: Path) -> None:
    script = str(with_one_more / "scripts/formats_page.py")
    done = run(with_one_more, script, "--check")
    assert (done.returncode, done.stdout.count("stale")) == (1, 2)
    assert run(with_one_more, script).returncode == 0
    assert run(with_one_more, script, "--check").returncode == 0
    row = (
        "| `myapp` | [NAME OF THE FORMAT](https://example.org/FORMAT) | PROGRAM → Export | what a user should know |\n"
    )
    for name in ("formats.md", "formats.ja.md"):
        assert row in (with_one_more / "docs" / name).read_text(encoding="utf-8")


def test_the_pages_say_what_the_formats_say() -> None:
    done = run(ROOT, "scripts/formats_page.py", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_japanese_texts_are_those_of_formats_that_exist() -> None:
    told = formats_in("ja")
    assert set(told) <= set(FORMATS)
    for name, texts in told.items():
        assert all(getattr(FORMATS[name], part) for part in texts), f"{name}: what English leaves out"


def test_every_file_in_the_folders_is_a_format_and_no_two_have_one_name() -> None:
    files = sorted(path.stem for path in IMPORTERS.glob("formats/*/*.py") if path.name != "__init__.py")
    assert files == sorted(FORMATS)
    assert declared(ReadConfig)["format"].choices == ("auto", *FORMATS)


def test_every_format_says_what_a_user_needs() -> None:
    for name, format in FORMATS.items():
        assert format.title, name
        assert format.notes, name
        assert not format.documentation or format.documentation.startswith("https://"), name
        assert "\n" not in format.title + format.export + format.notes, name
    assert len({format.title for format in FORMATS.values()}) == len(FORMATS)


def test_an_unknown_format_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(ConfigError) as caught:
        ReadConfig(format="nosuchformat")
    assert all(name in str(caught.value) for name in FORMATS)
