"""Which engine answers, and what is told of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model import engines
from wolf_chatbox.model.engines import choice, llama_library

needs_llama = pytest.mark.skipif(llama_library.lacking() is not None, reason="llama.cpp is an optional engine")


def load(folder: Path, **settings: Any) -> tuple[str, list[str]]:
    """The engine that answers, and what was told."""
    told: list[str] = []
    loaded = engines.load(folder, tell=told.append, **settings)
    name = loaded.engine.decoder.name
    loaded.engine.close()
    return name, told


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(choice, "_gpu", lambda: None)


@pytest.fixture
def folder(tiny_gpt2: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_gpt2, tmp_path / "model"))


def change(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


@needs_llama
def test_auto_takes_llama_cpp_without_a_gpu_and_says_so(folder: Path) -> None:
    name, told = load(folder)
    assert name == "llama.cpp"
    assert told[-1] == "engine: llama.cpp, q8_0 (no GPU here)"


def test_auto_takes_torch_on_a_gpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_gpu", lambda: "an NVIDIA GPU")
    assert load(folder) == ("torch", ["engine: torch (on an NVIDIA GPU)"])


def test_auto_takes_torch_where_llama_cpp_is_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "lacking", lambda: "xllamacpp is not installed")
    assert load(folder) == ("torch", ["engine: torch (xllamacpp is not installed)"])


@needs_llama
def test_a_model_that_llama_cpp_does_not_have(folder: Path) -> None:
    change(folder, activation_function="relu")
    name, told = load(folder)
    assert name == "torch"
    assert "llama.cpp cannot be used: " in told[-1]
    assert "activation_function relu" in told[-1]
    with pytest.raises(ModelError, match="--engine torch"):
        load(folder, engine="llama.cpp")
    assert load(folder, engine="torch") == ("torch", ["engine: torch (as asked for)"])


@needs_llama
@pytest.mark.parametrize(
    "setting",
    [
        {"layer_norm_epsilon": float("nan")},
        {"layer_norm_epsilon": -1},
        {"n_head": 0},
        {"n_head": 7},
        {"n_embd": 10**30},
        {"n_positions": "x"},
        {"vocab_size": -1},
        {"n_layer": None},
    ],
)
def test_a_size_that_makes_no_sense_never_reaches_llama_cpp(folder: Path, setting: dict[str, Any]) -> None:
    change(folder, **setting)
    with pytest.raises(ModelError, match=rf"config\.json is damaged \({next(iter(setting))} cannot be right\)"):
        load(folder, engine="llama.cpp")


@needs_llama
def test_the_saved_settings_are_the_same_in_both_engines(folder: Path) -> None:
    (folder / "generation_config.json").write_text(json.dumps({"top_k": 7, "max_new_tokens": 9}))
    for name in ("torch", "llama.cpp"):
        loaded = engines.load(folder, engine=name)  # type: ignore[arg-type]
        assert (loaded.generation["top_k"], loaded.generation["max_new_tokens"]) == (7, 9)
