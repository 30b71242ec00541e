"""A model hub on the loopback, and the tiny models it serves: no test needs the network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel

COMMIT = "0123456789abcdef0123456789abcdef01234567"
END = "<|endoftext|>"
LINES = (
    "Hello there, how are you today?",
    "I am fine, thank you. And you?",
    "The wolf is one of us tonight.",
    "Who did you see in the night?",
)


class Request(NamedTuple):
    method: str
    path: str
    token: str | None


class Hub:
    """Answers the hub's file routes from folders, one a repository; `requests` keeps what was asked.

    `gated` repositories show their description and refuse their files; `private` ones need `token`. The first
    download of a file in `cut` breaks off in the middle. While `broken` is set, everything is answered with that status
    and `excuse`.
    """

    def __init__(
        self,
        repositories: Mapping[str, Path],
        *,
        gated: tuple[str, ...] = (),
        private: tuple[str, ...] = (),
        token: str = "",
    ) -> None:
        self.repositories = dict(repositories)
        self.gated, self.private, self.token = gated, private, token
        self.cut: set[str] = set()
        self.broken: int | None = None
        self.excuse = ""
        self.requests: list[Request] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Hub:
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def fetched(self) -> set[str]:
        """Names of the files that were downloaded."""
        return {
            request.path.rsplit("/", 1)[1]
            for request in self.requests
            if request.method == "GET" and "/resolve/" in request.path
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer()

            def do_GET(self) -> None:
                self.answer()

            def log_message(self, format: str, *args: Any) -> None:
                pass

            def answer(self) -> None:
                path, token = unquote(urlsplit(self.path).path), self.headers.get("Authorization")
                hub.requests.append(Request(self.command, path, token))
                if hub.broken:
                    return self.send(hub.broken, b"", {"X-Error-Message": hub.excuse})
                parts = path.strip("/").split("/")
                api = parts[:2] in (["api", "models"], ["api", "datasets"])
                parts = parts[2:] if api else parts[1:] if parts[0] == "datasets" else parts
                repository, rest = "/".join(parts[:2]), parts[2:]
                folder = hub.repositories.get(repository)
                allowed = token == f"Bearer {hub.token}"
                if folder is None or (repository in hub.private and not allowed):
                    return self.send(
                        401, b"", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Invalid username or password."}
                    )
                if api and rest[:1] == ["tree"]:
                    return self.send_json([describe(path, folder) for path in files_of(folder)])
                if api and (not rest or rest[0] == "revision"):
                    names = [path.relative_to(folder).as_posix() for path in files_of(folder)]
                    return self.send_json(
                        {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in names]}
                    )
                if rest[:1] != ["resolve"]:
                    return self.send(404, b"")
                if repository in hub.gated and not allowed:
                    return self.send(403 if token else 401, b"", {"X-Error-Code": "GatedRepo"})
                file = folder / "/".join(rest[2:])
                if not file.is_file():
                    return self.send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
                self.send_file(file)

            def send_file(self, file: Path) -> None:
                content = file.read_bytes()
                headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
                start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
                if start:
                    headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
                if self.command == "GET" and file.name in hub.cut:
                    hub.cut.remove(file.name)
                    return self.send(
                        200, content[: len(content) // 2], {**headers, "Content-Length": str(len(content))}
                    )
                self.send(206 if start else 200, content[start:], headers)

            def send_json(self, value: object) -> None:
                self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

            def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

        return Handler


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def describe(path: Path, folder: Path) -> dict[str, object]:
    name = path.relative_to(folder).as_posix()
    return {
        "type": "file",
        "path": name,
        "size": path.stat().st_size,
        "oid": hashlib.sha1(path.read_bytes()).hexdigest(),
    }


def write_gpt2(folder: Path, **changes: int) -> GPT2LMHeadModel:
    """Fill `folder` as the old hub repositories are: config.json, pytorch_model.bin, vocab.json and merges.txt.

    Two layers of width 32, 128 tokens of context, a vocabulary of 300. Returns the model whose weights are in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(LINES * 4, vocab_size=300, min_frequency=1, special_tokens=[END], show_progress=False)
    tokenizer.save_model(str(folder))
    end = tokenizer.token_to_id(END)
    sizes = {
        "vocab_size": tokenizer.get_vocab_size(),
        "n_positions": 128,
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 2,
    } | changes
    (folder / "config.json").write_text(
        json.dumps(
            {
                "activation_function": "gelu_new",
                "architectures": ["GPT2LMHeadModel"],
                "attn_pdrop": 0.1,
                "bos_token_id": end,
                "embd_pdrop": 0.1,
                "eos_token_id": end,
                "initializer_range": 0.02,
                "layer_norm_epsilon": 1e-05,
                "model_type": "gpt2",
                "n_ctx": sizes["n_positions"],
                "resid_pdrop": 0.1,
                "summary_activation": None,
                "summary_first_dropout": 0.1,
                "summary_proj_to_labels": True,
                "summary_type": "cls_index",
                "summary_use_proj": True,
                "task_specific_params": {"conversational": {"max_length": 1000}},
                **sizes,
            }
        )
    )
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=end, eos_token_id=end)).eval()
    torch.save(old_weights(model, sizes["n_positions"]), folder / "pytorch_model.bin")
    return model


def old_weights(model: GPT2LMHeadModel, context: int) -> dict[str, torch.Tensor]:
    """The state as transformers 2 saved it: with the causal mask's buffers and the head tied to the embedding."""
    weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
    mask = torch.tril(torch.ones(context, context, dtype=torch.uint8)).view(1, 1, context, context)
    for layer in range(model.config.n_layer):
        weights[f"transformer.h.{layer}.attn.bias"] = mask
        weights[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    weights["lm_head.weight"] = weights["transformer.wte.weight"]
    return weights


def add_decoys(folder: Path) -> None:
    """The weights in other frameworks' formats, which nobody should download."""
    for name in ("tf_model.h5", "flax_model.msgpack", "rust_model.ot"):
        (folder / name).write_bytes(b"decoy")
    (folder / "generation_config_for_conversational.json").write_text("{}")
    (folder / ".gitattributes").write_text("*.bin filter=lfs\n")


def use_endpoint(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", url)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )
