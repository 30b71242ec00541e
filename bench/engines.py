"""llama.cpp and OpenVINO in turns, over the same GGUF: reading, one stream, sixteen streams.

    python bench/engines.py --model smollm2-135m --threads 1
    python bench/engines.py --gpt2 --threads 1

Each measurement is a forward pass without sampling. Beside tokens a second (median and best of all turns) stand the
processor's milliseconds for a token, which other programs on the machine change little. --gpt2 takes GPT-2-small's
shape with random weights.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from wolf_chatbox.model.engines.decoder import Decoder, Feed
from wolf_chatbox.model.engines.llama_cpp import LlamaDecoder
from wolf_chatbox.model.engines.openvino import OpenVinoDecoder
from wolf_chatbox.model.gguf import gguf_of
from wolf_chatbox.model.hub import locate

PROMPT, STREAMS = 256, 16
Timed = dict[str, list[tuple[float, float]]]


def random_gpt2(folder: Path) -> Path:
    """GPT-2-small's shape, and a tokenizer that fills its vocabulary."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config()).save_pretrained(folder)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    more = ["".join(pair) for pair in ((one, other) for one in letters for other in letters)][: 50_256 - len(letters)]
    vocabulary = {word: id for id, word in enumerate([*letters, *more, "<|endoftext|>"])}
    byte_level = Tokenizer(models.BPE(vocabulary, [(word[0], word[1]) for word in more]))
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    byte_level.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=byte_level, eos_token="<|endoftext|>").save_pretrained(folder)
    return folder


def turn(decoder: Decoder, prompt: list[int], timed: Timed) -> None:
    """One turn of all measurements."""

    def measure(name: str, tokens: int, read: Callable[[], object]) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        read()
        timed.setdefault(name, []).append(
            (tokens / (time.perf_counter() - began), (time.process_time() - cpu) / tokens * 1000)
        )

    measure("reading", PROMPT, lambda: decoder.read([Feed(0, prompt, 0)]))
    for at in range(PROMPT, PROMPT + 8):
        measure("one stream", 1, lambda at=at: decoder.read([Feed(0, [5], at)]))  # type: ignore[misc]
    for slot in range(STREAMS):
        decoder.read([Feed(slot, prompt[:64], 0)])
    for at in range(64, 68):
        feeds = [Feed(slot, [5], at) for slot in range(STREAMS)]
        measure("16 streams", STREAMS, lambda feeds=feeds: decoder.read(feeds))  # type: ignore[misc]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--gpt2", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.gpt2:
            os.environ["WOLF_CHATBOX_CACHE"] = folder
        model = random_gpt2(Path(folder) / "gpt2") if arguments.gpt2 else locate(arguments.model, print)
        path = gguf_of(model, "q8_0", print, allow_base=True)
        decoders: list[Decoder] = []
        for load in (LlamaDecoder, OpenVinoDecoder):
            cpu = time.process_time()
            counts = [arguments.threads] if load is LlamaDecoder else arguments.threads
            decoders.append(load(path, STREAMS, counts))  # type: ignore[operator]
            print(f"{decoders[-1].name}: loaded in {time.process_time() - cpu:.2f} s of the processor")
        prompt = np.random.default_rng(0).integers(300, 40_000, PROMPT).tolist()
        timed: dict[str, Timed] = {decoder.name: {} for decoder in decoders}
        for _ in range(arguments.turns):
            for decoder in decoders:
                turn(decoder, prompt, timed[decoder.name])
        print("| measured | engine | tokens/s | best | ms of the processor for a token |\n|---|---|---|---|---|")
        for name in timed[decoders[0].name]:
            for decoder in decoders:
                speeds, cpus = zip(*timed[decoder.name][name])
                print(f"| {name} | {decoder.name} | {median(speeds):.0f} | {max(speeds):.0f} | {median(cpus):.2f} |")


if __name__ == "__main__":
    main()
