"""A long chat: does its memory grow?

    python bench/chat_memory.py --model innkeeper --turns 500

Sends --turns messages of different lengths in one chat and prints the resident memory (Linux). Of it, one part is
mapped from files (libraries and weights, which count from the first reply on); the process's own part is what would
grow. A base model's history is limited to --history tokens, as a trained model's is to the rows of its training.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path


def resident() -> dict[str, float]:
    """MiB of memory: all, mapped from files, the process's own."""
    lines = Path("/proc/self/status").read_text().splitlines()
    kept = {
        line.split(":")[0]: int(line.split()[1]) / 1024
        for line in lines
        if line.startswith(("VmRSS", "RssFile", "RssAnon"))
    }
    return {"resident": kept["VmRSS"], "files": kept["RssFile"], "own": kept["RssAnon"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--turns", type=int, default=500)
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--max-new-tokens", type=int, default=16)
    parser.add_argument("--history", type=int, default=512)
    args = parser.parse_args()

    from wolf_chatbox.config import SamplingConfig
    from wolf_chatbox.talk.session import ChatSession

    session = ChatSession.load(args.model, seed=0, sampling=SamplingConfig(max_new_tokens=args.max_new_tokens))
    session.voice = replace(session.voice, history_tokens=session.voice.history_tokens or args.history)
    begun = time.monotonic()
    print("| turns | seconds | resident, MiB | mapped from files | own |\n|---|---|---|---|---|")
    for turn in range(args.turns + 1):
        if turn:
            session.reply(f"Message {turn}: tell me about the goose" + " and the house" * (turn % 17))
        if turn in (0, 1, 10) or turn % args.every == 0:
            memory = resident()
            seconds = time.monotonic() - begun
            cells = [turn, *(f"{value:.0f}" for value in (seconds, memory["resident"], memory["files"], memory["own"]))]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
