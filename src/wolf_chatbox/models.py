"""Find and load a base model: a hub name, a folder, or an alias."""

from __future__ import annotations

import errno
import fnmatch
import json
import os
import pickle
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from wolf_chatbox import embedded
from wolf_chatbox.errors import ModelError, Setting
from wolf_chatbox.visible import behind

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

ALIASES = {
    "dialogpt-small": "microsoft/DialoGPT-small",
    "dialogpt-medium": "microsoft/DialoGPT-medium",
    "dialogpt-large": "microsoft/DialoGPT-large",
    "gpt2": "openai-community/gpt2",
    "gpt2-medium": "openai-community/gpt2-medium",
    "gpt2-large": "openai-community/gpt2-large",
    "gpt2-xl": "openai-community/gpt2-xl",
    "distilgpt2": "distilbert/distilgpt2",
    "japanese-gpt2-small": "rinna/japanese-gpt2-small",
    "japanese-gpt2-medium": "rinna/japanese-gpt2-medium",
}
"""Short names of hub models; `smollm2-135m` is the embedded one."""

PARAMETERS = {
    "dialogpt-small": "124M",
    "dialogpt-medium": "355M",
    "dialogpt-large": "774M",
    "gpt2": "124M",
    "gpt2-medium": "355M",
    "gpt2-large": "774M",
    "gpt2-xl": "1.6B",
    "distilgpt2": "82M",
    "japanese-gpt2-small": "110M",
    "japanese-gpt2-medium": "336M",
    embedded.ALIAS: "135M",
}

REMEDY = f"Check the network, name a model's folder, or use the embedded model: {embedded.ALIAS}."
NEEDED = ["*.json", "*.txt", "*.model", "*.jinja", "*.py"]
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
ADAPTER_FILE = "adapter_config.json"
FEWEST_ENTRIES = 16
MOST_LAYERS = 1000
INCOMPLETE = "Fetch the model again, whole."
TIMEOUT = 10.0


@dataclass(frozen=True)
class BaseModel:
    name: str
    folder: Path
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def load(
    name: str,
    *,
    dtype: torch.dtype | None = None,
    trust_remote_code: bool = False,
    allow_base: bool = False,
    tell: embedded.Tell = lambda text: None,
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
            model = build(base, _locate_base(name, base, allow_base, tell), (*adapters, folder.resolve()))
        except ModelError as error:
            raise ModelError(f"{name}: a LoRA adapter, and its base model cannot be loaded: ", *error.args) from error
        return _with_adapter(name, folder, model)

    model = build(name, folder)
    tokenizer = load_tokenizer(name, folder, trust_remote_code)
    embedding: Any = model.get_input_embeddings()
    entries = embedding.weight.shape[0]
    if len(tokenizer) > entries:
        raise ModelError(f"{name}: its tokenizer has {len(tokenizer):,} entries and the model {entries:,}. They do not belong together.")
    try:
        with torch.inference_mode():
            model(input_ids=torch.zeros(1, 1, dtype=torch.long))
    except Exception as error:  # what its config.json asks for shows only here
        raise _unusable(name, "does not compute", error) from error
    return BaseModel(name, folder, model, tokenizer)


def locate(name: str, tell: embedded.Tell = lambda text: None) -> Path:
    """The local folder of a model, fetched if need be.

    A folder of that name comes first, then the aliases, then the hub. Raises ModelError when it is nowhere.
    """
    if (hub_name := _hub_name(name)) is not None:
        return _fetch(hub_name, tell)
    path = Path(os.path.expanduser(name))
    if path.is_dir() and any((path / each).is_file() for each in ("config.json", ADAPTER_FILE)):
        return path
    if name.lower() == embedded.ALIAS:
        return embedded.pull(tell)
    if path.is_dir():
        raise ModelError(f"{name}: no config.json in this folder, so no model. Name the folder that holds config.json and the weights.")
    raise ModelError(f"{name}: there is no such folder. Check the path, or name a hub model or an alias (wolf-chatbox models list).")


def _hub_name(name: str) -> str | None:
    """What the hub calls a model; None for a folder, the embedded model, and what can only be a path."""
    path = Path(os.path.expanduser(name))
    is_path = name.startswith((".", "/", "~")) or path.is_absolute() or name.count("/") > 1 or "\\" in name or path.exists()
    if is_path or name.lower() == embedded.ALIAS:
        return None
    return ALIASES.get(name.lower(), name)


def _fetch(name: str, tell: embedded.Tell) -> Path:
    """Download what is needed of a hub repository into the hub's own cache, which HF_HOME, HF_ENDPOINT and HF_TOKEN govern."""
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,  # that of httpx or httpx2, whichever this version of the hub's library is built on
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        if constants.is_offline_mode():
            return _cached(name)
        try:
            names = [file.rfilename for file in HfApi().model_info(name, timeout=TIMEOUT).siblings or ()]
        except HTTPError as error:
            if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
                raise
            return _cached(name)
        kind = next((pattern for pattern in WEIGHTS if fnmatch.filter(names, pattern)), None)
        if kind is None:
            raise ModelError(f"{name}: no PyTorch weights in it (model.safetensors or pytorch_model.bin). Use another model.")
        wanted = [*NEEDED, kind]
        size = sum(file.file_size or 0 for file in snapshot_download(name, allow_patterns=wanted, dry_run=True) if file.will_download)
        if size:
            tell(f"fetching {name} ({megabytes(size)}) from the hub")
        return Path(snapshot_download(name, allow_patterns=wanted, tqdm_class=_bar()))
    except GatedRepoError as error:
        raise ModelError(f"{name}: a gated model. Accept its terms on the hub, then set HF_TOKEN to a token that may read it.") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelError(
            f"{name}: no such model on the hub, and no such folder. Check the name (wolf-chatbox models list); a private one needs HF_TOKEN."
        ) from error
    except LocalEntryNotFoundError as error:
        why = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else "the hub cannot be reached"
        raise ModelError(f"{name}: {why} and it is not in the cache. {REMEDY}") from error
    except HTTPError as error:
        if isinstance(error, HfHubHTTPError) and error.response.status_code == 401:
            raise ModelError(f"{name}: the hub refuses HF_TOKEN. Set it to a valid token, or unset it.") from error
        raise ModelError(f"{name}: the hub did not deliver it ({_first_line(error)}). Try again later. {REMEDY}") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ModelError(f"{name}: the disk is full. Free some space, or set HF_HOME to another disk.") from error
        raise ModelError(f"{name}: cannot be fetched ({_first_line(error)}). {REMEDY}") from error


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e6:.1f} MB"


