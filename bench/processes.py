"""One process against two: the same data, the same rows per update, all cores of this machine either way.

    python bench/processes.py --data RickAndMortyScripts.csv

Each run is `train()` with two rows per update; one process gets all cores, two get half of them each (gloo). The runs
take turns, --rounds times. Prints tokens per second, the median of the updates after the first four.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WARM_UP = 4


def measure(args: argparse.Namespace) -> None:
    """One process of a run; the first one prints its median."""
    from wolf_chatbox.config import TrainConfig
    from wolf_chatbox.training import loop
    from wolf_chatbox.training.progress import Progress, Updated

    rates: list[float] = []
    loop.mean_loss = lambda *_: None  # type: ignore[assignment]  # nothing is measured but the updates

    def tell(event: Progress) -> None:
        if isinstance(event, Updated):
            rates.append(event.tokens / event.seconds)
            if len(rates) == WARM_UP + args.steps:
                print(json.dumps(statistics.median(rates[WARM_UP:])), flush=True)
                os._exit(0)  # the launcher ends the other process

    rows = 2 // int(os.environ.get("WORLD_SIZE", "1"))
    config = TrainConfig(
        data=(args.data,),
        model=args.model,
        output=Path(args.place) / "run",
        batch_size=rows,
        epochs=100,
        style="dialogpt",
    )
    loop.train(config, tell)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="RickAndMortyScripts.csv")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--place", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.place:
        measure(args)
        return
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(args.rounds):
        for processes, found in rates.items():
            with tempfile.TemporaryDirectory() as place:
                launch = (
                    [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
                    if processes > 1
                    else [sys.executable]
                )
                command = [
                    *launch,
                    __file__,
                    "--data",
                    args.data,
                    "--model",
                    args.model,
                    "--steps",
                    str(args.steps),
                    "--place",
                    place,
                ]
                threads = str((os.cpu_count() or 2) // processes)
                done = subprocess.run(
                    command,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    env=os.environ | {"OMP_NUM_THREADS": threads},
                )
                found.append(float(done.stdout.split()[0]))
    for processes, found in rates.items():
        rounds = ", ".join(f"{rate:.0f}" for rate in found)
        print(f"{processes} processes: {statistics.median(found):.0f} tokens/s ({rounds})")


if __name__ == "__main__":
    main()
