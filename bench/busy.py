"""Training on a busy machine: seconds per update, alone and beside a second run, with waiting threads awake or asleep.

    python bench/busy.py

Each run trains a GPT-2 of four layers (width 768) on rows of 512 tokens. `awake` is the default of OpenMP
(OMP_WAIT_POLICY unset), `asleep` is OMP_WAIT_POLICY=passive, as the command line sets it. The order of the runs
alternates; the figure is the median of all updates after the first two.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from wolf_chatbox.cli.environment import SPINNING

LAYERS, WIDTH, VOCABULARY, TOKENS = 4, 768, 50257, 512


def train(updates: int) -> list[float]:
    """Seconds of each update."""
    import time

    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from wolf_chatbox.model.loss import SummedLoss
    from wolf_chatbox.samples.rendering import Sample
    from wolf_chatbox.training.devices import autocast, start

    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(n_layer=LAYERS, n_embd=WIDTH, n_head=12, vocab_size=VOCABULARY, n_positions=TOKENS)
    )
    accelerator = start("auto")
    learner = SummedLoss(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    sample = Sample([at % VOCABULARY for at in range(TOKENS)], [False] + [True] * (TOKENS - 1))
    seconds = []
    for _ in range(updates):
        begun = time.monotonic()
        with autocast(accelerator):
            learner(learner.collate([(sample,)], 0)).backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.monotonic() - begun)
    return seconds


def measure(policy: str, runs: int, updates: int) -> list[float]:
    """Seconds of the updates of `runs` processes at once."""
    environment = {name: value for name, value in os.environ.items() if name not in SPINNING}
    environment |= {"OMP_WAIT_POLICY": "passive"} if policy == "asleep" else {}
    command = [sys.executable, str(Path(__file__)), "--child", "--updates", str(updates)]
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(runs)]
    return [second for process in started for second in json.loads(process.communicate()[0].splitlines()[-1])[2:]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--updates", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(train(args.updates)))
        return
    found: dict[tuple[int, str], list[float]] = {}
    for number in range(args.rounds):
        for runs in (1, 2):
            for policy in ("awake", "asleep") if number % 2 == 0 else ("asleep", "awake"):
                found.setdefault((runs, policy), []).extend(measure(policy, runs, args.updates))
    print("| runs at once | threads that wait | seconds an update (median) | most |")
    print("|---|---|---|---|")
    for (runs, policy), seconds in sorted(found.items()):
        print(f"| {runs} | {policy} | {statistics.median(seconds):.2f} | {max(seconds):.2f} |")


if __name__ == "__main__":
    main()
