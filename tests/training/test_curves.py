"""The curves of a training as values, whatever its files hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.training.curves import Curves, compared, curves_of, read_curves, smoothed

LINES: list[dict[str, Any]] = [
    {"update": 0, "held_out_loss": 4.0, "perplexity": 54.6},
    {"update": 1, "loss": 4.0, "learning_rate": 0.0, "tokens": 100, "seconds": 2.0},
    {"update": 2, "loss": None, "learning_rate": 0.1, "tokens": 100, "seconds": 0.0},
    {"update": 2, "held_out_loss": 3.0},
]
EXPECTED = Curves([(1, 4.0), (2, None)], [(0, 4.0), (2, 3.0)], [(1, 0.0), (2, 0.1)], [(1, 50.0)])


@pytest.mark.parametrize("ending", ["", ".unfinished"])
def test_curves_are_those_of_the_metrics_also_while_the_run_is_under_way(tmp_path: Path, ending: str) -> None:
    folder = tmp_path / f"run{ending}"
    folder.mkdir()
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in LINES))
    assert read_curves(tmp_path / "run") == EXPECTED


def test_damaged_lines_are_left_out_and_nothing_is_trusted(tmp_path: Path) -> None:
    hostile = ['{"update": 1, "loss"', "[]", '{"update": "1", "loss": 1}', '{"loss": 1}', '{"update": true, "loss": 1}']
    hostile += ['{"update": 1, "loss": "x", "tokens": [], "seconds": {}}', '{"update": 1e999, "loss": 1}', "[" * 10_000]
    hostile += ['{"update": 1, "held_out_loss": 1' + "0" * 400 + "}", '{"update": 3, "loss": NaN}']
    (tmp_path / "metrics.jsonl").write_bytes(
        "\n".join(hostile).encode() + b"\n\xff\xfe\n" + b'{"update": 4, "loss": 2}\n'
    )
    assert read_curves(tmp_path) == Curves([(1, None), (3, None), (4, 2.0)], [(1, None)])


def test_a_run_of_an_earlier_version_has_them_in_its_record(tmp_path: Path) -> None:
    metrics = {"losses": [[1, 4.0], "x", [2]], "evaluations": [{"update": 1, "loss": 3.0}, 5]}
    (tmp_path / "run.json").write_text(json.dumps({"metrics": metrics}))
    assert read_curves(tmp_path) == Curves([(1, 4.0)], [(1, 3.0)])
    (tmp_path / "run.json").write_text("{")
    assert read_curves(tmp_path) == Curves()


def test_smoothing_keeps_a_constant_and_passes_over_gaps() -> None:
    assert [round(value or 0, 9) for _, value in smoothed([(at, 3.0) for at in range(5)])] == [3.0] * 5
    found = smoothed([(1, 1.0), (2, None), (3, 3.0)], 0.5)
    assert found == [(1, 1.0), (2, None), (3, pytest.approx((0.25 * 1 + 0.5 * 3) / 0.75))]


def test_a_comparison_has_what_any_run_has() -> None:
    curves = curves_of(iter(LINES))
    found = compared({"a": curves, "b": Curves(loss=[(1, 2.0)]), "c": Curves()})
    assert list(found) == ["loss", "held_out", "learning_rate", "tokens_per_second"]
    assert list(found["loss"]) == ["a", "b"]
    assert found["held_out"] == {"a": curves.held_out}
    assert compared({"c": Curves()}) == {}
