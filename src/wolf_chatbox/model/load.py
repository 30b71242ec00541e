"""Find and load a base model: a hub name, a folder, or an alias."""

from __future__ import annotations

import json
import os
import pickle
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from wolf_chatbox.errors import ModelError, Setting
from wolf_chatbox.model.hub import ADAPTER_FILE, ALIASES, INCOMPLETE, first_line, locate, locate_base
from wolf_chatbox.visible import Tell

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


FEWEST_ENTRIES = 16
MOST_LAYERS = 1000


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

    Code that comes with it runs only if trusted; the base that an adapter names is fetched from the hub only if that is
    allowed. Raises ModelError when it cannot be found, fetched or used.
    """
    import torch

    folder = locate(name, tell)

    def build(name: str, folder: Path, adapters: tuple[Path, ...] = ()) -> PreTrainedModel:
        if not (folder / ADAPTER_FILE).is_file():
            return _load_model(name, folder, dtype or torch.float32, trust_remote_code)
        if folder.resolve() in adapters:
            raise ModelError(f"{name}: an adapter on itself, so no model. {INCOMPLETE}")
        base = _base_of(name, folder)
        try:
            model = build(base, locate_base(name, base, allow_base, tell), (*adapters, folder.resolve()))
        except ModelError as error:
            raise ModelError(f"{name}: a LoRA adapter, and its base model cannot be loaded: ", *error.args) from error
        return _with_adapter(name, folder, model)

    model = build(name, folder)
    tokenizer = load_tokenizer(name, folder, trust_remote_code)
    embedding: Any = model.get_input_embeddings()
    entries = embedding.weight.shape[0]
    if len(tokenizer) > entries:
        raise ModelError(
            f"{name}: its tokenizer has {len(tokenizer):,} entries and the model {entries:,}. They do not belong together."
        )
    try:
        with torch.inference_mode():
            model(input_ids=torch.zeros(1, 1, dtype=torch.long))
    except Exception as error:  # what its config.json asks for shows only here
        raise _unusable(name, "does not compute", error) from error
    return BaseModel(name, folder, model, tokenizer)


def load_tokenizer(name: str, folder: Path, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer in a model's folder; raises ModelError when there is none that works."""
    from transformers import AutoTokenizer

    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=trust_remote_code, local_files_only=not trust_remote_code
        )
        if type(tokenizer).__name__ == "T5Tokenizer":
            tokenizer = _from_sentencepiece(folder, tokenizer)
    except Exception as error:  # the tokenizers library raises no class of its own
        raise _unusable(name, "its tokenizer cannot be loaded", error) from error
    # Where its files are missing, transformers makes one up of nothing but the marks.
    if len(tokenizer) < FEWEST_ENTRIES:
        raise ModelError(f"{name}: no tokenizer files (tokenizer.json, or vocab.json and merges.txt). {INCOMPLETE}")
    tokenizer.model_max_length = 10**9  # samples are cut to the row; transformers need not warn of it
    return tokenizer


def _from_sentencepiece(folder: Path, loaded: PreTrainedTokenizerBase) -> Any:
    """The tokenizer that a sentencepiece file describes, as of rinna/japanese-gpt2.

    Such folders name T5Tokenizer, which assumes T5's own order of marks: it turns an unknown character into rinna's end mark.
    """
    from tokenizers import Regex, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import SpmConverter

    if (folder / "tokenizer.json").is_file():
        return PreTrainedTokenizerFast.from_pretrained(folder)
    source = SimpleNamespace(vocab_file=str(folder / "spiece.model"))
    converter = SpmConverter(source)  # type: ignore[no-untyped-call]
    source.add_prefix_space = converter.proto.normalizer_spec.add_dummy_prefix
    tokenizer = converter.converted()
    if loaded.init_kwargs.get("do_lower_case"):
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), tokenizer.normalizer])
    # Sentencepiece never reads a mark in a text; the Unigram model would, were its first character not cut off.
    marks = {piece.piece for piece in converter.proto.pieces if piece.type in (2, 3)} | set(loaded.all_special_tokens)
    cut = Regex("|".join(f"{re.escape(mark[0])}(?={re.escape(mark[1:])})" for mark in sorted(marks)))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([tokenizer.pre_tokenizer, pre_tokenizers.Split(cut, "isolated")])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **loaded.special_tokens_map)  # type: ignore[no-untyped-call]


