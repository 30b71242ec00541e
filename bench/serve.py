"""A server under load: wolf-chatbox serve beside transformers serve, with the same model.

    python bench/serve.py --model FOLDER --clients 1 4 16 64 --requests 200
    python bench/serve.py --model FOLDER --only wolf_chatbox --minutes 10 --clients 16

Each server runs alone, in a process of its own, on the loopback. Each client asks, reads the stream to its end, and
asks again, until all requests are made. Prints a table: tokens a second (the words of the replies, counted with the
model's tokenizer), the time to the first text at the median and the 99th percentile, and how many requests failed.
With --minutes the load goes on for so long, and the table has the server's resident memory, minute by minute (Linux).
Needs the extra `serve`, httpx, and for transformers serve its extra `serving`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

QUESTIONS = (
    "Where are we, and who else is here?",
    "What did you do yesterday, before the rain began?",
    "Tell me how a goose finds its way home in the dark.",
    "Who ate the soup? There was a whole pot of it this morning.",
    "Do you think that the old bridge will hold another winter?",
)
MESSAGES = 3
"""Messages of a prompt before the question, of different lengths, so that no two prompts are the same."""
PATIENCE = 300


@dataclass
class Result:
    """What one load gave."""

    first: list[float] = field(default_factory=list)
    """Seconds to the first text, for each request that was answered."""
    texts: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0


def command(server: str, args: argparse.Namespace, port: int) -> list[str]:
    if server == "transformers":
        program = [sys.executable, "-c", "from transformers.cli.transformers import main; main()"]
        more = ["--continuous-batching"] if args.continuous_batching else []
        return [*program, "serve", args.model, "--port", str(port), "--host", "127.0.0.1", *more]
    program = [sys.executable, "-c", "from wolf_chatbox.cli import main; main()"]
    limits = ["--slots", str(args.slots), "--queue", "1000", "--engine", args.engine]
    return [*program, "serve", args.model, "--port", str(port), *limits]


@contextlib.contextmanager
def serving(server: str, args: argparse.Namespace) -> Iterator[tuple[str, int]]:
    """Run a server; yields its URL and its process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command(server, args, port), stdout=said, stderr=said, env=os.environ.copy())
        try:
            begun = time.monotonic()
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{url}/health").status_code == 200:
                        break
                if process.poll() is not None or time.monotonic() - begun > PATIENCE:
                    said.seek(0)
                    sys.exit(f"error: {server} does not start:\n{said.read()[-2000:]}")
                time.sleep(0.2)
            yield url, process.pid
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def request(server: str, args: argparse.Namespace, number: int) -> dict[str, Any]:
    """A chat that nobody asked before, with a question that gets a reply of the same most tokens from each server."""
    messages = []
    for at in range(MESSAGES):
        role = "user" if at % 2 == 0 else "assistant"
        messages.append({"role": role, "content": f"({number}) {QUESTIONS[(number + at) % len(QUESTIONS)]}"})
    model = args.model if server == "transformers" else Path(args.model).name
    settings = {"max_tokens": args.tokens, "temperature": 0.7, "top_p": 0.95, "stream": True}
    return {"model": model, "messages": messages, **settings}


async def ask(client: httpx.AsyncClient, body: dict[str, Any], result: Result) -> None:
    begun, text, first = time.monotonic(), "", None
    try:
        async with client.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.status_code != 200:
                await response.aread()
                result.errors.append(f"{response.status_code}: {response.text[:200]}")
                return
            async for line in response.aiter_lines():
                if not line.startswith("data: ") or line == "data: [DONE]":
                    continue
                event = json.loads(line.removeprefix("data: "))
                if "error" in event:
                    result.errors.append(str(event["error"])[:200])
                    return
                piece = "".join((choice["delta"].get("content") or "") for choice in event["choices"])
                if piece and first is None:
                    first = time.monotonic() - begun
                text += piece
    except httpx.HTTPError as error:
        result.errors.append(repr(error))
        return
    result.first.append(first if first is not None else time.monotonic() - begun)
    result.texts.append(text)


async def load(url: str, server: str, args: argparse.Namespace, clients: int, until: float | None) -> Result:
    """`clients` ask at once, until the number of requests is reached, or the time `until`."""
    result, numbers = Result(), iter(range(args.requests if until is None else 10**9))

    async def one(client: httpx.AsyncClient) -> None:
        for number in numbers:
            if until is not None and time.monotonic() > until:
                return
            await ask(client, request(server, args, number), result)

    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits) as client:
        await ask(client, request(server, args, 10**6), Result())  # the first one warms the model up
        begun = time.monotonic()
        await asyncio.gather(*(one(client) for _ in range(clients)))
        result.seconds = time.monotonic() - begun
    return result


def resident(process: int) -> float:
    """MiB of memory that a process holds."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def row(*cells: object) -> None:
    print(f"| {' | '.join(f'{cell:.2f}' if isinstance(cell, float) else str(cell) for cell in cells)} |", flush=True)


def measured(server: str, clients: int, result: Result, tokenizer: Any) -> None:
    tokens = sum(len(tokenizer(text, add_special_tokens=False).input_ids) for text in result.texts)
    first = sorted(result.first) or [float("nan")]
    p99 = first[min(len(first) - 1, int(len(first) * 0.99))]
    done = len(result.texts)
    row(
        *(server, clients, done, round(tokens / result.seconds), round(done / result.seconds, 2)),
        *(statistics.median(first), p99, len(result.errors)),
    )
    for error in dict.fromkeys(result.errors):
        print(f"  error: {error}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of the model")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=32, help="most tokens of a reply")
    parser.add_argument("--slots", type=int, default=16)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--only", choices=["wolf_chatbox", "transformers"])
    parser.add_argument("--continuous-batching", action="store_true", help="of transformers serve")
    parser.add_argument("--minutes", type=float, default=0, help="keep the load up, and watch the memory")
    args = parser.parse_args()
    args.model = str(Path(args.model).resolve())

    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(args.model)
    servers = [args.only] if args.only else ["wolf_chatbox", "transformers"]
    if args.minutes:
        for server in servers:
            endure(server, args)
        return
    row("server", "clients", "replies", "tokens/s", "replies/s", "first text p50, s", "p99, s", "failed")
    row(*["---"] * 8)
    for server in servers:
        with serving(server, args) as (url, _):
            for clients in args.clients:
                measured(server, clients, asyncio.run(load(url, server, args, clients, None)), tokenizer)


def endure(server: str, args: argparse.Namespace) -> None:
    """Minute by minute: the replies, the failures, and the memory."""
    row("server", "minute", "replies", "failed", "resident, MiB")
    row(*["---"] * 5)
    with serving(server, args) as (url, process):
        done = failed = 0
        row(server, 0, done, failed, round(resident(process)))
        end, minute = time.monotonic() + 60 * args.minutes, 0
        while time.monotonic() < end:
            until = min(end, time.monotonic() + 60)
            result = asyncio.run(load(url, server, args, max(args.clients), until))
            minute, done, failed = minute + 1, done + len(result.texts), failed + len(result.errors)
            row(server, minute, done, failed, round(resident(process)))


if __name__ == "__main__":
    main()
