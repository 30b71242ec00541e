"""The figures of a run as they come: a line of JSON each, and a tracker where one is asked for."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from accelerate import Accelerator
from accelerate.utils import is_mlflow_available, is_tensorboard_available, is_trackio_available, is_wandb_available

from wolf_chatbox.config import EvaluateConfig, TrainConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.files import new_file, writing
from wolf_chatbox.model import compat
from wolf_chatbox.training.progress import Evaluated, Progress, Updated
from wolf_chatbox.training.run_folder import unused

AVAILABLE = {
    "tensorboard": is_tensorboard_available,
    "wandb": is_wandb_available,
    "mlflow": is_mlflow_available,
    "trackio": is_trackio_available,
}


def check_tracker(config: TrainConfig | EvaluateConfig) -> None:
    """Raise ConfigError when the tracker of the settings is not installed."""
    if config.report_to and not AVAILABLE[config.report_to]():
        raise ConfigError("report_to", config.report_to, f"is not installed: pip install {config.report_to}")


class Figures:
    """Writes `metrics.jsonl` on the first process and, on request, to one of accelerate's trackers.

    The lines: `{"update", "epoch", "loss", "gradient_norm", "learning_rate", "tokens", "learnt_tokens", "seconds"}` for
    an update, and `{"update", "epoch", "held_out_loss", "perplexity", "bits_per_byte"}` for an evaluation; losses in
    nats per token. Where choices are learnt, losses are per pair of replies, and an evaluation has `preferred` and
    `margin` in place of the last two.
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
            place = config.output.with_name(config.output.name + ".tracking")
            compat.start_tracker(accelerator, str(config.report_to), str(place), _flat(settings))
        if self.writes:
            kept = _earlier(path, done, warn) if done else []
            with new_file(path, overwrite=True) as file:
                file.writelines(line + "\n" for line in kept)

    def add(self, progress: Progress) -> None:
        """Write the figures of an update or an evaluation; anything else has none."""
        line: dict[str, Any]
        match progress:
            case Updated():
                line = {
                    "update": progress.update,
                    "epoch": progress.epoch,
                    "loss": progress.loss,
                    "gradient_norm": progress.norm,
                    "learning_rate": progress.learning_rate,
                    "tokens": progress.tokens,
                    "learnt_tokens": progress.learnt,
                    "seconds": round(progress.seconds, 4),
                }
            case Evaluated(update, epoch, loss, preferred=float(preferred), margin=margin):
                line = {"update": update, "epoch": epoch, "held_out_loss": loss}
                line |= {"preferred": preferred, "margin": margin}
            case Evaluated(update, epoch, loss, perplexity, bits_per_byte=bits):
                line = {"update": update, "epoch": epoch, "held_out_loss": loss}
                line |= {"perplexity": perplexity, "bits_per_byte": bits}
            case _:
                return
        known = {name: value for name, value in line.items() if value is not None and math.isfinite(value)}
        if self.writes:
            with writing(self.path), self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | dict.fromkeys(line.keys() - known)) + "\n")  # JSON has no NaN
        if self.tracked:
            self.accelerator.log(known, step=progress.update)

    def close(self) -> None:
        if self.tracked:
            self.accelerator.end_training()


def _earlier(path: Path, done: int, warn: Callable[[str], None]) -> list[str]:
    """The lines up to update `done`; a damaged file is renamed, and its readable lines are kept."""
    if not path.exists():
        warn(f"{path}: missing, so a new one begins; the saved state has the losses so far")
        return []
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        # A killed run may have written more than the state that it resumes from, and a last line that is cut off.
        damaged = sum(math.isnan(_update(line)) for line in lines[:-1])
        writable = os.access(path, os.W_OK) and path.stat().st_mode & 0o200
        problem = f"{damaged} damaged lines" if damaged else "" if writable else "read-only"
    except OSError as error:
        lines, problem = [], f"cannot be read ({error.strerror})"
    if problem:
        aside = unused(path)
        with writing(path):
            path.rename(aside)
        warn(f"{path}: {problem}; renamed to {aside.name}")
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
