"""Sweeps: what is searched, what is kept, what can go wrong, and what it then says."""

from __future__ import annotations

import io
import math
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import pytest
import yaml
from matplotlib import pyplot
from rich.console import Console

from wolf_chatbox.cli import app, run
from wolf_chatbox.cli.sweep import as_table
from wolf_chatbox.config import TrainConfig
from wolf_chatbox.errors import DataError, TrainingError
from wolf_chatbox.training import sweep as module
from wolf_chatbox.training.loop import Result
from wolf_chatbox.training.progress import Evaluated, Updated
from wolf_chatbox.training.sweep import sweep
from wolf_chatbox.training.sweep_config import read_sweep

pytestmark = [
    pytest.mark.usefixtures("fp32"),
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
    ),  # of the database's and Optuna's own
]


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(**parts: Any) -> Path:
        content = {
            "output": str(tmp_path / "sweep"),
            "train": {"data": ["example"]},
            "space": {"lr": [1e-4, 1e-3]},
            "search": "grid",
        } | parts
        path = tmp_path / "sweep.yaml"
        path.write_text(yaml.safe_dump({name: value for name, value in content.items() if value is not None}))
        return path

    return write


class Trainer:
    """In place of `train`: a loss that the settings decide, falling towards it over four measurements."""

    def __init__(self) -> None:
        self.made: list[TrainConfig] = []
        self.interrupt_at = self.fail_at = -1

    def __call__(self, config: TrainConfig, tell: Any) -> Result:
        number = len(self.made)
        self.made.append(config)
        config.output.mkdir(parents=True)
        (config.output / "lr").write_text(str(config.lr))
        if number == self.fail_at:
            raise TrainingError("no number")
        end = abs(math.log10(config.lr) + 3) + config.batch_size / 100
        evaluations = []
        for update in range(1, 5):
            loss = end + 1 / update
            evaluations.append({"update": update, "loss": loss})
            tell(Evaluated(update, float(update), loss, math.exp(loss), True, []))
        return Result(
            config.output, {"evaluations": evaluations, "seconds": 1.0}, interrupted=number == self.interrupt_at
        )


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch) -> Trainer:
    trainer = Trainer()
    monkeypatch.setattr(module, "train", trainer)
    return trainer


