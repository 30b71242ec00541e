"""A sweep: many runs with different settings, in search of the lowest held-out loss.

The search is Optuna's (Akiba et al. 2019, https://arxiv.org/abs/1907.10902): a grid, random, or TPE (Bergstra et al.
2011). Hopeless runs are stopped early by the median rule (Golovin et al. 2017, section 3.2.2).
"""

from __future__ import annotations

import math
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wolf_chatbox.errors import CheckpointError, DataError, TrainingError
from wolf_chatbox.files import check_folder, new_file, replace_folder, writing
from wolf_chatbox.lock import alone
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Evaluated, Listener, Progress, Trial, log, thinned
from wolf_chatbox.training.sweep_config import Range, SweepConfig, plain
from wolf_chatbox.training.sweep_results import COLUMNS, FILES, write_results

if TYPE_CHECKING:
    import optuna

START_UP = 4
"""Runs that are made whole before any is stopped early."""
DIVERGED = "without_number"
"""The mark, in the database, of a trial whose loss was NaN or infinite: it counts, and is not made again."""


@dataclass(frozen=True)
class Outcome:
    """The trials of a sweep so far, the best first; `interrupted` when it was stopped before its end."""

    trials: list[dict[str, Any]]
    """Of each: number, state, loss (held out, in nats, or None), seconds, and the searched settings."""
    interrupted: bool


class _Interrupted(Exception):
    """A person stopped a run, and with it the sweep."""


def sweep(config: SweepConfig, tell: Listener = log) -> Outcome:
    """Search, reporting as `train` does.

    The same sweep started again continues; several machines with one storage share the work. Writes into
    `config.output`: `best/` (the model), `best.yaml` (its settings, for `train --config`), `results.csv` and plots.
    Raises DataError when the storage holds a sweep with other settings, and what `train` raises for data and models.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    _claim(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = _open_study(config)
        interrupted = not _enough(config, study) and _search(config, study, tell)
        return Outcome(write_results(config, study), interrupted)


def _claim(config: SweepConfig) -> None:
    """Make the output folder a sweep's. Raises CheckpointError where that would replace what no sweep has written."""
    check_folder(config.output)
    results, head = config.output / "results.csv", ",".join(COLUMNS)
    with writing(config.output):
        config.output.mkdir(parents=True, exist_ok=True)
        begun = (config.output / "trials.db").is_file() or (
            results.is_file() and results.read_text(encoding="utf-8", errors="replace").startswith(head)
        )
        others = [name for name in FILES if (config.output / name).exists() and not begun]
    if others:
        raise CheckpointError(
            f"{config.output}: holds {', '.join(others)}, which no sweep has written. Choose another output folder."
        )
    if not results.exists():
        with new_file(results) as file:
            file.write(",".join([head, *map(plain, config.space)]) + "\n")


def _open_study(config: SweepConfig) -> optuna.Study:
    """The trials so far, of this machine and others. Raises DataError when they are those of another sweep."""
    import optuna
    from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback

    url = config.storage or f"sqlite:///{config.output / 'trials.db'}"
    retry = RetryHeartbeatStaleTrialCallback(max_retry=3)
    try:
        # A worker that was killed gives no more heartbeats; its trial is made again.
        storage = RDBStorage(url, heartbeat_interval=20, grace_period=60, heartbeat_stale_trial_callback=retry)
    except Exception as error:  # SQLAlchemy's and the drivers' own, of many kinds
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{config.where}: storage {url} cannot be opened ({reason}). Check the URL.") from error
    study = optuna.create_study(
        study_name="wolf_chatbox",
        storage=storage,
        load_if_exists=True,
        sampler=_sampler(config),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=START_UP) if config.prune else optuna.pruners.NopPruner(),
        direction="minimize",
    )
    described = {
        "train": _plain(config.train),
        "space": {name: _plain(value) for name, value in config.space.items()},
        "search": config.search,
    }
    before = study.user_attrs.get("sweep", described)
    if differing := [f"{part} {before[part]}, now {now}" for part, now in described.items() if before[part] != now]:
        raise DataError(
            f"{url}: holds a sweep with other settings ({'; '.join(differing)}). "
            "Continue with those, or choose another output."
        )
    study.set_user_attr("sweep", described)
    return study


