"""The file of a sweep: which settings all runs share, and which are searched."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml

from wolf_chatbox.config import Search, TrainConfig
from wolf_chatbox.errors import ConfigError, DataError
from wolf_chatbox.settings import build, declared, typed

OWN = {"output", "resume", "overwrite", "dry_run"}
"""Settings that a sweep makes itself."""
ELSEWHERE = {
    "learning_rate": "lr",
    "num_train_epochs": "epochs",
    "per_device_train_batch_size": "batch_size",
    "gradient_accumulation_steps": "accumulate",
    "max_length": "max_tokens",
    "max_seq_length": "max_tokens",
    "lr_scheduler_type": "schedule",
}
"""The names of some settings in the trainers of transformers and TRL."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones when both are, drawn on a log scale with `log`."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        return all(isinstance(number, int) for number in (self.low, self.high, self.step or 1))

    def values(self) -> list[float]:
        """All of them. Raises ValueError when there is no step between them."""
        step = self.step or (1 if self.whole else None)
        if step is None or self.log:
            raise ValueError
        return [self.low + step * count for count in range(math.floor((self.high - self.low) / step + 1e-9) + 1)]


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """The file of a sweep."""

    train: dict[str, Any]
    """Settings that all runs share, under the YAML keys of train."""
    space: dict[str, tuple[Any, ...] | Range]
    """Settings to search, each with a list of choices or a range (low and high, with step or log)."""
    output: Path = Path("sweep")
    """Output folder."""
    search: Search = "tpe"
    """Search method: grid (every combination), random, or tpe."""
    trials: int = 20
    """Number of runs; a grid runs every combination once."""
    prune: bool = True
    """Stop a run early when its held-out loss is worse than the median of the others at the same update."""
    storage: str = ""
    """The URL of a database (SQLAlchemy) that several machines share; by default an SQLite file in `output`."""
    seed: int = 0
    """Random seed of the search."""
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
        self._check_names()
        self._check_values()

    def _check_names(self) -> None:
        if not self.space:
            raise self.wrong("space", "", "has no setting to search, such as lr: [5e-5, 1e-4]")
        for name in (*self.train, *self.space):
            if name in OWN:
                raise self.wrong(name, "", "is set by the sweep; leave it out")
            if name not in known_settings():
                raise self.wrong(name, "", f"is not a setting of train{_meant(name, known_settings())}")
            if name in self.train and name in self.space:
                raise self.wrong(name, "", "is both fixed and searched; leave one of them out")
        if "data" not in self.train:
            raise self.wrong("train", "", "lacks data: the files to learn from")

    def _check_values(self) -> None:
        for name, choices in self.space.items():
            for value in choices if isinstance(choices, tuple) else (choices.low, choices.high):
                self.config({name: value}, self.output)
            if self.search == "grid":
                self.cells(name)
        if self.config({}, self.output).validation_share == 0:
            raise self.wrong("validation_share", 0, "leaves no held-out split to compare runs by; give it a share")

    def cells(self, name: str) -> list[Any]:
        """The values of a searched setting in a grid. Raises DataError when it has no end of them."""
        choices = self.space[name]
        try:
            return list(choices) if isinstance(choices, tuple) else choices.values()
        except ValueError:
            raise self.wrong(name, "", "has endless values for a grid; give it a step, or a list") from None

    def wrong(self, name: str, value: Any, problem: str) -> DataError:
        return DataError(f"{self.where}: {plain(name)}{f' {value}' if value != '' else ''} {problem}.")

    def config(self, values: Mapping[str, Any], output: Path) -> TrainConfig:
        """The settings of one run. Raises DataError when TrainConfig refuses them."""
        try:
            return build(TrainConfig, {**self.train, **values, "output": output, "overwrite": True})
        except ConfigError as error:
            raise self.wrong(error.setting, error.value, error.problem.rstrip(".")) from error
        except TypeError as error:
            raise DataError(
                f"{self.where}: the settings of train are not valid ({error}). Write them as train --help shows."
            ) from error


def plain(name: str) -> str:
    """The name of a setting as files and flags write it."""
    return name.replace("_", "-")


def shown(settings: Mapping[str, Any]) -> str:
    """Settings on one line: `lr 1e-4, batch-size 2`."""
    return ", ".join(
        f"{plain(name)} {'' if value is None else typed(value) or value}" for name, value in settings.items()
    )


def _meant(name: str, known: Collection[str]) -> str:
    near = [ELSEWHERE[name]] if name in ELSEWHERE else difflib.get_close_matches(name, known, 1)
    return f" (did you mean {plain(near[0])}?)" if near else ""


@cache
def known_settings() -> frozenset[str]:
    return frozenset(declared(TrainConfig))


def read_sweep(path: Path) -> SweepConfig:
    """Read the YAML file of a sweep. Raises DataError when it cannot be read, or a setting is not valid."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror}). Name a YAML file that has train: and space:."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not valid YAML ({' '.join(str(error).split())}). Correct it there.") from error
    parts = [field.name for field in fields(SweepConfig) if field.name != "where"]
    for name in map(str, found) if isinstance(found, dict) else ():
        if name not in parts:
            raise DataError(
                f"{path}: {name}: not a part of a sweep{_meant(name, parts)}. The parts are {', '.join(parts)}."
            )
    if not isinstance(found, dict) or not all(isinstance(found.get(part), dict) for part in ("train", "space")):
        raise DataError(
            f"{path}: not a sweep. It needs train: (data and settings of all runs) and space: (settings to search)."
        )
    fixed, searched = (
        {str(name).replace("-", "_"): _number(value) for name, value in found[part].items()}
        for part in ("train", "space")
    )
    space = {name: _choices(path, name, value) for name, value in searched.items()}
    rest = {name: value for name, value in found.items() if name not in ("train", "space") and value is not None}
    rest["output"] = Path(str(rest.get("output", "sweep")))
    return SweepConfig(**rest, train=fixed, space=space, where=str(path))


def _number(value: Any) -> Any:
    """The value with numbers for texts such as 1e-4, which YAML takes for a text, as it has no dot."""
    if isinstance(value, list):
        return [_number(item) for item in value]
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    try:
        return float(value) if isinstance(value, str) and "e" in value.lower() else value
    except ValueError:
        return value


def _choices(path: Path, name: str, value: Any) -> tuple[Any, ...] | Range:
    if isinstance(value, list) and value:
        return tuple(value)
    if isinstance(value, dict) and {"low", "high"} <= set(value) <= {"low", "high", "step", "log"}:
        low, high, log = value["low"], value["high"], value.get("log")
        ordered = isinstance(low, int | float) and isinstance(high, int | float) and low < high
        if ordered and not (log and (low <= 0 or value.get("step"))):
            return Range(**value)
    raise DataError(
        f"{path}: {plain(name)} needs a list of choices, or low and high "
        "(low the smaller one, above 0 with log: true) with step or log."
    )
