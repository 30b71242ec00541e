from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import write_folder
from wolf_chatbox.model.record import read_run
from wolf_chatbox.training.run_folder import RunFolder


def fill(text: str) -> Any:
    return lambda place: (place / "file").write_text(text)


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    place = tmp_path / "model"
    write_folder(place, fill("old"))
    (place / "stale").write_text("")
    write_folder(place, fill("new"))
    assert [(path.name, path.read_text()) for path in place.iterdir()] == [("file", "new")]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full"),
        (OSError(errno.EACCES, "x"), "no permission"),
        (OSError(errno.EROFS, "x"), "no permission"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
        (
            type("SafetensorError", (Exception,), {})("I/O error: No space left on device (os error 28)"),
            "the disk is full",
        ),
    ],
)
def test_what_was_there_stays_when_writing_fails(tmp_path: Path, error: Exception, says: str) -> None:
    place = tmp_path / "model"
    write_folder(place, fill("old"))

    def fail(new: Path) -> None:
        (new / "file").write_text("half")
        raise error

    with pytest.raises(CheckpointError, match=says) as caught:
        write_folder(place, fail)
    assert str(caught.value).startswith(f"{place}: ")
    assert "\n" not in str(caught.value)
    assert (place / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_killed_while_writing_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "model"
    write_folder(place, fill("old"))
    program = (
        "import os, sys; from pathlib import Path; from wolf_chatbox.files import write_folder\n"
        "def die(new):\n    (new / 'file').write_text('half'); os._exit(9)\n"
        "write_folder(Path(sys.argv[1]), die)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(place)], check=False).returncode == 9
    assert (place / "file").read_text() == "old"
    write_folder(place, fill("new"))
    assert (place / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_only_the_newest_whole_state_is_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "model")
    folder.begin(0, resume=False)
    for update in (5, 10, 1_000_000):
        folder.save_state(update, fill(str(update)), keep=1)
        (folder.unfinished / f"state-{update:06d}.writing").mkdir()
        assert [(path / "file").read_text() for path in folder.states()] == [str(update)]


def test_the_newest_state_is_the_one_after_most_updates(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "model")
    for name in ("state-999999", "state-1000000"):
        (folder.unfinished / name).mkdir(parents=True)
    assert folder.states()[-1].name == "state-1000000"


def test_nothing_is_lost_by_starting_a_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "model")

    def check(resume: bool = False, overwrite: bool = False) -> None:
        folder.check(resume=resume, overwrite=overwrite)

    check()
    with pytest.raises(CheckpointError, match="no interrupted run to resume"):
        check(resume=True)
    folder.output.write_text("a file")
    with pytest.raises(CheckpointError, match="is a file"):
        check(overwrite=True)
    folder.output.unlink()
    folder.output.mkdir()
    check()
    (folder.output / "photo.jpg").write_text("")
    with pytest.raises(CheckpointError, match="the folder is not empty and holds no trained model"):
        check(overwrite=True)
    (folder.output / "run.json").write_text("{}")
    with pytest.raises(CheckpointError, match="holds a trained model"):
        check()
    check(overwrite=True)
    folder.begin(0, resume=False)
    folder.save_state(3, fill("x"), keep=1)
    with pytest.raises(CheckpointError, match="an interrupted run"):
        check()
    check(resume=True)
    check(overwrite=True)
    folder.begin(0, resume=True)
    assert folder.states()
    folder.begin(0, resume=False)
    assert not folder.states()


def test_too_little_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1_500_000_000))
    with pytest.raises(CheckpointError, match=r"the run needs 4\.3 GB and its disk has 1\.5 GB free"):
        RunFolder(tmp_path / "model").begin(4_300_000_000, resume=False)


def test_a_record_that_is_not_there_or_damaged(tmp_path: Path) -> None:
    assert read_run(tmp_path) is None
    for text in ("{", "[]", "\udcff"):
        (tmp_path / "run.json").write_bytes(text.encode(errors="surrogateescape"))
        with pytest.raises(CheckpointError, match=r"run\.json: damaged"):
            read_run(tmp_path)


def test_killed_at_its_end_a_run_leaves_what_is_not_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever finish() had done by then, the next run removes what runs wrote and nothing else."""

    class Killed(BaseException):
        pass

    def kill(folder: Path) -> None:
        raise Killed

    folder = RunFolder(tmp_path / "model")
    folder.begin(0, resume=False)
    folder.save_state(3, fill("x"), keep=1)
    (folder.unfinished / "notes.txt").write_text("before")
    with monkeypatch.context() as patch:
        patch.setattr("wolf_chatbox.training.run_folder.clear", kill)
        with pytest.raises(Killed):
            folder.finish()
    folder.unfinished.mkdir()
    (folder.unfinished / "notes.txt").write_text("after")
    folder.begin(0, resume=False)
    assert {path.read_text() for path in folder.unfinished.iterdir()} == {"before", "after"}
    folder.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["model.unfinished"], "nothing of the run is left"
