"""The best weights of a run under way, kept with checksums; where they are damaged, the best that are whole take their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list
from torch import Tensor

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import write_folder
from wolf_chatbox.model.load import BaseModel
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.training.publish import Metrics, save_model, size_of
from wolf_chatbox.training.run_folder import RunFolder, seal, unseal
from wolf_chatbox.training.training_state import TrainingState, load_state, whole_states


def write_best(
    folder: RunFolder, base: BaseModel, weights: dict[str, Tensor], dataset: Dataset, config: TrainConfig, update: int
) -> None:
    """Keep the weights as they are after `update` as the best so far, with checksums."""

    def write(place: Path) -> None:
        save_model(place, base, weights, dataset, config)
        seal(place, {"update": update})

    write_folder(folder.best, write, size_of(weights))


def check_best(folder: RunFolder, metrics: Metrics, warn: Callable[[str], None]) -> bool:
    """Whether best/ holds what the metrics say, whole; damage is named by `warn`."""
    if metrics.best_epoch is None:
        return True
    if metrics.best_update is None and folder.best.is_dir():  # begun before best/ had checksums
        warn(
            f"{folder.best}: the best weights so far have no checksums (an earlier version wrote them); taken as they are"
        )
        metrics.best_update = next(
            (each["update"] for each in metrics.evaluations if each["epoch"] == metrics.best_epoch), None
        )
        seal(folder.best, {"update": metrics.best_update})
        return True
    try:
        # A run that was killed may have got to better ones after the state that it goes on from: it will again.
        return bool(unseal(folder.best)["update"] == metrics.best_update)
    except CheckpointError as error:
        warn(f"{folder.best}: the best weights so far (epoch {metrics.best_epoch}) are damaged ({error})")
        return False


def mend_best(
    folder: RunFolder,
    metrics: Metrics,
    state: TrainingState,
    done: int,
    keep: Callable[[int], None],
    warn: Callable[[str], None],
) -> None:
    """Where best/ is not what the metrics say, or not whole, keep the best weights that are; the metrics then tell of these.

    They are those of a saved state, into which the model is put, or the present ones after update `done`. All processes must call it.
    """
    first = state.accelerator.is_main_process

    def choose() -> tuple[dict[str, Any] | None, Path | None]:
        places = {done: None} | {int(progress["update"]): place for place, progress in whole_states(folder)}
        found = metrics.best_of(places)
        what = (
            f"those of epoch {found['epoch']}, the best that are whole, take"
            if found
            else "the next that are measured take"
        )
        warn(f"{folder.best}: {what} the place of the best weights of epoch {metrics.best_epoch}")
        return found, places[found["update"]] if found else None

    [whole] = broadcast_object_list([first and check_best(folder, metrics, warn)])
    if whole:
        return
    [(chosen, source)] = broadcast_object_list([choose() if first else (None, None)])
    if source:
        state.restore(load_state(source))
    metrics.best_epoch, metrics.best_update = (chosen["epoch"], chosen["update"]) if chosen else (None, None)
    if chosen:
        keep(chosen["update"])
    state.accelerator.wait_for_everyone()
