"""Many settings at once: a search for those with the lowest held-out loss, written down so that it can go on and be shared.

The search is Optuna's (Akiba et al. 2019, https://arxiv.org/abs/1907.10902): a grid, random, or TPE (Bergstra et al. 2011), with hopeless
runs ended early by the median rule (Golovin et al. 2017, section 3.2.2).
"""

from __future__ import annotations

import csv
import difflib
import math
import shutil
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import yaml

from wolf_chatbox.config import CleanConfig, ReadConfig, SamplingConfig, Search, TrainConfig
from wolf_chatbox.errors import CheckpointError, ConfigError, DataError, TrainingError
from wolf_chatbox.files import check_folder, new_file, replace_folder, writing
from wolf_chatbox.lock import alone
from wolf_chatbox.settings import typed
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Evaluated, Event, Trial, log

if TYPE_CHECKING:
    import optuna

OWN = {"output", "resume", "overwrite", "dry_run", "read", "sampling"}
"""Settings of a run that a sweep makes itself, or that stand for others."""
ELSEWHERE = {
    "learning_rate": "lr",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "gradient_accumulation_steps": "accumulate",
    "max_length": "max_tokens",
    "max_seq_length": "max_tokens",
    "lr_scheduler_type": "schedule",
}
"""What transformers' and TRL's trainers call some settings."""
COLUMNS = ("number", "state", "loss", "seconds")
LEFT = ("best", "best.yaml", "results.csv", "history.png", "importance.png", "parallel.png")
"""What a sweep leaves, besides the file of its trials."""
START_UP = 4
"""Runs that are made whole before any is ended early."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones when both are, evenly in the logarithm if `log`."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        return all(isinstance(each, int) for each in (self.low, self.high, self.step or 1))

    def values(self) -> list[float]:
        """All of them; raises ValueError when they are too many to tell."""
        step = self.step or (1 if self.whole else None)
        if step is None or self.log:
            raise ValueError
        return [self.low + step * each for each in range(math.floor((self.high - self.low) / step + 1e-9) + 1)]


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """What a sweep's file says."""

    train: dict[str, Any]
    """Settings that all runs share, by TrainConfig's names."""
    space: dict[str, tuple[Any, ...] | Range]
    """Settings to search, with the choices or the range of each."""
    output: Path = Path("sweep")
    search: Search = "tpe"
    trials: int = 20
    """Runs in all; a grid makes each of its cells."""
    prune: bool = True
    """End a run whose held-out loss is worse than the median of the others at the same update."""
    storage: str = ""
    """A database's URL (SQLAlchemy), to share it between machines; else a file of SQLite in `output`."""
    seed: int = 0
    where: str = field(default="sweep", compare=False)

    def __post_init__(self) -> None:
        if self.search not in get_args(Search):
            raise self.wrong("search", self.search, f"must be one of {', '.join(get_args(Search))}")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**32:
            raise self.wrong("seed", self.seed, "must be a whole number from 0 and below 2**32")
        if not isinstance(self.trials, int) or self.trials < 1:
            raise self.wrong("trials", self.trials, "must be a whole number of 1 or more")
        if not isinstance(self.prune, bool):
            raise self.wrong("prune", self.prune, "must be true or false")
        if not isinstance(self.storage, str):
            raise self.wrong("storage", self.storage, "must be the URL of a database")
        if not self.space:
            raise self.wrong("space", "", "names no setting to search, such as lr: [5e-5, 1e-4]")
        for name in (*self.train, *self.space):
            if name in OWN:
                raise self.wrong(name, "", "is set by the sweep itself; leave it out")
            if name not in known_settings():
                raise self.wrong(name, "", f"is no setting of train{_meant(name, known_settings())}")
            if name in self.train and name in self.space:
                raise self.wrong(name, "", "is both fixed and searched; leave one of them out")
        if "data" not in self.train:
            raise self.wrong("train", "", "lacks data: the files to learn from")
        for name, choices in self.space.items():
            for value in choices if isinstance(choices, tuple) else (choices.low, choices.high):
                self.config({name: value}, self.output)
            if self.search == "grid" and isinstance(choices, Range):
                try:
                    choices.values()
                except ValueError:
                    raise self.wrong(name, "", "has endless values for a grid; give it a step, or a list") from None
        if self.config({}, self.output).validation_share == 0:
            raise self.wrong("validation_share", 0, "leaves nothing to compare by; hold something out")

    def wrong(self, name: str, value: Any, problem: str) -> DataError:
        return DataError(f"{self.where}: {plain(name)}{f' {value}' if value != '' else ''} {problem}.")

    def config(self, values: Mapping[str, Any], output: Path) -> TrainConfig:
        """The settings of one run. Raises DataError when TrainConfig refuses them."""
        settings: dict[str, Any] = dict(self.train) | dict(values)
        try:
            nested: dict[str, Any] = {
                name: kind(**{each.name: settings.pop(each.name) for each in fields(kind) if each.name in settings})
                for name, kind in (("read", ReadConfig), ("clean", CleanConfig), ("sampling", SamplingConfig))
            }
            return TrainConfig(**settings, **nested, output=output, overwrite=True)
        except ConfigError as error:
            raise self.wrong(error.setting, error.value, error.problem.rstrip(".")) from error
        except TypeError as error:
            raise DataError(
                f"{self.where}: the settings of train do not do ({error}). Write them as train --help shows."
            ) from error


