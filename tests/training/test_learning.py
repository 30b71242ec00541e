"""What a run learns and how: bits per byte, the recipe, others' turns at a weight, averaged weights."""

from __future__ import annotations

import json
import math
import random
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import CHATML, make_tokenizer, write_script
from processes import together
from runs import Stop, largest_difference, lines_of
from wolf_chatbox.cli.train import fine_tune
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.model.adaptation import relative_scale
from wolf_chatbox.model.load import load_model
from wolf_chatbox.model.loss import count_learnt
from wolf_chatbox.samples.dataset import prepare
from wolf_chatbox.samples.packing import Row
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.samples.rows import text_bytes
from wolf_chatbox.scene import Scene
from wolf_chatbox.settings import typed
from wolf_chatbox.training.averaging import Average
from wolf_chatbox.training.loop import train
from wolf_chatbox.training.progress import Evaluated, Prepared, Progress, Updated
from wolf_chatbox.training.recipe import choose
from wolf_chatbox.training.validation import bits_per_byte

pytestmark = pytest.mark.usefixtures("fp32")
TALK = Scene((Turn("Ann", "Where is the goose?"), Turn("Bob", "In house 3, où sinon 鵞鳥."), Turn("Ann", "Ah.")))


def record_of(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text())


# Bits per byte


def test_bits_per_byte_of_a_model_that_knows_nothing() -> None:
    """Each of 3 tokens, the end among them, is one of 256: 24 bits for a text of 4 bytes."""
    assert bits_per_byte(math.log(256), 3, 4) == pytest.approx(6)
    assert bits_per_byte(None, 3, 4) is None
    assert bits_per_byte(1.0, 3, 0) is None


@pytest.mark.parametrize("persona", [None, "Bob"])
def test_a_text_has_the_same_bytes_under_every_tokenizer_and_style(persona: str | None) -> None:
    marks = ("<|im_start|>", "<|endoftext|>")
    wide, narrow = make_tokenizer("<|im_end|>", marks, CHATML), make_tokenizer("<|im_end|>", marks, CHATML)
    merges = json.loads(narrow.backend_tokenizer.to_str())
    merges["model"]["merges"] = merges["model"]["merges"][:20]
    narrow._tokenizer = narrow.backend_tokenizer.from_str(json.dumps(merges))
    said = sum(len(turn.text.encode()) for turn in TALK.turns if persona in (None, turn.speaker))
    tokens = {}
    for name, tokenizer in (("wide", wide), ("narrow", narrow)):
        for style in ("dialogpt", "named", *(["chat"] if persona else [])):
            renderer = make_renderer(tokenizer, style, persona, "Ann", ("Ann", "Bob"))
            [sample] = renderer.render([TALK], 10**6, 0).samples
            # Nothing is before the very first token, so it cannot be learnt; elsewhere a name is there.
            first = len(tokenizer.decode(sample.ids[:1])) if style == "dialogpt" and persona is None else 0
            assert text_bytes(sample, renderer) == said - first
            tokens[name, style] = count_learnt([(sample,)])
    assert tokens["narrow", "named"] > 1.2 * tokens["wide", "named"], "the test needs tokenizers that differ"


