"""Which base models there are for a language and this machine, and the settings that follow from what was chosen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from wolf_chatbox.config import TrainConfig
from wolf_chatbox.files import free_bytes
from wolf_chatbox.model.bases import KNOWN, Known
from wolf_chatbox.model.embedded import EMBEDDED, asks_first
from wolf_chatbox.model.hub import ADAPTER_FILE, CONFIG_FILE, is_cached
from wolf_chatbox.model.licences import Licence
from wolf_chatbox.page.making.making import Making, read_json
from wolf_chatbox.settings import LEARNING, MEMORY, Setting, declared

SHARE = 0.9
"""Of the memory: the system wants some."""
FIRST = {"ja": "gemma3-270m"}
"""The base model to begin with, by the language of the data; else SmolLM2 for English, gemma for others."""
LEFT_OUT = ("beta", "chosen_weight", "compile", "schedule")
"""Settings of these groups that are not for the page: for choices between replies, or for experts."""
CONTEXT = ("max_position_embeddings", "n_positions")
"""What config.json calls a model's context length."""
USUAL: dict[str, dict[str, Any]] = {"gemma3-270m": {"freeze_embeddings": True}}
"""Settings that suit a base model: 170M of its 270M parameters are embeddings; frozen it is no worse, and smaller."""


@dataclass(frozen=True)
class Base:
    """A base model as a card shows it."""

    alias: str
    known: Known
    here: bool
    """Whether it is on this machine already."""
    fits: bool
    """Whether this machine's memory is enough to train it."""
    recommended: bool
    size: str
    """Of the download; empty where it is not known."""
    asks: Licence | None
    """The licence that must be agreed to before it is fetched."""


def bases(language: str) -> list[Base]:
    """The base models for a language, the one to begin with first, then those that are here, by their size.

    Looks on the disk: to be called in a thread.
    """
    memory = psutil.virtual_memory().total
    first = first_for(language)
    found = [
        Base(
            alias,
            known,
            is_cached(alias),
            known.to_train() <= SHARE * memory,
            alias == first,
            EMBEDDED[alias].size if alias in EMBEDDED else "",
            asks_first(alias),
        )
        for alias, known in KNOWN.items()
    ]
    speaking = [base for base in found if base.recommended or base.here or base.known.speaks(language)]
    return sorted(speaking, key=lambda base: (not base.recommended, not base.here, base.known.parameters))


def first_for(language: str) -> str:
    """The base model to begin with."""
    return FIRST.get(language, "smollm2-135m" if language in ("", "en") else "gemma3-270m")


def is_here(model: str) -> bool:
    """Whether a base model is on this machine: a folder, or one that was fetched."""
    folder = Path(os.path.expanduser(model))
    if folder.is_dir():
        return any((folder / name).is_file() for name in (CONFIG_FILE, ADAPTER_FILE))
    if model.lower() in KNOWN:
        return is_cached(model.lower())
    from huggingface_hub import try_to_load_from_cache

    try:
        return isinstance(try_to_load_from_cache(model, CONFIG_FILE), str)
    except ValueError:  # no name that the hub has
        return False


def context_of(model: str) -> int | None:
    """The context length of a base model in a folder, as its config.json has it; None where it is not known."""
    found = read_json(Path(os.path.expanduser(model)) / CONFIG_FILE) or {}
    lengths = [found[name] for name in CONTEXT if type(found.get(name)) is int]
    return min(lengths, default=None)


def more_settings() -> dict[str, Setting]:
    """The settings of a training that the page shows, as they are declared."""
    groups = {group.name for parameter in (LEARNING, MEMORY) for group in _groups(parameter)}
    return {
        name: setting
        for name, setting in declared(TrainConfig).items()
        if name not in LEFT_OUT and any(group.name in groups for group in setting.groups)
    }


def _groups(parameter: Any) -> tuple[Any, ...]:
    group = parameter.group
    return tuple(group) if isinstance(group, tuple | list) else (group,)


def settings_of(making: Making, characters: Path, look: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the training: what was chosen, under the names of TrainConfig, and nothing else."""
    about = making.about
    model = str(about.get("base") or "")
    settings: dict[str, Any] = {
        "data": list(look.get("data") or making.data),
        "model": model,
        "output": str(characters.resolve() / str(about["name"])),
    }
    if persona := about.get("persona"):
        settings["persona"] = persona_now(str(persona), bool(about.get("scrub")), look)
    for name in ("repair", "scrub", "scrub_names"):
        if about.get(name):
            settings[name] = True
    for name in ("duplicates", "encoding"):
        if about.get(name):
            settings[name] = about[name]
    for name in ("languages", "also_keep"):
        if about.get(name):
            settings[name] = list(about[name])
    if about.get("pseudonyms"):
        settings["pseudonyms"] = str(making.pseudonyms)
    context = context_of(model)
    if context is not None and context < TrainConfig.max_tokens:
        settings["max_tokens"] = context
    return settings | USUAL.get(model, {}) | dict(about.get("more") or {})


def persona_now(name: str, scrubbed: bool, look: Mapping[str, Any]) -> str:
    """The name by which the settings call a speaker: what scrubbing makes of it, where that is on."""
    if not scrubbed:
        return name
    return next((str(one["scrubbed"]) for one in look.get("people", ()) if one["name"] == name), name)


def language_of(look: Mapping[str, Any]) -> str:
    """The language of most conversations; empty where it cannot be told."""
    return next(iter((look.get("inspection") or {}).get("languages") or {}), "")


def short_of(planned: Mapping[str, Any], place: Path) -> list[str]:
    """What this machine has too little of for a plan: memory, disk."""
    short = []
    if planned.get("device") == "cpu" and planned["memory"] > psutil.virtual_memory().total * SHARE:
        short.append("memory")
    if planned["disk"] > free_bytes(place):
        short.append("disk")
    return short