def _bar() -> Any:
    """The hub's progress bar on the stream itself: it writes control codes of its own, and no text of others."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class Bar(tqdm):
        def __init__(self, *values: Any, **settings: Any) -> None:
            super().__init__(*values, **{"file": behind(sys.stderr)} | settings)  # type: ignore[no-untyped-call]

    return Bar


def _cached(name: str) -> Path:
    """The folder that an earlier download left in the hub's cache; raises LocalEntryNotFoundError when it is not whole."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for kind in WEIGHTS:
        folder = Path(snapshot_download(name, allow_patterns=[*NEEDED, kind], local_files_only=True))
        if any(folder.glob(kind)):
            return folder
    raise LocalEntryNotFoundError(f"no weights in {folder}")


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
            folder, dtype=dtype, trust_remote_code=trust_remote_code, local_files_only=not trust_remote_code, output_loading_info=True
        )
    except pickle.UnpicklingError as error:
        raise ModelError(f"{name}: its weights are damaged, or a pickle with code in it, which is never run. {INCOMPLETE}") from error
    except Exception as error:  # whoever wrote the folder chose what goes wrong
        if "AutoModelForCausalLM" in str(error):
            raise ModelError(f"{name}: not a causal language model. Use one that continues text, such as GPT-2, DialoGPT or Llama.") from error
        if "ignore_mismatched_sizes" in str(error):
            raise ModelError(f"{name}: its weights have other shapes than its config.json says. {INCOMPLETE}") from error
        if type(error).__name__ == "SafetensorError":
            raise ModelError(f"{name}: its weights are damaged ({_first_line(error)}). {INCOMPLETE}") from error
        raise _unusable(name, "cannot be loaded", error) from error
    if missing := sorted(report["missing_keys"]):
        raise ModelError(f"{name}: weights are missing ({len(missing)} of those that config.json asks for, such as {missing[0]}). {INCOMPLETE}")
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
        raise ModelError(f"{name}: its {ADAPTER_FILE} is damaged ({_first_line(error)}). {INCOMPLETE}") from error
    if not isinstance(base, str) or not base.strip():
        raise ModelError(f"{name}: its {ADAPTER_FILE} is damaged (base_model_name_or_path is no name). {INCOMPLETE}")
    return base


def _locate_base(adapter: str, base: str, allowed: bool, tell: embedded.Tell) -> Path:
    """The folder of an adapter's base; a stranger's adapter does not choose what is asked of the hub, unless that is allowed."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    hub_name = _hub_name(base)
    if hub_name is None:
        return locate(base, tell)
    try:
        return _cached(hub_name)
    except HFValidationError as error:
        raise ModelError(f"{base}: no name of a model. {INCOMPLETE}") from error
    except LocalEntryNotFoundError as error:
        if not allowed and not constants.is_offline_mode():
            raise ModelError(
                f"{base}: not on this machine, and the hub is not asked for what an adapter names. If you trust it, pass ",
                Setting("allow_base"),
                ".",
            ) from error
    if not constants.is_offline_mode():
        tell(f"fetching {base} from the hub, the base model that {adapter} names")
    return _fetch(hub_name, tell)


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
        raise ModelError(f"{name}: its weights hold NaN or infinity ({len(bad)} of its tensors, such as {bad[0]}). {INCOMPLETE}")


def is_cached(alias: str) -> bool:
    """True when a model of the list is on this machine already."""
    if alias == embedded.ALIAS:
        return embedded.is_ready()
    from huggingface_hub.constants import HF_HUB_CACHE

    snapshots = Path(os.environ.get("HF_HUB_CACHE", HF_HUB_CACHE)) / f"models--{ALIASES[alias].replace('/', '--')}" / "snapshots"
    return any(snapshots.glob("*/config.json"))


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")[:400]


def _unusable(name: str, problem: str, error: BaseException) -> ModelError:
    if "trust_remote_code" in str(error):
        trust = Setting("trust_remote_code")
        return ModelError(f"{name}: it brings Python code of its own, which was not run. If you trust its author, pass ", trust, ".")
    return ModelError(f"{name}: {problem} ({_first_line(error)}). {INCOMPLETE}")
