"""What holds on a GPU: the laws of the loop with the kernels that CUDA has, and a chat with what was learnt there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import ROOT, make_gpt2, make_llama, write_script
from processes import together
from runs import Stop, largest_difference
from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.model.compat import computes_bf16_on_cpu
from wolf_chatbox.model.loss import SummedLoss
from wolf_chatbox.model.record import read_run
from wolf_chatbox.samples.rendering import Sample
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Evaluated, Notice, Planned, Prepared, Progress

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


def losses_of(folder: Path) -> list[float]:
    return [loss for _, loss in (read_run(folder) or {})["metrics"]["losses"]]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory, tokenizer: Any) -> Path:
    """A folder with a GPT-2 whose heads have 64 entries and whose context holds long samples."""
    folder = tmp_path_factory.mktemp("models") / "wide"
    make_gpt2(len(tokenizer), 1024, n_embd=128).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def long(wide: Path, tmp_path: Path) -> Any:
    """Makes the settings of a short run on samples of several hundred tokens, which a kernel adds up in parts."""
    path = tmp_path / "long.csv"
    write_script(path, say=lambda episode, line: f"the goose number {line} is in house {episode} " * 8)

    def make(**changes: Any) -> TrainConfig:
        settings: dict[str, Any] = {"data": (str(path),), "model": str(wide), "output": tmp_path / "model", "epochs": 2}
        settings |= {"max_tokens": 768, "lr": 1e-3, "sampling": SamplingConfig(max_new_tokens=4)}
        return TrainConfig(**(settings | changes))

    return make


@pytest.mark.parametrize("make", [make_gpt2, make_llama])
def test_rows_are_packed_and_their_loss_is_that_of_the_cpu(make: Any) -> None:
    model = make()
    rows = [tuple(Sample([3 + at % 90 for at in range(length)], [True] * length) for length in (150, 7, 40))]
    exact = SummedLoss(model)
    expected = float(exact(exact.collate(rows, 0)).detach())
    learner = SummedLoss(model.cuda())
    assert learner.apart == "packed"
    with torch.autocast("cuda", torch.bfloat16):
        loss = learner(learner.collate(rows, 0).to(torch.device("cuda")))
    assert float(loss.detach()) == pytest.approx(expected, rel=5e-3)


def test_only_our_kernel_is_told_to_keep_to_one_order(long: Any) -> None:
    train(long(epochs=1))
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        pytest.param({"dropout": 0.1}, marks=pytest.mark.xfail(reason="attention with dropout adds up in any order")),
        {"optimizer": "adafactor", "lr": 1e-2},
        {"lora_rank": 4, "lr": 1e-2},
        {"gradient_checkpointing": True},
        {"precision": "fp32"},
        {"precision": "fp16"},
        {"batch_size": 3},
    ],
    ids=str,
)
def test_resumed_is_undisturbed_bit_for_bit(long: Any, tmp_path: Path, changes: dict[str, Any]) -> None:
    told: list[Progress] = []
    whole = train(long(output=tmp_path / "whole", **changes), told.append)
    [prepared] = [event for event in told if isinstance(event, Prepared)]
    precision = changes.get("precision", "bf16")
    assert (prepared.device, prepared.precision) == ("cuda", "no" if precision == "fp32" else precision)
    losses = [event.loss for event in told if isinstance(event, Evaluated)]
    assert losses[-1] < losses[0]
    for name in ("parts", "again"):
        assert train(long(output=tmp_path / name, **changes), Stop(3)).interrupted
        train(long(output=tmp_path / name, resume=True, **changes))
        assert losses_of(tmp_path / name) == losses_of(whole.output)
        if "lora_rank" not in changes:
            assert largest_difference(tmp_path / "whole", tmp_path / name) == 0


def test_passes_and_checkpoints_change_the_arithmetic_by_rounding_alone(
    long: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"batch_size": 3, "epochs": 1, "precision": "fp32", "max_tokens": 512}
    train(long(output=tmp_path / "usual", **settings))
    train(long(output=tmp_path / "twice", gradient_checkpointing=True, **settings))
    monkeypatch.setattr("wolf_chatbox.training.loop.pass_tokens", lambda device, batch_tokens: 512)
    train(long(output=tmp_path / "small", **settings))
    assert largest_difference(tmp_path / "usual", tmp_path / "twice") < 2e-5
    assert largest_difference(tmp_path / "usual", tmp_path / "small") < 2e-5


@pytest.mark.slow
def test_a_compiled_model_learns_the_same(long: Any, tmp_path: Path) -> None:
    """In processes of their own: the compiler minds what was imported before it."""
    for name, compiled in (("usual", False), ("compiled", True)):
        together(1, long(output=tmp_path / name, epochs=1, compile=compiled), {"ACCELERATE_USE_CPU": "false"})
    assert losses_of(tmp_path / "compiled") == pytest.approx(losses_of(tmp_path / "usual"), rel=1e-2)


@pytest.fixture
def limit() -> Iterator[Any]:
    """Allows the process so many bytes of the GPU's memory."""
    total = torch.cuda.get_device_properties(0).total_memory
    yield lambda size: torch.cuda.set_per_process_memory_fraction(size / total)
    torch.cuda.set_per_process_memory_fraction(1.0)


