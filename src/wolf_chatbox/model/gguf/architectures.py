"""What llama.cpp must be told of a model: its shape, and how its tensors are named and laid out.

The keys are those of the GGUF specification (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). llama.cpp
computes each architecture in one way; a model that config.json asks to compute in another is refused, so that no file
answers a little differently from the model it was made of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from gguf import MODEL_ARCH, GGUFWriter, RopeScalingType

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.gguf.weights import Array

Config = Mapping[str, Any]
TANH_GELU = ("gelu_new", "gelu_pytorch_tanh", "gelu_fast")
OTHER_ENGINE = "Use --engine torch for it."


class Architecture(Protocol):
    """One kind of model; its methods get the settings of config.json."""

    kind: MODEL_ARCH

    def layers(self, config: Config) -> int: ...

    def oddities(self, config: Config) -> Iterator[str]:
        """The settings with which llama.cpp would compute something else, in words."""
        ...

    def describe(self, writer: GGUFWriter, config: Config) -> None:
        """Write the model's shape."""
        ...

    def lay_out(self, name: str, tensor: Array, config: Config) -> Array:
        """A tensor as llama.cpp wants it."""
        ...

    def more(self, config: Config) -> dict[str, Array]:
        """Tensors that follow from the settings, by their names in the GGUF."""
        ...


class GPT2:
    kind = MODEL_ARCH.GPT2

    def layers(self, config: Config) -> int:
        return int(config["n_layer"])

    def oddities(self, config: Config) -> Iterator[str]:
        activation = config.get("activation_function", "gelu_new")
        if activation not in TANH_GELU:
            yield f"activation_function {activation}"
        if not config.get("scale_attn_weights", True):
            yield "scale_attn_weights off"
        for key in ("scale_attn_by_inverse_layer_idx", "add_cross_attention"):
            if config.get(key):
                yield key

    def describe(self, writer: GGUFWriter, config: Config) -> None:
        width = config["n_embd"]
        writer.add_block_count(config["n_layer"])
        writer.add_context_length(config.get("n_positions", 1024))
        writer.add_embedding_length(width)
        writer.add_feed_forward_length(config.get("n_inner") or 4 * width)
        writer.add_head_count(config["n_head"])
        writer.add_layer_norm_eps(config.get("layer_norm_epsilon", 1e-5))

    def lay_out(self, name: str, tensor: Array, config: Config) -> Array:
        transposed = name.endswith(("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight"))
        return tensor.T if transposed else tensor  # Conv1D keeps (in, out)

    def more(self, config: Config) -> dict[str, Array]:
        return {}


class Llama:
    """Llama 1 to 3, and what has its shape (SmolLM2)."""

    kind = MODEL_ARCH.LLAMA

    def layers(self, config: Config) -> int:
        return int(config["num_hidden_layers"])

    def oddities(self, config: Config) -> Iterator[str]:
        if config.get("hidden_act", "silu") != "silu":
            yield f"hidden_act {config['hidden_act']}"
        rope = rope_of(config)
        if rope.kind not in ("default", "linear", "llama3"):
            yield f"rope_type {rope.kind}"
        if rope.settings.get("partial_rotary_factor", 1) != 1:
            yield "partial_rotary_factor"

    def describe(self, writer: GGUFWriter, config: Config) -> None:
        describe_decoder(writer, config, 10_000.0)
        writer.add_rope_dimension_count(head_size(config))

    def lay_out(self, name: str, tensor: Array, config: Config) -> Array:
        heads = config["num_attention_heads"]
        if ".k_proj." in name:
            heads = config.get("num_key_value_heads") or heads
        elif ".q_proj." not in name:
            return tensor
        # llama.cpp rotates neighbours, transformers the halves of a head.
        halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
        return halves.swapaxes(1, 2).reshape(tensor.shape)

    def more(self, config: Config) -> dict[str, Array]:
        rope = rope_of(config)
        if rope.kind != "llama3":
            return {}
        return {"rope_freqs.weight": _llama3_factors(rope, head_size(config))}


