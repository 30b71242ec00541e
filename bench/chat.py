"""Talking side by side: transformers' generate, bare llama.cpp, and our engines.

    python bench/chat.py
    python bench/chat.py --model gpt2 --only ours-llama.cpp llama.cpp --rounds 5
    python bench/chat.py --start

A chat of --turns turns: a message of --message tokens (random words, the same for all), a reply of exactly --reply
tokens, drawn with the default settings (temperature 0.7, top-k 50, top-p 0.95; llama.cpp and ours draw, end tokens are
passed over). Measured at turns 1, 5 and 20: the time to the first token, in seconds, and the tokens a second after it.
Each contender is a process of its own with --threads threads; they run in turns, --rounds times, and the table shows
medians. The contenders:

- generate-fp32, generate-bf16: transformers' `generate`, which reads the whole history at every turn
- llama.cpp: xllamacpp's Server with the same GGUF file (Q8_0) and its prompt cache
- ours-torch, ours-llama.cpp, ours-openvino: `Engine.stream` of that engine, with the rules against repetition

`--start` measures the time from the command to the first prompt of `wolf-chatbox chat`, on a terminal (pexpect), with
the conversion cached. Needs an otherwise quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from recipes import EMBEDDED, model_folder

SHOWN = (1, 5, 20)
UNKNOWN = -1
"""Stands for a token whose id comes later."""
CONTENDERS = ("generate-fp32", "generate-bf16", "llama.cpp", "ours-torch", "ours-llama.cpp", "ours-openvino")
Draw = Callable[[list[int], int], Iterator[int]]
"""Ids of the prompt and how many to draw, to the ids that are drawn, one by one."""


def generate(folder: Path, dtype: str) -> Draw:
    import queue
    import threading

    import torch
    from transformers import AutoModelForCausalLM
    from transformers.generation.streamers import BaseStreamer

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    settings = {"do_sample": True, "temperature": 0.7, "top_k": 50, "top_p": 0.95, "pad_token_id": 0}

    class Stream(BaseStreamer):
        def __init__(self) -> None:
            self.queue: queue.Queue[int | None] = queue.Queue()
            self.prompt = True

        def put(self, value: Any) -> None:
            if not self.prompt:
                self.queue.put(int(value.flatten()[-1]))
            self.prompt = False

        def end(self) -> None:
            self.queue.put(None)

    def draw(prompt: list[int], most: int) -> Iterator[int]:
        stream, ids = Stream(), torch.tensor([prompt])
        mask = torch.ones_like(ids)
        more = {"attention_mask": mask, "min_new_tokens": most, "max_new_tokens": most, "streamer": stream}
        thread = threading.Thread(target=lambda: model.generate(ids, **more, **settings))
        thread.start()
        yield from iter(stream.queue.get, None)
        thread.join()

    return draw


def bare(folder: Path, threads: int) -> Draw:
    import queue
    import threading

    import xllamacpp

    from wolf_chatbox.model.gguf import gguf_of

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf_of(folder, "q8_0"))
    params.n_ctx, params.n_parallel, params.warmup = 2048, 1, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity = -1
    server = xllamacpp.Server(params)

    def answers(asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        found: queue.Queue[Any] = queue.Queue()

        def ask() -> None:
            server.handle_completions(asked, found.put)
            found.put(None)

        thread = threading.Thread(target=ask)
        thread.start()
        yield from iter(found.get, None)
        thread.join()

    def draw(prompt: list[int], most: int) -> Iterator[int]:
        asked = {"prompt": prompt, "n_predict": most, "ignore_eos": True, "stream": True, "cache_prompt": True}
        asked |= {"temperature": 0.7, "top_k": 50, "top_p": 0.95, "min_p": 0.0, "seed": len(prompt)}
        asked |= {"samplers": ["top_k", "top_p", "temperature"]}
        for answer in answers(asked):
            if "choices" not in answer:
                raise RuntimeError(answer)
            yield UNKNOWN
        # The stream tells no ids. With the same seed they are drawn again, off the clock, with log-probabilities.
        again = [answer["choices"][0].get("logprobs") for answer in answers(asked | {"logprobs": 1})]
        yield from (piece["id"] for part in again if part for piece in part["content"])

    return draw


def ours(folder: Path, name: Any) -> Draw:
    from wolf_chatbox.config import SamplingConfig
    from wolf_chatbox.model import engines

    engine = engines.load(folder, engine=name).engine

    def draw(prompt: list[int], most: int) -> Iterator[int]:
        for token in engine.stream(prompt, SamplingConfig(max_new_tokens=most), ()):
            yield token.id

    return draw


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The seconds to the first token and the tokens a second at the turns that are shown."""
    import torch

    from wolf_chatbox.model.hub import locate

    torch.set_num_threads(args.threads)
    kind, _, name = args.contender.partition("-")
    folder = locate(args.folder)
    draw = (
        generate(folder, name.replace("fp32", "float32").replace("bf16", "bfloat16"))
        if kind == "generate"
        else (bare(folder, args.threads) if kind == "llama.cpp" else ours(folder, name))
    )
    words = random.Random(0)
    for turns in (2, args.turns):  # first to warm up
        history, found = list[int](), {}
        for turn in range(1, turns + 1):
            history += [words.randrange(1000, 40_000) for _ in range(args.message)]
            begun = time.perf_counter()
            times, said, unknown = list[float](), list[int](), False
            for id in draw(history, args.reply):
                unknown |= id == UNKNOWN
                if id == UNKNOWN or not unknown:
                    times.append(time.perf_counter())
                if id != UNKNOWN:
                    said.append(id)
            said += [0] * (args.reply - len(said) if unknown else 0)  # llama.cpp tells nothing of a special token
            if len(said) != args.reply:
                raise RuntimeError(f"{args.contender}: {len(said)} tokens instead of {args.reply}")
            history += said
            times = times[: args.reply]
            found[turn] = (times[0] - begun, (args.reply - 1) / (times[-1] - times[0]))
    return {str(turn): found[turn] for turn in SHOWN if turn in found}


