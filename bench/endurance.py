"""A long training run: does its memory grow, does its speed fall?

    python bench/endurance.py --data RickAndMortyScripts.csv --seconds 1800

Trains SmolLM2-135M as `wolf-chatbox train` does, with its evaluations, sample replies and saved states, for --seconds;
the passes over the data begin anew as often as it takes. Prints, for each of ten parts of the time, the median speed of
the updates and the resident memory at their ends, and writes all updates to --out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PARTS = 10


class Enough(Exception):
    """Raised to end the run."""


def resident() -> int:
    """Bytes of memory that this process holds now (Linux)."""
    return next(
        int(line.split()[1]) * 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )


def run(args: argparse.Namespace) -> list[dict[str, float]]:
    from wolf_chatbox.config import TrainConfig
    from wolf_chatbox.training.loop import train
    from wolf_chatbox.training.progress import Progress, Updated

    updates: list[dict[str, float]] = []
    begun = time.monotonic()

    def tell(event: Progress) -> None:
        if isinstance(event, Updated):
            at = time.monotonic() - begun
            updates.append({"at": at, "tokens_per_second": event.tokens / event.seconds, "resident": resident()})
            if at > args.seconds:
                raise Enough

    with tempfile.TemporaryDirectory() as place, suppress(Enough):
        train(
            TrainConfig(data=(args.data,), output=Path(place) / "model", model=args.model, epochs=10_000, save_every=0),
            tell,
        )
    return updates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="RickAndMortyScripts.csv")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    args = parser.parse_args()
    updates = run(args)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "endurance.json").write_text(json.dumps(updates))
    print(f"{len(updates)} updates in {updates[-1]['at']:.0f} s\n")
    print("| until | updates | tokens/s (median) | resident memory, least | most |\n|---|---|---|---|---|")
    for part in range(PARTS):
        low, high = (args.seconds * number / PARTS for number in (part, part + 1))
        mine = [update for update in updates if low <= update["at"] < high]
        if mine:
            memory = [update["resident"] / 2**30 for update in mine]
            rate = statistics.median(update["tokens_per_second"] for update in mine)
            print(f"| {high:.0f} s | {len(mine)} | {rate:.0f} | {min(memory):.2f} GiB | {max(memory):.2f} GiB |")


if __name__ == "__main__":
    main()
