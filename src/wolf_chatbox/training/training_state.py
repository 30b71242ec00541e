"""What a run needs to resume bit for bit: weights, optimizer, schedule, and its progress.

No random state is saved: the random numbers of an update follow from the seed and the update's number alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
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

from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.settings import flattened
from wolf_chatbox.training.averaging import Average
from wolf_chatbox.training.run_folder import RunFolder, seal, unseal

TENSORS = "training.pt"


@dataclass
class TrainingState:
    """The parts of a run that updates change; gathered and saved whole, however many processes there are."""

    learner: nn.Module
    optimizer: Any
    schedule: Any
    average: Average
    accelerator: Accelerator

    def weights(self) -> dict[str, Tensor]:
        """The model's weights, or their average if one is kept, under their own names, on the first process.

        All processes must call it.
        """
        options = StateDictOptions(full_state_dict=True, cpu_offload=self.accelerator.num_processes > 1)
        return {name.removeprefix("model."): tensor for name, tensor in self._averaged(options).items()}

    def _averaged(self, options: StateDictOptions) -> dict[str, Any]:
        with self.average.in_place():
            found: dict[str, Any] = get_model_state_dict(self.learner, options=options)
            # Without a copy they would be the module's own, which get their present values again.
            return {name: tensor.clone() for name, tensor in found.items()} if self.average.decay else found

    def capture(self) -> dict[str, Any]:
        """Everything that `restore` needs, on the first process; all processes must call it."""
        options = StateDictOptions(
            full_state_dict=True, cpu_offload=self.accelerator.num_processes > 1, ignore_frozen_params=True
        )
        return {
            "model": get_model_state_dict(self.learner, options=options),
            "average": self._averaged(options) if self.average.decay else None,
            "optimizer": get_optimizer_state_dict(self.learner, self.optimizer.optimizer, options=options),
            "schedule": self.schedule.state_dict(),
            "scaler": self.accelerator.scaler.state_dict() if self.accelerator.scaler else None,
        }

    def restore(self, captured: dict[str, Any]) -> None:
        options = StateDictOptions(full_state_dict=True, ignore_frozen_params=True, strict=False)
        if self.average.decay:
            with self.average.in_place():
                set_model_state_dict(self.learner, captured["average"], options=options)
        set_model_state_dict(self.learner, captured["model"], options=options)
        set_optimizer_state_dict(self.learner, self.optimizer.optimizer, captured["optimizer"], options=options)
        self.schedule.load_state_dict(captured["schedule"])
        if self.accelerator.scaler and captured["scaler"]:
            self.accelerator.scaler.load_state_dict(captured["scaler"])


def save_state(
    place: Path, captured: dict[str, Any], update: int, run: dict[str, Any], metrics: dict[str, Any]
) -> None:
    """Write what was captured after `update` into the folder `place`, with checksums."""
    with (place / TENSORS).open("wb") as file:  # given a path, torch.save hides that the disk is full
        torch.save(captured, file)
    seal(place, {"update": update, "run": run, "metrics": metrics})


def load_state(place: Path) -> dict[str, Any]:
    captured: dict[str, Any] = torch.load(place / TENSORS, weights_only=True, map_location="cpu")
    return captured


def whole_states(
    folder: RunFolder, warn: Callable[[str], None] = lambda text: None
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The intact saved states, the newest first, each with its record: `update`, `run`, `metrics`.

    Damaged ones are named by `warn`.
    """
    for place in reversed(folder.states()):
        try:
            progress = unseal(place, TENSORS)
        except CheckpointError as error:
            warn(f"{place}: the saved state is damaged ({error}); trying the one before it")
        else:
            yield place, progress


def load_progress(folder: RunFolder, warn: Callable[[str], None]) -> tuple[Path, dict[str, Any]]:
    """The newest intact saved state and its record. Raises CheckpointError when there is none."""
    for found in whole_states(folder, warn):
        return found
    raise CheckpointError(f"{folder.unfinished}: no saved state is intact. Start again with --overwrite.")


def fingerprint_base(model: nn.Module) -> str | None:
    """A checksum of the weights that are not learnt, and so not in a saved state; None where all are learnt."""
    frozen = [(name, weight) for name, weight in model.named_parameters() if not weight.requires_grad]
    digest = hashlib.sha256()
    for name, weight in frozen:
        digest.update(name.encode())
        digest.update(weight.detach().cpu().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:16] if frozen else None


def check_settings(place: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise CheckpointError, naming the differences, when a run is not the one that was interrupted.

    A setting that did not exist when the state was saved had its default.
    """
    defaults = asdict(TrainConfig(data=("",)))
    known, settings = (json.loads(json.dumps(flattened(group), default=str)) for group in (defaults, now["settings"]))
    differing = [
        f"{name} {old.get(name)!r}, now {new.get(name)!r}"
        for old, new in ((known | flattened(before["settings"]), settings), (before, now))
        for name in new
        if name not in UNBOUND and old.get(name) != new.get(name)
    ]
    if before["data"]["fingerprint"] != now["data"]["fingerprint"]:
        differing.append("the data differs")
    if before.get("base_fingerprint", now["base_fingerprint"]) != now["base_fingerprint"]:
        differing.append("the weights of the base model differ")
    if differing:
        raise CheckpointError(
            f"{place}: the interrupted run had other settings ({'; '.join(differing)}). "
            "Resume with the same ones, or start again with --overwrite."
        )


UNBOUND = frozenset(
    {
        "log_every",
        "save_every",
        "keep",
        "patience",
        "report_to",
        "dry_run",
        "output",
        "trust_remote_code",
        "allow_base",
    }
    | {field.name for field in fields(SamplingConfig)}
    | {"settings", "data", "versions", "started", "processes", "rows_an_update", "base_fingerprint"}
)
"""What may differ between a run and its resumption: it does not change what is learnt."""
