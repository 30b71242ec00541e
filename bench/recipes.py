"""The recipes that training.py compares, and what they share: the model, the lines, the measure of the result."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

RECIPES = ("classic", "trainer", "trl", "ours")
SHAPES = {"gpt2": (768, 12), "gpt2-medium": (1024, 24), "gpt2-large": (1280, 36)}
EMBEDDED = "smollm2-135m"


class Enough(Exception):
    """Raised by a callback to end a run."""


# --- what all recipes share: model, lines, the measure


def model_folder(name: str, place: Path, vocabulary: int = 50257) -> str:
    """The embedded model, or a GPT-2 shape with random weights and the embedded model's tokenizer, saved to `place`."""
    if name == EMBEDDED:
        return EMBEDDED
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from wolf_chatbox.model.hub import locate
    from wolf_chatbox.model.tokenizer import load_tokenizer

    width, layers = SHAPES[name]
    torch.manual_seed(0)
    GPT2LMHeadModel(
        GPT2Config(vocab_size=vocabulary, n_embd=width, n_layer=layers, n_head=width // 64)
    ).save_pretrained(place)
    load_tokenizer(EMBEDDED, locate(EMBEDDED)).save_pretrained(place)
    return str(place)


def take_groups(count: int | None) -> None:
    """Let the training part be the first `count` of its groups, for every recipe; what is held out stays."""
    from wolf_chatbox.samples import dataset

    usual = dataset.split

    def split(*settings: Any) -> Any:
        found = usual(*settings)
        chosen = list(dict.fromkeys(conversation.group for conversation in found.training))[:count]
        return found._replace(
            training=[conversation for conversation in found.training if conversation.group in chosen]
        )

    dataset.split = split
    counted = dataset.Dataset.turns
    # The turns of the other groups are dropped, and each has to be accounted for.
    dataset.Dataset.turns = lambda self: (
        (turns := counted(self)) | {"dropped": 2 * turns["read"] - sum(turns.values()) + turns["dropped"]}
    )


def config_of(args: argparse.Namespace, model: str, output: Path, **more: Any) -> Any:
    from wolf_chatbox.config import SamplingConfig, TrainConfig

    return TrainConfig(
        data=(args.data,),
        model=model,
        output=output,
        style="dialogpt",
        sampling=SamplingConfig(max_new_tokens=1),
        **more,
    )


def windows_of(args: argparse.Namespace, tokenizer: Any) -> list[list[int]]:
    """Eight lines from each line on, with an end token each, cut to the window's length."""
    from wolf_chatbox.config import ReadConfig
    from wolf_chatbox.data.tally import Tally
    from wolf_chatbox.importers import read_conversations
    from wolf_chatbox.samples import dataset

    conversations = list(read_conversations((args.data,), ReadConfig(), Tally()))
    training, _, _ = dataset.split(conversations, 0.1, 0, lambda conversation: len(conversation.turns))
    windows = []
    for conversation in training:
        lines = [
            [*tokenizer(turn.text, add_special_tokens=False).input_ids, tokenizer.eos_token_id]
            for turn in conversation.turns
        ]
        for at in range(max(1, len(lines) - 7)):
            windows.append([id for line in lines[at : at + 8] for id in line][: args.window])
    return windows


def padded(windows: list[list[int]], length: int, pad: int) -> dict[str, Any]:
    import torch

    ids = torch.tensor([window + [pad] * (length - len(window)) for window in windows])
    real = torch.tensor([[1] * len(window) + [0] * (length - len(window)) for window in windows])
    return {"input_ids": ids, "attention_mask": real, "labels": ids.masked_fill(real == 0, -100)}


class Measure:
    """The held-out loss of any model, as our own training measures it."""

    def __init__(self, args: argparse.Namespace, folder: str) -> None:
        from wolf_chatbox.model.load import load_model
        from wolf_chatbox.samples.dataset import prepare

        self.base = load_model(folder)
        self.dataset = prepare(config_of(args, folder, Path("unused")), self.base.tokenizer, 512)

    def __call__(self, model: Any) -> float:
        from wolf_chatbox.model.loss import SummedLoss
        from wolf_chatbox.model.tokenizer import pad_id
        from wolf_chatbox.training.devices import start
        from wolf_chatbox.training.passes import Forward
        from wolf_chatbox.training.validation import mean_loss

        usual = model.config._attn_implementation
        learner, accelerator = SummedLoss(model), start("auto")
        with accelerator.autocast():
            forward = Forward(learner, learner, pad_id(self.base.tokenizer), accelerator, budget=1024)
            loss = mean_loss(forward, self.dataset.held_out_rows)
        model.set_attn_implementation(usual)
        assert loss is not None
        return loss


# --- the recipes: all call step(learnt tokens, real tokens, seconds, model) after every step

Step = Callable[[int, int, float, Any], None]


def classic(args: argparse.Namespace, folder: str, step: Step) -> int:
    import torch

    from wolf_chatbox.model.load import load_model
    from wolf_chatbox.model.tokenizer import pad_id

    base = load_model(folder)
    model, pad = base.model.to(args.device).train(), pad_id(base.tokenizer)
    windows = windows_of(args, base.tokenizer)
    learnt = sum(len(window) - 1 for window in windows)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr_classic)

    def loop() -> None:
        a_step = 4 * args.rows
        for epoch in range(args.epochs):
            order = torch.randperm(len(windows), generator=torch.Generator().manual_seed(epoch)).tolist()
            for start in range(0, len(order), a_step):
                begun = time.perf_counter()
                chosen = [windows[at] for at in order[start : start + a_step]]
                batch = {name: tensor.to(args.device) for name, tensor in padded(chosen, args.window, pad).items()}
                loss = model(**batch).loss
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()
                float(loss)
                real = sum(map(len, chosen))
                step(real - len(chosen), real, time.perf_counter() - begun, model)

    ended(loop)
    return learnt


