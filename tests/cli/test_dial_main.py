"""The flags of the classic command line, by what they change: each test runs `dial_main.py` with a two-layer model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classic import Classic
from conftest import ROOT, write_script
from wolf_chatbox.config import SamplingConfig, TrainConfig

pytestmark = pytest.mark.usefixtures("fp32")


def losses(result: dict[str, Any]) -> list[float]:
    return [loss for _, loss in result["metrics"]["losses"]]


def test_defaults_train_on_the_default_script_and_play_answers(classic: Classic) -> None:
    trained = classic()
    assert trained["code"] == 0, trained["err"]
    assert trained["data"]["files"][0]["path"] == "RickAndMortyScripts.csv"
    assert trained["finished"]
    played = classic("--play", stdin="hello\nwho are you?\n")
    assert played["code"] == 0, played["err"]
    assert len(played["out"].splitlines()) == 2


def test_without_the_default_script_the_error_says_what_to_do(classic: Classic) -> None:
    Path("RickAndMortyScripts.csv").unlink()
    failed = classic()
    assert failed["code"] == 1
    for word in ("RickAndMortyScripts.csv", "Kaggle", "--data example"):
        assert word in failed["err"]
    assert failed["err"].count("\n") == 1


def test_data_takes_several_files_and_the_example(classic: Classic, tmp_path: Path) -> None:
    write_script(tmp_path / "two.csv", episodes=3, speakers=("Cat", "Dog"))
    both = classic("--data", "RickAndMortyScripts.csv", "two.csv")
    assert both["data"]["turns"]["read"] == 6 * 8 + 3 * 8
    assert set(both["data"]["speakers"]) == {"Ann", "Bob", "Cat", "Dog"}
    example = classic("--data", "example", "--overwrite", "--max_len_dial", "256")
    assert example["data"]["turns"]["read"] == 566


def test_initial_point(classic: Classic, tiny_llama: Path) -> None:
    assert classic("--initial_point", str(tiny_llama))["base_model"] == str(tiny_llama)
    missing = classic("--initial_point", "./nowhere", "--overwrite")
    assert missing["code"] == 1
    assert "./nowhere" in missing["err"]


def rates(result: dict[str, Any]) -> list[float]:
    """The learning rates in the printed lines."""
    return [float(line.split("  lr ")[1].split()[0]) for line in result["out"].splitlines() if "  lr " in line]


def test_schedule_and_lr(classic: Classic) -> None:
    constant = rates(classic("--schedule", "constant", "--lr", "0.003", "--log_step", "1"))
    assert set(constant) == {0.003}
    linear = rates(
        classic("--schedule", "linear", "--lr", "0.003", "--log_step", "1", "--overwrite", "--train_bz", "1")
    )
    assert linear[-1] < 0.003
    assert max(linear) == 0.003


def test_wm_ratio(classic: Classic) -> None:
    none = rates(classic("--wm_ratio", "0", "--log_step", "1", "--train_bz", "1"))
    half = rates(classic("--wm_ratio", "0.5", "--log_step", "1", "--train_bz", "1", "--overwrite"))
    assert none.index(max(none)) == 0
    assert half.index(max(half)) == pytest.approx(len(half) / 2, abs=1)


def test_max_len_dial(classic: Classic) -> None:
    short = classic("--max_len_dial", "48")
    long = classic("--max_len_dial", "128", "--overwrite")
    assert short["data"]["rows"] > long["data"]["rows"]
    too_long = classic("--max_len_dial", "257", "--overwrite")
    assert too_long["code"] == 2
    assert too_long["err"].startswith("error: --max_len_dial 257: is over the context length of")


def test_test_size(classic: Classic) -> None:
    assert classic("--test_size", "0.5")["data"]["turns"]["held out"] == 24
    nothing = classic("--test_size", "0", "--overwrite")
    assert nothing["data"]["turns"]["held out"] == 0
    assert "nothing is held out" in nothing["out"]
    for bad in ("1", "1.5", "-0.1"):
        refused = classic("--test_size", bad, "--overwrite")
        assert refused["code"] == 2
        assert refused["err"].startswith(f"error: --test_size {float(bad)}: must be 0 or more and below 1")


def test_train_bz_and_acc_step(classic: Classic) -> None:
    one = classic("--train_bz", "1")
    rows = one["data"]["rows"]
    assert len(losses(one)) == rows
    assert len(losses(classic("--train_bz", "3", "--overwrite"))) == -(-rows // 3)
    assert len(losses(classic("--train_bz", "1", "--acc_step", "3", "--overwrite"))) == -(-rows // 3)


def test_epoch(classic: Classic) -> None:
    result = classic("--epoch", "3")
    assert [evaluation["epoch"] for evaluation in result["metrics"]["evaluations"]] == [0, 1, 2, 3]
    assert classic("--epoch", "0", "--overwrite")["err"] == "error: --epoch 0: must be 1 or more.\n"


def test_log_step(classic: Classic) -> None:
    every = classic("--log_step", "1", "--train_bz", "1")
    third = classic("--log_step", "3", "--train_bz", "1", "--overwrite")
    updates = len(losses(every))
    assert len(rates(every)) == updates
    assert len(rates(third)) == -(-updates // 3)


def test_generation_flags_become_the_models_defaults_and_play_overrides_them(classic: Classic) -> None:
    flags = (
        "--max_len_gen",
        "7",
        "--no_repeat_phrase",
        "3",
        "--no_repeat_ngram_size",
        "2",
        "--top_k",
        "11",
        "--top_p",
        "0.8",
        "--temp",
        "0.5",
    )
    classic(*flags)
    saved = json.loads(Path("wolf_model/generation_config.json").read_text())
    names = ("max_new_tokens", "no_repeat_phrase", "no_repeat_ngram_size", "top_k", "top_p", "temperature")
    assert [saved[name] for name in names] == [7, 3, 2, 11, 0.8, 0.5]
    play = classic("--play", stdin="/set\n")
    assert (
        "max_new_tokens=7 no_repeat_phrase=3 no_repeat_ngram_size=2 top_k=11 top_p=0.8 "
        "min_p=0.0 repetition_penalty=1.0 temperature=0.5" in play["err"]
    )
    over = classic(
        "--play",
        "--max_len_gen",
        "3",
        "--no_repeat_phrase",
        "0",
        "--no_repeat_ngram_size",
        "0",
        "--top_k",
        "0",
        "--top_p",
        "1",
        "--temp",
        "0",
        stdin="/set\n",
    )
    assert (
        "max_new_tokens=3 no_repeat_phrase=0 no_repeat_ngram_size=0 top_k=0 top_p=1.0 "
        "min_p=0.0 repetition_penalty=1.0 temperature=0.0" in over["err"]
    )


def test_generation_flags_change_the_replies(classic: Classic) -> None:
    classic()
    question = "the goose is here\n" * 4

    def replies(*flags: str) -> str:
        return str(classic("--play", "--seed", "1", *flags, stdin=question)["out"])

    greedy = replies("--temp", "0", "--max_len_gen", "12")
    assert replies("--temp", "0", "--max_len_gen", "12", "--top_k", "3", "--top_p", "0.3") == greedy, (
        "greedy takes the likeliest whatever else"
    )
    assert replies("--top_k", "1", "--max_len_gen", "12") == greedy
    assert replies("--top_p", "0.000001", "--max_len_gen", "12") == greedy
    wild = replies("--temp", "5", "--top_k", "0", "--top_p", "1", "--max_len_gen", "12")
    assert wild != greedy
    assert len(replies("--temp", "0", "--max_len_gen", "2")) < len(greedy)
    assert replies("--temp", "0", "--max_len_gen", "12", "--no_repeat_ngram_size", "1") != replies(
        "--temp", "0", "--max_len_gen", "12", "--no_repeat_ngram_size", "0"
    )


@pytest.mark.parametrize(
    ("flag", "value", "problem"),
    [
        ("--lr", "0", "must be above 0"),
        ("--lr", "nan", "must be above 0"),
        ("--wm_ratio", "1.1", "must be from 0 to 1"),
        ("--max_len_dial", "3", "must be 16 or more"),
        ("--train_bz", "0", "must be 1 or more"),
        ("--acc_step", "-1", "must be 1 or more"),
        ("--log_step", "0", "must be 1 or more"),
        ("--max_len_gen", "0", "must be 1 or more"),
        ("--no_repeat_ngram_size", "-1", "must be 0 or more"),
        ("--no_repeat_phrase", "-1", "must be 0 or more"),
        ("--top_k", "-1", "must be 0 or more"),
        ("--top_p", "0", "must be above 0 and at most 1"),
        ("--temp", "-0.1", "must be 0 or more"),
        ("--temp", "inf", "must be 0 or more"),
        ("--chat_turns", "3", "needs --play"),
    ],
)
def test_values_out_of_range_are_refused(classic: Classic, flag: str, value: str, problem: str) -> None:
    refused = classic(flag, value)
    assert refused["code"] == 2
    assert refused["err"].startswith(f"error: {flag} ")
    assert problem in refused["err"]
    assert refused["err"].count("\n") == 1
    assert not Path("wolf_model").exists()


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--lr", "fast"), ("--epoch", "2.5"), ("--schedule", "zigzag"), ("--bogus", "1"), ("--style", "loud")],
)
def test_values_of_another_type_are_refused(classic: Classic, flag: str, value: str) -> None:
    refused = classic(flag, value)
    assert refused["code"] == 2
    assert flag in refused["err"]
    assert refused["err"].count("\n") == 1


def test_errors_name_the_flags_of_this_command_line(classic: Classic) -> None:
    Path("odd.csv").write_text("wer,was\nX,hallo\n")
    assert "Pass --speaker_column." in classic("--data", "odd.csv")["err"]
    assert "--ptr_model_path" in classic("--play", "--ptr_model_path", "none")["err"]


def test_ptr_model_path(classic: Classic) -> None:
    trained = classic("--ptr_model_path", "models/mine")
    assert trained["finished"]
    assert "--ptr_model_path models/mine" in trained["out"]
    assert len(classic("--play", "--ptr_model_path", "models/mine", stdin="hi\n")["out"].splitlines()) == 1
    nothing = classic("--play", stdin="hi\n")
    assert nothing["code"] == 2
    assert nothing["err"].startswith("error: --ptr_model_path wolf_model: no trained model here")


def test_chat_turns(classic: Classic) -> None:
    classic()
    assert len(classic("--play", "--chat_turns", "2", stdin="a\nb\nc\nd\n")["out"].splitlines()) == 2
    assert len(classic("--play", "--chat_turns", "0", stdin="a\nb\nc\nd\n")["out"].splitlines()) == 4


def test_persona_style_and_seed(classic: Classic) -> None:
    bob = classic("--persona", "bob")
    assert bob["persona"] == "Bob"
    assert bob["data"]["turns"]["context only"] > 0
    assert classic("--style", "dialogpt", "--overwrite")["style"] == "dialogpt"
    assert losses(classic("--seed", "5", "--overwrite")) != losses(classic("--overwrite"))
    unknown = classic("--persona", "Bobby", "--overwrite")
    assert unknown["code"] == 1
    assert "Did you mean Bob" in unknown["err"]


def test_the_same_command_twice_keeps_the_first_model(classic: Classic) -> None:
    classic()
    again = classic()
    assert again["code"] == 1
    assert "holds a trained model" in again["err"]
    assert "--overwrite" in again["err"]


def test_what_it_understood_is_printed(classic: Classic) -> None:
    out = classic()["out"]
    assert "script table" in out
    assert "48 turns read = 40 learnt + 8 held out + 0 context only + 0 dropped" in out
    assert "Ann 24, Bob 24" in out
    assert "style named (the speakers have names), learning every speaker" in out
    assert "before training: held-out loss" in out
    assert "Ann: the goose number" in out


def test_help_lists_every_flag_with_its_default() -> None:
    shown = subprocess.run(
        [sys.executable, str(ROOT / "dial_main.py"), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200"},
    ).stdout
    defaults = {
        "--max_len_gen": SamplingConfig.max_new_tokens,
        "--temp": SamplingConfig.temperature,
        "--top_p": SamplingConfig.top_p,
    }
    defaults |= {
        "--lr": "chosen by the base model's weights",
        "--train_bz": TrainConfig.batch_size,
        "--epoch": "chosen by the number of learnt tokens",
        "--ptr_model_path": "wolf_model",
    }
    defaults |= {"--no_repeat_phrase": 4, "--no_repeat_ngram_size": 0}
    defaults |= {
        "--top_k": 50,
        "--initial_point": "microsoft/DialoGPT-small",
        "--schedule": "linear",
        "--wm_ratio": 0.1,
    }
    defaults |= {
        "--test_size": 0.1,
        "--acc_step": 1,
        "--log_step": 10,
        "--chat_turns": 0,
        "--max_len_dial": TrainConfig.max_tokens,
    }
    blocks = shown.split("│ --")
    for flag, default in defaults.items():
        [block] = [block for block in blocks if block.split()[0] == flag.removeprefix("--")]
        assert f"[default: {default}]" in block, flag
    assert "│ --play " in shown
