"""Learn from the votes of a simulated judge who prefers the shorter of two replies, and measure what else changes.

    python bench/preferences.py --run demo_model --lr 1e-5 2e-5 --epochs 1 2

A supervised run on the bundled script draws two replies to each of its innkeeper's contexts, a quarter of the groups
left out; the judge votes; a run on these choices follows for each setting. Each is measured on the groups left out: how
often its reply is shorter than the supervised run's to the same turns (a tie is half a win), and the harm to the rest:
bits per byte of the real turns, distinct-2, and how many replies end by themselves. Results go to DIR/results.jsonl;
what is there already is not made again. Without --run the supervised run is made, with those groups held out; `make
demo`'s run has learnt them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import time
from pathlib import Path
from statistics import fmean
from typing import Any

KEYS = ("lr", "epochs", "beta", "chosen_weight", "batch_size", "seed")
SHARE, PERSONA, TURNS = 0.25, "Grimbold", 3


def supervise(config: Any) -> None:
    from wolf_chatbox.training.loop import train

    if not config.output.exists():
        train(config)


def contexts_of(config: Any) -> tuple[list[Any], list[Any]]:
    """(scene, what was really said) of the persona's turns in the training split, and in the held-out split."""
    from wolf_chatbox.data.split import split
    from wolf_chatbox.samples.dataset import read
    from wolf_chatbox.scene import Scene

    def weigh(conversation: Any) -> int:
        return sum(turn.speaker == PERSONA for turn in conversation.turns)

    def contexts(conversations: list[Any]) -> list[Any]:
        return [
            (Scene.of(conversation).before(at, most=TURNS), turn.text)
            for conversation in conversations
            for at, turn in enumerate(conversation.turns)
            if at and turn.speaker == PERSONA
        ]

    sides = split(read(config).conversations, SHARE, config.seed, weigh)
    return contexts(sides.training), contexts(sides.held_out)


def draw(run: Path, scenes: list[Any], seeds: list[int]) -> list[list[Any]]:
    """The replies of a run to each scene, one a seed."""
    from wolf_chatbox.model.character import load_character

    character = load_character(run)
    found = []
    for scene in scenes:
        replies = [character.voice.answer(scene, character.sampling, seed) for seed in seeds]
        for reply in replies:
            for _ in reply:
                pass
        found.append(replies)
    return found


def vote(path: Path, run: Path, contexts: list[Any], count: int) -> None:
    """Write the judge's choices between two replies to each of `count` contexts."""
    from wolf_chatbox.conversation import Turn
    from wolf_chatbox.data.preferences import Preference

    chosen = random.Random(0).sample([scene for scene, _ in contexts], min(count, len(contexts)))
    lines = []
    for scene, (one, two) in zip(chosen, draw(run, chosen, [1, 2])):
        if len(one.text) != len(two.text) and not (one.cut or two.cut):
            shorter, longer = sorted((one.text, two.text), key=len)
            choice = Preference(scene.turns, Turn(PERSONA, shorter), Turn(PERSONA, longer))
            lines.append(json.dumps(choice.to_dict(), ensure_ascii=False))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def bits_per_byte(run: Path, config: Any) -> float:
    """Of the persona's turns in the held-out groups."""
    from dataclasses import replace

    from wolf_chatbox.model.load import load_model
    from wolf_chatbox.model.loss import SummedLoss, count_learnt
    from wolf_chatbox.model.tokenizer import pad_id
    from wolf_chatbox.samples.dataset import prepare
    from wolf_chatbox.training.devices import start
    from wolf_chatbox.training.passes import Forward
    from wolf_chatbox.training.validation import mean_loss

    base = load_model(str(run))
    rows = prepare(replace(config, style="named"), base.tokenizer, config.max_tokens).held_out_rows
    accelerator, learner = start("auto"), SummedLoss(base.model)
    loss = mean_loss(Forward(learner, accelerator.prepare(learner), pad_id(base.tokenizer), accelerator, 512), rows)
    assert loss is not None
    size = sum(len(text.encode()) for _, text in contexts_of(config)[1])
    return loss * count_learnt(rows) / math.log(2) / size


