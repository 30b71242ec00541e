"""The folders of a run, written whole or not at all.

    wolf_model/                 the finished model: a Hugging Face folder, run.json, loss.png, README.md (the card)
    wolf_model.unfinished/      only while a run is under way, or was interrupted
        best/                   the weights with the lowest held-out loss so far, with checksums
        state-000120/           weights, optimizer, schedule after update 120, with checksums: --resume continues it
        metrics.jsonl           every figure so far
    .wolf_model.finished/       wolf_model.unfinished/ while the end of a run removes it
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
from itertools import count
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import apart, check_folder, free_bytes, remove, sha256, write_folder, writing
from wolf_chatbox.model.record import RUN_FILE

PROGRESS, CHECKSUMS = "progress.json", "checksums.json"
STATE = re.compile(r"state-\d+")
OURS = re.compile(rf"({STATE.pattern}|best)(\.writing|\.replaced)?|metrics\.jsonl|\.metrics\.jsonl\..*\.writing")
"""What a run puts into its unfinished folder; anything else there belongs to somebody."""


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run; an output that is a link stays one, and its target is written."""

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
        """Saved states, the oldest first."""
        whole = (path for path in self.unfinished.glob("state-*") if STATE.fullmatch(path.name) and path.is_dir())
        return sorted(whole, key=lambda path: int(path.name.removeprefix("state-")))

    def state(self, update: int) -> Path:
        return self.unfinished / f"state-{update:06d}"

    def check_place(self) -> None:
        """Raise CheckpointError where no run can write, whatever its settings."""
        check_folder(self.output)
        if self.unfinished.exists() and not self.unfinished.is_dir():
            raise CheckpointError(
                f"{self.unfinished}: a file, but the run needs a folder there. Choose another output folder."
            )

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Raise CheckpointError where a run would replace what is in the output folder."""
        self.check_place()
        output = self.output
        held = output.is_dir() and any(output.iterdir())
        if resume and not self.states():
            raise CheckpointError(f"{self.unfinished}: no interrupted run to resume. Start it without --resume.")
        if held and not (output / RUN_FILE).exists():
            raise CheckpointError(
                f"{output}: the folder is not empty and holds no trained model. Choose another output folder."
            )
        if resume or overwrite:
            return
        if self.states():
            raise CheckpointError(
                f"{self.unfinished}: an interrupted run. Continue it with --resume, or replace it with --overwrite."
            )
        if held:
            raise CheckpointError(
                f"{output}: holds a trained model. Replace it with --overwrite, or choose another output folder."
            )

    def begin(self, size: int, *, resume: bool) -> None:
        """Prepare the unfinished folder; raises CheckpointError when fewer than `size` bytes are free on the disk."""
        with writing(self.output):
            self._clear_finished()
            if resume:
                for old in self.unfinished.glob("*.replaced"):  # killed between the renames of write_folder
                    if OURS.fullmatch(old.name) and not (whole := old.with_suffix("")).exists():
                        old.rename(whole)
            else:
                clear(self.unfinished)
            self.unfinished.mkdir(parents=True, exist_ok=True)
            free = free_bytes(self.unfinished)
            if free < size:
                has, needs = apart(free, size)
                remedy = "Free some space, or choose another output folder."
                raise CheckpointError(f"{self.output}: the run needs {needs} and its disk has {has} free. {remedy}")

    def save_state(self, update: int, write: Callable[[Path], None], keep: int, size: int = 0) -> None:
        """Save a state whole, then remove all but the newest `keep`."""
        write_folder(self.state(update), write, size)
        for path in self.states()[:-keep]:
            with suppress(OSError):
                remove(path)

    def finish(self) -> list[Path]:
        """Remove what only an unfinished run needs; killed meanwhile, it leaves nothing that --resume would find.

        Returns what is not a run's and stays.
        """
        with writing(self.unfinished):
            self.unfinished.rename(self.finished)
            self._clear_finished()
        return sorted(self.unfinished.glob("*"))

    def _clear_finished(self) -> None:
        """Remove what runs put there; what is somebody's goes back to the unfinished folder, where it was."""
        clear(self.finished)
        if not self.finished.is_dir():
            return
        self.unfinished.mkdir(exist_ok=True)
        for path in self.finished.glob("*"):
            place = self.unfinished / path.name
            path.rename(unused(place) if place.exists() else place)
        self.finished.rmdir()


def clear(folder: Path) -> None:
    """Remove what runs put into an unfinished folder, and the folder itself unless something is left in it."""
    for path in folder.glob("*"):
        if OURS.fullmatch(path.name):
            remove(path)
    with suppress(OSError):
        folder.rmdir()


def unused(path: Path) -> Path:
    """A name beside a file that nothing has yet: `name.old-1`, `name.old-2`, …"""
    return next(new for number in count(1) if not (new := path.with_name(f"{path.name}.old-{number}")).exists())


def seal(place: Path, progress: dict[str, Any]) -> None:
    """Write beside a folder's files the progress that they hold, and the checksums of all of them."""
    (place / PROGRESS).write_text(json.dumps(progress), encoding="utf-8")
    files = sorted(path for path in place.rglob("*") if path.is_file() and path != place / CHECKSUMS)
    sums = {path.relative_to(place).as_posix(): sha256(path) for path in files}
    (place / CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")


def unseal(place: Path, *needed: str) -> dict[str, Any]:
    """The progress that `seal` wrote. Raises CheckpointError when a file was changed or is missing."""
    try:
        sums = json.loads((place / CHECKSUMS).read_text(encoding="utf-8"))
        changed = [name for name in {PROGRESS, *needed, *sums} if sums[name] != sha256(place / name)]
        if not changed:
            return dict(json.loads((place / PROGRESS).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{type(error).__name__}: {error}") from error
    raise CheckpointError(f"{', '.join(changed)}: not as written")


def copy_files(source: Path, place: Path) -> None:
    """Copy the files of one folder into another, but not its seal; on one disk they share the space (hard links)."""

    def copy(one: str, other: str) -> None:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)

    shutil.copytree(
        source, place, copy_function=copy, ignore=shutil.ignore_patterns(PROGRESS, CHECKSUMS), dirs_exist_ok=True
    )
