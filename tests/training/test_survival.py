"""A run killed with SIGKILL again and again, at any moment, ends bit for bit where the undisturbed run ends."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from processes import is_finished, ready, start
from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.model.record import read_run
from wolf_chatbox.training.run_folder import RunFolder


def survive(config: TrainConfig, whole: Path, seconds: float, kills: int, seed: int) -> int:
    """Kill and resume at random moments until the run ends; returns the number of kills."""
    moments = random.Random(seed)
    done = 0
    while not is_finished(config.output):
        process = start(replace(config, resume=bool(RunFolder(config.output).states())))
        process.join(moments.uniform(0, seconds) if done < kills else 120)
        if process.exitcode is None:
            process.kill()
            process.join()
            done += 1
        else:
            assert process.exitcode == 0
    one, other = load_file(whole / "model.safetensors"), load_file(config.output / "model.safetensors")
    assert all(torch.equal(one[name], other[name]) for name in one)
    undisturbed, disturbed = read_run(whole), read_run(config.output)
    assert undisturbed is not None
    assert disturbed is not None
    for figures in ("losses", "evaluations", "best_epoch"):
        assert undisturbed["metrics"][figures] == disturbed["metrics"][figures]
    assert sorted(path.name for path in config.output.parent.glob(config.output.name + "*")) == [config.output.name]
    return done


@pytest.mark.slow
def test_killed_and_resumed_is_undisturbed(script: Path, tiny_gpt2: Path, tmp_path: Path) -> None:
    _survive(script, tiny_gpt2, tmp_path, kills=3, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_killed_many_times_and_resumed_is_undisturbed(script: Path, tiny_gpt2: Path, tmp_path: Path, seed: int) -> None:
    _survive(script, tiny_gpt2, tmp_path, kills=5, seed=seed)


def _survive(script: Path, base: Path, tmp_path: Path, kills: int, seed: int) -> None:
    config = TrainConfig(
        data=(str(script),),
        model=str(base),
        output=tmp_path / "whole",
        epochs=2,
        max_tokens=64,
        lr=5e-3,
        dropout=0.1,
        save_every=1,
        eval_every=3,
        schedule="cosine",
        seed=seed,
        sampling=SamplingConfig(max_new_tokens=2),
    )
    ready()
    begun = time.monotonic()
    process = start(config)
    process.join()
    assert process.exitcode == 0
    seconds = time.monotonic() - begun
    done = 0
    for again in range(4 * kills):  # a run that was lucky enough to end early is made again
        done += survive(
            replace(config, output=tmp_path / f"killed{again}"),
            tmp_path / "whole",
            seconds,
            kills - done,
            100 * seed + again,
        )
        if done == kills:
            return
    raise AssertionError(f"{done} kills instead of {kills}")
