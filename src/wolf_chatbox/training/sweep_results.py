"""The results of a sweep: a table, the best settings, and plots."""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import yaml

from wolf_chatbox.files import new_file
from wolf_chatbox.training.sweep_config import SweepConfig, plain

if TYPE_CHECKING:
    import optuna

COLUMNS = ("number", "state", "loss", "seconds")
FILES = ("best", "best.yaml", "results.csv", "history.png", "importance.png", "parallel.png")
"""What a sweep writes, besides the database of its trials."""


def write_results(config: SweepConfig, study: optuna.Study) -> list[dict[str, Any]]:
    """Write `results.csv`, `best.yaml` and the plots; returns the trials, the best first."""
    trials = table_of(study)
    with new_file(config.output / "results.csv", overwrite=True) as file:
        columns = [*COLUMNS, *config.space]
        table = csv.DictWriter(file, [plain(name) for name in columns], lineterminator="\n")
        table.writeheader()
        table.writerows({plain(name): trial.get(name) for name in columns} for trial in trials)
    if trials and trials[0]["loss"] is not None:
        loss, best = trials[0]["loss"], config.train | {name: trials[0][name] for name in config.space}
        with new_file(config.output / "best.yaml", overwrite=True) as file:
            file.write(f"# held-out loss {loss:.4f}, perplexity {math.exp(loss):.2f}\n")
            named = {plain(name): value for name, value in best.items()}
            yaml.safe_dump(named, file, allow_unicode=True, sort_keys=False)
        draw(config, study, [trial["loss"] for trial in trials if trial["loss"] is not None])
    return trials


def table_of(study: optuna.Study) -> list[dict[str, Any]]:
    """Of each trial its number, state, loss, seconds and searched settings; the best first."""
    from optuna.trial import TrialState

    trials: list[dict[str, Any]] = []
    for trial in study.get_trials(deepcopy=False):
        if trial.state != TrialState.WAITING:
            loss = trial.value if trial.state == TrialState.COMPLETE else None
            row = {"number": trial.number, "state": trial.state.name.lower(), "loss": loss}
            trials.append(row | {"seconds": trial.user_attrs.get("seconds"), **trial.params})
    return sorted(trials, key=lambda row: (row["loss"] is None, row["loss"] or 0, row["number"]))


def draw(config: SweepConfig, study: optuna.Study, losses: Sequence[float]) -> None:
    """Draw history.png, parallel.png and, where the losses of complete trials differ, importance.png.

    The importance is that of PED-ANOVA (Watanabe et al. 2023, https://arxiv.org/abs/2304.10255).
    """
    from matplotlib import pyplot
    from optuna.importance import PedAnovaImportanceEvaluator
    from optuna.visualization import matplotlib as plots

    loss, evaluator, backend = "held-out loss", PedAnovaImportanceEvaluator, pyplot.get_backend()
    pictures: dict[str, Callable[[], Any]] = {
        "history": lambda: plots.plot_optimization_history(study, target_name=loss),
        "parallel": lambda: plots.plot_parallel_coordinate(study, list(config.space), target_name=loss),
        "importance": lambda: plots.plot_param_importances(study, evaluator(), target_name=loss),
    }
    if len(losses) < 3 or len(set(losses)) == 1:
        pictures.pop("importance")
    pyplot.switch_backend("agg")  # no window
    try:
        for name, picture in pictures.items():
            # Each in its own context, as Optuna sets a style for all later plots, and warns that its own may change.
            with pyplot.rc_context({"figure.figsize": (7, 4), "figure.dpi": 120}), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                axes = picture()
                label(name, axes)
                with new_file(config.output / f"{name}.png", overwrite=True) as file:
                    axes.figure.savefig(file.buffer, format="png", bbox_inches="tight")
                pyplot.close(axes.figure)
    finally:
        pyplot.switch_backend(backend)


def label(name: str, axes: Any) -> None:
    """Number trials by whole numbers, and name settings as files do."""
    from matplotlib.ticker import MaxNLocator

    if name == "history":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
    else:
        axis = axes.xaxis if name == "parallel" else axes.yaxis
        axis.set_ticks(axis.get_ticklocs(), [plain(tick.get_text()) for tick in axis.get_ticklabels()])
