"""Runs that are stopped, compared and damaged."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from wolf_chatbox.training.progress import Progress, Updated


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def largest_difference(one: Path, other: Path) -> float:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


class Stop:
    """Asks the run to stop, by the signal that Ctrl-C sends, after an update."""

    def __init__(self, update: int, number: signal.Signals = signal.SIGINT) -> None:
        self.update, self.number = update, number

    def __call__(self, event: Progress) -> None:
        if isinstance(event, Updated) and event.update == self.update:
            os.kill(os.getpid(), self.number)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def harm(path: Path, damage: str) -> None:
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            whole[: len(whole) // 2] if damage == "cut" else whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
        )
