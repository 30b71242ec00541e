"""The licence of a base model goes with what is made from it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.export.artefact import export
from wolf_chatbox.model.licences import GEMMA
from wolf_chatbox.model.record import read_run, write_run
from wolf_chatbox.training.loop import train


def test_the_licence_goes_with_a_run_and_its_export(
    config: Any, tiny_gpt2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_gpt2, base)
    write_run(base, {"licence": GEMMA.record()})
    (base / "GEMMA_TERMS.html").write_text("terms")
    run = train(config(model=str(base), epochs=1)).output
    assert (read_run(run) or {})["licence"]["id"] == "gemma"
    assert "Built with Gemma" in (run / "README.md").read_text(encoding="utf-8")

    monkeypatch.setattr("wolf_chatbox.export.gguf.export_gguf", lambda *_, **__: "the same")
    for folder in (run, export(run, "gguf").place):
        assert (folder / "GEMMA_TERMS.html").read_text() == "terms"
        assert GEMMA.notice in (folder / "NOTICE").read_text()
