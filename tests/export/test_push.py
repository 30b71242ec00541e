"""The hub: what is uploaded, who sees it, and what is said when it is refused; against a server on the loopback."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from hub import use_endpoint
from wolf_chatbox.cli import app, run
from wolf_chatbox.errors import CheckpointError, ModelError
from wolf_chatbox.export.push import push
from wolf_chatbox.training.loop import train

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Uploads:
    """A hub that takes files, all of them within the commit; `made` are its repositories, `files` what they hold."""

    def __init__(self) -> None:
        self.made: dict[str, bool] = {}
        self.files: dict[str, bytes] = {}
        self.tokens: set[str | None] = set()
        self.refuses = self.loses = False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                hub.tokens.add(self.headers.get("Authorization"))
                if hub.refuses:
                    return self.send(403, {"error": "you may not write here"})
                if self.path == "/api/repos/create":
                    asked = json.loads(body)
                    name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
                    there = name in hub.made
                    hub.made.setdefault(name, asked["visibility"] == "private")
                    return self.send(409 if there else 200, {"url": f"{hub.url}/{name}", "name": name})
                if self.path == "/api/validate-yaml":
                    return self.send(200, {"errors": [], "warnings": []})
                if "/preupload/" in self.path:
                    asked = json.loads(body)["files"]
                    modes = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in asked]
                    return self.send(200, {"files": modes})
                assert "/commit/" in self.path, self.path
                for line in map(json.loads, body.splitlines()):
                    if line["key"] == "file":
                        content = base64.b64decode(line["value"]["content"])
                        hub.files[line["value"]["path"]] = content[:-1] if hub.loses else content
                self.send(
                    200, {"success": True, "commitUrl": f"{hub.url}/ann/bob/commit/{COMMIT}", "commitOid": COMMIT}
                )

            def do_GET(self) -> None:
                name = self.path.removeprefix("/api/models/")
                if name in hub.made:
                    return self.send(200, {"id": name, "private": hub.made[name], "siblings": []})
                assert "/tree/" in self.path, self.path
                self.send(
                    200,
                    [
                        {"type": "file", "path": path, "size": len(content), "oid": COMMIT}
                        for path, content in hub.files.items()
                    ],
                )

            def send(self, status: int, value: object) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Uploads]:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_PROGRESS_BARS", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    hub = Uploads()
    use_endpoint(monkeypatch, hub.url)
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_gpt2: Path, script: Path) -> Path:
    from wolf_chatbox.config import TrainConfig

    folder = tmp_path_factory.mktemp("runs") / "bob"
    train(TrainConfig(data=(str(script),), model=str(tiny_gpt2), output=folder, persona="Bob", max_tokens=64))
    return folder


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "bob"))


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    capsys.readouterr()
    words = ["export", *map(str, arguments)]
    code = run(lambda: app.meta(words, exit_on_error=False, print_error=False), {})
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def test_a_run_is_uploaded_private_with_its_card(
    hub: Uploads, copied: Path, script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / ".hidden").write_text("x")
    (copied / "model-q8_0.gguf").write_bytes(b"x")  # our own engine's
    (copied / "folder").mkdir()
    code, shown = call(capsys, copied, "--push-to-hub", "ann/bob")
    assert code == 0, shown
    assert hub.made == {"ann/bob": True}
    assert hub.tokens == {"Bearer hf_secret"}
    assert (copied / "learnt.bin").is_file()
    kept = {".hidden", "model-q8_0.gguf", "learnt.bin"}
    here = {path.name for path in copied.iterdir() if path.is_file()} - kept
    assert set(hub.files) == here
    assert hub.files["model.safetensors"] == (copied / "model.safetensors").read_bytes()
    assert f"Checked: {len(here)} files there" in shown
    assert hub.url in shown


def test_no_path_of_this_machine_is_uploaded(hub: Uploads, copied: Path, script: Path, tiny_gpt2: Path) -> None:
    assert str(tiny_gpt2) in (copied / "README.md").read_text()
    push(copied, "ann/bob", card=copied / "README.md", public=False)
    record = json.loads(hub.files["run.json"])
    assert record["settings"]["data"] == ["script.csv"]
    assert record["settings"]["output"] == "bob"
    assert record["base_model"] == "tiny-gpt2"
    assert record["data"]["files"][0]["path"] == "script.csv"
    assert record["data"]["speakers"] == json.loads((copied / "run.json").read_text())["data"]["speakers"]
    for name, content in hub.files.items():
        assert str(script.parent).encode() not in content, name
        assert str(tiny_gpt2.parent).encode() not in content, name
    assert "\nbase_model: tiny-gpt2\n" in hub.files["README.md"].decode()


def test_public_where_asked(hub: Uploads, copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = call(capsys, copied, "--push-to-hub", "ann/bob", "--public")
    assert code == 0, shown
    assert hub.made == {"ann/bob": False}


def test_again_into_the_same_repository(hub: Uploads, copied: Path) -> None:
    for _ in range(2):
        push(copied, "ann/bob", card=copied / "README.md", public=False)
    assert hub.made == {"ann/bob": True}


def test_nothing_private_goes_into_a_public_repository(
    hub: Uploads, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.made["ann/bob"] = False
    code, shown = call(capsys, copied, "--push-to-hub", "ann/bob")
    assert code == 1
    assert "error: ann/bob: is there already, and public. Choose another name, or pass --public." in shown
    assert hub.files == {}


def test_an_export_is_uploaded_with_the_runs_card(
    hub: Uploads, copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = call(capsys, copied, "--to", "card", "--push-to-hub", "ann/bob")
    assert code == 0, shown
    assert set(hub.files) == {"card.json", "card-v2.json", "card.png", "README.md", "wolf_chatbox.export"}
    assert b"# bob" in hub.files["README.md"]


def test_refused(hub: Uploads, copied: Path) -> None:
    hub.refuses = True
    with pytest.raises(ModelError, match=r"^ann/bob: cannot be uploaded \(.*HF_TOKEN") as error:
        push(copied, "ann/bob", card=copied / "README.md", public=False)
    assert "\n" not in str(error.value)
    assert "hf_secret" not in str(error.value)


def test_a_bad_name(hub: Uploads, copied: Path) -> None:
    with pytest.raises(ModelError, match="cannot be uploaded"):
        push(copied, "ann/bob/../x", card=copied / "README.md", public=False)
    assert hub.made == {}


def test_a_file_that_did_not_arrive(hub: Uploads, copied: Path) -> None:
    hub.loses = True
    with pytest.raises(CheckpointError, match=r"is not whole there\. Upload again"):
        push(copied, "ann/bob", card=copied / "README.md", public=False)


def test_no_card(hub: Uploads, tiny_gpt2: Path) -> None:
    with pytest.raises(ModelError, match="no model card, which a trained model has"):
        push(tiny_gpt2, "ann/bob", card=tiny_gpt2 / "README.md", public=False)
    assert hub.made == {}


def test_an_adapter_of_a_model_that_is_only_here(hub: Uploads, config: Any) -> None:
    settings = config(lora_rank=2, epochs=1)
    train(settings)
    with pytest.raises(ModelError, match=r"which is on this machine only\. Merge them first: wolf-chatbox merge"):
        push(settings.output, "ann/bob", card=settings.output / "README.md", public=False)
    assert hub.made == {}
