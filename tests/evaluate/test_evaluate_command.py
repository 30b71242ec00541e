"""`wolf-chatbox evaluate`: what it writes, and the votes that it gathers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judged import server
from wolf_chatbox.cli import app, run
from wolf_chatbox.evaluate.judging.votes import read_votes
from wolf_chatbox.training.loop import train


@pytest.fixture
def folder(config: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run; the current folder is an empty one."""
    made: Path = train(config(persona="Ann", epochs=1), lambda progress: None).output
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return made


def evaluated(*words: str) -> int:
    quick = ["--engine", "torch", "--replies", "4", "--chats", "0", "--probes", "0", "--max-new-tokens", "6"]
    return run(lambda: app.meta(["evaluate", *words, *quick], exit_on_error=False, print_error=False), {})


def test_it_writes_what_is_asked_for_and_the_figures_beside_the_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = (folder / "README.md").read_text()
    assert evaluated(str(folder), "--json", "all.json", "--html", "page.html") == 0
    found = json.loads(Path("all.json").read_text())
    assert len(found["samples"]) == found["exchanges"]
    assert "How good is Ann?" in Path("page.html").read_text()
    beside = json.loads((folder / "evaluation.json").read_text())
    assert "samples" not in beside
    assert beside["measures"] == found["measures"]
    assert (folder / "README.md").read_text() != card
    assert "## Quality" in (folder / "README.md").read_text()
    assert {path.name for path in Path().iterdir()} == {"all.json", "page.html"}
    capsys.readouterr()
    assert evaluated(str(folder), "--html", "page.html") == 1
    assert "page.html: already exists" in capsys.readouterr().err


def test_a_judge_votes_once_about_each_pair(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[object] = []

    def first(body: dict[str, Any]) -> tuple[int, Any]:
        asked.append(body)
        return 200, {"choices": [{"message": {"content": '{"better": "A"}'}}]}

    with server(first) as address:
        for _ in range(2):
            assert evaluated(str(folder), "--judge", address, "--pairs", "5", "--json", "all.json", "--overwrite") == 0
    votes = read_votes([Path("votes.jsonl")])
    assert len(votes) == 5
    assert len(asked) == 10  # each way round, and nothing anew
    assert {vote.choice for vote in votes} == {"tie"}
    found = json.loads(Path("all.json").read_text())["votes"]
    assert found["steady"] == {"judge:wise": 0.0}
    assert "judge:wise" in capsys.readouterr().out


def test_a_judge_that_refuses_leaves_the_figures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with server(lambda body: (401, {"error": {"message": "wrong key"}})) as address:
        assert evaluated(str(folder), "--judge", address, "--json", "all.json") == 1
    shown = capsys.readouterr()
    assert "401 Unauthorized: wrong key" in shown.err
    assert "Bits/byte" in shown.out
    assert "votes" not in json.loads(Path("all.json").read_text())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--judge", "nowhere"), "--judge nowhere: must be the URL and the model"),
        (("--vote",), "--vote: needs a terminal"),
        (("--votes", "none.jsonl"), "none.jsonl: cannot be read"),
    ],
)
def test_what_cannot_be_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    assert evaluated(str(tmp_path / "no_run"), *words) in (1, 2)
    assert told in capsys.readouterr().err


@pytest.mark.slow
def test_a_tracker_gets_the_figures_of_each_run(folder: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert evaluated(str(folder), "--report-to", "tensorboard") == 0
    files = folder.with_name(folder.name + ".tracking").rglob("events.out*")
    tags = {tag for path in files for tag in EventAccumulator(str(path)).Reload().Tags()["scalars"]}
    assert "evaluation/bits_per_byte" in tags
