"""A run: one training from start to end, and what its steps share."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.model.load import BaseModel, count_parameters
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.training.passes import Forward
from wolf_chatbox.training.progress import Listener, Notice, Step
from wolf_chatbox.training.recipe import Recipe
from wolf_chatbox.training.run_folder import RunFolder
from wolf_chatbox.training.training_state import TrainingState


@dataclass
class Metrics:
    """Every figure of a run, as run.json keeps them."""

    losses: list[tuple[int, float]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: float | None = None
    best_update: int | None = None
    """After which update, and epoch, the weights were as they are in best/."""
    skipped: list[int] = field(default_factory=list)
    """Updates whose loss or gradient was NaN or infinite."""
    seconds: float = 0.0

    def best_loss(self) -> float | None:
        """The held-out loss of the weights in best/: the lowest of the trained model so far, if none were lost."""
        return next((found["loss"] for found in self.evaluations if found["update"] == self.best_update), None)

    def best_of(self, updates: Collection[int]) -> dict[str, Any] | None:
        """The evaluation with the lowest loss among those after these updates; without held-out data the last one."""
        measured = [found for found in self.evaluations if found["update"] and found["update"] in updates]
        losses = {found["update"]: math.inf if found["loss"] is None else found["loss"] for found in measured}
        return min(measured, key=lambda found: (losses[found["update"]], -found["update"]), default=None)

    def since_best(self) -> int:
        """Evaluations after the best one."""
        losses = [found["loss"] for found in self.evaluations if found["update"] and found["loss"] is not None]
        return len(losses) - 1 - losses.index(min(losses)) if losses else 0


@dataclass(frozen=True)
class Course:
    """What the updates of a run learn from."""

    epochs: Sequence[Sequence[Row]]
    """The rows of each epoch."""
    rows_an_update: int
    """Of all processes together."""

    @property
    def updates(self) -> list[int]:
        """How many each epoch has."""
        return [math.ceil(len(rows) / self.rows_an_update) for rows in self.epochs]

    def place(self, done: int) -> tuple[int, int]:
        """After so many updates: the whole epochs, and the updates of the one under way."""
        for epoch, updates in enumerate(self.updates):
            if done < updates:
                return epoch, done
            done -= updates
        return len(self.epochs), done


@dataclass
class Run:
    """What the steps of a run share. Its settings, data and model stay; its state, metrics and `done` change."""

    config: TrainConfig
    recipe: Recipe
    course: Course
    tell: Listener
    folder: RunFolder
    accelerator: Accelerator
    base: BaseModel
    dataset: Dataset
    forward: Forward
    state: TrainingState
    record: dict[str, Any]
    """What run.json says of the run, besides its metrics."""
    saved: Path | None
    """The saved state that the run resumes from."""
    metrics: Metrics
    done: int
    """Updates made so far."""

    def warn(self, text: str) -> None:
        self.tell(Notice(text))

    def step(self, text: str, kind: str) -> None:
        self.tell(Step(text, kind))

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes files."""
        return bool(self.accelerator.is_main_process)

    @property
    def updates(self) -> int:
        return sum(self.course.updates)

    @property
    def epoch(self) -> float:
        """Epochs made so far; a whole number at the end of one."""
        whole, rest = self.course.place(self.done)
        return whole + rest / self.course.updates[whole] if rest else whole

    @property
    def is_whole(self) -> bool:
        """Whether no epoch is under way."""
        return self.course.place(self.done)[1] == 0

    @property
    def trained(self) -> int:
        """Parameters that are learnt."""
        return sum(parameter.numel() for parameter in self.base.model.parameters() if parameter.requires_grad)

    @property
    def state_bytes(self) -> int:
        """The size of a saved state: the learnt weights, two moments, and an average if there is one, in fp32."""
        return (16 if self.config.ema else 12) * self.trained

    @property
    def disk(self) -> int:
        """Bytes on the disk at most: the saved states, the best weights, and both once more while they are replaced."""
        weights = self.trained if self.config.lora_rank else count_parameters(self.base.model)
        return self.state_bytes * (self.config.keep + 1) + 8 * weights
