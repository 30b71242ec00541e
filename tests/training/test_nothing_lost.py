"""Attacks on a run's folders: damage, strays, links, devices, a second run, a full disk. Nothing is lost in silence."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from conftest import make_gpt2
from processes import ready, start
from runs import Stop, harm
from wolf_chatbox.cli import app, run
from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.errors import CheckpointError, ConfigError, ModelError
from wolf_chatbox.files import apart, write_folder
from wolf_chatbox.lock import alone
from wolf_chatbox.model.load import load_model
from wolf_chatbox.model.record import read_run
from wolf_chatbox.training.loop import Result, train
from wolf_chatbox.training.progress import Notice, Progress, Step, Updated
from wolf_chatbox.training.run_folder import RunFolder, seal, unseal
from wolf_chatbox.training.sweep import sweep
from wolf_chatbox.training.sweep_config import SweepConfig
from wolf_chatbox.training.training_state import save_state

pytestmark = pytest.mark.usefixtures("fp32")


def told(events: list[Progress]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Notice))


def left(folder: Path) -> list[str]:
    """What is in a folder; it is also the home, where CUDA keeps what it compiled."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".nv")


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

SETTINGS: dict[str, Any] = {
    "epochs": 1,
    "max_tokens": 128,
    "lr": 5e-3,
    "schedule": "constant",
    "eval_every": 2,
    "save_every": 2,
    "keep": 9,
}


def weight(model: Any) -> float:
    """In place of the held-out loss: the size of the weights, which grows. So the first evaluation is the best."""
    return sum(float(parameter.detach().square().sum()) for parameter in model.parameters())


@pytest.fixture
def _growing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wolf_chatbox.training.loop.mean_loss", lambda forward, rows: weight(forward.learner.model))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory, tiny_gpt2: Path, script: Path) -> Path:
    """A run that was stopped after update 5; its best weights are those after update 2."""
    output = tmp_path_factory.mktemp("stopped") / "model"
    sampling = SamplingConfig(max_new_tokens=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wolf_chatbox.training.loop.mean_loss", lambda forward, rows: weight(forward.learner.model))
        patch.setattr("wolf_chatbox.training.devices.choose_precision", lambda precision: "no")
        result = train(
            TrainConfig(data=(str(script),), model=str(tiny_gpt2), output=output, sampling=sampling, **SETTINGS),
            Stop(5),
        )
    assert result.metrics["best_update"] == 2
    return output


def again(stopped: Path, output: Path) -> RunFolder:
    """A copy of the stopped run."""
    shutil.copytree(stopped, output)
    shutil.copytree(RunFolder(stopped).unfinished, RunFolder(output).unfinished)
    return RunFolder(output)


def check_published(result: Result) -> dict[str, Any]:
    """The published weights are those that run.json says; returns its metrics."""
    record = read_run(result.output)
    assert record is not None
    assert record["finished"]
    metrics: dict[str, Any] = record["metrics"]
    [measured] = [found for found in metrics["evaluations"] if found["update"] == metrics["best_update"]]
    assert measured["epoch"] == metrics["best_epoch"]
    assert weight(load_model(str(result.output)).model) == pytest.approx(measured["loss"], rel=1e-6)
    assert not {"checksums.json", "progress.json"} & set(left(result.output))
    assert left(result.output.parent) == ["model"]
    return metrics


@pytest.mark.usefixtures("_growing")
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "all gone", "unsealed"])
def test_damaged_best_weights_are_never_published(stopped: Path, config: Any, damage: str) -> None:
    best = again(stopped, config().output).best
    if damage == "all gone":
        shutil.rmtree(best)
    elif damage == "unsealed":
        (best / "checksums.json").unlink()
    else:
        harm(best / "model.safetensors", damage)
    events: list[Progress] = []
    result = train(config(**SETTINGS, resume=True), events.append)
    assert f"{best}: the best weights so far (epoch" in told(events)
    assert "are damaged" in told(events)
    assert check_published(result)["best_update"] == 2, "a saved state has the same weights"


@pytest.mark.usefixtures("_growing")
def test_where_the_best_are_lost_the_best_of_those_that_are_whole_are_published(stopped: Path, config: Any) -> None:
    folder = again(stopped, config().output)
    harm(folder.best / "model.safetensors", "flipped")
    shutil.rmtree(folder.state(2))
    assert check_published(train(config(**SETTINGS, resume=True)))["best_update"] == 4


