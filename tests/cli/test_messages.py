"""What the command lines say, and in which order: complaints, steps, times, names of settings."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from classic import Classic, dial_main
from conftest import ROOT, write_script
from runs import Stop
from wolf_chatbox.cli import app, pulse, run
from wolf_chatbox.cli.display import show_sample
from wolf_chatbox.cli.train import fine_tune
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import ModelError, Setting
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.settings import typed
from wolf_chatbox.training import loop
from wolf_chatbox.training.progress import Progress, Step
from wolf_chatbox.visible import shortlist

pytestmark = pytest.mark.usefixtures("fp32")


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(lambda: app.meta(list(arguments), exit_on_error=False, print_error=False), {})
        return (code, *capsys.readouterr())

    return call


# The order of complaints


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--data", "nofile.csv"), "nofile.csv: there is no such file."),
        (("--data", "README.md"), "README.md: not a known format"),
        (("--persona", "Zed"), "persona 'Zed': no such speaker."),
        (("--style", "chat"), "style chat: no speaker is the assistant."),
    ],
)
def test_files_and_settings_are_complained_of_before_the_model(
    classic: Classic, flags: tuple[str, ...], says: str
) -> None:
    Path("README.md").write_text((ROOT / "README.md").read_text())
    refused = classic(*flags, "--initial_point", "./nowhere")
    assert refused["code"] == 1
    assert refused["err"].startswith(f"error: {says}")
    assert refused["err"].count("\n") == 1


@pytest.mark.parametrize("flag", ["--held-out-speaker", "--held-out-group"])
def test_what_is_to_be_held_out_is_looked_for_before_the_model(command: Any, script: Path, flag: str) -> None:
    code, _, err = command("train", "--data", str(script), "--model", "./nowhere", flag, "Zed")
    assert code == 1
    assert "'Zed': no" in err


def test_a_file_is_read_once(command: Any, script: Path, tiny_gpt2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    once = Source.open

    def count(path: Any, *rest: Any) -> Source:
        opened.append(path)
        return once(path, *rest)

    monkeypatch.setattr(Source, "open", count)
    assert command("data", "inspect", str(script), "--model", str(tiny_gpt2), "--max-tokens", "64")[0] == 0
    assert len(opened) == 1


def test_without_a_trained_model_both_command_lines_say_the_same(classic: Classic, command: Any) -> None:
    played = classic("--play")
    code, _, err = command("chat")
    assert (played["code"], code) == (2, 2)
    assert (
        played["err"]
        == "error: --ptr_model_path wolf_model: no trained model here. Train one first: python dial_main.py\n"
    )
    assert err == "error: --model wolf_model: no trained model here. Train one first: wolf-chatbox train --data FILE\n"


# Names of settings


@pytest.mark.parametrize(
    ("flags", "code", "says"),
    [
        (("--epochs", "2"), 2, "Unknown option: --epochs. Did you mean --epoch?"),
        (("--acc_step", "1.5"), 2, "Invalid value for --acc_step: 1.5 is not a whole number."),
        (
            ("--data", "no--model.csv"),
            1,
            "no--model.csv: there is no such file. Check the path, or try the bundled script: example.",
        ),
    ],
)
def test_what_was_typed_is_named_as_it_was_typed(
    classic: Classic, flags: tuple[str, ...], code: int, says: str
) -> None:
    refused = classic(*flags)
    assert (refused["code"], refused["err"]) == (code, f"error: {says}\n")


def test_a_setting_in_an_error_goes_by_the_name_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ModelError("--epochs of a file's name; lower ", Setting("max_tokens"), " or ", Setting("keep"), ".")

    for flags, says in (({}, "--max-tokens or --keep."), (dial_main.FLAGS, "--max_len_dial or --keep.")):
        assert run(fail, flags) == 1
        assert capsys.readouterr().err == f"error: --epochs of a file's name; lower {says}\n"


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--epoch", "3"), "--epoch 3"),
        (("--overwrite",), "--overwrite"),
        (("--data", "one.csv", "two.csv"), "--data one.csv two.csv"),
        (("--encoding", "cp932"), "--encoding cp932"),
    ],
)
def test_what_is_for_training_is_refused_with_play(classic: Classic, flags: tuple[str, ...], named: str) -> None:
    refused = classic("--play", *flags)
    assert (refused["code"], refused["err"]) == (2, f"error: {named}: is for training. Leave it out with --play.\n")


@pytest.mark.parametrize(
    ("arguments", "groups"),
    [
        (
            [str(ROOT / "dial_main.py")],
            {
                "Data": "data",
                "Model": "initial_point",
                "Learning": "lr",
                "Memory and speed": "lora_rank",
                "Saving and reporting": "resume",
            }
            | {"Replies": "top_p", "Chat": "play"},
        ),
        (
            ["-c", "from wolf_chatbox.cli import main; main()", "train"],
            {
                "Data": "session-gap",
                "Model": "style",
                "Learning": "lr",
                "Memory and speed": "precision",
                "Saving and reporting": "output",
            }
            | {"Replies": "top-k"},
        ),
    ],
)
def test_help_comes_in_groups_with_defaults_as_they_are_typed(arguments: list[str], groups: dict[str, str]) -> None:
    environment = os.environ | {"COLUMNS": "80"}
    shown = subprocess.run(
        [sys.executable, *arguments, "--help"], capture_output=True, text=True, check=True, env=environment
    ).stdout
    panels = dict(part.split(" ─", 1) for part in shown.split("╭─ ")[1:])
    assert [name for name in panels if name in groups] == list(groups)
    for name, flag in groups.items():
        assert f"--{flag} " in panels[name], name
    assert re.search("--allow[-_]base ", panels["Model"])
    assert "0.01]" in panels["Learning"]
    for odd in ("False", "()", "0.0001", "1.0]", "',)"):
        assert odd not in shown
    assert max(map(len, shown.splitlines())) == 80


def test_values_are_typed_as_a_person_would() -> None:
    values = [1e-4, 2.5e-5, 0.1, 1.0, 0.0, 8, 3e7, "auto", ("en", "ja"), True]
    assert list(map(typed, values)) == ["1e-4", "2.5e-5", "0.1", "1", "0", "8", "3e7", "auto", "en ja", "True"]
    assert all(float(typed(value) or "") == value for value in (1e-4, 5e-5, 0.95, 0.0))
    assert list(map(typed, (None, False, ()))) == [None, None, None]


# What is under way


def test_a_run_tells_its_steps_how_long_it_takes_and_that_it_can_be_stopped(classic: Classic) -> None:
    out = classic("--train_bz", "1")["out"]
    steps = [
        "reading RickAndMortyScripts.csv",
        "loading the base model ",
        "packing rows",
        "48 turns read",
        "Ctrl-C is safe: ",
        "about 0:",
    ]
    assert [step for step in steps if step not in out] == []
    assert sorted(steps, key=out.index) == steps
    assert (
        "Ctrl-C is safe: it stops after the current update, and the same command with --resume continues the run."
        in out
    )
    assert " left, estimated from the second update\n" in out


def test_a_log_never_falls_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What takes long is told of again and again, without a terminal, while one thing is under way."""
    out = io.StringIO()
    monkeypatch.setattr(pulse, "SECONDS", 0.02)
    monkeypatch.setattr("sys.stdout", out)

    def train(config: TrainConfig, tell: Callable[[Progress], None]) -> loop.Result:
        tell(Step("fetching a model (93 MB)"))
        given_up = time.monotonic() + 60
        while out.getvalue().count("… fetching a model (93 MB)") < 3:
            assert time.monotonic() < given_up
            time.sleep(0.005)
        return loop.Result(config.output, {}, interrupted=False)

    monkeypatch.setattr(loop, "train", train)
    assert fine_tune(TrainConfig(data=("x",), output=tmp_path), "talk") == 0
    ended = out.getvalue()
    time.sleep(0.1)
    assert out.getvalue() == ended, "the last word is the command's"