def test_when_memory_runs_out_the_passes_are_halved(long: Any, tmp_path: Path, limit: Any) -> None:
    settings = {"batch_size": 32, "epochs": 1, "precision": "fp32"}
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    train(long(output=tmp_path / "whole", **settings))
    peak = torch.cuda.max_memory_allocated()
    torch.cuda.empty_cache()
    limit(0.75 * peak)
    told: list[Progress] = []
    train(long(output=tmp_path / "halved", **settings), told.append)
    assert any("out of memory; from here on" in event.text for event in told if isinstance(event, Notice))
    assert largest_difference(tmp_path / "whole", tmp_path / "halved") < 2e-5


def test_a_dry_run_tells_what_the_tensors_of_a_run_take(long: Any, tmp_path: Path) -> None:
    torch.cuda.reset_peak_memory_stats()
    told: list[Progress] = []
    train(long(dry_run=True), told.append)
    [planned] = [event for event in told if isinstance(event, Planned)]
    torch.cuda.reset_peak_memory_stats()
    train(long())
    assert planned.memory == pytest.approx(torch.cuda.max_memory_allocated(), rel=0.25)


def test_a_gpu_that_is_left_alone_decides_nothing(long: Any, tmp_path: Path) -> None:
    """As `accelerate launch --cpu` does: then the CPU decides in which precision it computes."""
    own = "bf16" if computes_bf16_on_cpu() else "fp32"
    for name, precision in (("auto", "auto"), ("own", own)):
        together(1, long(output=tmp_path / name, epochs=1, precision=precision), {"ACCELERATE_USE_CPU": "true"})
    assert largest_difference(tmp_path / "auto", tmp_path / "own") == 0


def test_what_was_learnt_there_answers_there(wide: Path, tmp_path: Path) -> None:
    script = ROOT / "src/wolf_chatbox/data/innkeeper.csv"
    settings = {"batch_size": 8, "lr": 5e-3, "epochs": 3, "persona": "Grimbold"}
    result = train(TrainConfig(data=(str(script),), model=str(wide), output=tmp_path / "model", **settings))
    evaluations = result.metrics["evaluations"]
    assert evaluations[-1]["perplexity"] < evaluations[0]["perplexity"] / 3
    replies = []
    for _ in range(2):
        session = ChatSession.load(result.output, sampling=SamplingConfig(max_new_tokens=24), seed=1)
        model: Any = session.voice.engine.decoder
        model = model.model
        assert (model.device.type, model.dtype) == ("cuda", torch.bfloat16)
        replies.append([session.reply("Is anyone here?"), session.reply("And the wolves?")])
    assert replies[0] == replies[1]
    assert all(replies[0])
