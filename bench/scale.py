"""Which learning rate suits a model whose weights are smaller: the held-out loss after one pass at several rates.

    python bench/scale.py --data RickAndMortyScripts.csv --model gemma3-270m --lr 1e-5 2e-5 4e-5 1e-4

The first --groups episodes are learnt in rows of --max-tokens, one an update; the loss is that of the first --held-out
rows of the held-out episodes. Of the vocabulary only the tokens of the data and as many others as make --vocabulary of
them are kept, in the embedding and in the output: that takes the time of a large vocabulary away, makes all losses
somewhat lower, and leaves the layers as they are.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

import torch
from recipes import take_groups

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.model.adaptation import adapt, relative_scale
from wolf_chatbox.model.load import load_model
from wolf_chatbox.model.loss import SummedLoss, count_learnt
from wolf_chatbox.samples.dataset import make_rows, read
from wolf_chatbox.training.devices import start
from wolf_chatbox.training.optimization import clip, make_optimizer, make_schedule
from wolf_chatbox.training.passes import Forward
from wolf_chatbox.training.update import learn, shuffled
from wolf_chatbox.training.validation import mean_loss


def cut_vocabulary(model: Any, rows: list[Any], size: int) -> None:
    """Keep the tokens of the rows and others up to `size`, and give the rows the new ids."""
    samples = [sample for row in rows for sample in row]
    used = {id for sample in samples for id in sample.ids}
    weights = model.get_input_embeddings().weight
    others = [id for id in range(len(weights)) if id not in used]
    random.Random(0).shuffle(others)
    kept = sorted(used | set(others[: max(0, size - len(used))]))
    new = {old: at for at, old in enumerate(kept)}
    for sample in samples:
        sample.ids[:] = [new[id] for id in sample.ids]
    cut = torch.nn.Parameter(weights.detach()[kept].clone(), requires_grad=weights.requires_grad)
    model.get_input_embeddings().weight = model.get_output_embeddings().weight = cut
    model.config.vocab_size = len(kept)


def measure(args: argparse.Namespace, lr: float) -> dict[str, Any]:
    config = TrainConfig(
        data=(args.data,),
        model=args.model,
        output=Path("unused"),
        style="named",
        max_tokens=args.max_tokens,
        lr=lr,
        freeze_embeddings=args.freeze_embeddings,
        epochs=args.epochs,
    )
    accelerator = start("auto")
    base = load_model(args.model)
    scale = relative_scale(base.model)
    adapt(base.model, config, base.name)
    learner = SummedLoss(base.model)
    dataset = make_rows(read(config), config, base.tokenizer, args.max_tokens, learner.apart != "alone")
    held_out = dataset.held_out_rows[: args.held_out]
    if args.vocabulary:
        cut_vocabulary(base.model, [*dataset.rows, *held_out], args.vocabulary)
    optimizer: Any = make_optimizer(config, lr, base.model)
    schedule = make_schedule(config, lr, optimizer, len(dataset.rows) * args.epochs)
    module, optimizer = accelerator.prepare(learner, optimizer)
    forward = Forward(learner, module, 0, accelerator, args.max_tokens)
    losses = [mean_loss(forward, held_out)]
    for epoch in range(args.epochs):
        module.train()
        for row in shuffled(dataset.rows, 0, epoch):
            learn(forward, [row])
            clip(base.model, config.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
        losses.append(mean_loss(forward, held_out))
    learnt = count_learnt(dataset.rows)
    return {"lr": lr, "scale": scale, "updates": len(dataset.rows), "learnt": learnt, "losses": losses}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", default="gemma3-270m")
    parser.add_argument("--lr", type=float, nargs="+", default=[1e-5, 2e-5, 4e-5, 1e-4])
    parser.add_argument("--groups", type=int, default=1)
    parser.add_argument("--held-out", type=int, default=6)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--vocabulary", type=int, default=12_000, help="0 = all")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--freeze-embeddings", action="store_true")
    args = parser.parse_args()
    take_groups(args.groups)
    for lr in args.lr:
        print(json.dumps(measure(args, lr)), flush=True)


if __name__ == "__main__":
    main()
