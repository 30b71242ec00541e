"""Several processes learn what one does: real processes that exchange gradients (gloo) on the CPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from processes import together
from wolf_chatbox.config import CleanConfig, SamplingConfig, TrainConfig
from wolf_chatbox.samples.rendering import Sample
from wolf_chatbox.training.passes import share

FSDP = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_RESHARD_AFTER_FORWARD": "true",
    "FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT",
}


@pytest.fixture
def config(tiny_gpt2: Path, script: Path, tmp_path: Path) -> Any:
    def make(name: str, **changes: Any) -> TrainConfig:
        settings: dict[str, Any] = {
            "data": (str(script),),
            "model": str(tiny_gpt2),
            "output": tmp_path / name,
            "epochs": 2,
            "precision": "fp32",
        }
        settings |= {"max_tokens": 72, "lr": 1e-3, "sampling": SamplingConfig(max_new_tokens=2)}
        return TrainConfig(**(settings | changes))

    return make


def run(config: TrainConfig) -> Any:
    return json.loads((config.output / "run.json").read_text())


def assert_same(one: TrainConfig, other: TrainConfig) -> None:
    """The same loss curve and the same weights, to rounding."""
    first, second = run(one), run(other)
    assert [loss for _, loss in first["metrics"]["losses"]] == pytest.approx(
        [loss for _, loss in second["metrics"]["losses"]], rel=1e-4
    )
    held_out = [[evaluation["loss"] for evaluation in found["metrics"]["evaluations"]] for found in (first, second)]
    assert held_out[0] == pytest.approx(held_out[1], rel=1e-4)
    weights = [load_file(config.output / "model.safetensors") for config in (one, other)]
    assert weights[0].keys() == weights[1].keys()
    assert max(float((weights[0][name] - weights[1][name]).abs().max()) for name in weights[0]) < 5e-5


@pytest.mark.slow
def test_two_processes_are_one_with_twice_the_rows(config: Any) -> None:
    one, two = config("one", batch_size=2), config("two")
    together(1, one)
    together(2, two)
    assert run(one)["data"]["rows"] % 2, "the tail must be uneven"
    assert_same(one, two)
    lines = [json.loads(line) for line in (two.output / "metrics.jsonl").read_text().splitlines()]
    assert [line["update"] for line in lines if "loss" in line] == list(
        range(1, run(two)["metrics"]["losses"][-1][0] + 1)
    ), "one writer"


def test_all_processes_give_the_speakers_the_same_invented_names(config: Any, tmp_path: Path) -> None:
    settings = {"style": "named", "epochs": 1, "clean": CleanConfig(pseudonyms=tmp_path / "key.json")}
    two, one = config("two", **settings), config("one", batch_size=2, **settings)
    together(2, two)  # there is no key yet
    together(1, one)
    assert set(run(two)["data"]["speakers"]) <= set(
        json.loads((tmp_path / "key.json").read_text())["speakers"].values()
    )
    assert_same(one, two)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2), (2, 2)])
def test_a_run_is_resumed_by_another_number_of_processes(config: Any, before: int, after: int) -> None:
    whole, parts = config("whole", batch_size=2 // before), config("parts", batch_size=2 // before)
    together(before, whole)
    together(before, parts, stop_after=4)
    assert not run(parts)["finished"]
    together(after, config("parts", batch_size=2 // before, resume=True))
    assert run(parts)["finished"]
    assert_same(whole, parts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("base", "more"),
    [("tiny_gpt2", {}), ("tiny_llama", {"style": "named", "persona": "Bob", "others_weight": 0.5, "ema": 0.7})],
)
def test_sharded_over_two_processes_it_is_the_same(
    config: Any, base: str, more: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    settings = more | {"model": str(request.getfixturevalue(base))}
    one, sharded, parts = (
        config(name, batch_size=rows, **settings) for name, rows in (("one", 2), ("sharded", 1), ("parts", 1))
    )
    together(1, one)
    together(2, sharded, FSDP)
    assert_same(one, sharded)
    together(2, parts, FSDP, stop_after=4)
    together(2, config("parts", batch_size=1, resume=True, **settings), FSDP)
    assert_same(one, parts)


@pytest.mark.slow
@pytest.mark.parametrize(
    "launch",
    [
        ["-m", "torch.distributed.run", "--nproc-per-node", "2"],
        [
            "-m",
            "accelerate.commands.launch",
            "--multi_gpu",
            "--num_processes",
            "2",
            "--num_machines",
            "1",
            "--mixed_precision",
            "no",
            "--dynamo_backend",
            "no",
        ],
    ],
    ids=["torchrun", "accelerate launch"],
)
def test_the_same_command_under_a_launcher(config: Any, launch: list[str]) -> None:
    one, two = config("one", batch_size=2), config("two")
    together(1, one)
    program = str(Path(__file__).parents[2] / "dial_main.py")
    flags = [
        "--data",
        *two.data,
        "--initial_point",
        two.model,
        "--ptr_model_path",
        str(two.output),
        "--epoch",
        "2",
        "--precision",
        "fp32",
    ]
    flags += ["--max_len_dial", "72", "--lr", "1e-3", "--max_len_gen", "2"]
    done = subprocess.run([sys.executable, *launch, program, *flags], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("The model is in") == 1, "one process tells"
    assert_same(one, two)


@given(
    st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=4), min_size=1, max_size=13),
    st.integers(1, 150),
    st.integers(1, 5),
)
def test_no_sample_is_learnt_twice_or_lost(lengths: list[list[int]], budget: int, processes: int) -> None:
    rows = [tuple(Sample([number] * length, [True] * length) for length in row) for number, row in enumerate(lengths)]
    shares = [share(rows, budget, processes, process) for process in range(processes)]
    assert len({len(passes) for passes in shares}) == 1, "all processes make equally many passes"
    learnt = [sample for mine in shares for part, weight in mine if weight for row in part for sample in row]
    assert sorted(map(id, learnt)) == sorted(id(sample) for row in rows for sample in row)
    for part, _ in (passed for mine in shares for passed in mine):
        size = sum(len(sample) for row in part for sample in row)
        assert size <= budget or sum(map(len, part)) == 1


@pytest.mark.slow
def test_two_processes_learn_from_choices_what_one_does(config: Any, tmp_path: Path) -> None:
    votes = tmp_path / "votes.jsonl"
    replies = (("chosen", "yes"), ("rejected", "no no no"))
    vote = {name: [{"role": "assistant", "content": reply}] for name, reply in replies}
    prompts = [[{"role": "user", "content": f"house {number}?"}] for number in range(9)]
    votes.write_text("".join(json.dumps(vote | {"prompt": prompt}) + "\n" for prompt in prompts))
    settings = {"data": (), "preferences": (str(votes),), "max_tokens": 128, "chosen_weight": 0.1}
    one, two = config("one", batch_size=2, **settings), config("two", **settings)
    together(1, one)
    together(2, two)
    assert_same(one, two)
