"""How to learn: bits per byte of held-out text, by learning rate, passes and whatever else a run can be given.

    python bench/learning.py --script RickAndMortyScripts.csv --corpus script-6k --lr 3e-5 1e-4 --epochs 1 3
    python bench/learning.py --script RickAndMortyScripts.csv --corpus script-17k --set ema=0.9 --seed 0 1
    python bench/learning.py --table

Each run adds a line to the results; a run that is there already is not made again. What is held out of a corpus is
the same in all runs, and its parts of one source share it; the seed decides the order of the rows, dropout and noise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

CORPORA: dict[str, tuple[str, str | None, int | None]] = {
    "innkeeper": ("example", "Grimbold", None),
    "script-1k": ("script", None, 40),
    "script-6k": ("script", None, 241),
    "script-15k": ("script", None, 737),
    "script": ("script", None, None),
    "rick": ("script", "Rick", None),
    "topical-60k": ("topical", None, 2409),
}
"""The source, who is learnt (None: everybody), and how many turns at most are in the training split."""


def write_corpus(name: str, sources: dict[str, str], place: Path) -> Path:
    """The conversations of a corpus as a file, its held-out ones in the group `held-out`."""
    from wolf_chatbox.config import ReadConfig
    from wolf_chatbox.data.split import split
    from wolf_chatbox.data.tally import Tally
    from wolf_chatbox.importers import read_conversations

    source, _, most = CORPORA[name]
    conversations = list(read_conversations((sources[source],), ReadConfig(), Tally()))
    share = 0.03 if source == "topical" else 0.1
    training, held_out, _ = split(conversations, share, 0)
    turns, chosen = 0, []
    for conversation in training:
        left = len(conversation.turns) if most is None else min(len(conversation.turns), most - turns)
        if left:
            chosen.append(replace(conversation, turns=conversation.turns[:left]))
            turns += left
    parts = [*chosen, *(replace(conversation, group="held-out") for conversation in held_out)]
    file = place / f"{name}.jsonl"
    file.write_text("".join(json.dumps(part.to_dict()) + "\n" for part in parts), encoding="utf-8")
    return file


def measure(name: str, setting: dict[str, Any], sources: dict[str, str]) -> dict[str, Any]:
    """Train with a setting and return what was measured before and after each epoch."""
    from wolf_chatbox.config import SamplingConfig, TrainConfig
    from wolf_chatbox.model.hub import locate
    from wolf_chatbox.model.loss import count_learnt
    from wolf_chatbox.model.tokenizer import load_tokenizer
    from wolf_chatbox.samples.dataset import prepare
    from wolf_chatbox.training.loop import train

    with tempfile.TemporaryDirectory() as folder:
        # Replies are no part of the measure: one token of each is enough. Nor has a run to be resumed.
        config = TrainConfig(
            data=(str(write_corpus(name, sources, Path(folder))),),
            output=Path(folder) / "run",
            sampling=SamplingConfig(max_new_tokens=1),
            held_out_group="held-out",
            save_every=10**9,
            **{"model": "smollm2-135m", "persona": CORPORA[name][1]} | setting,
        )
        begun = time.monotonic()
        metrics = train(config).metrics
        seconds = time.monotonic() - begun
        data = prepare(config, load_tokenizer(config.model, locate(config.model)), config.max_tokens)
    return {
        "corpus": name,
        "setting": setting,
        "learnt": data.learnt_tokens,
        "tokens": sum(len(sample) for row in data.rows for sample in row),
        "rows": len(data.rows),
        "held_out": int(count_learnt(data.held_out_rows)),
        "bytes": data.held_out_bytes,
        "evaluations": [(found["epoch"], found["loss"]) for found in metrics["evaluations"]],
        "seconds": seconds,
    }


def bits(result: dict[str, Any], loss: float) -> float:
    """Bits per byte of a held-out loss in nats per token."""
    from wolf_chatbox.training.validation import bits_per_byte

    return bits_per_byte(loss, result["held_out"], result["bytes"]) or math.nan


def table(results: list[dict[str, Any]]) -> None:
    """Print the bits per byte of each setting, before training and after each epoch, the best setting first."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for result in results:
        setting = {key: value for key, value in result["setting"].items() if key != "seed"}
        words = ", ".join(
            f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in setting.items()
        )
        groups.setdefault((result["corpus"], words), []).append(result)

    def best(group: list[dict[str, Any]]) -> float:
        return statistics.mean(
            bits(result, min(loss for epoch, loss in result["evaluations"] if epoch)) for result in group
        )

    for corpus, of_corpus in itertools.groupby(
        sorted(groups.items(), key=lambda item: (list(CORPORA).index(item[0][0]), best(item[1]))),
        lambda item: item[0][0],
    ):
        rows = list(of_corpus)
        first, lowest = rows[0][1][0], best(rows[0][1])
        learnt = min(group[0]["learnt"] for _, group in rows)  # some settings learn more of the same text
        size = f"{learnt:,} learnt tokens in {first['rows']} rows, {first['held_out']:,} held out"
        print(f"\n**{corpus}**: {size}\n")
        print("| setting | seeds | best | against the lowest | before, and after each pass |")
        print("|---|---|---|---|---|")
        for (_, words), group in rows:
            courses = "; ".join(
                " ".join(f"{bits(result, loss):.3f}" for _, loss in result["evaluations"]) for result in group
            )
            print(f"| {words} | {len(group)} | {best(group):.4f} | {best(group) / lowest - 1:+.1%} | {courses} |")


def value_of(text: str) -> Any:
    """A setting's value as it is typed: JSON where it is that."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--script", default="RickAndMortyScripts.csv")
    parser.add_argument("--topical", default="valid_freq_400.json")
    parser.add_argument("--results", type=Path, default=Path("learning.jsonl"))
    parser.add_argument("--table", action="store_true", help="print what is there and measure nothing")
    parser.add_argument("--corpus", nargs="+", choices=CORPORA, default=["script-6k"])
    parser.add_argument("--lr", nargs="+", type=float, default=[None])
    parser.add_argument("--epochs", nargs="+", type=int, default=[None])
    parser.add_argument("--seed", nargs="+", type=int, default=[0])
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="more settings, by their names")
    args = parser.parse_args()
    results = [json.loads(line) for line in args.results.read_text().splitlines()] if args.results.exists() else []
    more = {name: value_of(value) for name, _, value in (pair.partition("=") for pair in args.set)}
    sources = {"example": "example", "script": args.script, "topical": args.topical}
    for seed, corpus, lr, epochs in itertools.product(args.seed, args.corpus, args.lr, args.epochs):
        chosen = {"lr": lr, "epochs": epochs} | more | {"seed": seed}
        setting = {name: value for name, value in chosen.items() if value is not None}
        if not args.table and not any((corpus, setting) == (found["corpus"], found["setting"]) for found in results):
            results.append(measure(corpus, setting, sources))
            with args.results.open("a") as file:
                file.write(json.dumps(results[-1]) + "\n")
    table(results)


if __name__ == "__main__":
    main()