def start(args: argparse.Namespace) -> dict[str, float]:
    import pexpect

    begun = time.perf_counter()
    command = f"{Path(sys.executable).with_name('wolf-chatbox')} chat --model {args.folder}"
    chat = pexpect.spawn(command, encoding="utf-8", dimensions=(40, 120), timeout=120)
    chat.expect("user: ")
    seconds = time.perf_counter() - begun
    chat.sendeof()
    chat.expect(pexpect.EOF)
    return {"seconds": seconds}


def child(args: argparse.Namespace, contender: str, folder: str) -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--contender", contender, "--folder", folder, "--threads", str(args.threads)]
    command += ["--turns", str(args.turns), "--message", str(args.message), "--reply", str(args.reply)]
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads)}
    environment.pop("OMP_WAIT_POLICY", None)  # waiting threads that sleep slow llama.cpp down
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["failed"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(model: str, results: dict[str, list[dict[str, Any]]]) -> str:
    lines = [
        f"\n{model}\n",
        "| contender | " + " | ".join(f"first token, turn {turn} | tokens/s" for turn in SHOWN) + " |",
    ]
    lines.append("|---|" + "---|---|" * len(SHOWN))
    for contender, rounds in results.items():
        errors = [found["error"] for found in rounds if "error" in found]
        if errors:
            lines.append(f"| {contender} | {errors[0][:80]} |")
            continue
        cells = []
        for turn in SHOWN:
            pairs = [found[str(turn)] for found in rounds if str(turn) in found]
            first, rate = (statistics.median(values) for values in zip(*pairs)) if pairs else (float("nan"),) * 2
            cells += [f"{first:.3f} s", f"{rate:.1f}"]
        lines.append(f"| {contender} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--model", nargs="+", default=["gpt2", EMBEDDED], help="gpt2 (its shape, random weights) or a model"
    )
    parser.add_argument("--only", nargs="+", default=CONTENDERS, choices=CONTENDERS, metavar="CONTENDER")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--message", type=int, default=14)
    parser.add_argument("--reply", type=int, default=32)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--start", action="store_true", help="measure the time from the command to the first prompt")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.contender:
        print(json.dumps(measure(args)))
        return
    for model in args.model:
        with tempfile.TemporaryDirectory() as place:
            folder = model_folder(model, Path(place), vocabulary=49152)  # as many as the tokenizer has
            if args.start:
                args.folder = folder
                times = [start(args)["seconds"] for _ in range(args.rounds + 1)][1:]
                print(
                    f"{model}: {statistics.median(times):.2f} s to the first prompt ({args.rounds} starts)", flush=True
                )
                continue
            results: dict[str, list[dict[str, Any]]] = {contender: [] for contender in args.only}
            for _ in range(args.rounds):
                for contender in args.only:
                    results[contender].append(child(args, contender, folder))
                    print(contender, results[contender][-1], file=sys.stderr, flush=True)
            print(table(model, results), flush=True)


if __name__ == "__main__":
    main()