def test_every_evaluation_tells_the_bits_per_byte(config: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings = config(epochs=1)
    told: list[Progress] = []
    output = train(settings, told.append).output
    [data] = [event.dataset for event in told if isinstance(event, Prepared)]
    said = sum(len(turn.text.encode()) for turn in held_out_turns(data.held_out_rows, data.renderer))
    for found in record_of(output)["metrics"]["evaluations"]:
        assert found["bits_per_byte"] == pytest.approx(
            found["loss"] * count_learnt(data.held_out_rows) / math.log(2) / said
        )
    bits = [found["bits_per_byte"] for found in record_of(output)["metrics"]["evaluations"]]
    assert bits[1] < bits[0]
    assert [event.bits_per_byte for event in told if isinstance(event, Evaluated)] == bits
    assert [line["bits_per_byte"] for line in lines_of(output) if "bits_per_byte" in line] == bits
    assert f"| {bits[1]:.3f} |" in (output / "README.md").read_text()
    fine_tune(config(epochs=1, overwrite=True), "talk")
    assert f", {bits[1]:.3f} bits per byte" in capsys.readouterr().out


def held_out_turns(rows: list[Row], renderer: Any) -> list[Turn]:
    """The turns of the held-out rows, found by their names."""
    texts = [renderer.tokenizer.decode(sample.ids) for row in rows for sample in row]
    lines = [line for text in texts for line in text.split("<|endoftext|>") if line]
    return [Turn(*line.split(": ", 1)) for line in lines]


# The recipe


def test_settings_come_before_what_an_interrupted_run_took_and_that_before_the_rule() -> None:
    free, fixed = TrainConfig(data=("x",)), TrainConfig(data=("x",), lr=3e-5, epochs=7)
    rule = choose(free, 10_000, {})
    assert choose(fixed, 10_000, {"lr": 1.0, "epochs": 2}) == type(rule)(3e-5, 7)
    assert choose(free, 10_000, {"lr": 1.0, "epochs": 2}) == type(rule)(1.0, 2)
    assert choose(TrainConfig(data=("x",), lora_rank=8), 10_000, {}).lr == pytest.approx(10 * rule.lr)
    assert choose(free, 10_000, {}, scale=0.18).lr == pytest.approx(0.18 * rule.lr)
    assert [choose(free, tokens, {}).epochs for tokens in (9_999, 10_000, 29_999, 30_000, 10**7)] == [3, 2, 2, 1, 1]
    assert choose(TrainConfig(data=("x",), persona="y", persona_last=True), 10**6, {}).epochs == 2


def test_a_run_tells_and_records_what_was_chosen(config: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"lr": None, "epochs": None}
    fine_tune(config(dry_run=True, **settings), "talk")
    planned = capsys.readouterr().out
    fine_tune(config(**settings), "talk")
    record = record_of(config().output)
    tokens, taken = record["data"]["learnt_tokens"], record["settings"]
    scale = relative_scale(load_model(config().model).model)
    rule = choose(config(**settings), tokens, {}, scale)
    assert scale < 0.2  # the rate is that of its small weights
    assert (taken["lr"], taken["epochs"]) == (rule.lr, rule.epochs)
    epochs = f"{rule.epochs} epoch" + "s" * (rule.epochs > 1)
    line = f"learning rate {typed(rule.lr)} and {epochs}, for {tokens:,} learnt tokens\n"
    assert line in planned
    assert line in capsys.readouterr().out
    [planned_rate] = re.findall(r"\nlr: (\S+)\n", planned)
    assert float(planned_rate) == rule.lr
    fine_tune(config(overwrite=True), "talk")
    assert "learning rate 0.005 and 2 epochs\n" in capsys.readouterr().out


def test_a_resumed_run_goes_on_with_what_was_chosen(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from wolf_chatbox.training import recipe

    settings = {"lr": None, "epochs": None}
    train(config(**settings), Stop(3))
    monkeypatch.setattr(recipe, "rate", lambda *_, **__: 1.0)
    monkeypatch.setattr(recipe, "epochs", lambda *_, **__: 9)
    before = record_of(config().output)["settings"]
    train(config(resume=True, **settings))
    assert record_of(config().output)["settings"] == before


# Others' turns


@pytest.mark.parametrize("style", ["named", "dialogpt"])
def test_others_at_full_weight_are_learnt_as_without_a_persona(tokenizer: Any, style: str) -> None:
    everybody, bob = (make_renderer(tokenizer, style, name, "Ann", ("Ann", "Bob")) for name in (None, "Bob"))
    for room in (24, 200):
        assert bob.render([TALK], room, 6, others=1.0) == everybody.render([TALK], room, 6)
    [sample] = bob.render([TALK], 200, 6, others=0.25).samples
    [only] = bob.render([TALK], 200, 6).samples
    assert set(sample.learn) == {0, 0.25, 1}
    assert [weight == 1 for weight in sample.learn[: len(only)]] == [weight == 1 for weight in only.learn]


def test_what_is_held_out_is_measured_on_the_persona_alone(config: Any, tokenizer: Any) -> None:
    plain, *more = (
        prepare(config(persona="Bob", **settings), tokenizer, 64)
        for settings in ({}, {"others_weight": 0.5}, {"others_weight": 1}, {"persona_last": True})
    )
    for data in more:
        assert data.held_out_rows == plain.held_out_rows
        assert data.learnt_tokens > plain.learnt_tokens
        assert data.turns()["context only"] < plain.turns()["context only"]
        assert data.fingerprint() != plain.fingerprint()
    assert more[2].rows == plain.rows
    assert [len(rows) for rows in more[2].epochs(3)] == [len(more[1].rows)] * 2 + [len(plain.rows)]
    assert more[2].epochs(3)[0] == more[1].rows


WEIGHED = {"persona": "Bob", "others_weight": 0.3, "max_tokens": 48, "validation_share": 0}


def test_eight_passes_of_one_row_weigh_as_one_pass_of_eight_does(config: Any, tmp_path: Path) -> None:
    for name, batch_size, accumulate in (("a", 8, 1), ("b", 1, 8)):
        train(config(output=tmp_path / name, batch_size=batch_size, accumulate=accumulate, **WEIGHED))
    assert largest_difference(tmp_path / "a", tmp_path / "b") < 2e-5


@pytest.mark.slow
def test_two_processes_weigh_and_average_as_one(config: Any, tmp_path: Path) -> None:
    settings = WEIGHED | {"lr": 1e-3, "ema": 0.7, "precision": "fp32"}
    together(1, config(output=tmp_path / "one", batch_size=2, **settings))
    together(2, config(output=tmp_path / "two", **settings))
    assert largest_difference(tmp_path / "one", tmp_path / "two") < 5e-5


def test_a_run_says_how_much_the_others_count(config: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for settings, says in (
        ({}, "learning Bob\n"),
        ({"others_weight": 0.3}, "learning Bob, the others at weight 0.3\n"),
        ({"persona_last": True}, "learning Bob, the others at weight 1 in all epochs but the last\n"),
    ):
        fine_tune(config(persona="Bob", dry_run=True, **settings), "talk")
        assert says in capsys.readouterr().out


def test_the_persona_comes_last(config: Any) -> None:
    told: list[Progress] = []
    result = train(config(persona="Bob", persona_last=True, epochs=3), told.append)
    [data] = [event.dataset for event in told if isinstance(event, Prepared)]
    learnt = [event.learnt for event in told if isinstance(event, Updated)]
    firsts, last = len(data.first_rows), len(data.rows)
    assert sum(learnt[:firsts]) == sum(learnt[firsts : 2 * firsts]) == data.learnt_tokens
    assert sum(learnt[2 * firsts :]) == count_learnt(data.rows) < data.learnt_tokens
    assert len(learnt) == 2 * firsts + last
    assert [found["epoch"] for found in result.metrics["evaluations"]] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"others_weight": 0.5}, "others_weight = 0.5: needs a persona"),
        ({"persona_last": True}, "persona_last = True: needs a persona"),
        ({"persona_last": True, "persona": "Bob", "epochs": 1}, "epochs = 1: leaves no epoch before the last"),
        ({"others_weight": 1.5}, "others_weight = 1.5: must be from 0 to 1"),
        ({"ema": 1.0}, "ema = 1.0: must be "),
    ],
)
def test_what_cannot_be_learnt_so_is_refused(config: Any, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        train(config(**settings))


# Averaged weights


def test_an_average_counts_the_weights_after_each_update_and_not_those_before() -> None:
    module = torch.nn.Linear(2, 1)
    average = Average(module, 0.5)
    passed = []
    for update in (1, 2, 3):
        torch.nn.init.constant_(module.weight, float(update))
        average.add(update)
        with average.in_place():
            passed.append(module.weight[0, 0].item())
        assert module.weight.tolist() == [[update, update]]
    assert passed == pytest.approx([1, (0.5 * 1 + 2) / 1.5, (0.25 * 1 + 0.5 * 2 + 3) / 1.75])


def test_the_average_is_what_is_evaluated_and_kept(config: Any, tmp_path: Path) -> None:
    settings = {"epochs": 3, "lr": 2e-2}
    plain = train(config(output=tmp_path / "plain", **settings))
    averaged = train(config(output=tmp_path / "averaged", ema=0.9, **settings))
    assert averaged.metrics["losses"] == plain.metrics["losses"], "it changes nothing of what is learnt"
    losses = [found["loss"] for found in averaged.metrics["evaluations"][1:]]
    assert losses != [found["loss"] for found in plain.metrics["evaluations"][1:]]
    again = train(config(model=str(averaged.output), output=tmp_path / "again", epochs=1, lr=1e-9))
    assert again.metrics["evaluations"][0]["loss"] == pytest.approx(min(losses), rel=1e-5)


@pytest.mark.parametrize("validation_share", [0.1, 0])
def test_interrupted_and_resumed_is_uninterrupted_with_everything_on(
    config: Any, tmp_path: Path, validation_share: float
) -> None:
    settings = {"persona": "Bob", "persona_last": True, "others_weight": 0.4, "validation_share": validation_share}
    settings |= {"ema": 0.8, "neftune": 5.0, "label_smoothing": 0.1}
    train(config(output=tmp_path / "whole", **settings))
    stop = record_of(tmp_path / "whole")["metrics"]["losses"][-1][0] - 2  # within the last epoch
    train(config(output=tmp_path / "parts", **settings), Stop(stop))
    train(config(output=tmp_path / "parts", resume=True, **settings))
    assert largest_difference(tmp_path / "whole", tmp_path / "parts") == 0
    whole, parts = (record_of(tmp_path / name)["metrics"] for name in ("whole", "parts"))
    assert whole["losses"] == parts["losses"]
    assert whole["evaluations"] == parts["evaluations"]


def test_keep_last_keeps_the_last_epoch_though_an_earlier_one_was_better(config: Any, tmp_path: Path) -> None:
    # Lines that have nothing in common: what is learnt of some is of no use for the others.
    drawn = random.Random(0)
    write_script(tmp_path / "lines.csv", say=lambda episode, line: "".join(drawn.choices("abcdefgh ", k=24)))
    settings = {"data": (str(tmp_path / "lines.csv"),), "epochs": 6, "lr": 2e-2}
    for keep_last in (False, True):
        metrics = train(
            config(**settings, keep_last=keep_last, output=tmp_path / f"{keep_last}"), lambda progress: None
        ).metrics
        losses = [found["loss"] for found in metrics["evaluations"][1:]]
        assert min(losses) < losses[-1], "the last epoch is not the best one here"
        assert metrics["best_epoch"] == (6 if keep_last else losses.index(min(losses)) + 1)
