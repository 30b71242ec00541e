"""What a run leaves behind, written whole or not at all.

    wolf_model/                 the finished model: a Hugging Face folder, run.json, loss.png, README.md (the card)
    wolf_model.unfinished/      only while a run is under way, or was interrupted
        best/                   the weights that did best on the held-out data so far, with checksums
        state-000120/           weights, optimizer, schedule after update 120, with checksums: what --resume continues
        metrics.jsonl           every figure so far
    .wolf_model.lock            names the process that writes, while it does

A folder is written under a temporary name beside its place, flushed to the disk, and renamed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import apart, check_folder, free_bytes, remove, sha256, write_folder, writing
from wolf_chatbox.model.record import RUN_FILE

PROGRESS, CHECKSUMS = "progress.json", "checksums.json"
STATE = re.compile(r"state-\d+")
OURS = re.compile(rf"({STATE.pattern}|best)(\.writing|\.replaced)?|metrics\.jsonl|\.metrics\.jsonl\..*\.writing")
"""What a run puts into its unfinished folder; anything else there is somebody's."""


@dataclass(frozen=True)
class RunFolder:
    """The places of one run; an output that is a link stays one, and its target is written."""

    output: Path

    def __post_init__(self) -> None:
        if self.output.is_symlink() or self.output.name in ("", ".."):
            object.__setattr__(self, "output", Path(os.path.realpath(self.output)))

    @property
    def unfinished(self) -> Path:
        return self.output.with_name(self.output.name + ".unfinished")

    @property
    def finished(self) -> Path:
        return self.output.with_name(f".{self.output.name}.finished")

    @property
    def best(self) -> Path:
        return self.unfinished / "best"

    @property
    def metrics(self) -> Path:
        return self.unfinished / "metrics.jsonl"

    def states(self) -> list[Path]:
        """Whole states, the oldest first."""
        whole = (path for path in self.unfinished.glob("state-*") if STATE.fullmatch(path.name) and path.is_dir())
        return sorted(whole, key=lambda path: int(path.name.removeprefix("state-")))

    def state(self, update: int) -> Path:
        return self.unfinished / f"state-{update:06d}"

    def check_place(self) -> None:
        """Raise CheckpointError where no run can write, whatever it is told."""
        check_folder(self.output)
        if self.unfinished.exists() and not self.unfinished.is_dir():
            raise CheckpointError(
                f"{self.unfinished}: a file, where the run's folder is to be. Choose another output folder."
            )

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Raise CheckpointError rather than let a run lose what is in the output folder."""
        self.check_place()
        output = self.output
        held = output.is_dir() and any(output.iterdir())
        if resume and not self.states():
            raise CheckpointError(f"{self.unfinished}: no interrupted run to resume. Start it without --resume.")
        if held and not (output / RUN_FILE).exists():
            raise CheckpointError(f"{output}: a folder with other things in it. Choose another output folder.")
        if resume or overwrite:
            return
        if self.states():
            raise CheckpointError(
                f"{self.unfinished}: an interrupted run. Continue it with --resume, or start anew with --overwrite."
            )
        if held:
            raise CheckpointError(
                f"{output}: holds a trained model. Replace it with --overwrite, or choose another output folder."
            )

    def begin(self, size: int, *, resume: bool) -> None:
        """Make room for a run; raises CheckpointError when fewer than `size` bytes are free on the output's disk."""
        with writing(self.output):
            shutil.rmtree(self.finished, ignore_errors=True)
            if resume:
                for old in self.unfinished.glob("*.replaced"):  # killed between the two renames of write_folder
                    if OURS.fullmatch(old.name) and not (whole := old.with_suffix("")).exists():
                        old.rename(whole)
            else:
                clear(self.unfinished)
            self.unfinished.mkdir(parents=True, exist_ok=True)
            free = free_bytes(self.unfinished)
            if free < size:
                has, needs = apart(free, size)
                remedy = "Free some, or choose another output folder."
                raise CheckpointError(f"{self.output}: {has} are free on its disk and the run needs {needs}. {remedy}")

    def save_state(self, update: int, write: Callable[[Path], None], keep: int, size: int = 0) -> None:
        """Save a state whole, then drop all but the newest `keep`."""
        write_folder(self.state(update), write, size)
        for path in self.states()[:-keep]:
            with suppress(OSError):
                remove(path)

    def finish(self) -> list[Path]:
        """Drop what only a run under way needs; killed meanwhile, it is no half run that --resume would find.

        Returns what somebody else put there, which stays.
        """
        with writing(self.unfinished):
            self.unfinished.rename(self.finished)
            clear(self.finished)
            if self.finished.exists():
                self.finished.rename(self.unfinished)
        return sorted(self.unfinished.glob("*"))


def clear(folder: Path) -> None:
    """Remove what runs put into an unfinished folder, and the folder itself unless something else is in it."""
    for path in folder.glob("*"):
        if OURS.fullmatch(path.name):
            remove(path)
    with suppress(OSError):
        folder.rmdir()


def seal(place: Path, progress: dict[str, Any]) -> None:
    """Write beside a folder's files how far they are, and the checksums of all of them."""
    (place / PROGRESS).write_text(json.dumps(progress), encoding="utf-8")
    files = sorted(path for path in place.rglob("*") if path.is_file() and path != place / CHECKSUMS)
    sums = {path.relative_to(place).as_posix(): sha256(path) for path in files}
    (place / CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")


def unseal(place: Path, *needed: str) -> dict[str, Any]:
    """What `seal` wrote. Raises CheckpointError, saying what is wrong, when a file is another than it was then, or one is missing."""
    try:
        sums = json.loads((place / CHECKSUMS).read_text(encoding="utf-8"))
        changed = [name for name in {PROGRESS, *needed, *sums} if sums[name] != sha256(place / name)]
        if not changed:
            return dict(json.loads((place / PROGRESS).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{type(error).__name__}: {error}") from error
    raise CheckpointError(f"{', '.join(changed)} changed since it was written")


def copy_files(source: Path, place: Path) -> None:
    """Put the files of one folder into another, but not its seal; on one disk they share the space."""

    def copy(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    shutil.copytree(
        source, place, copy_function=copy, ignore=shutil.ignore_patterns(PROGRESS, CHECKSUMS), dirs_exist_ok=True
    )
