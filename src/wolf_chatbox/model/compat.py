"""Interfaces of torch, transformers and accelerate that they do not promise to keep, all in one place.

Each function names the version it was last seen to work with. When a library changes, look here first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import Tensor, nn
    from transformers import GenerationConfig, PreTrainedModel


# torch 2.13


def computes_bf16_on_cpu() -> bool:
    """Whether this CPU computes in bf16 (AVX-512 BF16 or AMX) instead of converting to fp32 and back."""
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def flash_attention_on_cpu(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> tuple[Any, Any]:
    """PyTorch's flash kernel for CPUs: what it attends to, and the log-sum-exp of each query's scores.

    Shapes: (batch, heads, tokens, size) and (batch, heads, tokens). `F.scaled_dot_product_attention` calls it, and
    keeps the second to itself.
    """
    import torch

    kernel: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    attended, log_sum = kernel(query, key, value, attn_mask=mask, scale=scale)
    return attended, log_sum


def flash_attention_on_cuda(
    query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, scale: float, window: int | None = None
) -> tuple[Any, Any, Any]:
    """PyTorch's causal flash kernel over samples of various lengths: the result, the log-sum-exp, the random state.

    Shapes: (tokens, heads, size) each, and (samples + 1,) for the ends. With `window` each token sees that many, itself
    among them. Seen with 2.11 as well, whose `varlen_attn`
    takes other settings than that of 2.13.
    """
    import torch

    kernel: Any = torch.ops.aten._flash_attention_forward
    attended, log_sum, state, *_ = kernel(
        query, key, value, ends, ends, longest, longest, 0.0, True, False, scale=scale, **_before(window)
    )
    return attended, log_sum, state


def _before(window: int | None) -> dict[str, int]:
    """A window as the flash kernels take it: so many tokens before a token's own, and none after it."""
    return {} if window is None else {"window_size_left": window - 1, "window_size_right": 0}


def flash_gradients_on_cuda(
    gradient: Tensor, *saved: Tensor, ends: Tensor, longest: int, scale: float, window: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of query, key and value, which add up in one order; `saved` as forward took and gave them.

    The kernel keeps to one order only while deterministic algorithms are asked for, of the whole process.
    """
    import torch

    query, key, value, attended, log_sum, state = saved
    kernel: Any = torch.ops.aten._flash_attention_backward
    asked, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fills = torch._C._get_deterministic_fill_uninitialized_memory()
    torch._C._set_deterministic_algorithms(True, warn_only=False)
    torch._C._set_deterministic_fill_uninitialized_memory(False)
    try:
        found: tuple[Tensor, Tensor, Tensor] = kernel(
            *(gradient, query, key, value, attended, log_sum, ends, ends, longest, longest, 0.0, True),
            *(state, query.new_empty(0)),
            scale=scale,
            **_before(window),
        )
    finally:
        torch._C._set_deterministic_algorithms(asked, warn_only=warns)
        torch._C._set_deterministic_fill_uninitialized_memory(fills)
    return found


# transformers 5.23


def attention_of(model: PreTrainedModel) -> str:
    """The name of the attention a model computes with, as `set_attn_implementation` takes it."""
    name: str = model.config._attn_implementation
    return name


def switch_attention(model: PreTrainedModel, name: str) -> None:
    """Let a model compute with another attention: `set_attn_implementation`, which walks through every module, takes
    longer than a token of a small model."""
    model.config._attn_implementation = name


def usual_attention(*states: Any, **settings: Any) -> Any:
    """The attention that models compute with by default, as their layers call it."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    return sdpa_attention_forward(*states, **settings)


def sentencepiece_converter(source: Any) -> Any:
    """Makes a fast tokenizer of the file `source.vocab_file`; its fields are those of transformers' slow tokenizers."""
    from transformers.convert_slow_tokenizer import SpmConverter

    return SpmConverter(source)  # type: ignore[no-untyped-call]


def checkpoint_activations(model: PreTrainedModel) -> None:
    """Keep the activations of no layer: each is computed again in the backward pass. Raises ValueError.

    It had another name up to transformers 5.17.
    """
    enable = getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
    enable({"use_reentrant": False})


def layers_of(model: PreTrainedModel) -> Any:
    """The class names of the modules that FSDP wraps one by one; accelerate reads `_no_split_modules`."""
    return model._no_split_modules


def keep_all_settings(generation: GenerationConfig) -> None:
    """Make transformers save and load every generation setting, also those it does not know itself."""
    generation._from_model_config = False


def gelu_of_gpt2() -> type[nn.Module]:
    """GPT-2's GELU, written out in eight operations."""
    from transformers.activations import NewGELUActivation

    return NewGELUActivation


def tells_of_shapes(error: RuntimeError) -> bool:
    """Whether a model failed to load because its weights have other shapes than its config says.

    The error has no class or field of its own, so its text is read. The setting that it names would put the shapes into
    the loading report, but fails itself where weights are tied.
    """
    return "ignore_mismatched_sizes" in str(error)


def without_quantization(model: PreTrainedModel) -> None:
    """Take the marks of a quantised file off a model whose weights are plain: they forbid saving and training it."""
    for mark in ("hf_quantizer", "quantization_method", "is_quantized"):
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


# accelerate 1.15


def reset_accelerator() -> None:
    """Forget the precision of an earlier run in this Python process; the processes stay connected."""
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state(reset_partial_state=False)


def start_tracker(accelerator: Accelerator, tracker: str, folder: str, settings: dict[str, Any]) -> None:
    """Begin to log to a tracker after the accelerator was made: its folder is the run's, and known only then."""
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    accelerator.log_with = [LOGGER_TYPE_TO_CLASS[tracker].name]
    accelerator.project_configuration.set_directories(folder)
    accelerator.init_trackers("wolf_chatbox", config=settings)
