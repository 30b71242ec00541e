"""Load a base model: its weights, its tokenizer, and a check that both work together."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.adapter import is_adapter, with_base
from wolf_chatbox.model.compat import computes_bf16_on_cpu, gelu_of_gpt2, tells_of_shapes
from wolf_chatbox.model.hub import CONFIG_FILE, DOWNLOAD_AGAIN, first_line, locate
from wolf_chatbox.model.tokenizer import check_trust, load_tokenizer
from wolf_chatbox.visible import Tell

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

MOST_LAYERS = 1000
CONTEXT_NAMES = ("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len")
"""What model families call their context length."""


@dataclass(frozen=True)
class BaseModel:
    name: str
    folder: Path
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def load_model(
    name: str,
    *,
    dtype: torch.dtype | None = None,
    trust_remote_code: bool = False,
    allow_base: bool = False,
    tell: Tell = lambda text: None,
) -> BaseModel:
    """Load a causal language model with its tokenizer; weights in `dtype`, fp32 by default.

    Code that comes with it runs only if trusted; the base model that an adapter names is downloaded from the hub only
    if that is allowed. Raises ModelError when the model cannot be found, downloaded or used.
    """
    import torch

    folder = locate(name, tell)

    def load(name: str, folder: Path) -> PreTrainedModel:
        return _load_weights(name, folder, dtype or torch.float32, trust_remote_code)

    model = with_base(name, folder, load, tell, allow_base=allow_base) if is_adapter(folder) else load(name, folder)
    _fuse_gelu(model)
    tokenizer = load_tokenizer(name, folder, trust_remote_code)
    _check_together(name, model, tokenizer)
    return BaseModel(name, folder, model, tokenizer)


def _load_weights(name: str, folder: Path, dtype: torch.dtype, trust_remote_code: bool) -> PreTrainedModel:
    from transformers import AutoModelForCausalLM

    check_trust(name, folder, CONFIG_FILE, "AutoModelForCausalLM", trust_remote_code)
    _check_config(name, folder, trust_remote_code)
    model: PreTrainedModel
    report: dict[str, Any]
    try:
        model, report = AutoModelForCausalLM.from_pretrained(  # type: ignore[misc]
            folder,
            dtype=dtype,
            trust_remote_code=trust_remote_code,
            local_files_only=not trust_remote_code,
            output_loading_info=True,
        )
    except pickle.UnpicklingError as error:
        problem = "the weights are damaged, or a pickle with code in it, which is never run"
        raise ModelError(f"{name}: {problem}. {DOWNLOAD_AGAIN}") from error
    except SafetensorError as error:
        raise ModelError(f"{name}: the weights are damaged ({first_line(error)}). {DOWNLOAD_AGAIN}") from error
    except RuntimeError as error:
        if not tells_of_shapes(error):
            raise _unusable(name, error) from error
        problem = f"the weights have other shapes than {CONFIG_FILE} says"
        raise ModelError(f"{name}: {problem}. {DOWNLOAD_AGAIN}") from error
    except Exception as error:  # whoever wrote the folder chose what goes wrong
        raise _unusable(name, error) from error
    if missing := sorted(report["missing_keys"]):
        problem = f"{len(missing)} weights are missing that {CONFIG_FILE} asks for, such as {missing[0]}"
        raise ModelError(f"{name}: {problem}. {DOWNLOAD_AGAIN}")
    return model


def _unusable(name: str, error: Exception) -> ModelError:
    return ModelError(f"{name}: cannot be loaded ({first_line(error)}). {DOWNLOAD_AGAIN}")


def _check_config(name: str, folder: Path, trust_remote_code: bool) -> None:
    """Raise ModelError for a model that is no causal one, or has more layers than any model has.

    Each layer takes time to build, whatever the weights hold.
    """
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig

    try:
        settings = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        counts = {key: settings[key] for key in ("n_layer", "num_hidden_layers", "num_layers") if key in settings}
    except (OSError, ValueError, TypeError, RecursionError):
        return  # transformers tells what is wrong with it
    for key, layers in counts.items():
        if not isinstance(layers, int) or layers > MOST_LAYERS:
            raise ModelError(f"{name}: {CONFIG_FILE} is damaged ({key} is {str(layers)[:40]}). {DOWNLOAD_AGAIN}")
    if "AutoModelForCausalLM" in (settings.get("auto_map") or {}):
        return  # its own code makes a causal model of it
    try:
        config = AutoConfig.from_pretrained(
            folder, trust_remote_code=trust_remote_code, local_files_only=not trust_remote_code
        )
    except Exception:  # transformers tells it again, when the model is loaded
        return
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise ModelError(
            f"{name}: not a causal language model. Use one that continues text, such as GPT-2, DialoGPT or Llama."
        )


def _check_together(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Raise ModelError when the tokenizer has more ids than the model embeddings, or the model does not compute."""
    import torch

    embedding: Any = model.get_input_embeddings()
    entries = embedding.weight.shape[0]
    if len(tokenizer) > entries:
        counts = f"the tokenizer has {len(tokenizer):,} entries and the model {entries:,}"
        raise ModelError(f"{name}: {counts}. {DOWNLOAD_AGAIN}")
    try:
        with torch.inference_mode():
            model(input_ids=torch.zeros(1, 1, dtype=torch.long))
    except Exception as error:  # what config.json asks for shows only here
        raise ModelError(f"{name}: does not compute ({first_line(error)}). {DOWNLOAD_AGAIN}") from error


def check_finite(name: str, model: PreTrainedModel) -> None:
    """Raise ModelError when a weight is NaN or infinite: training cannot start from there."""
    bad = [parameter for parameter, weights in model.named_parameters() if not weights.isfinite().all()]
    if bad:
        raise ModelError(f"{name}: NaN or infinite weights in {len(bad)} tensors, such as {bad[0]}. {DOWNLOAD_AGAIN}")


def _fuse_gelu(model: PreTrainedModel) -> None:
    """GPT-2's GELU as one kernel instead of eight; the same function (Hendrycks & Gimpel 2016, the tanh form)."""
    from torch import nn

    slow = gelu_of_gpt2()
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, slow):
                setattr(module, name, nn.GELU(approximate="tanh"))


def inference_dtype(device: str) -> torch.dtype:
    """The type to talk in: bf16 where the hardware computes in it, which halves the memory traffic of each token."""
    import torch

    fast = {"cuda": torch.cuda.is_bf16_supported, "cpu": computes_bf16_on_cpu}.get(device)
    return torch.bfloat16 if fast is not None and fast() else torch.float32


def context_of(config: PreTrainedConfig) -> int:
    """The context length: how many tokens a model can attend to at once."""
    text = config.get_text_config()
    for name in CONTEXT_NAMES:
        value = getattr(text, name, None)
        if isinstance(value, int) and value > 0:
            return value
    return 1024


def count_parameters(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
