"""Writes a model folder as one GGUF file, tensor by tensor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_VERSION, GGUFWriter, TensorNameMap, get_tensor_name_map

from wolf_chatbox.config import Quantisation
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.gguf.architectures import Architecture, Config, architecture_of
from wolf_chatbox.model.gguf.plausible import check_numbers
from wolf_chatbox.model.gguf.quantisation import FILE_TYPES, byte_shape, quantised, type_of
from wolf_chatbox.model.gguf.vocabulary import Special, write_vocabulary
from wolf_chatbox.model.gguf.weights import Stored, open_weights
from wolf_chatbox.model.hub import CONFIG_FILE, DOWNLOAD_AGAIN, first_line
from wolf_chatbox.model.light_tokenizer import load_light
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.visible import Tell

BUFFERS = (".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq")
"""What old weight files hold beside the weights."""


def write_gguf(
    folder: Path,
    base: Path,
    place: Path,
    quantise: Quantisation,
    *,
    notes: Mapping[str, str] | None = None,
    allow_base: bool = False,
    tell: Tell = lambda text: None,
) -> None:
    """Write the model in `folder` to the file `place`; `notes` are texts to stand first in its metadata.

    `base` is the folder with config.json: the base model's where `folder` holds an adapter. Raises ModelError for a
    model that llama.cpp does not have, or that is damaged.
    """
    name = str(folder)
    check_numbers(name, base)
    try:
        config = json.loads((base / CONFIG_FILE).read_text(encoding="utf-8"))
        architecture = architecture_of(name, config)
        weights = open_weights(name, folder, allow_base=allow_base, tell=tell)
        tensors = _named(name, architecture, config, weights)
        writer = GGUFWriter(place, architecture.kind.name.lower())
        for key, text in (notes or {}).items():
            writer.add_string(key, text)
        writer.add_name(folder.resolve().name)
        writer.add_file_type(int(FILE_TYPES[quantise]))
        writer.add_quantization_version(GGML_QUANT_VERSION)
        architecture.describe(writer, config)
        entries = tensors["token_embd.weight"][1].shape[0]
        writer.add_vocab_size(entries)
        tokenizer = load_light(name, folder)
        renderer = Speech.of(folder, tokenizer).renderer
        special = Special(renderer.end_id, renderer.style.template())
        write_vocabulary(writer, name, tokenizer, entries, special, tell)
        _write_tensors(writer, architecture, config, tensors, quantise)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, ZeroDivisionError, FileNotFoundError) as e:
        raise ModelError(f"{name}: cannot be written as GGUF ({first_line(e)}). {DOWNLOAD_AGAIN}") from e


def _named(
    name: str, architecture: Architecture, config: Config, weights: Mapping[str, Stored]
) -> dict[str, tuple[str, Stored]]:
    """The tensors by their names in the GGUF, each with its name in the folder."""
    layers = architecture.layers(config)
    names = get_tensor_name_map(architecture.kind, layers)
    tied = config.get("tie_word_embeddings", architecture.kind.name != "LLAMA")
    found: dict[str, tuple[str, Stored]] = {}
    for key, stored in weights.items():
        if key.endswith(BUFFERS) or (tied and key == "lm_head.weight"):
            continue
        known = _known(names, key)
        if known is None:
            raise ModelError(f"{name}: llama.cpp has no place for the tensor {key}. Use --engine torch for it.")
        found[known] = (key, stored)
    kinds: dict[str, int] = {}
    for known in found:
        if known.startswith("blk."):
            kind = known.split(".", 2)[2]
            kinds[kind] = kinds.get(kind, 0) + 1
    if lacking := [kind for kind, count in kinds.items() if count != layers]:
        raise ModelError(f"{name}: weights are missing, such as {lacking[0]} in some layers. {DOWNLOAD_AGAIN}")
    return found


def _known(names: TensorNameMap, key: str) -> str | None:
    """The GGUF's name for a tensor; old files of GPT-2 leave out `transformer.`."""
    for tried in (key, f"transformer.{key}"):
        if known := names.get_name(tried, try_suffixes=(".weight", ".bias")):
            return known
    return None


def _write_tensors(
    writer: GGUFWriter,
    architecture: Architecture,
    config: Config,
    tensors: Mapping[str, tuple[str, Stored]],
    quantise: Quantisation,
) -> None:
    """First the shapes of all tensors, then the numbers, one tensor in memory at a time."""
    layers, more = architecture.layers(config), architecture.more(config)
    sources: dict[str, Any] = dict.fromkeys(more) | dict(tensors)
    types = {}
    for known, source in sources.items():
        # A transposed tensor has its shape the other way round; layouts do not look at the numbers.
        shape = more[known].shape if source is None else _shape(architecture, config, *source)
        types[known] = type_of(known, shape, quantise, layers)
        size = int(np.prod(byte_shape(shape, types[known])))
        writer.add_tensor_info(known, shape, np.dtype(np.float32), size, types[known])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    try:
        for known, source in sources.items():
            tensor = more[known] if source is None else architecture.lay_out(source[0], source[1].read(), config)
            writer.write_tensor_data(quantised(tensor, types[known]))
    finally:
        writer.close()


def _shape(architecture: Architecture, config: Config, key: str, stored: Stored) -> tuple[int, ...]:
    return architecture.lay_out(key, np.broadcast_to(np.float32(0), stored.shape), config).shape
