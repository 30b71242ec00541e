"""Folders of runs that were made before the modules had rooms are loaded, resumed and talked with as they were.

fixtures/old_run holds a base model of two layers, a script, a finished run on it, and one interrupted after update 30
of 40: all were written by the code before that change.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runs import largest_difference
from wolf_chatbox import ChatSession, CleanConfig, SamplingConfig, TrainConfig, train
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.training.run_folder import RunFolder, seal, unseal

OLD_RUN = Path(__file__).parents[1] / "fixtures" / "old_run"
pytestmark = pytest.mark.usefixtures("fp32")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(OLD_RUN, tmp_path / "old_run")
    monkeypatch.chdir(tmp_path / "old_run")
    return tmp_path / "old_run"


def config(output: str, *, resume: bool = False) -> TrainConfig:
    sampling = SamplingConfig(max_new_tokens=8)
    return TrainConfig(
        data=("script.csv",),
        model="base",
        output=Path(output),
        epochs=2,
        max_tokens=64,
        lr=5e-3,
        persona="Bob",
        keep=1,
        sampling=sampling,
        resume=resume,
    )


def test_an_old_model_answers_as_its_persona(place: Path) -> None:
    session = ChatSession.load("finished", seed=1)
    assert (session.persona, session.user) == ("Bob", "Ann")
    assert session.sampling.max_new_tokens == 8
    session.reply("where is the goose?")
    assert [turn.speaker for turn in session.history][:1] == ["Ann"]


def test_an_old_interrupted_run_ends_as_a_new_one_does(place: Path) -> None:
    resumed = train(config("interrupted", resume=True))
    whole = train(config("whole"))
    assert not resumed.interrupted
    assert [update for update, _ in resumed.metrics["losses"]] == list(range(1, 41))
    assert [loss for _, loss in resumed.metrics["losses"]] == pytest.approx(
        [loss for _, loss in whole.metrics["losses"]], abs=1e-3
    )
    # The first 30 updates were computed on another machine perhaps.
    assert largest_difference(Path("interrupted"), Path("whole")) < 2e-3


def test_an_old_model_is_learnt_from_again(place: Path) -> None:
    again = train(TrainConfig(data=("script.csv",), model="finished", output=Path("again"), max_tokens=64))
    record = json.loads((again.output / "run.json").read_text())
    assert record["style"] == "named"


@pytest.fixture
def older(place: Path) -> Path:
    """The interrupted run as an earlier version saved it, which lacked some settings."""
    [state] = RunFolder(place / "interrupted").states()
    progress = unseal(state)
    del progress["run"]["settings"]["patience"], progress["run"]["settings"]["weight_decay"]
    del progress["run"]["settings"]["clean"]["duplicates"]
    seal(state, progress)
    return place


def test_a_setting_that_a_saved_state_lacks_has_its_default(older: Path) -> None:
    assert len(train(config("interrupted", resume=True)).metrics["losses"]) == 40


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"weight_decay": 0.5}, r"weight_decay 0\.01, now 0\.5"),
        ({"clean": CleanConfig(duplicates="near")}, "duplicates 'keep', now 'near'"),
    ],
)
def test_another_value_than_the_default_is_a_difference(older: Path, other: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckpointError, match=says):
        train(replace(config("interrupted", resume=True), **other))
