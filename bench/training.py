"""Training side by side: the classic recipe, transformers' Trainer, TRL's SFTTrainer, and ours.

    python bench/training.py speed --data RickAndMortyScripts.csv
    python bench/training.py learning --data RickAndMortyScripts.csv --groups 3
    python bench/training.py speed --data RickAndMortyScripts.csv --device cuda

All recipes read the same lines of the same episodes as text and end tokens, with one tokenizer:

- classic: windows of 8 lines, one from each line on, padded to --window tokens, four a step, fp32, AdamW, a plain loop
- trainer: the same windows in transformers' Trainer, bf16, padded to the longest of a step
- trl: SFTTrainer, bf16, packing (best-fit) to rows of 512, one per step
- ours: `train()` with rows of 512, one per update

With --rows N a step has N rows, or 4 N windows.

`speed` runs each recipe as a process of its own, in turns, --rounds times, and takes medians. A step is everything from
batch to updated weights; learnt tokens are the targets of its loss that are no padding. The roofline is the speed of
bf16 matrix products measured in the same round; a recipe's share of it counts 6 operations a parameter and real token.

`learning` trains SmolLM2-135M on the first --groups episodes and measures the perplexity of the same held-out episodes
in the same way for each; the clock stands still meanwhile. The classic recipe stops when --patience measurements in a
row were no better; the others go on until its training time is over, or their passes are.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recipes import EMBEDDED, RECIPES, SHAPES, Enough, Measure, model_folder, run_recipe, take_groups

WARM_UP = 4


# --- one recipe in its own process ------------------------------------------------------------------------------------


def measure_speed(args: argparse.Namespace) -> dict[str, Any]:
    from wolf_chatbox.training.devices import peak_memory

    steps: list[tuple[int, int, float]] = []

    def step(learnt: int, tokens: int, seconds: float, _: Any) -> None:
        steps.append((learnt, tokens, seconds))
        if len(steps) == WARM_UP + args.steps:
            raise Enough

    import torch

    with tempfile.TemporaryDirectory() as place:
        learnt_an_epoch = run_recipe(args, model_folder(args.model, Path(place)), step)
    rates = [learnt / seconds for learnt, _, seconds in steps[WARM_UP:]]
    real = statistics.median(tokens / seconds for _, tokens, seconds in steps[WARM_UP:])
    return {"learnt_per_second": statistics.median(rates), "tokens_per_second": real} | {
        "learnt_an_epoch": learnt_an_epoch,
        "peak": peak_memory(torch.device(args.device)),
    }


def measure_learning(args: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        folder = model_folder(args.model, Path(place))
        take_groups(args.groups)
        measure = Measure(args, folder)
        clock, steps, since_best = 0.0, 0, 0
        curve = [(0.0, math.exp(measure(measure.base.model)))]

        def step(learnt: int, tokens: int, seconds: float, model: Any) -> None:
            nonlocal clock, steps, since_best
            if isinstance(model, float):  # ours measures by itself
                loss = model
            else:
                clock, steps = clock + seconds, steps + 1
                if model is None or steps % args.every:
                    return
                loss = measure(model)
            since_best = 0 if math.exp(loss) < min(value for _, value in curve) else since_best + 1
            curve.append((clock, math.exp(loss)))
            print(f"{args.recipe}: {clock:6.1f} s  perplexity {curve[-1][1]:.3f}", file=sys.stderr, flush=True)
            if since_best >= args.patience or clock > args.seconds:
                raise Enough

        run_recipe(args, folder, step)
    return {"curve": curve}


def roofline(device: str) -> dict[str, float]:
    """Speed of matrix products in operations per second: a large one, and the model's own shape."""
    import torch

    from wolf_chatbox.training.devices import keep_freed_memory

    keep_freed_memory()
    found = {}
    for name, dtype, (m, k, n) in (
        ("bf16", torch.bfloat16, (2048, 2048, 2048)),
        ("bf16 of a row and a layer", torch.bfloat16, (512, 768, 3072)),
        ("fp32", torch.float32, (2048, 2048, 2048)),
    ):
        one, other = torch.randn(m, k, dtype=dtype, device=device), torch.randn(k, n, dtype=dtype, device=device)
        times = []
        for _ in range(12):
            begun = time.perf_counter()
            one @ other
            if device == "cuda":
                torch.cuda.synchronize()
            times.append(time.perf_counter() - begun)
        found[name] = 2 * m * k * n / statistics.median(times[2:])
    return found