def _load_model(name: str, folder: Path, dtype: torch.dtype, trust_remote_code: bool) -> PreTrainedModel:
    from transformers import AutoModelForCausalLM

    model: PreTrainedModel
    report: dict[str, Any]
    _check_layers(name, folder)
    try:
        model, report = AutoModelForCausalLM.from_pretrained(  # type: ignore[misc]
            folder,
            dtype=dtype,
            trust_remote_code=trust_remote_code,
            local_files_only=not trust_remote_code,
            output_loading_info=True,
        )
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{name}: its weights are damaged, or a pickle with code in it, which is never run. {INCOMPLETE}"
        ) from error
    except Exception as error:  # whoever wrote the folder chose what goes wrong
        if "AutoModelForCausalLM" in str(error):
            raise ModelError(
                f"{name}: not a causal language model. Use one that continues text, such as GPT-2, DialoGPT or Llama."
            ) from error
        if "ignore_mismatched_sizes" in str(error):
            raise ModelError(
                f"{name}: its weights have other shapes than its config.json says. {INCOMPLETE}"
            ) from error
        if type(error).__name__ == "SafetensorError":
            raise ModelError(f"{name}: its weights are damaged ({first_line(error)}). {INCOMPLETE}") from error
        raise _unusable(name, "cannot be loaded", error) from error
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"{name}: weights are missing ({len(missing)} of those that config.json asks for, such as {missing[0]}). {INCOMPLETE}"
        )
    _fuse_gelu(model)
    return model


def _check_layers(name: str, folder: Path) -> None:
    """Raise ModelError before more layers are built than any model has: each takes time, whatever the weights hold."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        wrong = {key: config[key] for key in ("n_layer", "num_hidden_layers", "num_layers") if key in config}
    except (OSError, ValueError, TypeError, RecursionError):
        return  # transformers tells what is wrong with it
    for key, layers in wrong.items():
        if not isinstance(layers, int) or layers > MOST_LAYERS:
            raise ModelError(f"{name}: its config.json is damaged ({key} is {str(layers)[:40]}). {INCOMPLETE}")


def name_base(folder: Path, name: str) -> None:
    """Write into an adapter's folder which model it belongs to, by a name that `load` understands."""
    path = folder / ADAPTER_FILE
    settings = json.loads(path.read_text(encoding="utf-8"))
    here = Path(os.path.expanduser(name))
    settings["base_model_name_or_path"] = str(here.resolve()) if here.is_dir() else ALIASES.get(name.lower(), name)
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _base_of(name: str, folder: Path) -> str:
    """What an adapter's folder says that it belongs to; raises ModelError when it says no name."""
    try:
        base = json.loads((folder / ADAPTER_FILE).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{name}: its {ADAPTER_FILE} is damaged ({first_line(error)}). {INCOMPLETE}") from error
    if not isinstance(base, str) or not base.strip():
        raise ModelError(f"{name}: its {ADAPTER_FILE} is damaged (base_model_name_or_path is no name). {INCOMPLETE}")
    return base


def _with_adapter(name: str, folder: Path, base: PreTrainedModel) -> PreTrainedModel:
    """The base model of an adapter with the adapter's weights merged into its own."""
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # By its whole path: peft would look on the hub for what is not in a folder with such a name as some/model.
            merged: Any = PeftModel.from_pretrained(base, str(folder.resolve())).merge_and_unload()
    except Exception as error:  # safetensors, pickle, shapes: damaged in as many ways as there are formats
        raise _unusable(name, "its adapter cannot be loaded", error) from error
    if not all(bool(each.isfinite().all()) for each in merged.parameters()):
        raise ModelError(f"{name}: its adapter makes the weights infinite or no numbers. {INCOMPLETE}")
    model: PreTrainedModel = merged.requires_grad_(True)
    _fuse_gelu(model)
    return model


def _fuse_gelu(model: PreTrainedModel) -> None:
    """GPT-2's GELU as one kernel instead of eight; the same function (Hendrycks & Gimpel 2016, the tanh form)."""
    from torch import nn
    from transformers.activations import NewGELUActivation

    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, nn.GELU(approximate="tanh"))


def inference_dtype(device: str) -> torch.dtype:
    """The type to talk in: bf16 where the hardware computes in it, which halves the memory traffic of each token."""
    import torch

    fast = {"cuda": torch.cuda.is_bf16_supported, "cpu": computes_bf16_on_cpu}.get(device)
    return torch.bfloat16 if fast is not None and fast() else torch.float32


def computes_bf16_on_cpu() -> bool:
    import torch

    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def context_of(config: PreTrainedConfig) -> int:
    """Tokens that a model can attend to at once."""
    text = config.get_text_config()
    for field in ("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len"):
        value = getattr(text, field, None)
        if isinstance(value, int) and value > 0:
            return value
    return 1024


def pad_id(tokenizer: Any) -> int:
    """Any id does for padding: what is learnt is told by the mask, never by an id."""
    return int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0)


def count_parameters(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def check_finite(name: str, model: PreTrainedModel) -> None:
    """Raise ModelError when a weight is no finite number: nothing can be learnt from there."""
    bad = [each for each, weights in model.named_parameters() if not weights.isfinite().all()]
    if bad:
        raise ModelError(
            f"{name}: its weights hold NaN or infinity ({len(bad)} of its tensors, such as {bad[0]}). {INCOMPLETE}"
        )


def _unusable(name: str, problem: str, error: BaseException) -> ModelError:
    if "trust_remote_code" in str(error):
        trust = Setting("trust_remote_code")
        return ModelError(
            f"{name}: it brings Python code of its own, which was not run. If you trust its author, pass ", trust, "."
        )
    return ModelError(f"{name}: {problem} ({first_line(error)}). {INCOMPLETE}")
