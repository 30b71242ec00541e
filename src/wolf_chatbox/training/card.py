"""The run for people: a picture of the losses and a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any


def draw_losses(path: Path, losses: Sequence[tuple[int, float]], evaluations: Sequence[Mapping[str, Any]]) -> None:
    """Draw training and held-out loss (nats a token) over the updates, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if losses:
        updates, values = zip(*losses)
        window = max(1, len(values) // 10)
        means = [fmean(values[max(0, at - window + 1) : at + 1]) for at in range(len(values))]
        axes.plot(updates, values, color="#c5cdd8", linewidth=0.8)
        axes.plot(updates, means, color="#4a607c", label="training" if window == 1 else f"training, mean of {window}")
    held_out = [(each["update"], each["loss"]) for each in evaluations if each["loss"] is not None]
    if held_out:
        axes.plot(*zip(*held_out), color="#c8452d", marker="o", label="held out")
    axes.set_xlabel("update")
    axes.set_ylabel("cross-entropy (nats per token)")
    axes.grid(alpha=0.3)
    if axes.has_data():
        axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def write_card(path: Path, run: Mapping[str, Any]) -> None:
    """Write a model card from a run's record."""
    data, metrics, settings = run["data"], run["metrics"], run["settings"]
    speakers = list(data["speakers"].items())
    named = ", ".join(f"{name} ({turns})" for name, turns in speakers[:8]) + (
        f" and {len(speakers) - 8} more" if len(speakers) > 8 else ""
    )
    rows = "\n".join(
        f"| {'before' if not each['epoch'] else each['epoch']} | {each['loss']:.4f} | {each['perplexity']:.2f} |"
        for each in metrics["evaluations"]
        if each["loss"] is not None
    )
    measured = f"\n## Held-out loss\n\n| epoch | nats per token | perplexity |\n|---|---|---|\n{rows}\n" if rows else ""
    files = ", ".join(Path(each["path"]).name for each in data["files"])
    batch = f"{settings['batch_size']} × {settings['accumulate']}"
    generation = ", ".join(f"{name} {value}" for name, value in settings["sampling"].items())
    path.write_text(
        f"""---
base_model: {run["base_model"]}
library_name: transformers
pipeline_tag: text-generation
tags: [dialogue, wolf_chatbox]
---

# {Path(settings["output"]).name}

A dialogue model, fine-tuned from {run["base_model"]} with wolf_chatbox{"" if run["finished"] else " (the run was interrupted)"}.

- Answers as: {run["persona"] or "any of its speakers"}
- Style: {run["style"]} (the tokenizer's chat template renders it)
- Data: {files}: {data["conversations"]} conversations, {data["turns"]["read"]} turns, {data["learnt_tokens"]} tokens learnt
- Speakers (turns): {named}
- Best epoch: {metrics["best_epoch"]} of {settings["epochs"]}
- Learning rate: {settings["lr"]}, {settings["schedule"]} schedule
- Rows: {settings["max_tokens"]} tokens, {batch} an update, seed {settings["seed"]}
- Generation: {generation}
{measured}
![losses](loss.png)

It says what its data made likely, true or not, and may repeat its data word for word. The licences of the base model and
of the data apply to it.

## Use

    wolf-chatbox chat --model {Path(settings["output"]).name}
""",
        encoding="utf-8",
    )