@pytest.mark.usefixtures("_growing")
def test_where_none_is_whole_the_next_that_are_measured_are_the_best(stopped: Path, config: Any) -> None:
    folder = again(stopped, config().output)
    harm(folder.best / "model.safetensors", "flipped")
    for update in (2, 4):
        shutil.rmtree(folder.state(update))
    events: list[Progress] = []
    assert check_published(train(config(**SETTINGS, resume=True), events.append))["best_update"] == 6
    assert "the next that are evaluated replace the best weights of epoch" in told(events)


@pytest.mark.usefixtures("_growing")
def test_damage_while_the_run_goes_on_is_found_before_it_is_published(config: Any) -> None:
    events: list[Progress] = []

    def damage(event: Progress) -> None:
        events.append(event)
        if isinstance(event, Updated) and event.update == 5:
            harm(RunFolder(config().output).best / "model.safetensors", "flipped")

    result = train(config(**SETTINGS | {"save_every": 100}), damage)
    last = max(event.update for event in events if isinstance(event, Updated))
    assert check_published(result)["best_update"] == last, "the present weights are whole"
    assert "are damaged" in told(events)


@pytest.mark.usefixtures("_growing")
def test_better_weights_than_the_saved_state_knows_of_are_not_told_as_its_own(stopped: Path, config: Any) -> None:
    """A run was killed after it had kept new best weights and before it saved a state."""
    folder = again(stopped, config().output)
    (folder.best / "progress.json").unlink()
    seal(folder.best, {"update": 6})
    events: list[Progress] = []
    assert check_published(train(config(**SETTINGS, resume=True), events.append))["best_update"] == 2
    assert "damaged" not in told(events)


@pytest.mark.usefixtures("_growing")
def test_a_run_begun_before_there_were_checksums_goes_on_as_before(stopped: Path, config: Any) -> None:
    folder = again(stopped, config().output)
    for name in ("checksums.json", "progress.json"):
        (folder.best / name).unlink()
    for state in folder.states():
        progress = unseal(state)
        del progress["metrics"]["best_update"], progress["run"]["base_fingerprint"]
        seal(state, progress)
    events: list[Progress] = []
    assert check_published(train(config(**SETTINGS, resume=True), events.append))["best_update"] == 2
    assert told(events).count("no checksums (written by an earlier version)") == 1


# Strays, and damaged figures


