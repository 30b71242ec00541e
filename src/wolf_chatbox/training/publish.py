"""What a run writes: a Hugging Face folder that loads without this package, its record, a plot and a model card."""

from __future__ import annotations

import shutil
from dataclasses import asdict
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
from wolf_chatbox.model import compat
from wolf_chatbox.model.adapter import write_base_name
from wolf_chatbox.model.bases import licence_for
from wolf_chatbox.model.hub import ADAPTER_FILE
from wolf_chatbox.model.licences import licence_of, write_texts
from wolf_chatbox.model.load import context_of, count_parameters, load_model
from wolf_chatbox.model.record import RUN_FILE, read_run, write_run
from wolf_chatbox.model.tokenizer import pad_id
from wolf_chatbox.samples.rows import Dataset
from wolf_chatbox.training.card import draw_losses, write_card
from wolf_chatbox.training.run import Run
from wolf_chatbox.training.run_folder import copy_files
from wolf_chatbox.visible import Tell


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
    record = {
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
    return record | dataset.cards.record() | dataset.before | ({"reverse": True} if config.reverse else {})


def save_model(place: Path, run: Run, weights: dict[str, Tensor]) -> None:
    """A Hugging Face folder: weights (or the LoRA adapter), tokenizer with the style's chat template, sampling."""
    base, renderer, context = run.base, run.dataset.renderer, context_of(run.base.model.config)
    set_generation(base.model.generation_config, run)
    base.model.save_pretrained(place, state_dict=weights)
    if run.config.lora_rank:
        base.model.config.save_pretrained(place)
        base.model.generation_config.save_pretrained(place)
        write_base_name(place, run.config.model)
    base.tokenizer.chat_template = renderer.template()
    base.tokenizer.model_max_length = context
    base.tokenizer.save_pretrained(place)
    base.tokenizer.model_max_length = 10**9


def set_generation(settings: GenerationConfig, run: Run) -> None:
    """Put the run's sampling, and the style's end of a turn, into a model's generation settings."""
    sampling, tokenizer = run.config.sampling, run.base.tokenizer
    compat.keep_all_settings(settings)
    for name in ("max_new_tokens", "no_repeat_phrase", "no_repeat_ngram_size"):
        setattr(settings, name, getattr(sampling, name))
    settings.do_sample = sampling.temperature > 0
    settings.temperature = sampling.temperature if sampling.temperature else None
    settings.top_k, settings.top_p = (sampling.top_k, sampling.top_p) if sampling.temperature else (None, None)
    ends = dict.fromkeys([run.dataset.renderer.end_id, tokenizer.eos_token_id])
    settings.eos_token_id = [end for end in ends if end is not None]
    settings.pad_token_id = pad_id(tokenizer)


def size_of(weights: dict[str, Tensor]) -> int:
    return sum(tensor.nbytes for tensor in weights.values())


def publish(run: Run, *, finished: bool) -> None:
    """Write the output folder: the best weights, or the present ones where none are kept as the best.

    All processes must call it.
    """
    weights = run.state.weights()
    record = run.record | {"finished": finished, "metrics": asdict(run.metrics)}
    licence = licence_for(run.base.name, run.base.folder)
    if licence is not None:
        record["licence"] = licence.record()

    def write(place: Path) -> None:
        if run.metrics.best_epoch is not None:
            copy_files(run.folder.best, place)
        else:
            save_model(place, run, weights)
        shutil.copy2(run.folder.metrics, place)
        write_texts(run.base.folder, place, licence)
        write_run(place, record)
        run.dataset.known.write(place)
        draw_losses(place / "loss.png", run.metrics.losses, run.metrics.evaluations)
        write_card(place / "README.md", record)

    if run.writes:
        write_folder(run.folder.output, write, size_of(weights))


def merge_adapter(adapter: Path, output: Path, *, allow_base: bool = False, tell: Tell = lambda text: None) -> None:
    """Write a full model: the base model with the LoRA adapter's weights added to its own.

    A base model that is not on this machine is downloaded only with `allow_base`. Raises ModelError when `adapter` has
    no adapter or its base model cannot be found, CheckpointError when `output` is not empty.
    """
    if not (adapter / ADAPTER_FILE).is_file():
        raise ModelError(
            f"{adapter}: no LoRA adapter, as it has no {ADAPTER_FILE}. "
            "Name the folder of a model trained with --lora-rank."
        )
    check_folder(output)
    if output.exists() and any(output.iterdir()):
        raise CheckpointError(f"{output}: the folder is not empty. Choose a new output folder.")
    base = load_model(str(adapter), allow_base=allow_base, tell=tell)

    def write(place: Path) -> None:
        base.model.generation_config = GenerationConfig.from_pretrained(adapter)
        base.model.save_pretrained(place)
        base.tokenizer.model_max_length = context_of(base.model.config)
        base.tokenizer.save_pretrained(place)
        for name in (RUN_FILE, "README.md", "loss.png", "metrics.jsonl"):
            if (adapter / name).is_file():
                shutil.copy2(adapter / name, place)
        write_texts(adapter, place, licence_of(read_run(adapter)))

    with alone(output):
        write_folder(output, write)
