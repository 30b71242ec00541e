"""Whether a config.json describes a model at all. llama.cpp ends the whole process where a number makes no sense."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.hub import CONFIG_FILE, DOWNLOAD_AGAIN

COUNTS = ("n_embd n_head n_layer n_positions vocab_size hidden_size intermediate_size num_hidden_layers").split()
COUNTS += ["num_attention_heads", "max_position_embeddings"]
OPTIONAL_COUNTS = ("n_inner", "num_key_value_heads", "head_dim", "sliding_window")
MOST = 1 << 24
SMALL = ("layer_norm_epsilon", "rms_norm_eps")
HEADS = (("n_embd", "n_head"), ("num_attention_heads", "num_key_value_heads"))
"""Pairs of which the second divides the first."""


def check_numbers(name: str, folder: Path) -> None:
    """Raise ModelError when config.json is damaged, or a size in it cannot be one."""
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        wrong = next(_wrong(config), None)
    except (OSError, ValueError, TypeError, RecursionError, AttributeError) as error:
        raise ModelError(f"{name}: {CONFIG_FILE} is damaged ({type(error).__name__}). {DOWNLOAD_AGAIN}") from error
    if wrong is not None:
        raise ModelError(f"{name}: {CONFIG_FILE} is damaged ({wrong} cannot be right). {DOWNLOAD_AGAIN}")


def _wrong(config: Mapping[str, Any]) -> Iterator[str]:
    for key in (*COUNTS, *OPTIONAL_COUNTS):
        value = config.get(key, 1)
        if not (type(value) is int and 0 < value <= MOST) and not (value is None and key in OPTIONAL_COUNTS):
            yield key
            return  # what follows computes with them
    for key in SMALL:
        if not (isinstance(value := config.get(key, 0.0), float | int) and 0 <= value < 1):
            yield key
    for whole, part in HEADS:
        if config.get(whole) and config.get(part) and config[whole] % config[part]:
            yield part
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    for key, value in [("rope_theta", config.get("rope_theta")), *rope.items()]:
        if isinstance(value, float | int) and not (math.isfinite(value) and 0 <= value < 1e15):
            yield key