class Gemma3:
    """The text models of Gemma 3."""

    kind = MODEL_ARCH.GEMMA3

    def layers(self, config: Config) -> int:
        return int(config["num_hidden_layers"])

    def oddities(self, config: Config) -> Iterator[str]:
        activation = config.get("hidden_activation", "gelu_pytorch_tanh")
        if activation not in TANH_GELU:
            yield f"hidden_activation {activation}"
        if config.get("query_pre_attn_scalar", 256) != config.get("head_dim", 256):
            yield "query_pre_attn_scalar"
        for key in ("attn_logit_softcapping", "use_bidirectional_attention", "attention_bias"):
            if config.get(key):
                yield key
        if rope_of(config, "full_attention").kind not in ("default", "linear"):
            yield f"rope_type {rope_of(config, 'full_attention').kind}"
        if rope_of(config, "sliding_attention").kind != "default":
            yield "rope_type of the sliding layers"

    def describe(self, writer: GGUFWriter, config: Config) -> None:
        describe_decoder(writer, config, 1_000_000.0)
        local = rope_of(config, "sliding_attention").base or config.get("rope_local_base_freq", 10_000.0)
        writer.add_rope_freq_base_swa(local)
        writer.add_sliding_window(config["sliding_window"])
        kinds = config.get("layer_types")
        if kinds is None:
            every = config.get("sliding_window_pattern", 6)
            slides = [bool((at + 1) % every) for at in range(self.layers(config))]
        else:
            slides = [kind == "sliding_attention" for kind in kinds]
        writer.add_sliding_window_pattern(slides)
        if cap := config.get("final_logit_softcapping"):
            writer.add_final_logit_softcapping(cap)

    def lay_out(self, name: str, tensor: Array, config: Config) -> Array:
        return tensor + np.float32(1) if name.endswith("norm.weight") else tensor  # x · (1 + weight)

    def more(self, config: Config) -> dict[str, Array]:
        return {}


ARCHITECTURES: Mapping[str, Architecture] = {"gpt2": GPT2(), "llama": Llama(), "gemma3_text": Gemma3()}
"""By `model_type` of config.json."""


def architecture_of(name: str, config: Config) -> Architecture:
    """The architecture of a model; raises ModelError for one that cannot be written, and says which can."""
    kind = config.get("model_type")
    found = ARCHITECTURES.get(str(kind))
    if found is None:
        possible = ", ".join(sorted(ARCHITECTURES))
        raise ModelError(f"{name}: a {kind} model cannot be written as GGUF, only {possible}. {OTHER_ENGINE}")
    if config.get("auto_map"):
        raise ModelError(f"{name}: it comes with Python code of its own, which llama.cpp cannot run. {OTHER_ENGINE}")
    if odd := next(found.oddities(config), None):
        raise ModelError(f"{name}: llama.cpp has no {kind} model with {odd}. {OTHER_ENGINE}")
    return found


class Rope(NamedTuple):
    """Rotary position embeddings, as config.json describes them."""

    kind: str
    base: float | None
    settings: Mapping[str, Any]


def rope_of(config: Config, layers: str = "full_attention") -> Rope:
    """The rotary embedding of one kind of layers; transformers 5 writes `rope_parameters`, earlier ones three keys."""
    found = config.get("rope_parameters")
    if isinstance(found, Mapping):
        found = found.get(layers, found)
    elif layers == "full_attention":
        found = {**(config.get("rope_scaling") or {}), "rope_theta": config.get("rope_theta")}
    else:
        found = {"rope_theta": config.get("rope_local_base_freq")}
    kind = found.get("rope_type") or found.get("type") or "default"
    return Rope(str(kind), found.get("rope_theta"), found)


def head_size(config: Config) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def describe_decoder(writer: GGUFWriter, config: Config, base: float) -> None:
    """Write what all decoders with rotary embeddings and RMS norms have; `base` is the frequency base by default."""
    heads, rope = config["num_attention_heads"], rope_of(config)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.get("num_key_value_heads") or heads)
    writer.add_key_length(head_size(config))
    writer.add_value_length(head_size(config))
    writer.add_layer_norm_rms_eps(config.get("rms_norm_eps", 1e-6))
    writer.add_rope_freq_base(rope.base or base)
    if rope.kind == "linear":
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope.settings["factor"])


def _llama3_factors(rope: Rope, size: int) -> Array:
    """What Llama 3.1 divides each frequency by (https://arxiv.org/abs/2407.21783, and its reference code): 1 for short
    waves, `factor` for those longer than the original context, and between the two a blend."""
    factor, low, high = (rope.settings[key] for key in ("factor", "low_freq_factor", "high_freq_factor"))
    context = rope.settings["original_max_position_embeddings"]
    waves = 2 * math.pi * (rope.base or 10_000.0) ** (np.arange(0, size, 2, dtype=np.float64) / size)
    blend = np.clip((context / waves - low) / (high - low), 0, 1)
    return np.asarray(1 / ((1 - blend) / factor + blend), dtype=np.float32)
