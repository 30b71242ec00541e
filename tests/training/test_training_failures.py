"""What can go wrong with a run, what it then says, and what is left of it."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from conftest import make_gpt2, write_script
from runs import Stop, harm, largest_difference, lines_of
from wolf_chatbox.errors import CheckpointError, ConfigError, DataError, ModelError, TrainingError
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Notice, Prepared, Progress, Updated

pytestmark = pytest.mark.usefixtures("fp32")


def test_three_updates_without_a_number_stop_the_run_and_keep_the_last_good_state(config: Any) -> None:
    with pytest.raises(TrainingError, match="Lower the learning rate") as caught:
        train(config(lr=1e18, save_every=1, epochs=3, schedule="constant", keep=9))
    assert "\n" not in str(caught.value)
    states = sorted(config().output.with_name("model.unfinished").glob("state-*"))
    assert str(states[-1]) in str(caught.value)
    for state in states:
        weights = torch.load(state / "training.pt", weights_only=True)["model"].values()
        assert all(tensor.isfinite().all() for tensor in weights)


def test_an_update_without_a_number_is_skipped_and_counted(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are those of a run in which that update had no effect; two in a row do not stop a run, three do."""
    from wolf_chatbox.training import loop

    learn, calls = loop.learn, []

    def learn_or_not(*settings: Any) -> Any:
        calls.append(1)
        return learn(*settings) * (torch.nan if len(calls) in bad else 1)

    monkeypatch.setattr(loop, "learn", learn_or_not)
    bad: set[int] = {3, 4, 7}
    told: list[Progress] = []
    result = train(config(epochs=1), told.append)
    assert result.metrics["skipped"] == [3, 4, 7]
    assert len(result.metrics["losses"]) == max(event.update for event in told if isinstance(event, Updated)) - 3
    assert sum("skipped" in event.text for event in told if isinstance(event, Notice)) == 3
    assert [line.get("loss", 0) is None for line in lines_of(result.output)].count(True) == 3
    calls.clear()
    bad = {5, 6, 7}
    with pytest.raises(
        TrainingError, match=r"update 7: the loss or the gradient of 3 updates in a row was NaN .* last one: '.+"
    ):
        train(config(epochs=1, overwrite=True))
    [state] = config().output.with_name("model.unfinished").glob("state-*")
    assert state.name == "state-000007"
    assert not train(config(epochs=1, resume=True)).interrupted


def test_settings_that_do_not_fit_the_model_or_data_are_refused(config: Any, tiny_gpt2: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"over the context length of .*Use at most 256"):
        train(config(max_tokens=257))
    with pytest.raises(DataError, match="Did you mean Bob"):
        train(config(persona="Bobb"))
    one = tmp_path / "one.csv"
    write_script(one, episodes=1, speakers=("Ann", "Ann", "Ann", "Ann", "Ann", "Ann", "Ann", "Bob"))
    with pytest.raises(DataError, match="nothing to train on: the training split has no turns by Bob"):
        train(config(data=(str(one),), persona="Bob"))
    assert not list(tmp_path.glob("model*")), "nothing is written before all is well"
    no_end = tmp_path / "no-end"
    make_gpt2().save_pretrained(no_end)
    tokenizer = AutoTokenizer.from_pretrained(tiny_gpt2)
    tokenizer.eos_token = None
    tokenizer.save_pretrained(no_end)
    with pytest.raises(ModelError, match="no end token"):
        train(config(model=str(no_end)))


def test_a_finished_model_is_not_replaced_unasked(config: Any) -> None:
    folder = train(config(epochs=1)).output
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(CheckpointError, match="--overwrite"):
        train(config(epochs=1, seed=9))
    assert (folder / "model.safetensors").read_bytes() == before
    train(config(epochs=1, seed=9, overwrite=True))
    assert (folder / "model.safetensors").read_bytes() != before


def test_a_file_without_a_turn_is_refused(config: Any, tmp_path: Path) -> None:
    path = tmp_path / "silent.csv"
    path.write_text("name,line\nAnn,\nBob,  \n")
    with pytest.raises(DataError, match=r"silent\.csv: no turns of dialogue found \(2 read, 2 dropped: no text\)"):
        train(config(data=(str(path),)))


