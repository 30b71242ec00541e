"""How the default settings were chosen: held-out perplexity over a small grid, several seeds.

    python bench/defaults.py --data RickAndMortyScripts.csv --lr 5e-5 1e-4 --batch-size 1 4 --seed 0 1 2
    python bench/defaults.py --table

Every run is trained for the same epochs, keeps its best one, and adds a line to the results; a run that is there
already is not made again. A seed also decides which episodes are held out. Whatever rows a run was trained with, it
is measured on the same held-out turns, rendered in rows of 512 tokens.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path

KEYS = ("model", "lr", "batch_size", "max_tokens", "epochs", "schedule", "seed")


def measure(setting: dict, data: str) -> dict:
    from wolf_chatbox.config import SamplingConfig, TrainConfig
    from wolf_chatbox.model.load import load_model
    from wolf_chatbox.model.loss import SummedLoss
    from wolf_chatbox.model.tokenizer import pad_id
    from wolf_chatbox.samples.dataset import prepare
    from wolf_chatbox.training.devices import start
    from wolf_chatbox.training.loop import train
    from wolf_chatbox.training.passes import Forward
    from wolf_chatbox.training.validation import mean_loss, perplexity

    with tempfile.TemporaryDirectory() as folder:
        # Replies are no part of the measure: one token of each is enough.
        config = TrainConfig(
            data=(data,), output=Path(folder) / "run", sampling=SamplingConfig(max_new_tokens=1), **setting
        )
        begun = time.monotonic()
        result = train(config)
        seconds = time.monotonic() - begun
        base = load_model(str(config.output))
        same = prepare(config, base.tokenizer, 512, style="named")
        accelerator = start("auto")
        learner = SummedLoss(base.model)
        forward = Forward(learner, accelerator.prepare(learner), pad_id(base.tokenizer), accelerator, budget=1024)
        loss = mean_loss(forward, same.held_out_rows)
    by_epoch = [found["perplexity"] for found in result.metrics["evaluations"]]
    return setting | {
        "perplexity": perplexity(loss),
        "by_epoch": by_epoch,
        "best_epoch": result.metrics["best_epoch"],
        "seconds": seconds,
    }


def table(results: list[dict]) -> None:
    """Print the mean over the seeds for each setting, and its ratio to the base model's on the same episodes."""
    groups: dict[tuple, list[dict]] = {}
    for result in results:
        groups.setdefault(tuple(result[key] for key in KEYS[:-1]), []).append(result)
    print(
        "| lr | rows per update | tokens per row | epochs | seeds | perplexity (each seed) "
        "| of the base model's | best epoch |"
    )
    print("|---|---|---|---|---|---|---|---|")

    def ratio(result: dict) -> float:
        return result["perplexity"] / result["by_epoch"][0]

    for key, group in sorted(groups.items(), key=lambda item: statistics.mean(map(ratio, item[1]))):
        _, lr, batch_size, max_tokens, epochs, _ = key
        group.sort(key=lambda result: result["seed"])
        perplexities = ", ".join(f"{result['perplexity']:.2f}" for result in group)
        best = ", ".join(str(result["best_epoch"]) for result in group)
        seeds = ", ".join(str(result["seed"]) for result in group)
        ratios = statistics.mean(map(ratio, group))
        rows = f"| {lr:g} | {batch_size} | {max_tokens} | {epochs}"
        print(f"{rows} | {seeds} | {perplexities} | {ratios:.3f} | {best} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="RickAndMortyScripts.csv")
    parser.add_argument("--results", type=Path, default=Path("defaults.jsonl"))
    parser.add_argument("--table", action="store_true", help="print what is there and measure nothing")
    parser.add_argument("--model", nargs="+", default=["smollm2-135m"])
    parser.add_argument("--lr", nargs="+", type=float, default=[5e-5])
    parser.add_argument("--batch-size", nargs="+", type=int, default=[4])
    parser.add_argument("--max-tokens", nargs="+", type=int, default=[512])
    parser.add_argument("--epochs", nargs="+", type=int, default=[3])
    parser.add_argument("--schedule", nargs="+", default=["linear"])
    parser.add_argument("--seed", nargs="+", type=int, default=[0])
    args = parser.parse_args()
    results = [json.loads(line) for line in args.results.read_text().splitlines()] if args.results.exists() else []
    if not args.table:
        for values in itertools.product(*(getattr(args, key) for key in KEYS)):
            setting = dict(zip(KEYS, values))
            if not any(all(result[key] == value for key, value in setting.items()) for result in results):
                results.append(measure(setting, args.data))
                with args.results.open("a") as file:
                    file.write(json.dumps(results[-1]) + "\n")
    table(results)


if __name__ == "__main__":
    main()
