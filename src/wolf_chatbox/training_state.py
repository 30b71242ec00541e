"""What a run needs to go on bit for bit: weights, optimizer, schedule, and where it stood.

No random state is among it: what is random in an update follows from the seed and the update's number alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from wolf_chatbox.checkpoint import RunFolder
from wolf_chatbox.errors import CheckpointError

TENSORS, PROGRESS, CHECKSUMS = "training.pt", "progress.json", "checksums.json"


@dataclass
class TrainingState:
    """The parts of a run that change; whole on one process, however many there are."""

    learner: nn.Module
    optimizer: Any
    schedule: Any
    accelerator: Accelerator

    def weights(self) -> dict[str, Tensor]:
        """The model's weights under their own names, on the first process; all processes must call it."""
        options = StateDictOptions(full_state_dict=True, cpu_offload=self.accelerator.num_processes > 1)
        found: dict[str, Any] = get_model_state_dict(self.learner, options=options)
        return {name.removeprefix("model."): each for name, each in found.items()}

    def capture(self) -> dict[str, Any]:
        """Everything that `restore` needs, on the first process; all processes must call it."""
        options = StateDictOptions(full_state_dict=True, cpu_offload=self.accelerator.num_processes > 1, ignore_frozen_params=True)
        return {
            "model": get_model_state_dict(self.learner, options=options),
            "optimizer": get_optimizer_state_dict(self.learner, self.optimizer.optimizer, options=options),
            "schedule": self.schedule.state_dict(),
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else None,
        }

    def restore(self, captured: dict[str, Any]) -> None:
        options = StateDictOptions(full_state_dict=True, ignore_frozen_params=True, strict=False)
        set_model_state_dict(self.learner, captured["model"], options=options)
        set_optimizer_state_dict(self.learner, self.optimizer.optimizer, captured["optimizer"], options=options)
        self.schedule.load_state_dict(captured["schedule"])
        if self.accelerator.scaler and captured["scaler"]:
            self.accelerator.scaler.load_state_dict(captured["scaler"])


def save_state(place: Path, captured: dict[str, Any], update: int, run: dict[str, Any], metrics: dict[str, Any]) -> None:
    """Write what was captured after `update` into the folder `place`, with checksums."""
    torch.save(captured, place / TENSORS)
    (place / PROGRESS).write_text(json.dumps({"update": update, "run": run, "metrics": metrics}), encoding="utf-8")
    sums = {path.name: _checksum(path) for path in sorted(place.iterdir())}
    (place / CHECKSUMS).write_text(json.dumps(sums), encoding="utf-8")


def load_progress(folder: RunFolder, warn: Callable[[str], None]) -> tuple[Path, dict[str, Any]]:
    """The newest whole state's folder and what is recorded in it: `update`, `run`, `metrics`.

    A damaged state is named by `warn` and the one before it taken. Raises CheckpointError when none is whole.
    """
    for place in reversed(folder.states()):
        try:
            sums = json.loads((place / CHECKSUMS).read_text(encoding="utf-8"))
            damaged = [name for name in (TENSORS, PROGRESS) if sums[name] != _checksum(place / name)]
            if not damaged:
                return place, json.loads((place / PROGRESS).read_text(encoding="utf-8"))
            problem = f"{', '.join(damaged)} changed since it was written"
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"{type(error).__name__}: {error}"
        warn(f"{place}: the saved state is damaged ({problem}); the one before it is taken")
    raise CheckpointError(f"{folder.unfinished}: no saved state in it is whole. Start anew with --overwrite.")


def check_settings(place: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise CheckpointError, naming the differences, when a run is not the one that was interrupted."""
    differing = [
        f"{name} {old.get(name)!r}, now {new.get(name)!r}"
        for old, new in ((before["settings"], json.loads(json.dumps(now["settings"]))), (before, now))
        for name in new
        if name not in UNBOUND and old.get(name) != new.get(name)
    ]
    if before["data"]["fingerprint"] != now["data"]["fingerprint"]:
        differing.append("the data is another")
    if differing:
        raise CheckpointError(
            f"{place}: the interrupted run had other settings ({'; '.join(differing)}). Resume with the same ones, or start anew with --overwrite."
        )


UNBOUND = frozenset(
    {"log_every", "save_every", "keep", "patience", "report_to", "dry_run", "sampling", "output", "trust_remote_code", "allow_base"}
    | {"settings", "data", "versions", "started", "processes", "rows_an_update"}
)
"""What may differ between a run and its resumption: it does not change what is learnt."""


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
