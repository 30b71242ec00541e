"""A character that is being made: a folder with its files, what was chosen, its settings, and how far it is.

files/            what was dropped, under cleaned names; archives/ the zip archives among it
about.json        what was chosen on the page
look.json         what is in the files (looking.py)
pseudonyms.json   who is who, where the speakers' names are hidden
settings.yaml     the settings of the training: `wolf-chatbox train --config settings.yaml` reads them too
state.json        how far it is; process.json names the process that trains
journal.jsonl     what the training reported; worker.log what its process wrote besides
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

import psutil
import yaml

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.files import new_file, writing
from wolf_chatbox.settings import build
from wolf_chatbox.training.run_folder import RunFolder

State = Literal["draft", "waiting", "running", "stopped", "failed", "done"]
SAME = 60.0
"""Seconds by which the start of a process may seem to differ when a clock was set."""
INTERRUPTED = "interrupted"
"""The error of a training whose process ended without a word."""
UNSCORED = "unscored"
"""The note of a character that could not be scored, as the extra for it is missing."""


@dataclass(frozen=True)
class Making:
    """A character that is being made, as its folder was when it was read."""

    folder: Path
    about: Mapping[str, Any] = field(repr=False)
    """Example, persona, name, base, privacy and cleaning, more settings, and the `step` that was reached."""
    state: State = "draft"
    error: str = ""
    """Why it failed, or what is missing although it is done; INTERRUPTED where its process says nothing more."""
    since: float = 0.0
    """When the state began (seconds since the epoch); who waits is served in this order."""
    pid: int | None = None
    """The process that trains or is about to, if it is alive."""
    began: bool = False
    """Whether a process was started for it since it was added to the queue."""

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def name(self) -> str:
        """The character's name; empty until it is chosen."""
        return str(self.about.get("name") or self.about.get("persona") or "")

    @property
    def created(self) -> datetime:
        return datetime.strptime(self.id[:15], "%Y%m%d-%H%M%S")

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def first_file(self) -> str:
        """The name of the first file that was dropped, by which a draft without a name is told from others."""
        return next((path.name for path in sorted(self.files.glob("[!.]*"))), "")

    @property
    def archives(self) -> Path:
        return self.folder / "archives"

    @property
    def look(self) -> Path:
        return self.folder / "look.json"

    @property
    def settings(self) -> Path:
        return self.folder / "settings.yaml"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / "worker.log"

    @property
    def pseudonyms(self) -> Path:
        return self.folder / "pseudonyms.json"

    @property
    def dropped(self) -> list[Path]:
        """The files that were dropped, by name."""
        return sorted([*self.files.glob("*"), *self.archives.glob("*")], key=lambda path: path.name.casefold())

    @property
    def data(self) -> list[str]:
        """What is read: the bundled script, or the folder of the files and each archive."""
        if example := self.about.get("example"):
            return [str(example)]
        folder = [str(self.files)] if any(self.files.glob("*")) else []
        return folder + [str(path) for path in sorted(self.archives.glob("*"))]

    def change(self, **about: Any) -> Making:
        """Keep choices; returns the making with them. Raises CheckpointError when the disk refuses."""
        new = {**self.about, **about}
        write_json(self.folder / "about.json", new)
        return Making(self.folder, new, self.state, self.error, self.since, self.pid, self.began)

    def note(self, state: State, error: str = "") -> None:
        """Write how far it is; raises CheckpointError when the disk refuses."""
        write_json(self.folder / "state.json", {"state": state, "error": error, "since": time.time()})

    def note_process(self, pid: int) -> None:
        """Name the process that trains."""
        write_json(self.folder / "process.json", {"pid": pid, "began": psutil.Process(pid).create_time()})

    def forget_process(self) -> None:
        (self.folder / "process.json").unlink(missing_ok=True)

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """Write the settings of the training; raises ConfigError where they do not fit, CheckpointError."""
        build(TrainConfig, settings)
        with new_file(self.settings, overwrite=True, mode=0o600) as file:
            yaml.safe_dump(dict(settings), file, allow_unicode=True, sort_keys=False)

    def read_settings(self) -> TrainConfig:
        """The settings of the training, with `resume` where there is a saved state; raises ConfigError."""
        settings = yaml.safe_load(self.settings.read_text(encoding="utf-8"))
        config = build(TrainConfig, settings)
        return build(TrainConfig, settings | {"resume": bool(RunFolder(config.output).states())})

    @property
    def output(self) -> Path | None:
        """The folder of the trained model; None until the settings are written."""
        try:
            return Path(yaml.safe_load(self.settings.read_text(encoding="utf-8"))["output"])
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
            return None

    @property
    def fixed(self) -> bool:
        """Whether something is trained, or about to be: then the choices stay as they are."""
        if self.state in ("waiting", "running", "done"):
            return True
        return self.state != "draft" and self.output is not None and bool(RunFolder(self.output).states())

    def log_end(self) -> str:
        """The last line that the training's process wrote, except for bars of progress."""
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip()[:300] for line in reversed(lines) if line.strip() and "%|" not in line), "")


def read_making(folder: Path) -> Making | None:
    """A making by its folder; None where there is none.

    One whose process is gone without a word is failed, and its error is INTERRUPTED.
    """
    about = read_json(folder / "about.json")
    if about is None:
        return None
    found = read_json(folder / "state.json") or {}
    state: State = next((one for one in get_args(State) if one == found.get("state")), "draft")
    process = read_json(folder / "process.json")
    pid = alive(process)
    error = str(found.get("error") or "")
    since = float(found.get("since") or 0.0)
    if state == "running" and pid is None:
        again = read_json(folder / "state.json") or {}  # it may have ended between the two looks
        state, error = again.get("state", state), str(again.get("error") or "")
        if state == "running":
            state, error = "failed", INTERRUPTED
    return Making(folder, about, state, error, since, pid, process is not None)


def alive(process: Mapping[str, Any] | None) -> int | None:
    """The number of a process that was noted, if it is still that process and runs."""
    try:
        pid = int(process["pid"]) if process else 0
        found = psutil.Process(pid) if pid else None
        if found is None or found.status() == psutil.STATUS_ZOMBIE:
            return None
        same = process is not None and abs(found.create_time() - float(process["began"])) < SAME
        return pid if same else None
    except (psutil.Error, KeyError, TypeError, ValueError):
        return None


def write_json(path: Path, value: Any) -> None:
    """Write a value whole, readable by its owner only; raises CheckpointError."""
    with writing(path), new_file(path, overwrite=True, mode=0o600) as file:
        json.dump(value, file, ensure_ascii=False)


def read_json(path: Path) -> dict[str, Any] | None:
    """The value of a file; None where there is none, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
