"""What a run needs to go on bit for bit: weights, optimizer, schedule, random numbers, and where it stood."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from torch import nn

from wolf_chatbox.checkpoint import RunFolder
from wolf_chatbox.errors import CheckpointError


@dataclass
class TrainingState:
    model: nn.Module
    optimizer: Any
    schedule: Any


def save_state(place: Path, state: TrainingState, update: int, run: dict[str, Any], metrics: dict[str, Any]) -> None:
    """Write the state after `update` into the folder `place`."""
    save_model(state.model, str(place / "model.safetensors"))
    random = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}
    torch.save({"optimizer": state.optimizer.state_dict(), "schedule": state.schedule.state_dict(), "random": random}, place / "training.pt")
    (place / "progress.json").write_text(json.dumps({"update": update, "run": run, "metrics": metrics}), encoding="utf-8")


def load_state(folder: RunFolder, state: TrainingState, run: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Put the newest saved state into the run; returns the update it was saved after, and the metrics.

    Raises CheckpointError when a setting or the data differs from the saved run's, or the state is damaged.
    """
    place = folder.states()[-1]
    try:
        progress = json.loads((place / "progress.json").read_text(encoding="utf-8"))
        differing = [
            f"{name} {before.get(name)!r}, now {now.get(name)!r}"
            for before, now in ((progress["run"]["settings"], json.loads(json.dumps(run["settings"]))), (progress["run"], run))
            for name in now
            if name not in UNBOUND and before.get(name) != now.get(name)
        ]
        if progress["run"]["data"]["fingerprint"] != run["data"]["fingerprint"]:
            differing.append("the data is another")
        if differing:
            raise CheckpointError(
                f"{place}: the interrupted run had other settings ({'; '.join(differing)}). "
                "Resume with the same ones, or start anew with --overwrite."
            )
        load_model(state.model, str(place / "model.safetensors"))
        training = torch.load(place / "training.pt", weights_only=True, map_location="cpu")
        state.optimizer.load_state_dict(training["optimizer"])
        state.schedule.load_state_dict(training["schedule"])
        torch.set_rng_state(training["random"]["cpu"])
        if training["random"]["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(training["random"]["cuda"])
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are formats
        raise CheckpointError(f"{place}: the saved state is damaged ({type(error).__name__}). Start anew with --overwrite.") from error
    return int(progress["update"]), progress["metrics"]


UNBOUND = frozenset({"log_every", "save_every", "sampling", "output", "settings", "data", "versions", "started", "trust_remote_code"})
"""What may differ between a run and its resumption: it does not change what is learnt."""
