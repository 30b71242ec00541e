"""A run as people see it: a plot of the losses and a model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from wolf_chatbox.model.licences import NOTICE, Licence, licence_of


def draw_losses(path: Path, losses: Sequence[tuple[int, float]], evaluations: Sequence[Mapping[str, Any]]) -> None:
    """Draw the training and the held-out loss (nats per token) over the updates, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    if losses:
        updates, values = zip(*losses)
        window = max(1, len(values) // 10)
        means = [fmean(values[max(0, end - window) : end]) for end in range(1, len(values) + 1)]
        axes.plot(updates, values, color="#c5cdd8", linewidth=0.8)
        axes.plot(updates, means, color="#4a607c", label="training" if window == 1 else f"training, mean of {window}")
    held_out = [(found["update"], found["loss"]) for found in evaluations if found["loss"] is not None]
    if held_out:
        axes.plot(*zip(*held_out), color="#c8452d", marker="o", label="held out")
    axes.set_xlabel("update")
    pairs = any("preferred" in found for found in evaluations)
    axes.set_ylabel("loss (nats per pair of replies)" if pairs else "cross-entropy (nats per token)")
    axes.grid(alpha=0.3)
    if axes.has_data():
        axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def write_card(path: Path, run: Mapping[str, Any]) -> None:
    """Write the model card of a run, from its record."""
    from huggingface_hub import ModelCardData

    licence = licence_of(run)
    front = ModelCardData(
        base_model=run["base_model"],
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["dialogue", "wolf_chatbox"],
        license=licence.id if licence is not None and licence.notice else None,
    )
    settings, chosen = run["settings"], run["data"].get("unit") == "choices"
    name = Path(settings["output"]).name
    answers, ranks = run["persona"] or "any of its speakers", ""
    if run.get("reverse"):
        answers, ranks = (
            "nobody: it learnt conversations backwards, to rank replies",
            "RUN --best-of 8 --reverse-model ",
        )
    generation = ", ".join(f"{key} {value}" for key, value in settings["sampling"].items())
    path.write_text(
        f"""---
{front.to_yaml()}
---

# {name}

A dialogue model, fine-tuned from {run["base_model"]} with wolf_chatbox{"" if run["finished"] else " (interrupted)"}.

- Answers as: {answers}
- Style: {run["style"]} (the tokenizer's chat template renders it)
{_data_lines(run)}
- Best epoch: {run["metrics"]["best_epoch"]} of {settings["epochs"]}
- Learning rate: {settings["lr"]}, {settings["schedule"]} schedule
- Rows: {settings["max_tokens"]} tokens, {settings["batch_size"]} × {settings["accumulate"]} per update
- Seed: {settings["seed"]}
- Sampling: {generation}
{(_choice_table if chosen else _loss_table)(run["metrics"]["evaluations"])}
![losses](loss.png)

The model says what its training data makes likely, true or not, and may repeat that data word for word. The licences of
the base model and of the data apply to it.
{_licence_lines(licence)}
## Use

    wolf-chatbox chat --model {ranks}{name}
""",
        encoding="utf-8",
    )


def _licence_lines(licence: Licence | None) -> str:
    """What the base model's licence is, and what it asks of whoever uses this model or passes it on."""
    if licence is None:
        return ""
    lines = [f"\n## Licence of the base model\n\n[{licence.name}]({licence.address})"]
    if licence.notice:
        lines[0] += f". Built with {licence.short.split()[0]}: its weights were changed by fine-tuning."
        lines += [f"\n> {licence.notice}\n", *(f"- {condition}" for condition in licence.conditions)]
        lines.append(
            f"- This folder holds what has to be passed on: {NOTICE}, and the terms where the base model had them."
        )
    return "\n".join(lines) + "\n"


def _data_lines(run: Mapping[str, Any], most: int = 8) -> str:
    data, choices = run["data"], ""
    if data.get("unit") == "choices":
        files = ", ".join(Path(file["path"]).name for file in data["files"])
        counts = f"{data['turns']['read']} choices, {data['turns']['learnt']} of them learnt"
        choices = f"- Learnt from choices between replies: {files}: {counts}; beta {run['settings']['beta']}\n"
        data = run["supervised"]
        if not data:
            return choices.rstrip()
    speakers = [f"{name} ({turns})" for name, turns in data["speakers"].items()]
    more = f" and {len(speakers) - most} more" if len(speakers) > most else ""
    files = ", ".join(Path(file["path"]).name for file in data["files"])
    turns = f"{data['conversations']} conversations, {data['turns']['read']} turns"
    return (
        f"{choices}- Data: {files}: {turns}, {data['learnt_tokens']} learnt tokens\n"
        f"- Speakers (turns): {', '.join(speakers[:most])}{more}"
    )


def _loss_table(evaluations: Sequence[Mapping[str, Any]]) -> str:
    rows = "\n".join(
        f"| {found['epoch'] or 'before'} | {found['loss']:.4f} | {found['perplexity']:.2f} | {_bits(found)} |"
        for found in evaluations
        if found["loss"] is not None
    )
    head = "| epoch | nats per token | perplexity | bits per byte |\n|---|---|---|---|"
    return f"\n## Held-out loss\n\n{head}\n{rows}\n" if rows else ""


def _bits(evaluation: Mapping[str, Any]) -> str:
    bits = evaluation.get("bits_per_byte")  # which runs of earlier versions have not
    return "" if bits is None else f"{bits:.3f}"


def _choice_table(evaluations: Sequence[Mapping[str, Any]]) -> str:
    rows = "\n".join(
        f"| {found['epoch'] or 'before'} | {found['preferred']:.0%} | {found['margin']:.2f} | {found['loss']:.4f} |"
        for found in evaluations
        if found["loss"] is not None
    )
    head = "| epoch | chosen replies preferred | margin (nats) | loss |\n|---|---|---|---|"
    return f"\n## Held-out choices\n\n{head}\n{rows}\n" if rows else ""
