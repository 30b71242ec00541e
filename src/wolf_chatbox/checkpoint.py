"""What a run leaves behind, written whole or not at all.

    wolf_model/                 the finished model: a Hugging Face folder, run.json, loss.png, README.md (the card)
    wolf_model.unfinished/      only while a run is under way, or was interrupted
        best/                   the weights that did best on the held-out data so far
        state-000120/           weights, optimizer, schedule after update 120, with checksums: what --resume continues
        metrics.jsonl           every figure so far

A folder is written under a temporary name beside its place, flushed to the disk, and renamed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import flush, writing

RUN_FILE = "run.json"


@dataclass(frozen=True)
class RunFolder:
    """The places of one run."""

    output: Path

    @property
    def unfinished(self) -> Path:
        return self.output.with_name(self.output.name + ".unfinished")

    @property
    def finished(self) -> Path:
        return self.output.with_name(self.output.name + ".finished")

    @property
    def best(self) -> Path:
        return self.unfinished / "best"

    @property
    def metrics(self) -> Path:
        return self.unfinished / "metrics.jsonl"

    def states(self) -> list[Path]:
        """Whole states, the oldest first."""
        whole = (path for path in self.unfinished.glob("state-*") if path.suffix not in (".writing", ".replaced"))
        return sorted(whole, key=lambda path: int(path.name.removeprefix("state-")))

    def state(self, update: int) -> Path:
        return self.unfinished / f"state-{update:06d}"

    def check(self, *, resume: bool, overwrite: bool) -> None:
        """Raise CheckpointError rather than let a run lose what is in the output folder."""
        output = self.output
        held = output.is_dir() and any(output.iterdir())
        if output.exists() and not output.is_dir():
            raise CheckpointError(f"{output}: a file, no folder. Choose another output folder.")
        if resume:
            if not self.states():
                raise CheckpointError(f"{self.unfinished}: no interrupted run to resume. Start it without --resume.")
        elif held and not (output / RUN_FILE).exists():
            raise CheckpointError(f"{output}: a folder with other things in it. Choose another output folder.")
        elif self.states() and not overwrite:
            raise CheckpointError(f"{self.unfinished}: an interrupted run. Continue it with --resume, or start anew with --overwrite.")
        elif held and not overwrite:
            raise CheckpointError(f"{output}: holds a trained model. Replace it with --overwrite, or choose another output folder.")

    def begin(self, size: int, *, resume: bool) -> None:
        """Make room for a run; raises CheckpointError when fewer than `size` bytes are free on the output's disk."""
        with writing(self.output):
            shutil.rmtree(self.finished, ignore_errors=True)
            if resume:
                for old in self.unfinished.glob("*.replaced"):  # killed between the two renames of write_folder
                    if not (whole := old.with_suffix("")).exists():
                        old.rename(whole)
            else:
                shutil.rmtree(self.unfinished, ignore_errors=True)
            self.unfinished.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.unfinished).free
            if free < size:
                raise CheckpointError(
                    f"{self.output}: {free / 1e9:.1f} GB are free on its disk and the run needs {size / 1e9:.1f} GB. "
                    "Free some, or choose another output folder."
                )

    def save_state(self, update: int, write: Callable[[Path], None], keep: int) -> None:
        """Save a state whole, then drop all but the newest `keep`."""
        write_folder(self.state(update), write)
        for path in self.states()[:-keep]:
            shutil.rmtree(path, ignore_errors=True)

    def finish(self) -> None:
        """Drop what only a run under way needs; killed meanwhile, it is no half run that --resume would find."""
        self.unfinished.rename(self.finished)
        shutil.rmtree(self.finished, ignore_errors=True)


def write_folder(place: Path, write: Callable[[Path], None]) -> None:
    """Fill a new folder by `write(folder)` and put it in its place in one step, instead of what was there.

    Raises CheckpointError when it cannot be written; what was there then still is.
    """
    new = place.with_name(place.name + ".writing")
    old = place.with_name(place.name + ".replaced")
    with writing(place):
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        try:
            write(new)
            for path in [*new.rglob("*"), new]:
                flush(path)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        new.rename(place)
        flush(place.parent)
        shutil.rmtree(old, ignore_errors=True)


def copy_files(source: Path, place: Path) -> None:
    """Put the files of one folder into another; on one disk they share the space."""
    for path in source.iterdir():
        try:
            os.link(path, place / path.name)
        except OSError:
            shutil.copy2(path, place / path.name)


def read_run(folder: Path) -> dict[str, Any] | None:
    """The run.json of a trained model's folder; None where there is none. Raises CheckpointError when it is damaged."""
    path = folder / RUN_FILE
    if not path.is_file():
        return None
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: damaged ({error}). Train the model again, or restore the file.") from error
    if not isinstance(run, dict):
        raise CheckpointError(f"{path}: damaged. Train the model again, or restore the file.")
    if changed := [name for name, fits in READ.items() if name in run and not fits(run[name])]:
        raise CheckpointError(f"{path}: damaged ({', '.join(changed)}). Train the model again, or restore the file.")
    return run


def _counts(speakers: object) -> bool:
    return isinstance(speakers, dict) and all(type(count) is int for count in speakers.values())


READ: dict[str, Callable[[Any], bool]] = {
    "style": lambda style: style in ("dialogpt", "named", "chat"),
    "persona": lambda persona: persona is None or isinstance(persona, str),
    "user": lambda user: isinstance(user, str),
    "max_tokens": lambda tokens: type(tokens) is int and tokens > 0,
    "finished": lambda finished: isinstance(finished, bool),
    "data": lambda data: isinstance(data, dict) and _counts(data.get("speakers", {})),
}
"""What is read of a record, and whether it may be so: the file may come from anybody."""


def write_run(folder: Path, run: dict[str, Any]) -> None:
    (folder / RUN_FILE).write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