def plain(name: str) -> str:
    """A setting's name as the sweep's file and the flags write it."""
    return name.replace("_", "-")


def shown(settings: Mapping[str, Any]) -> str:
    """Settings on one line: `lr 1e-4, batch-size 2`."""
    return ", ".join(
        f"{plain(name)} {'' if value is None else typed(value) or value}" for name, value in settings.items()
    )


def _meant(name: str, known: Collection[str]) -> str:
    near = [ELSEWHERE[name]] if name in ELSEWHERE else difflib.get_close_matches(name, known, 1)
    return f" (did you mean {plain(near[0])}?)" if near else ""


def known_settings() -> set[str]:
    return {each.name for kind in (TrainConfig, ReadConfig, CleanConfig, SamplingConfig) for each in fields(kind)}


def read_sweep(path: Path) -> SweepConfig:
    """Read a sweep's YAML file. Raises DataError when it cannot be read, or a setting in it will not do."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}). Name a YAML file with train: and space: in it."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: no valid YAML ({' '.join(str(error).split())}).") from error
    parts = [each.name for each in fields(SweepConfig) if each.name != "where"]
    for name in map(str, found) if isinstance(found, dict) else ():
        if name not in parts:
            raise DataError(
                f"{path}: {name}: no part of a sweep's file{_meant(name, parts)}. It may have {', '.join(parts)}."
            )
    if not isinstance(found, dict) or not all(isinstance(found.get(part), dict) for part in ("train", "space")):
        raise DataError(
            f"{path}: no sweep. It needs train: (data and settings for all runs) and space: (settings to search)."
        )
    fixed, searched = (
        {str(name).replace("-", "_"): _number(value) for name, value in found[part].items()}
        for part in ("train", "space")
    )
    space = {name: _choices(path, name, value) for name, value in searched.items()}
    rest = {name: value for name, value in found.items() if name not in ("train", "space") and value is not None}
    return SweepConfig(
        **rest | {"output": Path(str(rest.get("output", "sweep")))}, train=fixed, space=space, where=str(path)
    )


def _number(value: Any) -> Any:
    """YAML takes 1e-4 for text, as it has no dot."""
    if isinstance(value, list):
        return [_number(each) for each in value]
    if isinstance(value, dict):
        return {name: _number(each) for name, each in value.items()}
    try:
        return float(value) if isinstance(value, str) and "e" in value.lower() else value
    except ValueError:
        return value


def _choices(path: Path, name: str, value: Any) -> tuple[Any, ...] | Range:
    if isinstance(value, list) and value:
        return tuple(value)
    if isinstance(value, dict) and {"low", "high"} <= set(value) <= {"low", "high", "step", "log"}:
        numbers = all(isinstance(value[each], int | float) for each in ("low", "high"))
        if (
            numbers
            and value["low"] < value["high"]
            and (value["low"] > 0 or not value.get("log"))
            and not (value.get("log") and value.get("step"))
        ):
            return Range(**value)
    raise DataError(
        f"{path}: {plain(name)} needs a list of choices, or low and high (low the smaller one, above 0 with log: true) with step or log."
    )


@dataclass(frozen=True)
class Outcome:
    """A sweep's runs so far, the best first; `interrupted` when it was stopped before its end."""

    trials: list[dict[str, Any]]
    """Of each: number, state, loss (held out, in nats; None when it has none), seconds, and the searched settings."""
    interrupted: bool


class _Interrupted(Exception):
    """A run was stopped by a person, and with it the sweep."""


