"""The loop's laws, on a model of two layers; the same functions that the command lines call."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, SchedulerType

from conftest import write_script
from processes import together
from runs import Stop, largest_difference, lines_of, weights
from wolf_chatbox.config import ReadConfig, Schedule
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.model.load import load_model
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.scene import Scene
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Evaluated, Notice, Planned, Prepared, Progress, Step, Updated

pytestmark = pytest.mark.usefixtures("fp32")


def record_of(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text())


def test_a_run_learns_and_leaves_a_folder_that_others_can_load(config: Any) -> None:
    events: list[Progress] = []
    result = train(config(epochs=6, log_every=1), events.append)
    folder = result.output
    evaluations = [event for event in events if isinstance(event, Evaluated)]
    assert [event.epoch for event in evaluations] == list(range(7))
    assert evaluations[-1].perplexity is not None
    assert evaluations[0].perplexity is not None
    assert evaluations[-1].perplexity < evaluations[0].perplexity / 5
    assert sum(isinstance(event, Prepared) for event in events) == 1
    updates = [event for event in events if isinstance(event, Updated)]
    assert [event.update for event in updates] == list(range(1, updates[0].updates + 1))

    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "run.json",
        "loss.png",
        "README.md",
    }
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    card = ModelCard.load(folder / "README.md")
    assert (card.data.base_model, card.data.library_name) == (record_of(folder)["base_model"], "transformers")
    assert not folder.with_name("model.unfinished").exists()
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    talk = [Turn("Ann", "the goose number 0 is in house 0"), Turn("Bob", "the goose number 1 is in house 0")]
    record = record_of(folder)
    renderer = make_renderer(tokenizer, record["style"], record["persona"], record["user"], record["data"]["speakers"])
    prompt = torch.tensor([renderer.prompt(Scene(tuple(talk), speaker="Ann"), 200)])
    said = model.generate(
        prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=30, no_repeat_ngram_size=3
    )[0, prompt.shape[1] :]
    assert said[-1] == renderer.end_id, "it has learnt to stop"
    assert model.generation_config.top_k == 50
    assert record["finished"]
    assert record["data"]["turns"] == {"read": 48, "learnt": 40, "held out": 8, "context only": 0, "dropped": 0}
    assert record["metrics"]["evaluations"][0]["perplexity"] == pytest.approx(evaluations[0].perplexity)
    assert {"torch", "transformers", "accelerate", "wolf_chatbox"} <= set(record["versions"])
    assert "goose" not in json.dumps(record), "a record tells of the data and holds none of it"


def test_eight_passes_of_one_row_teach_what_one_pass_of_eight_does(config: Any, tmp_path: Path) -> None:
    for name, batch_size, accumulate in (("a", 8, 1), ("b", 1, 8), ("c", 2, 4)):
        train(
            config(
                output=tmp_path / name,
                batch_size=batch_size,
                accumulate=accumulate,
                persona="Bob",
                max_tokens=48,
                validation_share=0,
            )
        )
    assert largest_difference(tmp_path / "a", tmp_path / "b") < 2e-5
    assert largest_difference(tmp_path / "a", tmp_path / "c") < 2e-5
    losses = [[loss for _, loss in record_of(tmp_path / name)["metrics"]["losses"]] for name in "abc"]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert losses[2] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize(
    ("update", "number"),
    [
        (1, signal.SIGINT),
        (4, signal.SIGTERM),
        *(pytest.param(update, signal.SIGINT, marks=pytest.mark.slow) for update in (5, 7)),
    ],
)
def test_interrupted_and_resumed_is_uninterrupted_bit_for_bit(
    config: Any, tmp_path: Path, update: int, number: signal.Signals
) -> None:
    settings = {"dropout": 0.2, "schedule": "cosine", "max_tokens": 100, "epochs": 2}
    train(config(output=tmp_path / "whole", **settings))
    stopped = train(config(output=tmp_path / "parts", **settings), Stop(update, number))
    assert stopped.interrupted
    assert record_of(tmp_path / "parts")["finished"] is False
    AutoModelForCausalLM.from_pretrained(tmp_path / "parts")
    with pytest.raises(CheckpointError, match="--resume"):
        train(config(output=tmp_path / "parts", **settings))
    with pytest.raises(CheckpointError, match=r"lr 0\.005, now 0\.001"):
        train(config(output=tmp_path / "parts", resume=True, **settings | {"lr": 1e-3}))
    result = train(config(output=tmp_path / "parts", resume=True, **settings))
    assert not result.interrupted
    assert largest_difference(tmp_path / "whole", tmp_path / "parts") == 0
    whole, parts = record_of(tmp_path / "whole")["metrics"], record_of(tmp_path / "parts")["metrics"]
    assert whole["losses"] == parts["losses"]
    assert whole["evaluations"] == parts["evaluations"]


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(config: Any, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        train(config(output=tmp_path / name, seed=seed))
    assert largest_difference(tmp_path / "a", tmp_path / "b") == 0
    assert largest_difference(tmp_path / "a", tmp_path / "c") > 0


def test_the_best_epoch_is_kept(config: Any) -> None:
    result = train(config(epochs=12, lr=3e-2, schedule="constant"))
    losses = [evaluation["loss"] for evaluation in result.metrics["evaluations"][1:]]
    best = min(range(len(losses)), key=losses.__getitem__) + 1
    assert result.metrics["best_epoch"] == best
    assert best < 12, "the test needs a run that gets worse again"
    again = train(config(model=str(result.output), output=result.output.with_name("again"), epochs=1, lr=1e-9))
    assert again.metrics["evaluations"][0]["loss"] == pytest.approx(losses[best - 1], rel=1e-4)


def test_without_validation_the_last_epoch_is_kept(config: Any) -> None:
    result = train(config(validation_share=0))
    assert result.metrics["best_epoch"] == 2
    assert [evaluation["loss"] for evaluation in result.metrics["evaluations"]] == [None, None, None]


@pytest.mark.parametrize("schedule", list(Schedule.__args__))
def test_every_schedule_runs(config: Any, schedule: Any) -> None:
    rates: list[float] = []
    train(
        config(schedule=schedule, epochs=1, warmup_ratio=0.4),
        lambda event: rates.append(event.learning_rate) if isinstance(event, Updated) else None,
    )
    assert max(rates) <= 5e-3 * 1.001
    assert all(rate >= 0 for rate in rates)


def test_the_schedules_are_those_of_transformers() -> None:
    assert set(Schedule.__args__) == {kind.value for kind in SchedulerType}


def test_warm_up_and_decay(config: Any) -> None:
    rates: list[float] = []
    train(
        config(epochs=10, warmup_ratio=0.5),
        lambda event: rates.append(event.learning_rate) if isinstance(event, Updated) else None,
    )
    top = rates.index(max(rates))
    assert top == pytest.approx(len(rates) / 2, abs=1)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_one_speaker_only_is_told_and_trained(config: Any, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    write_script(path, speakers=("Ann",))
    told: list[Progress] = []
    train(config(data=(str(path),), epochs=1), told.append)
    [prepared] = [event for event in told if isinstance(event, Prepared)]
    assert any("only Ann speaks" in notice for notice in prepared.dataset.notices)


def test_several_files_and_the_style_of_a_trained_base(config: Any, script: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw.txt"
    raw.write_text("hi<|endoftext|>hello<|endoftext|>\nwho<|endoftext|>me<|endoftext|>\n")
    first = train(config(data=(str(script), str(raw)), epochs=1, style="dialogpt"))
    assert record_of(first.output)["style"] == "dialogpt"
    assert record_of(first.output)["data"]["turns"]["read"] == 52
    second = train(config(model=str(first.output), output=tmp_path / "second", epochs=1))
    assert record_of(second.output)["style"] == "dialogpt"


def test_reading_settings_reach_the_reader(config: Any, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("wer,was\n" + "".join(f"{'XY'[at % 2]},satz {at}\n" for at in range(40)))
    result = train(config(data=(str(path),), epochs=1, read=ReadConfig(speaker_column="wer", text_column="was")))
    assert record_of(result.output)["data"]["speakers"] == {"X": 20, "Y": 20}


def test_passes_of_any_size_make_the_same_update(config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wolf_chatbox.training import loop

    for budget in (10_000, 64, 30):  # all rows at once; a row; parts of a row
        monkeypatch.setattr(loop, "pass_tokens", lambda device, batch_tokens, budget=budget: budget)
        train(config(output=tmp_path / str(budget), epochs=1, batch_size=4, lr=1e-3))
    assert largest_difference(tmp_path / "10000", tmp_path / "64") < 2e-5
    assert largest_difference(tmp_path / "10000", tmp_path / "30") < 2e-5


def test_gradient_checkpointing_changes_nothing_but_memory(config: Any, tmp_path: Path) -> None:
    train(config(output=tmp_path / "usual", epochs=1, dropout=0.1))
    train(config(output=tmp_path / "twice", epochs=1, dropout=0.1, gradient_checkpointing=True))
    assert largest_difference(tmp_path / "usual", tmp_path / "twice") < 2e-5


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="the compiler needs a compiler of C++")
def test_a_compiled_model_learns_the_same(config: Any, tmp_path: Path) -> None:
    """In processes of their own: the compiler minds what was imported before it."""
    for name, compiled in (("usual", False), ("compiled", True)):
        together(1, config(output=tmp_path / name, epochs=1, lr=1e-3, precision="fp32", compile=compiled))
    assert largest_difference(tmp_path / "usual", tmp_path / "compiled") < 1e-4


def test_frozen_embeddings_stay_and_the_rest_learns(config: Any, tiny_gpt2: Path) -> None:
    before = AutoModelForCausalLM.from_pretrained(tiny_gpt2)
    after = AutoModelForCausalLM.from_pretrained(train(config(epochs=1, freeze_embeddings=True)).output)
    for name in ("wte", "wpe"):
        assert torch.equal(getattr(before.transformer, name).weight, getattr(after.transformer, name).weight)
    assert not torch.equal(before.transformer.h[0].mlp.c_fc.weight, after.transformer.h[0].mlp.c_fc.weight)


@pytest.mark.parametrize("base", ["tiny_gpt2", pytest.param("tiny_llama", marks=pytest.mark.slow)])
def test_lora_saves_a_small_adapter_that_loads_and_merges(
    config: Any, tmp_path: Path, base: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(base)
    told: list[Progress] = []
    settings = {"model": str(folder), "lora_rank": 2, "epochs": 3, "lr": 2e-2}
    result = train(config(**settings), told.append)
    [prepared] = [event for event in told if isinstance(event, Prepared)]
    assert prepared.trained < prepared.parameters / 4
    assert not (result.output / "model.safetensors").exists()
    assert (result.output / "adapter_model.safetensors").stat().st_size < (
        folder / "model.safetensors"
    ).stat().st_size / 3
    losses = [event.loss for event in told if isinstance(event, Evaluated)]
    assert losses[-1] < losses[0]
    merged = load_model(str(result.output))
    assert not any("lora" in name for name, _ in merged.model.named_parameters())
    again = train(config(model=str(result.output), output=tmp_path / "again", epochs=1, lr=1e-9))
    assert again.metrics["evaluations"][0]["loss"] == pytest.approx(min(losses[1:]), rel=1e-4)
    stopped = train(config(output=tmp_path / "parts", **settings), Stop(4))
    assert stopped.interrupted
    train(config(output=tmp_path / "parts", resume=True, **settings))
    one, other = (load_file(folder / "adapter_model.safetensors") for folder in (result.output, tmp_path / "parts"))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("optimizer", ["adamw", "adafactor"])
def test_every_optimizer_learns_and_resumes_bit_for_bit(config: Any, tmp_path: Path, optimizer: Any) -> None:
    settings = {"optimizer": optimizer, "lr": 1e-2, "epochs": 3}
    whole = train(config(output=tmp_path / "whole", **settings))
    losses = [evaluation["loss"] for evaluation in whole.metrics["evaluations"]]
    assert losses[-1] < losses[0]
    train(config(output=tmp_path / "parts", **settings), Stop(5))
    train(config(output=tmp_path / "parts", resume=True, **settings))
    assert largest_difference(tmp_path / "whole", tmp_path / "parts") == 0


def test_weight_decay_and_the_norm_of_gradients_have_their_effect(config: Any, tmp_path: Path) -> None:
    train(config(output=tmp_path / "usual", epochs=1))
    train(config(output=tmp_path / "decay", epochs=1, weight_decay=5.0))
    train(config(output=tmp_path / "clipped", epochs=1, max_grad_norm=1e-3, optimizer="adamw"))

    def norm(name: str) -> float:
        return float(weights(tmp_path / name)["transformer.h.0.mlp.c_fc.weight"].norm())

    assert norm("decay") < norm("usual")
    assert largest_difference(tmp_path / "usual", tmp_path / "clipped") > 0
    told: list[Progress] = []
    train(config(output=tmp_path / "free", epochs=1, max_grad_norm=0), told.append)
    assert max(event.norm for event in told if isinstance(event, Updated)) > 0


def test_measuring_by_updates_keeps_the_best_and_patience_stops(config: Any) -> None:
    told: list[Progress] = []
    result = train(config(epochs=12, lr=3e-2, schedule="constant", eval_every=2, patience=3), told.append)
    evaluations = [event for event in told if isinstance(event, Evaluated)]
    assert [event.update for event in evaluations] == list(range(0, evaluations[-1].update + 1, 2))
    losses = [float(event.loss or 0) for event in evaluations[1:]]
    best = losses.index(min(losses))
    assert len(losses) - 1 - best == 3, "three measurements in a row were no better"
    assert result.metrics["best_epoch"] == evaluations[best + 1].epoch
    assert any("no better held-out loss in 3 evaluations" in event.text for event in told if isinstance(event, Notice))
    assert record_of(result.output)["finished"]


def test_states_are_saved_when_asked_and_only_so_many_kept(config: Any) -> None:
    seen: list[list[str]] = []

    def look(event: Progress) -> None:
        if isinstance(event, Updated):
            seen.append(sorted(path.name for path in config().output.with_name("model.unfinished").glob("state-*")))

    train(config(epochs=1, save_every=2, keep=3), look)
    assert max(map(len, seen)) == 3
    assert seen[8] == ["state-000004", "state-000006", "state-000008"]


def test_every_figure_is_in_the_metrics_file(config: Any, tmp_path: Path) -> None:
    told: list[Progress] = []
    result = train(config(output=tmp_path / "whole"), told.append)
    lines = lines_of(result.output)
    updates = [event for event in told if isinstance(event, Updated)]
    assert [line["update"] for line in lines if "loss" in line] == [event.update for event in updates]
    assert [line["loss"] for line in lines if "loss" in line] == [event.loss for event in updates]
    assert all(
        line["gradient_norm"] > 0 and line["learnt_tokens"] <= line["tokens"] for line in lines if "loss" in line
    )
    assert [line["held_out_loss"] for line in lines if "held_out_loss" in line] == [
        event.loss for event in told if isinstance(event, Evaluated)
    ]
    train(config(output=tmp_path / "parts", save_every=3), Stop(5))
    with (tmp_path / "parts.unfinished" / "metrics.jsonl").open("a") as file:
        file.write('{"update": 6, "loss": 1.0}\n{"upda')  # as a kill would leave it
    train(config(output=tmp_path / "parts", save_every=3, resume=True))
    again = lines_of(tmp_path / "parts")
    for line in [*lines, *again]:
        line.pop("seconds", None)
    assert again == lines


@pytest.mark.slow
def test_a_tracker_gets_the_figures(config: Any) -> None:
    pytest.importorskip("tensorboard")
    output = train(config(epochs=1, report_to="tensorboard")).output
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    written = [EventAccumulator(str(path)).Reload() for path in output.with_name("model.tracking").rglob("events.out*")]
    [events] = [log for log in written if "loss" in log.Tags()["scalars"]]
    assert [round(scalar.value, 4) for scalar in events.Scalars("loss")] == [
        round(line["loss"], 4) for line in lines_of(output) if "loss" in line
    ]


def test_a_dry_run_tells_all_and_leaves_nothing(config: Any, tmp_path: Path) -> None:
    told: list[Progress] = []
    before = sorted(tmp_path.rglob("*"))
    train(config(dry_run=True), told.append)
    assert [type(event) for event in told if not isinstance(event, Notice | Step)] == [Prepared, Planned]
    planned = told[-1]
    assert isinstance(planned, Planned)
    assert planned.seconds > 0
    assert planned.memory > (1e5 if torch.cuda.is_available() else 1e8)  # of the tensors alone, or of the process
    assert planned.disk > 0
    assert sorted(tmp_path.rglob("*")) == before


def test_two_runs_of_different_precision_in_one_process(
    config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wolf_chatbox.training import devices

    monkeypatch.setattr(devices, "choose_precision", lambda precision: {"fp32": "no"}.get(precision, precision))
    told: list[Progress] = []
    for precision in ("fp32", "bf16", "fp32"):
        train(config(output=tmp_path / f"{precision}{len(told)}", precision=precision, epochs=1), told.append)
    assert [event.precision for event in told if isinstance(event, Prepared)] == ["no", "bf16", "no"]
    ends = [event.loss for event in told if isinstance(event, Evaluated) and event.update]
    assert ends[0] == ends[2]
    assert ends[1] == pytest.approx(ends[0], rel=2e-2)
