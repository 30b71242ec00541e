"""The curves of a training, as values: for the page, the terminal and the reports alike."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.model.record import read_run

METRICS = "metrics.jsonl"
UNFINISHED = ".unfinished"
SMOOTHING = 0.9
"""How much of a smoothed value is the one before it, as in TensorBoard."""

Point = tuple[float, float | None]
"""An update, and what was measured then; None where it was no number."""


@dataclass(frozen=True)
class Curves:
    """What was measured in a training, by update.

    curves = read_curves(Path("wolf_model"))
    curves.loss[-1], curves.held_out
    """

    loss: list[Point] = field(default_factory=list)
    """Nats per learnt token, or per pair of replies."""
    held_out: list[Point] = field(default_factory=list)
    """The same of the held-out split."""
    learning_rate: list[Point] = field(default_factory=list)
    tokens_per_second: list[Point] = field(default_factory=list)

    @property
    def smoothed_loss(self) -> list[Point]:
        return smoothed(self.loss)

    @property
    def smoothed_speed(self) -> list[Point]:
        return smoothed(self.tokens_per_second)


def read_curves(folder: Path) -> Curves:
    """The curves of a run folder, or of a run there that is not finished; empty where nothing was measured.

    A run of an earlier version has them in its record alone. Lines that are damaged are left out.
    """
    for place in (folder, folder.with_name(folder.name + UNFINISHED)):
        with suppress(OSError), (place / METRICS).open(encoding="utf-8", errors="replace") as file:
            return curves_of(_parsed(file))
    with suppress(CheckpointError):
        return curves_of(_recorded(read_run(folder) or {}))
    return Curves()


def curves_of(lines: Iterator[Mapping[str, Any]]) -> Curves:
    """The curves of lines as `metrics.jsonl` has them."""
    curves = Curves()
    for line in lines:
        update = _number(line.get("update"))
        if update is None:
            continue
        if "held_out_loss" in line:
            curves.held_out.append((update, _number(line["held_out_loss"])))
        if "loss" in line:
            curves.loss.append((update, _number(line["loss"])))
        if "learning_rate" in line:
            curves.learning_rate.append((update, _number(line["learning_rate"])))
        tokens, seconds = _number(line.get("tokens")), _number(line.get("seconds"))
        if tokens is not None and seconds:
            curves.tokens_per_second.append((update, tokens / seconds))
    return curves


def smoothed(points: Sequence[Point], weight: float = SMOOTHING) -> list[Point]:
    """The exponential moving average, free of the bias of its beginning (Kingma & Ba 2014, arXiv:1412.6980, 3)."""
    mean, kept = 0.0, 1.0
    found: list[Point] = []
    for update, value in points:
        if value is not None:
            mean, kept = weight * mean + (1 - weight) * value, kept * weight
        found.append((update, None if value is None else mean / (1 - kept)))
    return found


def compared(runs: Mapping[str, Curves]) -> dict[str, dict[str, list[Point]]]:
    """The curves of several runs over each other, by what they show; what no run has is left out."""
    kinds = {
        "loss": {name: curves.smoothed_loss for name, curves in runs.items()},
        "held_out": {name: curves.held_out for name, curves in runs.items()},
        "learning_rate": {name: curves.learning_rate for name, curves in runs.items()},
        "tokens_per_second": {name: curves.smoothed_speed for name, curves in runs.items()},
    }
    known = {kind: {name: points for name, points in lines.items() if points} for kind, lines in kinds.items()}
    return {kind: lines for kind, lines in known.items() if lines}


def _parsed(lines: Iterator[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        with suppress(ValueError, RecursionError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found


def _recorded(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The lines that the metrics of a run's record stand for."""
    metrics = record.get("metrics")
    if not isinstance(metrics, dict):
        return
    for pair in metrics.get("losses") or []:
        if isinstance(pair, list) and len(pair) == 2:
            yield {"update": pair[0], "loss": pair[1]}
    for found in metrics.get("evaluations") or []:
        if isinstance(found, dict):
            yield {"update": found.get("update"), "held_out_loss": found.get("loss")}


def _number(value: object) -> float | None:
    """A finite number; None for anything else that a file may hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with suppress(OverflowError):
        return float(value) if math.isfinite(value) else None
    return None