# --- all of them


def spawn(command: str, args: argparse.Namespace, **settings: Any) -> Any:
    flags = [
        text for name, value in (vars(args) | settings).items() for text in (f"--{name.replace('_', '-')}", str(value))
    ]
    skipped = {"--command", "--out", "--rounds", "--models", "--recipes"}
    pairs = [pair for pair in zip(flags[::2], flags[1::2]) if pair[0] not in skipped and pair[1] != "None"]
    done = subprocess.run(
        [sys.executable, __file__, command, *(text for pair in pairs for text in pair)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    if done.returncode:
        raise SystemExit(f"{command} {settings} failed")
    return json.loads(done.stdout.splitlines()[-1])


def speed(args: argparse.Namespace) -> None:
    results: dict[str, Any] = {"roofline": [], "models": {}}
    for model in args.models:
        rounds = []
        for _ in range(args.rounds):
            peak = spawn("roofline", args)
            results["roofline"].append(peak)
            rounds.append(
                {
                    recipe: spawn("measure", args, recipe=recipe, model=model) | {"roofline": peak["bf16"]}
                    for recipe in args.recipes
                }
            )
            print(json.dumps(rounds[-1]), file=sys.stderr, flush=True)
        results["models"][model] = rounds
    save(args, "speed", results)
    for model, rounds in results["models"].items():
        parameters = count(model)
        print(f"\n{model}, {parameters / 1e6:.0f}M parameters, {args.device}; roofline {tera(results['roofline'])}\n")
        print("| recipe | learnt tokens/s | ours is faster by | of the bf16 roofline | peak memory | an epoch takes |")
        print("|---|---|---|---|---|---|")
        for recipe in args.recipes:
            middle = lambda value: statistics.median(value(found[recipe], found) for found in rounds)  # noqa: B023, E731
            rate = middle(lambda own, _: own["learnt_per_second"])
            ratio = middle(lambda own, all: all["ours"]["learnt_per_second"] / own["learnt_per_second"])
            share = middle(lambda own, _: 6 * parameters * own["tokens_per_second"] / own["roofline"])  # noqa: B023
            memory = middle(lambda own, _: own["peak"]) / 2**30
            minutes = rounds[0][recipe]["learnt_an_epoch"] / rate / 60
            print(f"| {recipe} | {rate:.0f} | {ratio:.1f} | {share:.0%} | {memory:.1f} GiB | {minutes:.1f} min |")
    draw_speed(args.out / "speed.png", results)


def learning(args: argparse.Namespace) -> None:
    curves: dict[str, list[list[float]]] = {}
    seconds = args.seconds
    for recipe in args.recipes:
        every = {"classic": args.every * 4, "trainer": args.every * 4}.get(recipe, args.every)
        patience = args.patience if recipe == "classic" else 10**6
        curves[recipe] = spawn(
            "learn", args, recipe=recipe, model=EMBEDDED, every=every, patience=patience, seconds=seconds
        )["curve"]
        if recipe == "classic":
            seconds = curves[recipe][-1][0]
    save(args, "learning", curves)
    goal = min(value for _, value in curves["classic"])
    print(f"\nPerplexity at first {curves['classic'][0][1]:.2f}; the classic recipe's best is {goal:.2f}\n")
    print("| recipe | seconds of training until then | its own best | at second |\n|---|---|---|---|")
    for recipe, curve in curves.items():
        reached = next((f"{clock:.0f}" for clock, value in curve if value <= goal), "never")
        at, best = min(curve, key=lambda point: point[1])
        print(f"| {recipe} | {reached} | {best:.2f} | {at:.0f} |")
    draw_learning(args.out / "learning.png", curves, goal)


def save(args: argparse.Namespace, name: str, results: Any) -> None:
    from importlib.metadata import version

    args.out.mkdir(parents=True, exist_ok=True)
    versions = {package: version(package) for package in ("torch", "transformers", "trl", "accelerate")}
    settings = {key: str(value) for key, value in vars(args).items()}
    (args.out / f"{name}.json").write_text(
        json.dumps({"settings": settings, "versions": versions, "results": results}, indent=1)
    )


def count(model: str) -> int:
    if model == EMBEDDED:
        return 134_515_008
    width, layers = SHAPES[model]
    return 50257 * width + 1024 * width + layers * (12 * width**2 + 13 * width) + 2 * width


def tera(rooflines: list[dict[str, float]]) -> str:
    return ", ".join(
        f"{name} {statistics.median(roofline[name] for roofline in rooflines) / 1e9:.0f} GFLOP/s"
        for name in rooflines[0]
    )


def axes() -> Iterator[Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    plot = figure.add_subplot()
    plot.grid(alpha=0.3)
    yield plot
    yield figure


def draw_speed(path: Path, results: Any) -> None:
    plot, figure = axes()
    models = list(results["models"])
    for number, recipe in enumerate(RECIPES):
        known = [(at, model) for at, model in enumerate(models) if recipe in results["models"][model][0]]
        heights = [
            statistics.median(found[recipe]["learnt_per_second"] for found in results["models"][model])
            for _, model in known
        ]
        plot.bar([at + number * 0.2 for at, _ in known], heights, 0.18, label=recipe)
    plot.set_xticks([at + 0.3 for at in range(len(models))], models)
    plot.set_ylabel("learnt tokens per second")
    plot.legend(frameon=False)
    figure.savefig(path, dpi=120)


def draw_learning(path: Path, curves: Any, goal: float) -> None:
    plot, figure = axes()
    for recipe, curve in curves.items():
        plot.plot(*zip(*curve), marker=".", label=recipe)
    plot.axhline(goal, color="grey", linewidth=0.8, linestyle="--")
    plot.set_xlabel("seconds of training")
    plot.set_ylabel("held-out perplexity")
    plot.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "command",
        choices=["speed", "learning", "measure", "learn", "roofline"],
        help="measure, learn, roofline: one process of the others",
    )
    parser.add_argument("--data", default="RickAndMortyScripts.csv")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument(
        "--models", nargs="+", help="for speed: gpt2, gpt2-medium, gpt2-large (random weights), smollm2-135m"
    )
    parser.add_argument("--recipes", nargs="+", choices=RECIPES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10, help="measured steps, after the first four")
    parser.add_argument("--rows", type=int, default=1, help="rows in a step; four times as many windows")
    parser.add_argument("--window", type=int, default=256, help="tokens that a window is padded to")
    parser.add_argument("--groups", type=int, default=3, help="episodes to learn from")
    parser.add_argument(
        "--every", type=int, default=4, help="steps between two measurements; four times as many for windows"
    )
    parser.add_argument("--patience", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3600, help="of training at most")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr-classic", type=float, default=5e-5)
    parser.add_argument("--lr-peers", type=float, default=5e-5)
    parser.add_argument("--lr-ours", type=float, default=1e-4)
    parser.add_argument("--recipe", choices=RECIPES)
    parser.add_argument("--model")
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    args = parser.parse_args()
    args.models = args.models or (["gpt2", EMBEDDED] if args.device == "cpu" else list(SHAPES))
    args.recipes = args.recipes or (RECIPES if args.command == "speed" else ("classic", "trl", "ours"))
    match args.command:
        case "speed":
            speed(args)
        case "learning":
            learning(args)
        case command:
            made = {
                "measure": measure_speed,
                "learn": measure_learning,
                "roofline": lambda args: roofline(args.device),
            }[command](args)
            print(json.dumps(made))


if __name__ == "__main__":
    main()