def test_from_python_a_run_goes_to_the_log(
    config: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.INFO, "wolf_chatbox"):
        loop.train(config(epochs=1, log_every=4, validation_share=0))
    records = [record for record in caplog.records if record.name == "wolf_chatbox"]
    said = [record.getMessage() for record in records]
    assert any(text.startswith("reading ") for text in said)
    updates = [int(text.split("/")[0].removeprefix("update ")) for text in said if ": loss " in text]
    last = int(next(text for text in said if ": loss " in text).split("/")[1].split(":")[0])
    assert updates == [*range(4, last + 1, 4), *([last] if last % 4 else [])]
    assert [record.levelname for record in records if "nothing is held out" in record.getMessage()] == ["WARNING"]
    assert not logging.getLogger("wolf_chatbox").handlers
    assert capfd.readouterr() == ("", "")
    caplog.clear()
    loop.train(config(epochs=1, overwrite=True), lambda event: None)
    assert not caplog.records


def test_resuming_says_after_which_update(config: Any, capsys: pytest.CaptureFixture[str]) -> None:
    loop.train(config(), Stop(4))
    capsys.readouterr()
    assert fine_tune(config(resume=True), "talk") == 0
    out = capsys.readouterr().out
    updates = out.split("resuming after update 4 of ")[1].split()[0]
    assert f"update {updates}/{updates}" in out
    assert "resuming after" not in fresh(config, capsys)


def fresh(config: Any, capsys: pytest.CaptureFixture[str]) -> str:
    assert fine_tune(config(overwrite=True), "talk") == 0
    return capsys.readouterr().out


# Lists and colours


def test_names_that_are_cut_end_in_their_number(classic: Classic, tmp_path: Path) -> None:
    names = tuple(f"Speaker{number:02}" for number in range(8))
    write_script(tmp_path / "many.csv", speakers=names)
    assert "Speaker05 6, … and 2 more)" in classic("--data", "many.csv")["out"]
    assert shortlist(names[:6], 6).endswith(names[5])
    unknown = classic("--data", "many.csv", "--persona", "Zq", "--overwrite")["err"]
    assert unknown.endswith("The data has Speaker00, Speaker01, Speaker02, Speaker03, Speaker04, … and 3 more.\n")


@pytest.mark.parametrize(
    ("environment", "green"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        (None, False),
    ],
)
def test_green_is_spoken_of_only_where_it_is_seen(environment: dict[str, str] | None, green: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=environment is not None or None, width=80, _environ=environment or {})
    show_sample(console, "One sample", [("Ann: ", False), ("a goose", True), (" Bob:", False)])
    assert ("green is learnt" in out.getvalue()) == green
    assert ("Ann: ‹a goose› Bob:" in out.getvalue()) != green


def test_without_colours_marks_show_what_is_learnt(
    classic: Classic, command: Any, script: Path, tiny_gpt2: Path
) -> None:
    out = classic()["out"]
    assert "green" not in out
    assert "One sample; text between ‹ and › is learnt, the rest is context:" in out
    assert "Ann:‹ the goose number" in out
    _, out, _ = command("data", "inspect", str(script), "--model", str(tiny_gpt2), "--max-tokens", "64")
    assert "green" not in out
    assert "A sample as the model sees it; text between ‹ and › is learnt" in out