def measure(
    run: Path, config: Any, count: int, before: list[list[Any]] | None
) -> tuple[dict[str, Any], list[list[Any]]]:
    """What a run does on the held-out contexts, beside the supervised run's replies to them."""
    scenes = [scene for scene, _ in contexts_of(config)[1]][:count]
    drawn = draw(run, scenes, [11])
    replies = [reply for each in drawn for reply in each]
    words = [reply.text.split() for reply in replies]
    pairs = [pair for text in words for pair in itertools.pairwise(text)]
    wins = [
        (len(new.text) < len(old.text)) + (len(new.text) == len(old.text)) / 2
        for one, other in zip(drawn, before or drawn)
        for new, old in zip(one, other)
    ]
    found = {
        "replies": len(replies),
        "wins": fmean(wins),
        "words": fmean(map(len, words)),
        "bits_per_byte": bits_per_byte(run, config),
        "distinct_2": len(set(pairs)) / max(1, len(pairs)),
        "ends": 1 - fmean(reply.cut for reply in replies),
        "empty": fmean(not text for text in words),
        "some": [reply.text for reply in replies[::6]],
    }
    return found, drawn


def learn(setting: dict[str, Any], place: Path, votes: Path, run: Path) -> dict[str, Any]:
    from wolf_chatbox.config import TrainConfig
    from wolf_chatbox.training.loop import train

    begun = time.monotonic()
    result = train(TrainConfig(preferences=(str(votes),), model=str(run), output=place, overwrite=True, **setting))
    return {"evaluations": result.metrics["evaluations"], "seconds": time.monotonic() - begun}


def table(results: list[dict[str, Any]]) -> None:
    print("| lr | epochs | beta | on the chosen | rows | shorter | words | bits per byte | distinct-2 | ends itself |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for found in results:
        setting = found["setting"]
        how = [f"{setting[key]:g}" for key in KEYS[:-1]] if setting else ["supervised", "", "", "", ""]
        kept = f"{found['bits_per_byte']:.3f} | {found['distinct_2']:.3f} | {found['ends']:.1%}"
        print(f"| {' | '.join(how)} | {found['wins']:.0%} | {found['words']:.1f} | {kept} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--place", type=Path, default=Path("preferences"), metavar="DIR")
    parser.add_argument("--run", type=Path, help="the supervised run")
    parser.add_argument("--base", default="smollm2-135m")
    parser.add_argument("--contexts", type=int, default=110, help="of which two replies are drawn for the judge")
    parser.add_argument("--measured", type=int, default=60, help="contexts that are measured")
    parser.add_argument("--lr", nargs="+", type=float, default=[1e-5])
    parser.add_argument("--epochs", nargs="+", type=int, default=[1])
    parser.add_argument("--beta", nargs="+", type=float, default=[0.1])
    parser.add_argument("--chosen-weight", nargs="+", type=float, default=[0.0])
    parser.add_argument("--batch-size", nargs="+", type=int, default=[1])
    parser.add_argument("--seed", nargs="+", type=int, default=[0])
    args = parser.parse_args()
    from wolf_chatbox.config import TrainConfig

    args.place.mkdir(parents=True, exist_ok=True)
    run = args.run or args.place / "supervised"
    votes, path = args.place / "votes.jsonl", args.place / "results.jsonl"
    base = {"data": ("example",), "persona": PERSONA, "validation_share": SHARE}
    config = TrainConfig(**base, model=args.base, output=run, epochs=3)
    supervise(config)
    if not votes.exists():
        vote(votes, run, contexts_of(config)[0], args.contexts)
    results = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def add(found: dict[str, Any]) -> None:
        results.append(found)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(found, ensure_ascii=False) + "\n")

    settings = [dict(zip(KEYS, values)) for values in itertools.product(*(getattr(args, key) for key in KEYS))]
    left = [setting for setting in settings if setting not in [found["setting"] for found in results]]
    if left or not results:
        first, before = measure(run, config, args.measured, None)
        if not results:
            add({"setting": None} | first)
        for setting in left:
            made = learn(setting, args.place / "tuned", votes, run)
            found, _ = measure(args.place / "tuned", config, args.measured, before)
            add({"setting": setting} | found | made)
    table(results)


if __name__ == "__main__":
    main()