def test_a_grid_makes_every_cell_once_and_keeps_the_best(write: Any, trainer: Trainer, tmp_path: Path) -> None:
    config = read_sweep(
        write(space={"lr": [1e-5, 1e-3, 1e-2], "batch-size": {"low": 1, "high": 5, "step": 2}}, prune=False)
    )
    outcome = sweep(config)
    assert {(made.lr, made.batch_size) for made in trainer.made} == {
        (lr, size) for lr in (1e-5, 1e-3, 1e-2) for size in (1, 3, 5)
    }
    assert len(trainer.made) == 9
    assert outcome.trials[0]["lr"] == 1e-3
    assert outcome.trials[0]["batch_size"] == 1
    assert [path.name for path in sorted((tmp_path / "sweep").iterdir())] == [
        "best",
        "best.yaml",
        "history.png",
        "importance.png",
        "parallel.png",
        "results.csv",
        "trials.db",
    ]
    assert (tmp_path / "sweep" / "best" / "lr").read_text() == "0.001"
    for name in ("history", "importance", "parallel"):
        assert (tmp_path / "sweep" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert len((tmp_path / "sweep" / "results.csv").read_text().splitlines()) == 10
    again = sweep(config)
    assert len(trainer.made) == 9, "a finished sweep is not made again"
    assert again.trials == outcome.trials


@pytest.mark.parametrize("search", ["random", "tpe"])
def test_a_search_is_the_same_with_the_same_seed_and_goes_on_when_asked_for_more(
    write: Any, trainer: Trainer, search: str, tmp_path: Path
) -> None:
    space = {"lr": {"low": 1e-6, "high": 1e-1, "log": True}, "batch_size": {"low": 1, "high": 8}}
    config = read_sweep(write(search=search, trials=6, space=space, prune=False))
    sweep(config)
    first = [(made.lr, made.batch_size) for made in trainer.made]
    assert len(set(first)) == 6
    sweep(replace(config, output=tmp_path / "other"))
    assert [(made.lr, made.batch_size) for made in trainer.made[6:]] == first
    assert len(sweep(replace(config, trials=8)).trials) == 8
    assert len(trainer.made) == 14


def test_hopeless_runs_are_ended_early(write: Any, trainer: Trainer) -> None:
    outcome = sweep(
        read_sweep(write(space={"lr": [1e-3, 1.1e-3, 1.2e-3, 1.3e-3, 1e-9, 1e-8, 1e-7, 1e-3 + 1e-6]}, seed=1))
    )
    states = {trial["lr"]: trial["state"] for trial in outcome.trials}
    assert any(state == "pruned" for lr, state in states.items() if lr < 1e-6)
    assert states[1e-3] == "complete"
    assert outcome.trials[0]["lr"] == 1e-3


def test_a_stopped_sweep_makes_the_stopped_run_again(write: Any, trainer: Trainer, tmp_path: Path) -> None:
    config = read_sweep(
        write(search="random", trials=4, space={"lr": {"low": 1e-6, "high": 1e-1, "log": True}}, prune=False)
    )
    trainer.interrupt_at = 2
    outcome = sweep(config)
    assert outcome.interrupted
    assert not list((tmp_path / "sweep").glob("trial-*"))
    outcome = sweep(config)
    assert not outcome.interrupted
    assert trainer.made[3].lr == trainer.made[2].lr
    assert sum(trial["state"] == "complete" for trial in outcome.trials) == 4


def test_a_run_without_a_number_counts_and_the_search_goes_on(write: Any, trainer: Trainer) -> None:
    trainer.fail_at = 1
    outcome = sweep(
        read_sweep(
            write(search="random", trials=3, space={"lr": {"low": 1e-6, "high": 1e-1, "log": True}}, prune=False)
        )
    )
    assert len(trainer.made) == 3
    assert sorted(trial["state"] for trial in outcome.trials) == ["complete", "complete", "fail"]


def test_two_workers_share_a_storage(write: Any, trainer: Trainer, tmp_path: Path) -> None:
    config = read_sweep(
        write(
            search="random",
            trials=4,
            space={"lr": {"low": 1e-6, "high": 1e-1, "log": True}},
            storage=f"sqlite:///{tmp_path}/shared.db",
        )
    )
    trainer.interrupt_at = 1
    sweep(replace(config, output=tmp_path / "first"))
    sweep(replace(config, output=tmp_path / "second"))
    assert (
        sum(
            trial["state"] in ("complete", "pruned")
            for trial in sweep(replace(config, output=tmp_path / "third")).trials
        )
        == 4
    )
    assert len(trainer.made) == 5


def test_another_sweep_in_the_same_place_is_refused(write: Any, trainer: Trainer) -> None:
    sweep(read_sweep(write()))
    with pytest.raises(DataError, match=r"holds a sweep with other settings .*space"):
        sweep(read_sweep(write(space={"lr": [1e-4, 1e-2]})))


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"space": None}, "needs train: .* and space:"),
        ({"spaces": {}}, "spaces: not a part of a sweep"),
        ({"space": {}}, "has no setting to search"),
        ({"space": {"lrr": [1]}}, "lrr is not a setting of train \\(did you mean lr\\?\\)\\.$"),
        ({"space": {"lr": [0.1, -1]}}, r"lr -1.* must be above 0"),
        ({"space": {"lr": {"low": 1e-3, "high": 1e-4}}}, "lr needs a list of choices, or low and high"),
        ({"space": {"lr": {"low": 0, "high": 1e-4, "log": True}}}, "lr needs a list of choices"),
        ({"space": {"lr": {"low": 1e-5, "high": 1e-4}}}, "lr has endless values for a grid"),
        ({"space": {"lr": 3}}, "lr needs a list"),
        ({"train": {"data": ["x"], "lr": 1e-4}}, "lr is both fixed and searched"),
        ({"train": {"data": ["x"], "output": "y"}}, "output is set by the sweep; leave"),
        ({"train": {"data": ["x"], "clean": {"scrub": True}}}, "clean is not a setting of train"),
        ({"train": {"data": ["x"], "validation_share": 0}}, "leaves no held-out split to compare"),
        ({"train": {"epochs": 1}}, "train lacks data"),
        (
            {"spcae": {"lr": [1e-4]}, "space": None},
            "spcae: not a part of a sweep \\(did you mean space\\?\\)\\. The parts are",
        ),
        ({"space": {"learning_rate": [1e-4]}}, "learning-rate is not a setting of train \\(did you mean lr\\?\\)\\.$"),
        ({"train": {"data": ["x"], "epochs": "many"}}, "epochs many must be a whole number"),
        ({"train": {"data": ["x"], "epochs": 1.5}}, "epochs 1.5 must be a whole number"),
        ({"space": {"lr": ["fast"]}}, "lr fast must be a number"),
        ({"train": {"data": ["x"], "format": "foo"}}, r"sweep\.yaml: format foo must be one of auto"),
        ({"train": {"data": ["x"], "languages": 5}}, r"sweep\.yaml: languages 5 must be a list of words"),
        ({"train": {"data": ["x"], "also_keep": [5]}}, r"sweep\.yaml: also-keep \[5\] must be a list of words"),
        ({"space": {"temperature": [0.5, 5000]}}, r"sweep\.yaml: temperature 5000 must be 0, or"),
        ({"prune": 3}, "prune 3 must be true or false"),
        ({"storage": 3}, "storage 3 must be the URL"),
        ({"search": "magic"}, "search magic must be one of grid, random, tpe"),
        ({"trials": 0}, "trials 0 must be a whole number"),
        ({"storage": "nodb://x"}, "storage nodb://x cannot be opened"),
    ],
)
def test_what_will_not_do_is_told_before_any_run(
    write: Any, trainer: Trainer, parts: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says) as caught:
        sweep(read_sweep(write(**parts)))
    assert "\n" not in str(caught.value)
    assert not trainer.made