def test_a_full_disk_stops_the_run_with_the_last_state_whole(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:

        def fill_the_disk(event: Progress) -> None:
            if isinstance(event, Updated) and event.update == 5:
                patch.setattr("torch.save", full)

        with pytest.raises(CheckpointError, match="the disk is full"):
            train(config(save_every=2), fill_the_disk)
    unfinished = config().output.with_name("model.unfinished")
    assert sorted(path.name for path in unfinished.glob("state-*")) == ["state-000002", "state-000004"]
    assert not train(config(resume=True, save_every=2)).interrupted


def test_too_little_room_is_told_before_the_first_update(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    told: list[Progress] = []
    with pytest.raises(CheckpointError, match=r"and its disk has .* free"):
        train(config(), told.append)
    assert not any(isinstance(event, Prepared | Updated) for event in told)


def test_no_permission_to_write_is_told_before_the_first_update(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CheckpointError, match="no permission to write there"):
        train(config())


@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("training.pt", "flipped"),
        *(
            pytest.param(file, damage, marks=pytest.mark.slow)
            for file in ("training.pt", "progress.json", "checksums.json")
            for damage in ("cut", "flipped", "gone")
            if (file, damage) != ("training.pt", "flipped")
        ),
    ],
)
def test_a_damaged_state_is_named_and_the_one_before_it_taken(
    config: Any, tmp_path: Path, file: str, damage: str
) -> None:
    train(config(output=tmp_path / "whole", save_every=2))
    train(config(save_every=2), Stop(5))
    former, newest = sorted(config().output.with_name("model.unfinished").glob("state-*"))
    harm(newest / file, damage)
    told: list[Progress] = []
    train(config(save_every=2, resume=True), told.append)
    notices = [event.text for event in told if isinstance(event, Notice)]
    assert any(str(newest) in text and "damaged" in text for text in notices)
    assert [event.done for event in told if isinstance(event, Prepared)] == [int(former.name.removeprefix("state-"))]
    assert largest_difference(tmp_path / "whole", config().output) == 0


def test_when_no_state_is_whole_nothing_is_lost(config: Any) -> None:
    train(config(), Stop(2))
    [state] = config().output.with_name("model.unfinished").glob("state-*")
    harm(state / "training.pt", "cut")
    with pytest.raises(CheckpointError, match=r"no saved state is intact. Start again with --overwrite"):
        train(config(resume=True))
    assert state.exists()
    assert (config().output / "model.safetensors").exists()


def test_out_of_memory_halves_the_pass_and_changes_nothing_else(
    config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wolf_chatbox.model.loss import SummedLoss

    settings = {"epochs": 1, "batch_size": 4, "lr": 1e-3}
    train(config(output=tmp_path / "whole", **settings))
    forward = SummedLoss.forward

    def too_much(self: SummedLoss, batch: Any) -> Any:
        if self.training and batch.ids.numel() > 130:
            raise torch.OutOfMemoryError("Tried to allocate 20 MiB")
        return forward(self, batch)

    monkeypatch.setattr(SummedLoss, "forward", too_much)
    told: list[Progress] = []
    train(config(output=tmp_path / "halved", **settings), told.append)
    assert any(
        "out of memory; from here on 128 tokens per forward pass" in event.text
        for event in told
        if isinstance(event, Notice)
    )
    assert largest_difference(tmp_path / "whole", tmp_path / "halved") < 2e-5

    def always(self: SummedLoss, batch: Any) -> Any:
        if self.training:
            raise torch.OutOfMemoryError("Tried to allocate 20 MiB")
        return forward(self, batch)

    monkeypatch.setattr(SummedLoss, "forward", always)
    with pytest.raises(TrainingError, match=r"out of memory on (cpu|cuda) .* --gradient-checkpointing") as caught:
        train(config(output=tmp_path / "none", **settings))
    assert "\n" not in str(caught.value)


def test_what_this_machine_cannot_do_is_refused_before_anything_is_written(
    config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wolf_chatbox.training import tracking

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="needs a CUDA device"):
        train(config(optimizer="adamw8bit"))
    monkeypatch.setitem(tracking.AVAILABLE, "wandb", lambda: False)
    with pytest.raises(ConfigError, match="pip install wandb"):
        train(config(report_to="wandb"))
    assert not list(tmp_path.glob("model*"))