def _plain(value: Any) -> Any:
    """As JSON holds it."""
    return vars(value) if isinstance(value, Range) else list(value) if isinstance(value, tuple) else value


def _sampler(config: SweepConfig) -> optuna.samplers.BaseSampler:
    import optuna

    if config.search == "grid":
        return optuna.samplers.GridSampler({name: config.cells(name) for name in config.space}, seed=config.seed)
    if config.search == "random":
        return optuna.samplers.RandomSampler(seed=config.seed)
    return optuna.samplers.TPESampler(seed=config.seed)


def _enough(config: SweepConfig, study: optuna.Study) -> bool:
    """Whether all trials are made; those that were stopped or killed do not count: they are made again."""
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    made = sum(trial.state in ended or DIVERGED in trial.user_attrs for trial in trials)
    cells = [len(config.cells(name)) for name in config.space] if config.search == "grid" else [config.trials]
    return made >= math.prod(cells)


def _search(config: SweepConfig, study: optuna.Study, tell: Listener) -> bool:
    """Make the trials that are left; returns True when a person stopped it before its end."""

    def tidy(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        _keep_best(config, study, trial)
        if _enough(config, study):
            study.stop()

    try:
        study.optimize(lambda trial: _run(config, trial, tell), callbacks=[tidy], catch=(TrainingError,))
    except (_Interrupted, KeyboardInterrupt):
        last = study.trials[-1]
        _remove(config, last.number)
        study.enqueue_trial(last.params)
        return True
    return False


def _run(config: SweepConfig, trial: optuna.Trial, tell: Listener) -> float:
    """Train with the settings of a trial; returns its lowest held-out loss."""
    import optuna

    values = {name: _suggest(trial, name, choices) for name, choices in config.space.items()}
    settings = config.config(values, _place(config, trial.number))
    report = thinned(tell, settings.log_every)
    report(Trial(trial.number, values))

    def watch(progress: Progress) -> None:
        report(progress)
        if isinstance(progress, Evaluated) and progress.update and progress.loss is not None:
            trial.report(progress.loss, progress.update)
            if config.prune and trial.should_prune():
                raise optuna.TrialPruned

    try:
        result = train(settings, watch)
    except TrainingError as error:
        trial.set_user_attr(DIVERGED, str(error))
        raise
    if result.interrupted:
        raise _Interrupted
    trial.set_user_attr("seconds", round(result.metrics["seconds"], 1))
    evaluations = result.metrics["evaluations"]
    losses = [found["loss"] for found in evaluations if found["update"] and found["loss"] is not None]
    return min(losses, default=math.nan)


def _suggest(trial: optuna.Trial, name: str, choices: tuple[Any, ...] | Range) -> Any:
    if isinstance(choices, tuple):
        return trial.suggest_categorical(name, choices)
    if choices.whole:
        return trial.suggest_int(
            name, int(choices.low), int(choices.high), step=int(choices.step or 1), log=choices.log
        )
    return trial.suggest_float(name, choices.low, choices.high, step=choices.step, log=choices.log)


def _keep_best(config: SweepConfig, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
    """Keep the model of the best trial, and no other."""
    from optuna.trial import TrialState

    finished = [other for other in study.get_trials(states=(TrialState.COMPLETE,)) if other.value is not None]
    best = min(finished, key=lambda other: other.value or 0, default=None)
    if best is not None and best.number == trial.number:
        with alone(config.output / "best", wait=True):
            replace_folder(_place(config, trial.number), config.output / "best")
    _remove(config, trial.number)


def _place(config: SweepConfig, number: int) -> Path:
    return config.output / f"trial-{number:04d}"


def _remove(config: SweepConfig, number: int) -> None:
    """Remove the folders of a trial."""
    place = _place(config, number)
    for folder in config.output.glob(f"{place.name}*"):
        shutil.rmtree(folder, ignore_errors=True)