def sweep(config: SweepConfig, tell: Callable[[Event], None] = log) -> Outcome:
    """Search, telling as `train` does; the same sweep started again goes on, and on several machines with one storage they work together.

    Leaves in `config.output`: `best/` (the model), `best.yaml` (its settings, for `train --config`), `results.csv` and plots.
    Raises DataError when the storage holds a sweep with other settings, and what `train` raises for data and models.
    """
    import optuna
    from optuna.storages import RDBStorage, RetryFailedTrialCallback
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    _claim(config)
    url = config.storage or f"sqlite:///{config.output / 'trials.db'}"
    try:
        # A worker that was killed stops giving a sign of life; its run is made again.
        storage = RDBStorage(
            url, heartbeat_interval=20, grace_period=60, failed_trial_callback=RetryFailedTrialCallback(max_retry=3)
        )
    except Exception as error:  # SQLAlchemy's and the drivers' own, of many kinds
        raise DataError(
            f"{config.where}: storage {url} cannot be opened ({' '.join(str(error).split())[:200]}). Check the URL."
        ) from error
    study = optuna.create_study(
        study_name="wolf_chatbox",
        storage=storage,
        load_if_exists=True,
        sampler=_sampler(config),
        pruner=_pruner(config),
        direction="minimize",
    )
    described = {
        "train": _plain(config.train),
        "space": {name: _plain(value) for name, value in config.space.items()},
        "search": config.search,
    }
    before = study.user_attrs.get("sweep", described)
    if before != described:
        differing = [
            f"{part} {before[part]}, now {described[part]}" for part in described if before[part] != described[part]
        ]
        raise DataError(
            f"{url}: holds a sweep with other settings ({'; '.join(differing)}). Go on with those, or choose another output."
        )
    study.set_user_attr("sweep", described)

    def run(trial: optuna.Trial) -> float:
        values = {name: _suggest(trial, name, choices) for name, choices in config.space.items()}
        tell(Trial(trial.number, values))

        def watch(event: Event) -> None:
            tell(event)
            if isinstance(event, Evaluated) and event.update and event.loss is not None:
                trial.report(event.loss, event.update)
                if config.prune and trial.should_prune():
                    raise optuna.TrialPruned

        try:
            result = train(config.config(values, _place(config, trial.number)), watch)
        except TrainingError as error:
            trial.set_user_attr("without_number", str(error))
            raise
        if result.interrupted:
            raise _Interrupted
        trial.set_user_attr("seconds", round(result.metrics["seconds"], 1))
        losses = [each["loss"] for each in result.metrics["evaluations"] if each["update"] and each["loss"] is not None]
        return min(losses, default=math.nan)

    def tidy(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        """Keep the best run's model and no other."""
        place, best = _place(config, trial.number), config.output / "best"
        finished = [each for each in study.get_trials(states=(TrialState.COMPLETE,)) if each.value is not None]
        if (
            trial.state == TrialState.COMPLETE
            and finished
            and min(finished, key=lambda each: each.value or 0).number == trial.number
        ):
            with alone(best, wait=True):
                replace_folder(place, best)
        for left in config.output.glob(place.name + "*"):
            shutil.rmtree(left, ignore_errors=True)

    def enough() -> bool:
        """Runs that were stopped or killed do not count: they are made again."""
        ended = (TrialState.COMPLETE, TrialState.PRUNED)
        made = sum(
            each.state in ended or "without_number" in each.user_attrs for each in study.get_trials(deepcopy=False)
        )
        return made >= (cells or config.trials)

    cells = math.prod(map(len, _cells(config).values())) if config.search == "grid" else 0
    interrupted = False
    if not enough():
        try:
            study.optimize(
                run, callbacks=[tidy, lambda study, _: study.stop() if enough() else None], catch=(TrainingError,)
            )
        except (_Interrupted, KeyboardInterrupt):
            interrupted = True
            last = study.trials[-1]
            for left in config.output.glob(_place(config, last.number).name + "*"):
                shutil.rmtree(left, ignore_errors=True)
            study.enqueue_trial(last.params)
    return Outcome(_report(config, study), interrupted)


def _claim(config: SweepConfig) -> None:
    """Make the output folder a sweep's. Raises CheckpointError where that would replace what no sweep has left there."""
    check_folder(config.output)
    results = config.output / "results.csv"
    with writing(config.output):
        config.output.mkdir(parents=True, exist_ok=True)
        begun = results.is_file() and results.read_text(encoding="utf-8", errors="replace").startswith(
            ",".join(COLUMNS)
        )
        begun = begun or (config.output / "trials.db").is_file()
        others = [each for each in LEFT if (config.output / each).exists() and not begun]
    if others:
        raise CheckpointError(
            f"{config.output}: holds {', '.join(others)}, which no sweep has written. Choose another output folder."
        )
    if not results.exists():
        with new_file(results) as file:
            file.write(",".join([*COLUMNS, *map(plain, config.space)]) + "\n")


def _place(config: SweepConfig, number: int) -> Path:
    return config.output / f"trial-{number:04d}"


def _plain(value: Any) -> Any:
    return vars(value) if isinstance(value, Range) else list(value) if isinstance(value, tuple) else value


def _sampler(config: SweepConfig) -> optuna.samplers.BaseSampler:
    import optuna

    if config.search == "grid":
        return optuna.samplers.GridSampler(_cells(config), seed=config.seed)
    if config.search == "random":
        return optuna.samplers.RandomSampler(seed=config.seed)
    return optuna.samplers.TPESampler(seed=config.seed)


def _cells(config: SweepConfig) -> dict[str, list[Any]]:
    return {
        name: list(choices) if isinstance(choices, tuple) else choices.values()
        for name, choices in config.space.items()
    }


def _pruner(config: SweepConfig) -> optuna.pruners.BasePruner:
    import optuna

    return optuna.pruners.MedianPruner(n_startup_trials=START_UP) if config.prune else optuna.pruners.NopPruner()


def _suggest(trial: optuna.Trial, name: str, choices: tuple[Any, ...] | Range) -> Any:
    if isinstance(choices, tuple):
        return trial.suggest_categorical(name, choices)
    if choices.whole:
        return trial.suggest_int(
            name, int(choices.low), int(choices.high), step=int(choices.step or 1), log=choices.log
        )
    return trial.suggest_float(name, choices.low, choices.high, step=choices.step, log=choices.log)


def _report(config: SweepConfig, study: optuna.Study) -> list[dict[str, Any]]:
    """Write `results.csv`, `best.yaml` and the plots; returns the runs, the best first."""
    from optuna.trial import TrialState

    trials: list[dict[str, Any]] = [
        {
            "number": each.number,
            "state": each.state.name.lower(),
            "loss": each.value if each.state == TrialState.COMPLETE else None,
        }
        | {"seconds": each.user_attrs.get("seconds"), **each.params}
        for each in study.trials
        if each.state != TrialState.WAITING
    ]
    trials.sort(key=lambda each: (each["loss"] is None, each["loss"] or 0, each["number"]))
    with new_file(config.output / "results.csv", overwrite=True) as file:
        columns = [*COLUMNS, *config.space]
        table = csv.DictWriter(file, [plain(name) for name in columns], lineterminator="\n")
        table.writeheader()
        table.writerows({plain(name): each.get(name) for name in columns} for each in trials)
    if trials and trials[0]["loss"] is not None:
        best = config.train | {name: trials[0][name] for name in config.space}
        with new_file(config.output / "best.yaml", overwrite=True) as file:
            file.write(f"# held-out loss {trials[0]['loss']:.4f}, perplexity {math.exp(trials[0]['loss']):.2f}\n")
            yaml.safe_dump(
                {plain(name): value for name, value in best.items()}, file, allow_unicode=True, sort_keys=False
            )
        _draw(config, study, trials)
    return trials


def _draw(config: SweepConfig, study: optuna.Study, trials: list[dict[str, Any]]) -> None:
    """history.png, importance.png (PED-ANOVA: Watanabe et al. 2023, https://arxiv.org/abs/2304.10255) and parallel.png."""
    import optuna
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    def plot(name: str, fill: Callable[[Any], None]) -> None:
        figure = Figure(figsize=(7, 4), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        fill(axes)
        with new_file(config.output / f"{name}.png", overwrite=True) as file:
            figure.savefig(file.buffer, format="png", dpi=120)

    whole = sorted((each for each in trials if each["loss"] is not None), key=lambda each: each["number"])
    numbers, losses = [each["number"] for each in whole], [each["loss"] for each in whole]

    def history(axes: Any) -> None:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.plot(numbers, losses, "o", color="#4a607c")
        axes.plot(
            numbers, [min(losses[: at + 1]) for at in range(len(losses))], color="#c8452d", label="the best so far"
        )
        axes.set_xlabel("trial")
        axes.set_ylabel("held-out loss (nats per token)")
        axes.legend(frameon=False)

    def importance(axes: Any) -> None:
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
        axes.barh([plain(name) for name in found][::-1], list(found.values())[::-1], color="#4a607c")
        axes.set_xlabel("importance for the loss")

    def parallel(axes: Any) -> None:
        def scale(values: list[Any]) -> dict[Any, float]:
            return {value: at / max(1, len(values) - 1) for at, value in enumerate(values)}

        columns = [*config.space, "loss"]
        heights = {
            name: scale(sorted({each[name] for each in whole}, key=lambda value: (str(type(value)), value)))
            for name in columns
        }
        worst, best = max(losses), min(losses)
        for each in whole[::-1]:
            shade = (each["loss"] - best) / (worst - best or 1)
            axes.plot(
                range(len(columns)),
                [heights[name][each[name]] for name in columns],
                color=(0.78, 0.27, 0.18, 1 - 0.85 * shade),
            )
        axes.set_xticks(range(len(columns)), map(plain, columns))
        axes.set_yticks([0, 1], ["lowest", "highest"])

    plot("history", history)
    plot("parallel", parallel)
    if len(whole) > 2 and len(set(losses)) > 1:
        plot("importance", importance)
