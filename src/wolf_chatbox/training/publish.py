"""What a run leaves: a Hugging Face folder that loads without us, its record, a picture and a card."""

from __future__ import annotations

import math
import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from torch import Tensor
from transformers import GenerationConfig

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.data.privacy.pseudonyms import name_now
from wolf_chatbox.errors import CheckpointError, ModelError
from wolf_chatbox.files import check_folder, write_folder
from wolf_chatbox.lock import alone
from wolf_chatbox.model.adapter import write_base_name
from wolf_chatbox.model.hub import ADAPTER_FILE
from wolf_chatbox.model.load import BaseModel, context_of, count_parameters, load_model
from wolf_chatbox.model.record import RUN_FILE, write_run
from wolf_chatbox.model.tokenizer import pad_id
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.training.card import draw_losses, write_card
from wolf_chatbox.training.run_folder import RunFolder, copy_files
from wolf_chatbox.visible import Tell


@dataclass
class Metrics:
    """Every figure of a run, as run.json keeps them."""

    losses: list[tuple[int, float]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: float | None = None
    best_update: int | None = None
    """After which update, and epoch, the weights were as they are in best/."""
    skipped: list[int] = field(default_factory=list)
    """Updates whose loss or gradient was no number."""
    seconds: float = 0.0

    def best_loss(self) -> float | None:
        """The held-out loss of the weights in best/: the lowest of the trained model so far, if none were lost."""
        return next((each["loss"] for each in self.evaluations if each["update"] == self.best_update), None)

    def best_of(self, updates: Collection[int]) -> dict[str, Any] | None:
        """The measurement with the lowest loss among those after these updates; without held-out data the last one."""
        measured = [each for each in self.evaluations if each["update"] and each["update"] in updates]
        return min(
            measured,
            key=lambda each: (math.inf if each["loss"] is None else each["loss"], -each["update"]),
            default=None,
        )

    def since_best(self) -> int:
        """Measurements after the best one."""
        losses = [each["loss"] for each in self.evaluations if each["update"] and each["loss"] is not None]
        return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def describe_run(config: TrainConfig, dataset: Dataset, model: Any) -> dict[str, Any]:
    """What run.json says of a run, besides its metrics."""
    settings = asdict(config)
    for name in ("resume", "overwrite", "dry_run"):
        settings.pop(name)
    settings["output"] = str(config.output)
    if config.clean.protects:
        settings |= {"data": [f"{len(config.data)} given"], "output": config.output.name}
    if config.clean.pseudonyms is not None:
        settings["clean"]["pseudonyms"] = True
        settings |= {
            name: name_now(settings[name], config.clean.pseudonyms) for name in ("persona", "held_out_speaker")
        }
    return {
        "style": dataset.renderer.style.name,
        "persona": dataset.persona,
        "user": dataset.user,
        "max_tokens": config.max_tokens,
        "base_model": config.model,
        "parameters": count_parameters(model),
        "settings": settings,
        "data": dataset.record(hidden=config.clean.protects),
        "versions": {name: version(name) for name in ("wolf_chatbox", "torch", "transformers", "accelerate")},
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def save_model(place: Path, base: BaseModel, weights: dict[str, Tensor], dataset: Dataset, config: TrainConfig) -> None:
    """A Hugging Face folder: weights (with LoRA, the adapter), tokenizer with the style's chat template, generation settings."""
    sampling, tokenizer = config.sampling, base.tokenizer
    settings = base.model.generation_config
    settings._from_model_config = (
        False  # they are ours now: else transformers drops what it does not know when it loads them
    )
    for name in ("max_new_tokens", "no_repeat_phrase", "no_repeat_ngram_size"):
        setattr(settings, name, getattr(sampling, name))
    settings.do_sample = sampling.temperature > 0
    settings.temperature = sampling.temperature if sampling.temperature else None
    settings.top_k, settings.top_p = (sampling.top_k, sampling.top_p) if sampling.temperature else (None, None)
    ends = dict.fromkeys(
        [dataset.renderer.end_id, *([tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else [])]
    )
    settings.eos_token_id, settings.pad_token_id = list(ends), pad_id(tokenizer)
    base.model.save_pretrained(place, state_dict=weights)
    if config.lora_rank:
        base.model.config.save_pretrained(place)
        settings.save_pretrained(place)
        write_base_name(place, config.model)
    tokenizer.chat_template = dataset.renderer.style.template()
    tokenizer.model_max_length = context_of(base.model.config)
    tokenizer.save_pretrained(place)
    tokenizer.model_max_length = 10**9


def size_of(weights: dict[str, Tensor]) -> int:
    return sum(each.nbytes for each in weights.values())


def publish(
    folder: RunFolder,
    base: BaseModel,
    weights: dict[str, Tensor],
    dataset: Dataset,
    config: TrainConfig,
    run: dict[str, Any],
    metrics: Metrics,
    *,
    finished: bool,
) -> None:
    """Write the finished folder: the best weights, or the present ones where none are kept as the best."""
    record = run | {"finished": finished, "metrics": asdict(metrics)}

    def write(place: Path) -> None:
        if metrics.best_epoch is not None:
            copy_files(folder.best, place)
        else:
            save_model(place, base, weights, dataset, config)
        shutil.copy2(folder.metrics, place)
        write_run(place, record)
        draw_losses(place / "loss.png", metrics.losses, metrics.evaluations)
        write_card(place / "README.md", record)

    write_folder(folder.output, write, size_of(weights))


def merge_adapter(adapter: Path, output: Path, *, allow_base: bool = False, tell: Tell = lambda text: None) -> None:
    """Write a full model: the base model with the LoRA adapter's weights added to its own.

    A base that is not on this machine is fetched from the hub only if that is allowed.
    Raises ModelError when `adapter` holds none or its base cannot be found, CheckpointError when `output` holds something.
    """
    if not (adapter / ADAPTER_FILE).is_file():
        raise ModelError(
            f"{adapter}: no {ADAPTER_FILE} in it, so no LoRA adapter. Name the folder of a model trained with --lora-rank."
        )
    check_folder(output)
    if output.exists() and any(output.iterdir()):
        raise CheckpointError(f"{output}: there is something already. Choose a new output folder.")
    base = load_model(str(adapter), allow_base=allow_base, tell=tell)

    def write(place: Path) -> None:
        base.model.generation_config = GenerationConfig.from_pretrained(adapter)
        base.model.save_pretrained(place)
        base.tokenizer.model_max_length = context_of(base.model.config)
        base.tokenizer.save_pretrained(place)
        for name in (RUN_FILE, "README.md", "loss.png", "metrics.jsonl"):
            if (adapter / name).is_file():
                shutil.copy2(adapter / name, place)

    with alone(output):
        write_folder(output, write)
