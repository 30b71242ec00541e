"""The base models with short names: what they need, what fits, and what their licences ask for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conftest import ROOT
from wolf_chatbox.cli import models
from wolf_chatbox.model.bases import KNOWN, PROCESS, largest_that_fits, licence_for
from wolf_chatbox.model.embedded import EMBEDDED
from wolf_chatbox.model.licences import APACHE, GEMMA, LLAMA, licence_of, write_texts
from wolf_chatbox.model.record import write_run
from wolf_chatbox.training.card import write_card

GB = 1e9


@pytest.mark.parametrize("size", ["small", "medium", "large"])
def test_the_memory_is_what_the_benchmarks_say(size: str) -> None:
    """They give it for 8 rows of 512 tokens, without the process."""
    [row] = [
        line
        for line in (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| {size} (") and "GB" in line
    ]
    says = float(row.split("|")[2].split()[0])
    assert round((KNOWN[f"dialogpt-{size}"].to_train(8 * 512) - PROCESS) / GB, 1) == says


def test_those_without_a_hub_name_are_embedded() -> None:
    assert {alias for alias, known in KNOWN.items() if known.hub_name is None} == set(EMBEDDED)
    assert all(KNOWN[alias].tried for alias in EMBEDDED)


@pytest.mark.parametrize(
    ("memory", "language", "tried", "expected"),
    [
        (1 * GB, "en", False, None),
        (4 * GB, "en", True, "smollm2-135m"),
        (4 * GB, "ja", True, None),
        (8 * GB, "ja", True, "gemma3-270m"),
        (10 * GB, "ja", False, "llm-jp-3-440m"),
        (1000 * GB, "ja", False, "llm-jp-3-1.8b"),
    ],
)
def test_the_largest_that_fits(memory: float, language: str, tried: bool, expected: str | None) -> None:
    assert largest_that_fits(memory, language, tried=tried) == expected


@pytest.mark.parametrize("columns", [80, 120])
def test_the_list_marks_what_fits(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(total=8 * GB))
    monkeypatch.setattr("wolf_chatbox.model.hub.is_cached", lambda alias: alias == "gpt2")
    assert models.list_models() == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[: len(KNOWN) + 1])) <= columns
    rows = {line.split()[0]: line for line in lines[1 : len(KNOWN) + 1]}
    assert list(rows) == list(KNOWN)
    assert "7.1 +" in rows["gemma3-270m"]
    assert "16.2 -" in rows["sarashina2.2-0.5b"]
    assert {alias for alias, row in rows.items() if row.count(" yes") == 2} == {"gpt2"}
    assert ("meta-llama/Llama-3.2-1B" in rows["llama3.2-1b"]) == (columns == 120)
    text = " ".join(lines)
    assert "8.0 GB of memory" in text
    assert "The largest for Japanese that it can train: gemma3-270m." in text


def test_the_licence_follows_a_model_by_name_and_by_record(tmp_path: Path) -> None:
    assert licence_for("Gemma3-270M", tmp_path) is GEMMA
    assert licence_for("meta-llama/Llama-3.2-1B", tmp_path) is LLAMA
    assert licence_for("somebody/else", tmp_path) is None
    write_run(tmp_path, {"licence": GEMMA.record()})
    assert licence_for(str(tmp_path), tmp_path) is GEMMA


@pytest.mark.parametrize("record", [None, {}, {"licence": None}, {"licence": "gemma"}, {"licence": {"id": "own"}}])
def test_a_record_without_a_licence(record: Any) -> None:
    assert licence_of(record) is None


def test_the_texts_stay_with_what_is_made(tmp_path: Path) -> None:
    base, run = tmp_path / "base", tmp_path / "run"
    base.mkdir()
    run.mkdir()
    (base / "GEMMA_TERMS.html").write_text("terms")
    (base / "config.json").write_text("{}")
    write_texts(base, run, GEMMA)
    assert {path.name for path in run.iterdir()} == {"GEMMA_TERMS.html", "NOTICE"}
    assert (run / "NOTICE").read_text() == GEMMA.notice + "\n"
    (run / "NOTICE").write_text("more than the licence asks for")
    again = tmp_path / "again"
    again.mkdir()
    write_texts(run, again, GEMMA)
    assert (again / "NOTICE").read_text() == "more than the licence asks for"


def card(tmp_path: Path, licence: Any) -> str:
    run = {
        "base_model": "gemma3-270m",
        "persona": "Mira",
        "style": "named",
        "finished": True,
        "settings": {"output": "mira", "sampling": {}, "lr": 1e-4, "schedule": "linear", "max_tokens": 512}
        | {"epochs": 1, "batch_size": 1, "accumulate": 1, "seed": 0},
        "data": {"speakers": {}, "files": [], "conversations": 1, "turns": {"read": 1}, "learnt_tokens": 1},
        "metrics": {"best_epoch": 1, "evaluations": []},
    }
    write_card(tmp_path / "README.md", run | ({"licence": licence.record()} if licence else {}))
    return (tmp_path / "README.md").read_text(encoding="utf-8")


def test_the_card_names_the_licence_and_what_it_asks(tmp_path: Path) -> None:
    text = card(tmp_path, GEMMA)
    assert "\nlicense: gemma\n" in text
    assert "Built with Gemma" in text
    assert GEMMA.notice in text
    assert all(condition in text for condition in GEMMA.conditions)
    assert "Built with Llama" in card(tmp_path, LLAMA)
    free = card(tmp_path, APACHE)
    assert APACHE.address in free
    assert "Built with" not in free
    assert "license:" not in free  # the data's licence is not known
    assert "Licence of the base model" not in card(tmp_path, None)
