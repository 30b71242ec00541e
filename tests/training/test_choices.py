"""A run goes on with choices between replies: what it learns, what it keeps, and what it says of it."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runs import Stop, largest_difference, lines_of
from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.errors import CheckpointError, ConfigError, DataError
from wolf_chatbox.model.record import read_run
from wolf_chatbox.samples.learnt import Learnt
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Evaluated, Prepared, Progress, Updated

pytestmark = pytest.mark.usefixtures("fp32")
Make = Callable[..., TrainConfig]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_gpt2: Path, script: Path) -> Path:
    """A supervised run, with a persona and settings of its own."""
    output = tmp_path_factory.mktemp("runs") / "supervised"
    sampling = SamplingConfig(max_new_tokens=5, temperature=0.9)
    train(
        TrainConfig(
            data=(str(script),),
            model=str(tiny_gpt2),
            output=output,
            persona="Ann",
            max_tokens=80,
            lr=5e-3,
            sampling=sampling,
        )
    )
    return output


def choice(number: int, chosen: str = "yes", rejected: str = "no no no", speaker: str = "Ann") -> dict[str, object]:
    context = (Turn("Bob", f"is the big old goose in house {number}?"),)
    return Preference(context, Turn(speaker, chosen), Turn(speaker, rejected)).to_dict()


def write(path: Path, *choices: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in choices))
    return path


@pytest.fixture
def make(run: Path, tmp_path: Path) -> Make:
    """Makes the settings of a short run on twenty choices; what is named is changed."""
    votes = write(tmp_path / "votes.jsonl", *map(choice, range(20)))

    def make(**changes: Any) -> TrainConfig:
        settings = {"preferences": (str(votes),), "model": str(run), "output": tmp_path / "tuned"}
        return TrainConfig(**(settings | {"max_tokens": 128, "lr": 1e-3, "epochs": 1} | changes))

    return make


def test_a_run_learns_what_was_preferred_and_keeps_who_speaks(make: Make, run: Path) -> None:
    told: list[Progress] = []
    result = train(make(validation_share=0.2, epochs=2), told.append)
    first, *_, last = result.metrics["evaluations"]
    assert first["loss"] == pytest.approx(math.log(2), rel=1e-5)
    assert first["margin"] == pytest.approx(0, abs=1e-4)
    assert last["margin"] > 1
    assert last["preferred"] >= first["preferred"]
    assert last["loss"] < first["loss"]
    updates = [event for event in told if isinstance(event, Updated)]
    assert updates[0].loss == pytest.approx(math.log(2), rel=1e-5)
    [prepared] = [event for event in told if isinstance(event, Prepared)]
    pairs = sum(len(row) for row in prepared.dataset.rows)
    assert (pairs, sum(len(row) for row in prepared.dataset.held_out_rows)) == (16, 4)
    evaluated = [event for event in told if isinstance(event, Evaluated)]
    assert len(evaluated[-1].replies) == 2
    assert all(event.perplexity is None for event in evaluated)

    before, after = read_run(run), read_run(result.output)
    assert before is not None
    assert after is not None
    for name in ("style", "persona", "user", "max_tokens"):
        assert after[name] == before[name]
    assert after["data"]["speakers"] == before["data"]["speakers"]
    assert after["settings"]["sampling"] == before["settings"]["sampling"]
    assert after["supervised"] == before["data"]
    assert after["data"]["unit"] == "choices"
    assert after["data"]["turns"] == {"read": 20, "learnt": 16, "held out": 4, "context only": 0, "dropped": 0}
    assert "learnt from choices between replies" in (result.output / "README.md").read_text().lower()
    known, learnt = Learnt.read(run), Learnt.read(result.output)
    assert known is not None
    assert learnt is not None
    assert known.hashes < learnt.hashes, "what the run before it learnt is known, and the chosen replies"
    measured = [line for line in lines_of(result.output) if "held_out_loss" in line]
    assert [line["margin"] for line in measured] == [found["margin"] for found in result.metrics["evaluations"]]


def test_interrupted_and_resumed_is_uninterrupted(make: Make, tmp_path: Path) -> None:
    settings = {"chosen_weight": 0.2, "save_every": 1, "schedule": "cosine"}
    train(make(output=tmp_path / "whole", **settings))
    assert train(make(output=tmp_path / "parts", **settings), Stop(2)).interrupted
    with pytest.raises(CheckpointError, match=r"beta 0\.1, now 0\.5"):
        train(make(output=tmp_path / "parts", resume=True, beta=0.5, **settings))
    assert not train(make(output=tmp_path / "parts", resume=True, **settings)).interrupted
    assert largest_difference(tmp_path / "whole", tmp_path / "parts") == 0


def test_accumulated_rows_teach_what_one_batch_does(make: Make, tmp_path: Path) -> None:
    for name, batch_size, accumulate in (("a", 4, 1), ("b", 1, 4)):
        train(make(output=tmp_path / name, batch_size=batch_size, accumulate=accumulate, chosen_weight=0.5))
    assert largest_difference(tmp_path / "a", tmp_path / "b") < 2e-5


def test_an_adapter_learns_from_choices_and_so_does_the_run_after_it(make: Make, tmp_path: Path) -> None:
    adapter = train(make(lora_rank=4, lr=1e-2)).output
    assert (adapter / "adapter_model.safetensors").is_file()
    again = train(make(model=str(adapter), output=tmp_path / "again"))
    assert again.metrics["evaluations"][0]["loss"] == pytest.approx(math.log(2), rel=1e-5)
    record = read_run(again.output)
    assert record is not None
    assert record["persona"] == "Ann"
    assert record["supervised"]["turns"]["read"] == 48, "of the supervised run, not of the choices before"


def test_each_choice_is_learnt_once_and_the_others_are_counted(make: Make, tmp_path: Path) -> None:
    path = write(
        tmp_path / "more.jsonl",
        *(choice(number) for number in (0, 1, 2, 1)),
        choice(3, "same", "same"),
        choice(4, speaker="Zed"),
        choice(5, "a goose " * 40),
        {"prompt": [], "tied": [choice(6)["chosen"], choice(6)["rejected"]]},
    )
    record = read_run(train(make(preferences=(str(path), str(path)))).output)
    assert record is not None
    assert record["data"]["turns"]["read"] == 16
    assert record["data"]["turns"]["learnt"] + record["data"]["turns"]["held out"] == 3
    assert record["data"]["dropped"] == {
        "the same choice as an earlier one": 4 + 3,
        "both replies are the same": 2,
        "neither reply was preferred": 2,
        "of a speaker that the model does not know": 1,
        "longer than half a row": 1,
    }


def test_roles_without_names_are_the_persona_and_its_partner(make: Make, tmp_path: Path) -> None:
    nameless = [
        {
            part: [{"role": message["role"], "content": message["content"]} for message in messages]
            for part, messages in choice(number).items()
        }
        for number in range(4)
    ]
    nameless.append(choice(0))  # the same with names
    named, unnamed = (
        read_run(train(make(preferences=(str(write(tmp_path / name, *each)),), output=tmp_path / f"{name}.run")).output)
        for name, each in (("named", [choice(number) for number in range(4)]), ("unnamed", nameless))
    )
    assert named is not None
    assert unnamed is not None
    assert named["data"]["fingerprint"] == unnamed["data"]["fingerprint"]
    assert unnamed["data"]["dropped"] == {"the same choice as an earlier one": 1}


def test_nothing_to_learn_from_is_told(make: Make, tmp_path: Path) -> None:
    path = write(tmp_path / "none.jsonl", choice(1, "same", "same"))
    with pytest.raises(DataError, match=r"no choice to learn from .*1 both replies are the same"):
        train(make(preferences=(str(path),)))
    path = write(tmp_path / "long.jsonl", choice(1, "goose " * 200))
    with pytest.raises(DataError, match="--max-tokens"):
        train(make(preferences=(str(path),)))
    (tmp_path / "bad.jsonl").write_text("yes\n")
    with pytest.raises(DataError, match="line 1, column 1: not JSON"):
        train(make(preferences=(str(tmp_path / "bad.jsonl"),)))
    assert not list(tmp_path.glob("tuned*"))


@pytest.mark.parametrize("setting", [{"data": ("x.csv",)}, {"persona": "Ann"}, {"style": "chat"}, {"split": "time"}])
def test_settings_of_conversations_are_refused(make: Make, setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(setting))} .* about conversations"):
        make(**setting)
    with pytest.raises(ConfigError, match="names no file"):
        TrainConfig()


def test_a_reverse_run_does_not_learn_from_choices(make: Make, run: Path, tmp_path: Path) -> None:
    back = shutil.copytree(run, tmp_path / "back")
    (back / "run.json").write_text(json.dumps(json.loads((run / "run.json").read_text()) | {"reverse": True}))
    with pytest.raises(DataError, match="answers nobody"):
        train(make(model=str(back)))


def test_a_base_model_without_a_record_learns_too(make: Make, tiny_llama: Path, tmp_path: Path) -> None:
    model = shutil.copytree(tiny_llama, tmp_path / "base")
    votes = write(tmp_path / "roles.jsonl", *(choice(number, speaker="assistant") for number in range(6)))
    result = train(make(model=str(model), preferences=(str(votes),)))
    assert result.metrics["evaluations"][-1]["margin"] > 0
