"""The figures of a run as they come: a line of JSON for each, and a tracker if one is asked for."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.tracking import LOGGER_TYPE_TO_CLASS
from accelerate.utils import is_mlflow_available, is_tensorboard_available, is_trackio_available, is_wandb_available

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.files import new_file, writing
from wolf_chatbox.training.progress import Evaluated, Updated

AVAILABLE = {
    "tensorboard": is_tensorboard_available,
    "wandb": is_wandb_available,
    "mlflow": is_mlflow_available,
    "trackio": is_trackio_available,
}


def check_tracker(config: TrainConfig) -> None:
    """Raise ConfigError when the tracker that is asked for is not installed."""
    if config.report_to and not AVAILABLE[config.report_to]():
        raise ConfigError("report_to", config.report_to, f"is not installed: pip install {config.report_to}")


class Figures:
    """Writes `metrics.jsonl` and, on request, to one of accelerate's trackers; nothing on processes other than the first.

    The lines: `{"update", "epoch", "loss", "gradient_norm", "learning_rate", "tokens", "learnt_tokens", "seconds"}` for an
    update, and `{"update", "epoch", "held_out_loss", "perplexity"}` for a measurement; losses in nats a token.
    """

    def __init__(
        self,
        path: Path,
        config: TrainConfig,
        settings: dict[str, Any],
        accelerator: Accelerator,
        done: int,
        warn: Callable[[str], None],
    ) -> None:
        self.path, self.accelerator, self.tracked = path, accelerator, bool(config.report_to)
        self.writes = accelerator.is_main_process
        if self.tracked:
            # Handed over only now: the tracker's folder is the run's.
            accelerator.log_with = [LOGGER_TYPE_TO_CLASS[str(config.report_to)].name]
            accelerator.project_configuration.set_directories(
                str(config.output.with_name(config.output.name + ".tracking"))
            )
            accelerator.init_trackers("wolf_chatbox", config=_flat(settings))
        if self.writes:
            kept = _earlier(path, done, warn) if done else []
            with new_file(path, overwrite=True) as file:
                file.writelines(line + "\n" for line in kept)

    def add(self, event: Updated | Evaluated) -> None:
        line: dict[str, Any]
        if isinstance(event, Updated):
            line = {
                "update": event.update,
                "epoch": event.epoch,
                "loss": event.loss,
                "gradient_norm": event.norm,
                "learning_rate": event.learning_rate,
            }
            line |= {"tokens": event.tokens, "learnt_tokens": event.learnt, "seconds": round(event.seconds, 4)}
        else:
            line = {
                "update": event.update,
                "epoch": event.epoch,
                "held_out_loss": event.loss,
                "perplexity": event.perplexity,
            }
        line = {
            name: value if value is None or math.isfinite(value) else None for name, value in line.items()
        }  # JSON knows no nan
        if self.writes:
            with writing(self.path), self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if self.tracked:
            self.accelerator.log({name: value for name, value in line.items() if value is not None}, step=event.update)

    def close(self) -> None:
        if self.tracked:
            self.accelerator.end_training()


def _earlier(path: Path, done: int, warn: Callable[[str], None]) -> list[str]:
    """The lines up to update `done`; a file with damage in it is set aside, and what of it can be read is kept."""
    if not path.exists():
        warn(f"{path}: is gone, and begun anew; the losses so far are kept in the saved state")
        return []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        # A run that was killed may have written more than the state that it goes on from, and cut its last line off.
        damaged = sum(math.isnan(_update(line)) for line in lines[:-1])
        writable = os.access(path, os.W_OK) and path.stat().st_mode & 0o200
        problem = f"{damaged} of its lines are damaged" if damaged else "" if writable else "read-only"
    except OSError as error:
        lines, problem = [], f"cannot be read ({error.strerror})"
    if problem:
        aside = next(each for number in count(1) if not (each := path.with_name(f"{path.name}.old-{number}")).exists())
        with writing(path):
            path.rename(aside)
        warn(f"{path}: {problem}; set aside as {aside.name}")
    return [line for line in lines if _update(line) <= done]


def _update(line: str) -> float:
    try:
        return float(json.loads(line)["update"])
    except (ValueError, KeyError, TypeError):
        return math.nan


def _flat(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= (
            _flat(value, f"{prefix}{name}.")
            if isinstance(value, dict)
            else {prefix + name: value if isinstance(value, int | float) else str(value)}
        )
    return flat
