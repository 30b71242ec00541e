"""The loop: a model plays, learns from the games it just played, and plays again; win rates before and after.

    python bench/werewolf_loop.py --model smollm2-135m --start 300 --selfplay 300 --games 1000 --rounds 1 --work loop
    python bench/werewolf_loop.py --model smollm2-135m --start 4 --selfplay 2 --games 2 --choices 2 --work tiny
    python bench/werewolf_loop.py --model new --mind model      # a small model that knows nothing else, in minutes

A first run learns games of the rules player. Each round then lets the newest run and the rules player play at one
table, goes on from it with the winners' turns alone (the losers' are context) or, with --choices, with choices between
two lines by what came of them, and measures both in one tournament with `rules`, whose seed no learnt game had. What
lies in the work folder is not made again.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MEASURES = ("win", "win_side_villager", "win_side_werewolf", "vote_accuracy", "near_copy", "fallback")


def command(*words: object) -> None:
    """Run a command of wolf-chatbox, and show it."""
    said = [str(word) for word in words]
    print("$ wolf-chatbox", shlex.join(said), flush=True)
    begun = time.monotonic()
    program = [sys.executable, "-c", "from wolf_chatbox.cli import main; main()"]
    subprocess.run([*program, *said], check=True, stdout=subprocess.DEVNULL)
    print(f"  {time.monotonic() - begun:.0f} s", flush=True)


def new_model(folder: Path, games: Path) -> Path:
    """A GPT-2 of 4 layers and 256 units without any training, whose tokenizer is made of these games' lines."""
    if folder.exists():
        return folder
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    lines = [turn["text"] for game in games.open() for turn in json.loads(game)["turns"]]
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(lines, vocab_size=2000, special_tokens=["<|endoftext|>"], show_progress=False)
    PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, eos_token="<|endoftext|>").save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"n_layer": 4, "n_head": 4, "n_embd": 256, "n_positions": 1024, "bos_token_id": 0, "eos_token_id": 0}
    GPT2LMHeadModel(GPT2Config(vocab_size=bpe.get_vocab_size(), **shape)).save_pretrained(folder)
    return folder


def selfplay(args: Any, players: list[str], games: int, out: Path, seed: int, *more: object) -> Path:
    if not out.exists():
        table = ("--players", args.players, "--language", args.language)
        command("werewolf", "selfplay", *players, "--games", games, "--seed", seed, "-o", out, *table, *more)
    return out


def train(args: Any, model: str | Path, output: Path, *data: object) -> Path:
    if not output.exists():
        command("train", *data, "--model", model, "--output", output, *shlex.split(args.train))
    return output


def tournament(args: Any, runs: list[Path], name: str) -> dict[str, Any]:
    """The figures of runs and the rules player at one table."""
    found = args.work / f"{name}.json"
    if not found.exists():
        players = [f"model:{run}" for run in runs] + ["rules"]
        table = ("--players", args.players, "--language", args.language, "--mind", args.mind)
        folder, page = args.work / name, args.work / f"{name}.html"
        command(
            *("werewolf", "tournament", *players, "--games", args.games, "--seed", 1_000_000, "--output", folder),
            *("--json", found, "--html", page, "--overwrite", *table),
        )
    return json.loads(found.read_text())


def one_round(args: Any, before: Path, number: int) -> Path:
    """A run that learnt from the games of the one before."""
    games = args.work / f"games{number}.jsonl"
    players, mind = [f"model:{before}", "rules"], ("--mind", args.mind)
    if not args.choices:
        selfplay(args, players, args.selfplay, games, number, "--keep", "winners", *mind)
        return train(args, before, args.work / f"run{number}", "--data", games)
    choices = args.work / f"choices{number}.jsonl"
    if not choices.exists():
        games.unlink(missing_ok=True)
    more = ("--preferences", choices, "--rollouts", args.choices, *mind)
    selfplay(args, [f"model:{before}"], args.selfplay, games, number, *more)
    return train(args, before, args.work / f"run{number}", "--preferences", choices)


def show(found: dict[str, Any]) -> None:
    """A line a measure, a column a player."""
    names = [entry["name"] for entry in found["entries"]]
    print(f"\n| {found['games']:,} games | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for measure in found["measures"]:
        if measure["name"] in MEASURES:
            cells = []
            for name in names:
                value, low, high = (measure["figures"][name][key] for key in ("value", "low", "high"))
                bounds = "" if low is None else f" ({low:.2f} to {high:.2f})"
                cells.append("—" if value is None else f"{value:.3f}{bounds}")
            print(f"| {measure['title']} | " + " | ".join(cells) + " |")
    for duel in found["duels"]:
        bounds = "" if duel["low"] is None else f" ({duel['low']:+.2f} to {duel['high']:+.2f})"
        print(f"{duel['one']} − {duel['other']}, {duel['side']}: {duel['value']:+.3f}{bounds}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("werewolf_loop"))
    parser.add_argument("--model", default="smollm2-135m", help="the base model of the first run, a run, or new")
    parser.add_argument("--start", type=int, default=300, help="games of the rules player that the first run learns")
    parser.add_argument("--selfplay", type=int, default=300, help="games of each round")
    parser.add_argument("--games", type=int, default=1000, help="games of each tournament")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--choices", type=int, default=0, help="learn from choices instead, with so many rollouts")
    parser.add_argument("--players", type=int, default=5)
    parser.add_argument("--language", default="en", choices=["en", "ja"])
    parser.add_argument("--mind", default="both", choices=["both", "model", "rules"])
    parser.add_argument("--train", default="", help="more settings of `train`, in one word")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    start = selfplay(args, ["rules"], args.start, args.work / "start.jsonl", 0)
    base = new_model(args.work / "new", start) if args.model == "new" else args.model
    runs = [train(args, base, args.work / "run0", "--data", start)]
    for number in range(1, args.rounds + 1):
        runs.append(one_round(args, runs[-1], number))
        show(tournament(args, runs[-2:], f"tournament{number}"))


if __name__ == "__main__":
    main()
