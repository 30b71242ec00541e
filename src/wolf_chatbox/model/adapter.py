"""LoRA adapters: whose weights they add to, and both together as one model."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wolf_chatbox.errors import ModelError, Setting
from wolf_chatbox.model.hub import ADAPTER_FILE, DOWNLOAD_AGAIN, cached, fetch, first_line, hub_name, locate
from wolf_chatbox.visible import Tell

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def is_adapter(folder: Path) -> bool:
    return (folder / ADAPTER_FILE).is_file()


def with_base(
    name: str,
    folder: Path,
    load: Callable[[str, Path], PreTrainedModel],
    tell: Tell,
    *,
    allow_base: bool,
    above: tuple[Path, ...] = (),
) -> PreTrainedModel:
    """Load the base model of an adapter, which may be an adapter itself, and add the adapter's weights to its own.

    `load` loads a full model by name and folder; `above` are the adapters that stand on this one. Raises ModelError.
    """
    if folder.resolve() in above:
        raise ModelError(f"{name}: a LoRA adapter that names itself as its base model. {DOWNLOAD_AGAIN}")
    base = _base_name(name, folder)
    try:
        place = _locate_base(name, base, allow_base, tell)
        if is_adapter(place):
            model = with_base(base, place, load, tell, allow_base=allow_base, above=(*above, folder.resolve()))
        else:
            model = load(base, place)
    except ModelError as error:
        raise ModelError(f"{name}: a LoRA adapter whose base model cannot be loaded: ", *error.args) from error
    return _merged(name, folder, model)


def foundations(name: str, folder: Path, tell: Tell, *, allow_base: bool = False) -> list[Path]:
    """The folders that a model's weights come from: its own, and for an adapter those of the models it stands on.

    The last one is a full model. Raises ModelError when a base model cannot be found.
    """
    folders = [folder]
    while is_adapter(folders[-1]):
        base = _locate_base(name, _base_name(name, folders[-1]), allow_base, tell)
        if base.resolve() in {above.resolve() for above in folders}:
            raise ModelError(f"{name}: a LoRA adapter that names itself as its base model. {DOWNLOAD_AGAIN}")
        folders.append(base)
    return folders


def write_base_name(folder: Path, name: str) -> None:
    """Write into an adapter's folder which base model it belongs to, by a name that `load_model` understands."""
    path = folder / ADAPTER_FILE
    settings = json.loads(path.read_text(encoding="utf-8"))
    here = Path(os.path.expanduser(name))
    settings["base_model_name_or_path"] = str(here.resolve()) if here.is_dir() else hub_name(name) or name
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _base_name(name: str, folder: Path) -> str:
    """Read which base model an adapter belongs to; raise ModelError when its file does not say."""
    try:
        base = json.loads((folder / ADAPTER_FILE).read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{name}: {ADAPTER_FILE} is damaged ({first_line(error)}). {DOWNLOAD_AGAIN}") from error
    if not isinstance(base, str) or not base.strip():
        raise ModelError(f"{name}: {ADAPTER_FILE} is damaged (base_model_name_or_path is no name). {DOWNLOAD_AGAIN}")
    return base


def _locate_base(adapter: str, base: str, allowed: bool, tell: Tell) -> Path:
    """Return the folder of an adapter's base model.

    A stranger's adapter does not choose what is downloaded from the hub, unless that is allowed.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    wanted = hub_name(base)
    if wanted is None:
        return locate(base, tell)
    try:
        return cached(wanted)
    except HFValidationError as error:
        raise ModelError(f"{base}: not a model's name. {DOWNLOAD_AGAIN}") from error
    except LocalEntryNotFoundError as error:
        if not allowed and not constants.is_offline_mode():
            problem = "not on this machine, and an adapter may not make us download it. If you trust it, pass "
            raise ModelError(f"{base}: {problem}", Setting("allow_base"), ".") from error
    if not constants.is_offline_mode():
        tell(f"downloading {base} from the hub, the base model that {adapter} names")
    return fetch(wanted, tell)


def _merged(name: str, folder: Path, base: PreTrainedModel) -> PreTrainedModel:
    """The base model with the adapter's weights merged into its own."""
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # By its whole path: peft would look on the hub for what is not in a folder with such a name as some/model.
            merged: Any = PeftModel.from_pretrained(base, str(folder.resolve())).merge_and_unload()
    except Exception as error:  # safetensors, pickle, shapes: damaged in as many ways as there are formats
        raise ModelError(f"{name}: cannot load the adapter ({first_line(error)}). {DOWNLOAD_AGAIN}") from error
    if not all(bool(weights.isfinite().all()) for weights in merged.parameters()):
        raise ModelError(f"{name}: the adapter makes weights NaN or infinite. {DOWNLOAD_AGAIN}")
    model: PreTrainedModel = merged.requires_grad_(True)
    return model