def with_trainer(args: argparse.Namespace, folder: str, step: Step, packing: bool) -> int:
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from wolf_chatbox.model.load import load_model
    from wolf_chatbox.model.tokenizer import pad_id
    from wolf_chatbox.samples.dataset import prepare

    base = load_model(folder)
    settings = {
        "output_dir": tempfile.mkdtemp(),
        "bf16": True,
        "num_train_epochs": args.epochs,
        "learning_rate": args.lr_peers,
        "disable_tqdm": True,
    }
    settings |= {"report_to": "none", "save_strategy": "no", "logging_strategy": "no", "use_cpu": args.device == "cpu"}
    if packing:
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        samples = [
            sample
            for row in prepare(config_of(args, folder, Path("unused")), base.tokenizer, 512).rows
            for sample in row
        ]
        learnt = sum(len(sample) - 1 for sample in samples)
        base.tokenizer.pad_token = base.tokenizer.pad_token or base.tokenizer.eos_token
        trainer: Any = SFTTrainer(
            model=base.model,
            args=SFTConfig(**settings, packing=True, max_length=512, per_device_train_batch_size=args.rows),
            train_dataset=Dataset.from_list([{"input_ids": list(sample.ids)} for sample in samples]),
            processing_class=base.tokenizer,
        )
    else:
        windows = windows_of(args, base.tokenizer)
        learnt = sum(len(window) - 1 for window in windows)
        trainer = Trainer(
            model=base.model,
            args=TrainingArguments(**settings, per_device_train_batch_size=4 * args.rows, remove_unused_columns=False),
            train_dataset=[{"ids": window} for window in windows],
            data_collator=lambda batch: padded(
                [sample["ids"] for sample in batch], max(len(sample["ids"]) for sample in batch), pad_id(base.tokenizer)
            ),
        )
    collate, counts = trainer.data_collator, []

    def counted(batch: Any) -> Any:
        made = collate(batch)
        positions = made.get("position_ids")
        begins = int((positions[:, 1:] == 0).sum()) if positions is not None else 0
        counts.append((int((made["labels"][:, 1:] != -100).sum()) - begins, int((made["labels"] != -100).sum())))
        return made

    class Clock(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.begun = time.perf_counter()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            if args.device == "cuda":
                torch.cuda.synchronize()
            # The loader collates ahead: the counts are in the order of the steps.
            step(*counts[self.steps], time.perf_counter() - self.begun, trainer.model)
            self.steps += 1

        steps = 0

    trainer.data_collator = counted
    trainer.add_callback(Clock())
    ended(trainer.train)
    return learnt


def ours(args: argparse.Namespace, folder: str, step: Step) -> int:
    from wolf_chatbox.training import loop
    from wolf_chatbox.training.progress import Evaluated, Prepared, Progress, Updated

    learnt = 0

    def tell(event: Progress) -> None:
        nonlocal learnt
        if isinstance(event, Prepared):
            learnt = event.dataset.learnt_tokens
        elif isinstance(event, Updated):
            step(event.learnt, event.tokens, event.seconds, None)
        elif isinstance(event, Evaluated) and event.update:
            step(0, 0, 0.0, event.loss)

    with tempfile.TemporaryDirectory() as place:
        every = args.every if args.command == "learn" else 10**9
        if args.command != "learn":
            loop.mean_loss = lambda *_: None  # type: ignore[assignment]  # nothing is measured but the steps
        settings = {"epochs": args.epochs, "lr": args.lr_ours, "eval_every": every, "batch_size": args.rows}
        config = config_of(args, folder, Path(place) / "run", **settings)
        ended(lambda: loop.train(config, tell))
    return learnt


def ended(run: Callable[[], Any]) -> None:
    with suppress(Enough):
        run()


def run_recipe(args: argparse.Namespace, folder: str, step: Step) -> int:
    match args.recipe:
        case "classic":
            return classic(args, folder, step)
        case "ours":
            return ours(args, folder, step)
    return with_trainer(args, folder, step, packing=args.recipe == "trl")
