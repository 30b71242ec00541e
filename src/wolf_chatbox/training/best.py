"""The best weights of a run so far, kept with checksums; where they are damaged, the best intact ones replace them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from accelerate.utils import broadcast_object_list

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import write_folder
from wolf_chatbox.training.publish import save_model, size_of
from wolf_chatbox.training.run import Run
from wolf_chatbox.training.run_folder import seal, unseal
from wolf_chatbox.training.training_state import load_state, whole_states


def write_best(run: Run, update: int) -> None:
    """Keep the present weights as the best so far, those after `update`; all processes must call it."""
    weights = run.state.weights()

    def write(place: Path) -> None:
        save_model(place, run, weights)
        seal(place, {"update": update})

    if run.writes:
        write_folder(run.folder.best, write, size_of(weights))


def check_best(run: Run) -> bool:
    """Whether best/ holds what the metrics say, undamaged; warns of damage."""
    metrics, best = run.metrics, run.folder.best
    if metrics.best_epoch is None:
        return True
    if metrics.best_update is None and best.is_dir():  # begun before best/ had checksums
        run.warn(f"{best}: no checksums (written by an earlier version): the best weights so far are used unchecked")
        metrics.best_update = next(
            (found["update"] for found in metrics.evaluations if found["epoch"] == metrics.best_epoch), None
        )
        seal(best, {"update": metrics.best_update})
        return True
    try:
        # A killed run may have found better weights after the state that it resumes from: it will find them again.
        return bool(unseal(best)["update"] == metrics.best_update)
    except CheckpointError as error:
        run.warn(f"{best}: the best weights so far (epoch {metrics.best_epoch}) are damaged ({error})")
        return False


def mend_best(run: Run) -> None:
    """Where best/ is not what the metrics say, or damaged, keep the best intact weights and correct the metrics.

    These are those of a saved state, which the model then has, or the present ones. All processes must call it.
    """
    metrics = run.metrics
    [whole] = broadcast_object_list([run.writes and check_best(run)])
    if whole:
        return
    [(chosen, source)] = broadcast_object_list([_replacement(run) if run.writes else (None, None)])
    if source:
        run.state.restore(load_state(source))
    metrics.best_epoch, metrics.best_update = (chosen["epoch"], chosen["update"]) if chosen else (None, None)
    if chosen:
        write_best(run, chosen["update"])
    run.accelerator.wait_for_everyone()


def _replacement(run: Run) -> tuple[dict[str, Any] | None, Path | None]:
    """The evaluation of the best intact weights, and the saved state that has them; None for the present ones."""
    places = {run.done: None} | {int(progress["update"]): place for place, progress in whole_states(run.folder)}
    found = run.metrics.best_of(places)
    what = f"the best intact ones, of epoch {found['epoch']}," if found else "the next that are evaluated"
    run.warn(f"{run.folder.best}: {what} replace the best weights of epoch {run.metrics.best_epoch}")
    return found, places[found["update"]] if found else None
