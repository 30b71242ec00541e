"""Attacks on what a run leaves behind: damage, strays, links, devices, a second run, a full disk. Nothing is lost, and all is told."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from conftest import make_gpt2, write_script
from processes import ready, start
from test_training import Stop, largest_difference
from test_training_failures import harm
from wolf_chatbox import sweep as sweeps
from wolf_chatbox.checkpoint import RunFolder, read_run, write_folder
from wolf_chatbox.cli import app, run
from wolf_chatbox.errors import CheckpointError, ConfigError, ModelError
from wolf_chatbox.events import Evaluated, Event, Notice, Updated
from wolf_chatbox.files import apart, check_place, new_file
from wolf_chatbox.lock import alone
from wolf_chatbox.training import train
from wolf_chatbox.training_state import save_state

pytestmark = pytest.mark.usefixtures("fp32")


def told(events: list[Event]) -> str:
    return "\n".join(each.text for each in events if isinstance(each, Notice))


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run `wolf-chatbox …`; returns the exit code and what was shown."""

    def call(*words: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        code = run(lambda: app.meta([*map(str, words)], exit_on_error=False, print_error=False), {})
        shown = capsys.readouterr()
        return code, shown.out + shown.err

    return call


# The best weights


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "all gone", "unsealed"])
def test_damaged_best_weights_are_never_published(config: Any, tmp_path: Path, damage: str) -> None:
    """Learning makes the model worse here, so the best weights are those of the first epoch, which best/ holds; a saved state has them too."""
    settings: dict[str, Any] = {"epochs": 3, "lr": 0.1, "schedule": "constant", "eval_every": 4, "save_every": 4, "keep": 9}
    whole = train(config(output=tmp_path / "whole", **settings))
    train(config(**settings), Stop(9))
    best = RunFolder(config().output).best
    if damage == "all gone":
        shutil.rmtree(best)
    elif damage == "unsealed":
        (best / "checksums.json").unlink()
    else:
        harm(best / "model.safetensors", damage)
    events: list[Event] = []
    result = train(config(**settings, resume=True), events.append)
    assert "damaged" in told(events)
    assert str(best) in told(events)
    record = read_run(result.output)
    assert record is not None
    assert record["finished"]
    assert record["metrics"]["best_epoch"] == whole.metrics["best_epoch"]
    assert largest_difference(tmp_path / "whole", result.output) == 0, "the weights of that epoch, from a saved state"
    assert not {"checksums.json", "progress.json"} & set(left(result.output))


def test_where_no_measured_weights_are_whole_the_next_ones_are_the_best(config: Any, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 2, "lr": 0.1, "schedule": "constant", "eval_every": 4, "save_every": 3, "keep": 1}
    train(config(**settings), Stop(9))
    harm(RunFolder(config().output).best / "model.safetensors", "flipped")
    events: list[Event] = []
    result = train(config(**settings, resume=True), events.append)
    measured = [each for each in events if isinstance(each, Evaluated)]
    assert measured[0].best
    assert result.metrics["best_epoch"] == min(measured, key=lambda each: each.loss or 0).epoch


def test_damage_while_the_run_goes_on_is_found_before_it_is_published(config: Any) -> None:
    events: list[Event] = []

    def damage(event: Event) -> None:
        events.append(event)
        if isinstance(event, Updated) and event.update == 7:
            harm(RunFolder(config().output).best / "model.safetensors", "flipped")

    result = train(config(epochs=2, lr=0.1, schedule="constant", eval_every=5), damage)
    assert "damaged" in told(events)
    record = read_run(result.output)
    assert record is not None
    losses = {each["epoch"]: each["loss"] for each in record["metrics"]["evaluations"]}
    assert measured_loss(result.output, config) == pytest.approx(losses[record["metrics"]["best_epoch"]], rel=1e-4)


def measured_loss(model: Path, config: Any) -> float:
    """The held-out loss of a model, as a new run measures it before its first update."""
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        train(config(model=str(model), output=model.with_name("again"), overwrite=True), lambda event: stop_at_once(event, events))
    [first] = events
    assert isinstance(first, Evaluated)
    return first.loss or 0


def stop_at_once(event: Event, events: list[Event]) -> None:
    if isinstance(event, Evaluated):
        events.append(event)
        raise KeyboardInterrupt


def test_a_run_begun_before_there_were_checksums_goes_on_as_before(config: Any, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 3, "lr": 0.1, "schedule": "constant", "eval_every": 4, "save_every": 4}
    train(config(output=tmp_path / "whole", **settings))
    train(config(**settings), Stop(9))
    folder = RunFolder(config().output)
    for name in ("checksums.json", "progress.json"):
        (folder.best / name).unlink()
    for state in folder.states():
        progress = json.loads((state / "progress.json").read_text())
        del progress["metrics"]["best_update"], progress["run"]["base_fingerprint"]
        (state / "progress.json").write_text(json.dumps(progress))
        sums = json.loads((state / "checksums.json").read_text())
        import hashlib

        sums["progress.json"] = hashlib.sha256((state / "progress.json").read_bytes()).hexdigest()
        (state / "checksums.json").write_text(json.dumps(sums))
    events: list[Event] = []
    result = train(config(**settings, resume=True), events.append)
    assert told(events).count("have no checksums (an earlier version wrote them); taken as they are") == 1
    assert largest_difference(tmp_path / "whole", result.output) == 0
