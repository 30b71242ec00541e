"""llama.cpp's own server on the loopback: what any other program sees of a GGUF file."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import ModelError
from wolf_chatbox.export.agreement import END

SECONDS = 120.0


class LlamaServer:
    """Asks the server at an address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=SECONDS) as answer:
            return json.load(answer)

    def greedy(self, prompt: Sequence[int], tokens: int) -> list[int]:
        """The likeliest tokens after a prompt, until an end token, which may be among them."""
        settings = {"temperature": 0, "n_predict": tokens, "return_tokens": True}
        found: list[int] = self.post("/completion", {"prompt": list(prompt), **settings})["tokens"]
        return found

    def likeliest(self, prompt: Sequence[int], reply: Sequence[int]) -> list[int]:
        """The likeliest token at each place of a reply; END where the server ends there."""
        return [next(iter(self.greedy([*prompt, *reply[:at]], 1)), END) for at in range(len(reply))]

    def tokenize(self, text: str, *, special: bool = False, add: bool = False) -> list[int]:
        """The ids of a text; `special` reads special tokens in it, `add` adds what a prompt begins with."""
        body = {"content": text, "parse_special": special, "add_special": add}
        found: list[int] = self.post("/tokenize", body)["tokens"]
        return found

    def rendered(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The prompt that the file's chat template makes of messages."""
        text: str = self.post("/apply-template", {"messages": list(messages)})["prompt"]
        return text


@contextmanager
def llama_server(gguf: Path, context: int) -> Iterator[LlamaServer]:
    """Serve a file on a free port of the loopback, with one thread; raises ModelError when llama.cpp refuses it."""
    try:
        import xllamacpp
    except ImportError as error:
        raise ModelError("llama.cpp is not installed, which checks a GGUF. Install xllamacpp.") from error
    settings = xllamacpp.CommonParams()
    settings.model.path = str(gguf)
    settings.verbosity = 0
    settings.warmup = False
    settings.n_ctx = context
    settings.n_parallel = 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    try:
        server = xllamacpp.Server(settings)
    except Exception as error:  # it names no class of its own
        raise ModelError(f"{gguf}: llama.cpp cannot load it ({error}). Please report this.") from error
    try:
        asked = LlamaServer(server.listening_address)
        with suppress(OSError, KeyError):
            asked.greedy([0], 1)  # a server that is told to end before its loop began never ends
        yield asked
    finally:
        del server
