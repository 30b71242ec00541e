"""llama.cpp's own server on the loopback: what any other program would see of a GGUF file."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class LlamaServer:
    """Asks the server at an address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def post(self, path: str, body: dict[str, Any]) -> Any:
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def greedy(self, prompt: Sequence[int] | str, tokens: int) -> list[int]:
        """The most likely tokens after a prompt, until the file's end token."""
        settings = {"temperature": 0, "n_predict": tokens, "return_tokens": True, "cache_prompt": False}
        found: list[int] = self.post("/completion", {"prompt": prompt, **settings})["tokens"]
        return found

    def tokenize(self, text: str, *, special: bool = False, add: bool = False) -> list[int]:
        """The ids of a text; `special` reads special tokens in it, `add` adds what a prompt begins with."""
        body = {"content": text, "parse_special": special, "add_special": add}
        found: list[int] = self.post("/tokenize", body)["tokens"]
        return found

    def rendered(self, messages: Sequence[dict[str, str]]) -> str:
        """The prompt that the file's chat template makes of messages."""
        text: str = self.post("/apply-template", {"messages": list(messages)})["prompt"]
        return text


@contextmanager
def llama_server(gguf: Path, context: int = 256) -> Iterator[LlamaServer]:
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(gguf)
    settings.warmup = False
    settings.n_ctx = context
    settings.n_parallel = 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(settings)
    try:
        yield LlamaServer(server.listening_address)
    finally:
        del server