def test_strays_do_not_stop_a_resumption_and_stay(stopped: Path, config: Any) -> None:
    folder = again(stopped, config().output)
    shutil.copytree(folder.state(4), folder.unfinished / "state-old")
    (folder.unfinished / "state-000013.bak").write_text("mine")
    (folder.unfinished / "state-000099").write_text("a file")
    (folder.unfinished / "notes.txt").write_text("mine")
    events: list[Progress] = []
    result = train(config(**SETTINGS, resume=True), events.append)
    assert not result.interrupted
    assert left(folder.unfinished) == ["notes.txt", "state-000013.bak", "state-old"]
    assert "not written by this run, kept: notes.txt, state-000013.bak, state-old" in told(events)
    train(config(**SETTINGS, overwrite=True))
    assert (folder.unfinished / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("damage", ["a folder", "read-only", "bytes", "a line", "gone"])
def test_damaged_figures_are_set_aside_and_the_run_goes_on(stopped: Path, config: Any, damage: str) -> None:
    folder = again(stopped, config().output)
    figures, before = folder.metrics, folder.metrics.read_bytes()
    if damage in ("a folder", "gone"):
        figures.unlink()
    if damage == "a folder":
        figures.mkdir()
        (figures / "mine").write_text("")
    elif damage == "read-only":
        figures.chmod(0o444)
    elif damage == "bytes":
        figures.write_bytes(b"\xff\xfe\n" + before)
    elif damage == "a line":
        figures.write_bytes(before.replace(b'"update": 1,', b'"upd": 1,', 1))
    events: list[Progress] = []
    result = train(config(**SETTINGS, resume=True), events.append)
    assert str(figures) in told(events)
    updates = [
        line["update"]
        for line in map(json.loads, (result.output / "metrics.jsonl").read_text().splitlines())
        if "loss" in line
    ]
    last = max(event.update for event in events if isinstance(event, Updated))
    assert updates == list(range({"a folder": 6, "gone": 6, "a line": 2}.get(damage, 1), last + 1))
    if damage != "gone":
        assert (folder.unfinished / "metrics.jsonl.old-1").exists()
        assert "renamed to metrics.jsonl.old-1" in told(events)


# Two at once


def test_a_second_run_is_refused_before_anything_is_touched(stopped: Path, config: Any, tmp_path: Path) -> None:
    again(stopped, config().output)
    ready()
    process = start(config(**SETTINGS | {"epochs": 200}, overwrite=True))
    try:
        for _ in range(1200):
            if RunFolder(config().output).metrics.is_file() and (tmp_path / ".model.lock").is_file():
                break
            time.sleep(0.1)
        for settings in ({}, {"overwrite": True}, {"resume": True}):
            with pytest.raises(
                CheckpointError, match=rf"process {process.pid} on {socket.gethostname()} is writing there"
            ) as caught:
                train(config(**SETTINGS, **settings))
            assert "\n" not in str(caught.value)
        assert process.exitcode is None
    finally:
        process.kill()
        process.join()
    assert (tmp_path / ".model.lock").is_file(), "killed, it could not take its lock away"
    train(config(**SETTINGS, overwrite=True))
    assert left(tmp_path) == ["model"]


def test_a_lock_leaves_nothing_and_lets_the_next_one_in(tmp_path: Path) -> None:
    place = tmp_path / "new" / "deep" / "model"
    with alone(place), pytest.raises(CheckpointError, match="is writing there"), alone(place):
        pass
    assert not left(tmp_path), "folders that it made are gone"
    with alone(place):
        place.mkdir()
    assert left(place.parent) == ["model"]


def test_one_that_waits_comes_after_the_other(tmp_path: Path) -> None:
    came: list[str] = []

    def wait() -> None:
        with alone(tmp_path / "model", wait=True):
            came.append("second")

    with alone(tmp_path / "model"):
        second = threading.Thread(target=wait)
        second.start()
        time.sleep(0.1)
        came.append("first")
    second.join(60)
    assert came == ["first", "second"]
    assert not left(tmp_path)


# Links, the folder one is in, devices


def test_an_output_that_is_a_link_stays_one(config: Any, tmp_path: Path) -> None:
    big = tmp_path / "big disk"
    big.mkdir()
    link = tmp_path / "model"
    link.symlink_to(big / "model")  # to where nothing is yet
    train(config(**SETTINGS), Stop(3))
    assert left(big) == ["model", "model.unfinished"]
    with alone(big / "model"), pytest.raises(CheckpointError, match="is writing there"):
        train(config(**SETTINGS, resume=True))
    train(config(**SETTINGS, resume=True))
    assert link.is_symlink()
    assert left(big) == ["model"]
    assert (link / "model.safetensors").is_file()
    write_folder(link, lambda place: (place / "new").touch())
    assert left(big / "model") == ["new"]
    assert link.is_symlink()


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_folder_one_is_in_is_no_output(
    config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    here = tmp_path / "here" / "deep"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    for output in (".", "..", str(here), "deep/..", "/"):
        with pytest.raises(CheckpointError, match="is the current folder, or one above it"):
            train(config(output=Path(output), dry_run=dry_run))
    os.mkfifo(tmp_path / "pipe")
    for output in ("/dev/null", str(tmp_path / "pipe")):
        with pytest.raises(CheckpointError, match="is a file"):
            train(config(output=Path(output), dry_run=dry_run))
    assert not left(here)


def test_what_somebody_put_where_a_run_writes_is_kept(stopped: Path, config: Any, tmp_path: Path) -> None:
    folder = RunFolder(config().output)
    folder.unfinished.write_text("mine")
    with pytest.raises(CheckpointError, match="a file, but the run needs a folder there"):
        train(config(**SETTINGS, overwrite=True))
    folder.unfinished.unlink()
    again(stopped, folder.output)
    (folder.output / "run.json").unlink()
    with pytest.raises(CheckpointError, match="the folder is not empty and holds no trained model"):
        train(config(**SETTINGS, resume=True))
    assert (folder.output / "model.safetensors").is_file()


TALK = "13.6.2018, 21:25 - Ann: one\n13.6.2018, 21:26 - Bob: two\n13.6.2018, 21:27 - Ann: three\n"


@pytest.mark.parametrize("write", ["convert", "report", "inspect"])
def test_no_file_is_written_over_what_is_there(command: Any, tmp_path: Path, write: str) -> None:
    (tmp_path / "chat.txt").write_text(TALK)
    words = {
        "convert": ("data", "convert", tmp_path / "chat.txt", "-o"),
        "report": ("data", "convert", tmp_path / "chat.txt", "-o", tmp_path / "out.jsonl", "--report"),
        "inspect": ("data", "inspect", tmp_path / "chat.txt", "--html"),
    }[write]
    place, folder, pipe, link, target = (tmp_path / name for name in ("place", "folder", "pipe", "link", "target"))
    place.write_text("mine")
    folder.mkdir()
    os.mkfifo(pipe)
    link.symlink_to(target)
    target.write_text("mine")
    for refused in (
        place,
        link,
        folder,
        pipe,
        Path("/dev/full"),
        tmp_path / ("x" * 300),
        tmp_path / "nowhere" / "file",
    ):
        code, shown = command(*words, refused)
        assert code == 1
        assert shown.splitlines()[-1].startswith(f"error: {refused}: ")
    for refused in (folder, pipe, Path("/dev/full")):
        assert command(*words, refused, "--overwrite")[0] == 1
    assert place.read_text() == target.read_text() == "mine"
    assert pipe.is_fifo()
    assert Path("/dev/full").is_char_device()
    (tmp_path / "out.jsonl").unlink(missing_ok=True)
    assert command(*words, link, "--overwrite")[0] == 0
    assert link.is_symlink()
    assert target.read_text() != "mine"
    assert not [name for name in left(tmp_path) if "writing" in name]


def test_a_report_is_not_written_over_the_output(command: Any, tmp_path: Path) -> None:
    (tmp_path / "chat.txt").write_text(TALK)
    code, shown = command(
        "data", "convert", tmp_path / "chat.txt", "-o", tmp_path / "out", "--report", tmp_path / "out", "--overwrite"
    )
    assert code == 2
    assert "is also the output" in shown
    assert left(tmp_path) == ["chat.txt"]


def test_a_sweep_replaces_only_what_a_sweep_has_written(tmp_path: Path, script: Path) -> None:
    output = tmp_path / "sweep"
    (output / "best").mkdir(parents=True)
    (output / "best" / "model").write_text("mine")
    (output / "results.csv").write_text("mine")
    config = SweepConfig(train={"data": [str(script)]}, space={"lr": (1e-4,)}, output=output)
    with pytest.raises(CheckpointError, match=r"holds best, results\.csv, which no sweep has written"):
        sweep(config)
    assert left(output) == ["best", "results.csv"]
    assert (output / "results.csv").read_text() == "mine"


# A full disk, seeds, weights


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_disk_that_fills_during_a_save_is_told_as_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=4_300_000_000))

    def save(place: Path) -> None:
        (place / "training.pt").symlink_to("/dev/full")
        save_state(place, {"model": {"x": torch.zeros(100_000)}}, 3, {}, {})

    with pytest.raises(
        CheckpointError, match=r"state-000003: the disk is full; 4\.31 GB needed, 4\.30 GB free\. Free"
    ) as caught:
        RunFolder(tmp_path / "model").save_state(3, save, keep=1, size=4_310_000_000)
    assert "\n" not in str(caught.value)
    assert not left(tmp_path / "model.unfinished")


@given(st.integers(0, 2**50), st.integers(1, 2**50))
def test_two_sizes_never_look_the_same(size: int, more: int) -> None:
    one, other = apart(size, size + more)
    assert one != other


def test_a_seed_that_no_generator_takes_is_refused(config: Any) -> None:
    for seed in (2**63, 2**70, 10**400):
        with pytest.raises(ConfigError, match=rf"seed = \d+: must be 0 or more and below {2**63}"):
            config(seed=seed)
    assert not train(config(**SETTINGS, seed=2**63 - 1)).interrupted


def test_with_lora_the_base_model_is_compared(config: Any, tiny_gpt2: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_gpt2, base)
    settings = SETTINGS | {"model": str(base), "lora_rank": 2}
    train(config(**settings), Stop(3))
    model = make_gpt2()
    with torch.no_grad():
        model.transformer.h[1].mlp.c_fc.bias[3] += 1e-3
    model.save_pretrained(base)
    with pytest.raises(CheckpointError, match="the weights of the base model differ"):
        train(config(**settings, resume=True))
    shutil.copytree(tiny_gpt2, base, dirs_exist_ok=True)
    assert not train(config(**settings, resume=True)).interrupted


@pytest.mark.parametrize("number", [torch.nan, -torch.inf])
def test_a_base_model_without_numbers_is_named_before_the_first_update(
    config: Any, tiny_gpt2: Path, tmp_path: Path, number: float
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_gpt2, base)
    model = make_gpt2()
    with torch.no_grad():
        model.transformer.h[1].mlp.c_fc.bias[3] = number
    model.save_pretrained(base)
    events: list[Progress] = []
    for dry_run in (False, True):
        with pytest.raises(
            ModelError,
            match=r"base: NaN or infinite weights in 1 tensors, such as transformer\.h\.1\.mlp\.c_fc\.bias",
        ):
            train(config(model=str(base), dry_run=dry_run), events.append)
    assert {type(event) for event in events} == {Step}, "nothing was prepared"
    assert left(tmp_path) == ["base"]