def test_plots_count_whole_trials_and_call_settings_as_the_file_does(
    write: Any, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    words: dict[str, list[str]] = {}

    def look(figure: Figure, file: Any, **settings: Any) -> None:
        figure.canvas.draw()
        axes = figure.axes[0]
        words[Path(file.name).name.split(".")[1]] = [
            label.get_text() for axis in (axes.xaxis, axes.yaxis) for label in axis.get_ticklabels()
        ]

    monkeypatch.setattr(Figure, "savefig", look)
    before = dict(matplotlib.rcParams)
    outcome = sweep(read_sweep(write(space={"lr": [1e-3, 1e-2], "batch-size": [1, 2]}, prune=False)))
    assert len(outcome.trials) == 4
    assert {"lr", "batch-size", "held-out loss"} <= set(words["parallel"])
    assert {"lr", "batch-size"} <= set(words["importance"])
    assert "batch_size" not in {word for found in words.values() for word in found}
    trials = words["history"][: words["history"].index("3") + 1]
    assert {"0", "1", "2", "3"} <= set(trials)
    assert not any("." in trial for trial in trials)
    assert not pyplot.get_fignums()
    assert dict(matplotlib.rcParams) == before, "the plots of whoever called are theirs to style"


def test_from_python_no_warning_is_heard_and_updates_are_thinned(
    write: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As with `train`, the log gets one update in `log_every`."""

    def train(config: TrainConfig, tell: Any) -> Result:
        config.output.mkdir(parents=True)
        for update in range(1, 11):
            tell(Updated(update, 11, 1.0, 1.0, 1.0, config.lr, 8, 4, 0.1))
        evaluation = {"update": 10, "loss": config.lr}
        return Result(config.output, {"evaluations": [evaluation], "seconds": 1.0}, interrupted=False)

    monkeypatch.setattr(module, "train", train)
    settings = {"data": ["example"], "log_every": 5}
    with warnings.catch_warnings(record=True) as heard, caplog.at_level("INFO", "wolf_chatbox"):
        warnings.simplefilter("always")
        sweep(read_sweep(write(train=settings, space={"lr": [1e-3, 1e-2], "epochs": [1, 2]})))
    assert [str(warning.message) for warning in heard if "sqlalchemy" not in warning.filename] == []
    updates = [record.args[0] for record in caplog.records if record.getMessage().startswith("update ")]
    assert updates == [5, 10] * 4


@pytest.mark.parametrize("most", [2, 7])
def test_the_table_fits_a_terminal(most: int) -> None:
    names = ["lr", "batch_size", "warmup_ratio", "schedule", "weight_decay", "max_grad_norm", "dropout"][:most]
    values = [1.23456e-5, 2, 0.05, "cosine_with_restarts", 0.1, 1.0, 0.0][:most]
    trial = {"number": 13, "state": "complete", "loss": 2.34567, "seconds": 1234.5, **dict(zip(names, values))}
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(
        as_table(
            [trial, trial | {"loss": None, "state": "pruned"}],
            [name.replace("_", "-") for name in names],
            names,
            console,
        )
    )
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    words = shown.split()
    for word in ["13", "2.3457", "10.44", "1234.5", "complete", "pruned", *(name.replace("_", "-") for name in names)]:
        assert word in words, word
    assert "1.23e-5" in shown


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_sweep(tmp_path / "nowhere.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(DataError, match="not valid YAML"):
        read_sweep(tmp_path / "bad.yaml")


def test_from_the_command_line_and_its_best_settings_train(
    write: Any, script: Path, tiny_gpt2: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = {"data": [str(script)], "model": str(tiny_gpt2), "max-tokens": 64, "max_new_tokens": 2, "epochs": 1}
    path = write(train=train, space={"lr": ["1e-3", "5e-3"], "schedule": ["linear", "constant"]})

    def command(*words: str) -> int:
        return run(lambda: app.meta([*words], exit_on_error=False, print_error=False), {})

    assert command("sweep", str(path)) == 0
    out = capsys.readouterr().out
    assert out.count("trial ") >= 4
    assert "best.yaml" in out
    assert command("train", "--config", str(tmp_path / "sweep" / "best.yaml"), "--output", str(tmp_path / "model")) == 0
    assert (tmp_path / "model" / "model.safetensors").exists()
    best = (tmp_path / "sweep" / "best" / "model.safetensors").read_bytes()
    assert (tmp_path / "model" / "model.safetensors").read_bytes() == best, (
        "the same settings and seed give the same model"
    )
