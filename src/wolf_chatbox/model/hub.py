"""Find a base model: a folder, an alias, or the hub's name of one, which is fetched into the hub's own cache."""

from __future__ import annotations

import errno
import fnmatch
import os
import sys
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import ModelError, Setting
from wolf_chatbox.model import embedded
from wolf_chatbox.visible import Tell, behind

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
INCOMPLETE = "Fetch the model again, whole."
TIMEOUT = 10.0


def locate(name: str, tell: Tell = lambda text: None) -> Path:
    """The local folder of a model, fetched if need be.

    A folder of that name comes first, then the aliases, then the hub. Raises ModelError when it is nowhere.
    """
    if (hub_name := name_on_hub(name)) is not None:
        return fetch(hub_name, tell)
    path = Path(os.path.expanduser(name))
    if path.is_dir() and any((path / each).is_file() for each in ("config.json", ADAPTER_FILE)):
        return path
    if name.lower() == embedded.ALIAS:
        return embedded.pull(tell)
    if path.is_dir():
        raise ModelError(
            f"{name}: no config.json in this folder, so no model. Name the folder that holds config.json and the weights."
        )
    raise ModelError(
        f"{name}: there is no such folder. Check the path, or name a hub model or an alias (wolf-chatbox models list)."
    )


def name_on_hub(name: str) -> str | None:
    """What the hub calls a model; None for a folder, the embedded model, and what can only be a path."""
    path = Path(os.path.expanduser(name))
    is_path = (
        name.startswith((".", "/", "~")) or path.is_absolute() or name.count("/") > 1 or "\\" in name or path.exists()
    )
    if is_path or name.lower() == embedded.ALIAS:
        return None
    return ALIASES.get(name.lower(), name)


def fetch(name: str, tell: Tell) -> Path:
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
            return cached(name)
        try:
            names = [file.rfilename for file in HfApi().model_info(name, timeout=TIMEOUT).siblings or ()]
        except HTTPError as error:
            if isinstance(error, HfHubHTTPError) and error.response.status_code < 500:
                raise
            return cached(name)
        kind = next((pattern for pattern in WEIGHTS if fnmatch.filter(names, pattern)), None)
        if kind is None:
            raise ModelError(
                f"{name}: no PyTorch weights in it (model.safetensors or pytorch_model.bin). Use another model."
            )
        wanted = [*NEEDED, kind]
        size = sum(
            file.file_size or 0
            for file in snapshot_download(name, allow_patterns=wanted, dry_run=True)
            if file.will_download
        )
        if size:
            tell(f"fetching {name} ({megabytes(size)}) from the hub")
        return Path(snapshot_download(name, allow_patterns=wanted, tqdm_class=bar()))
    except GatedRepoError as error:
        raise ModelError(
            f"{name}: a gated model. Accept its terms on the hub, then set HF_TOKEN to a token that may read it."
        ) from error
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
        raise ModelError(
            f"{name}: the hub did not deliver it ({first_line(error)}). Try again later. {REMEDY}"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ModelError(f"{name}: the disk is full. Free some space, or set HF_HOME to another disk.") from error
        raise ModelError(f"{name}: cannot be fetched ({first_line(error)}). {REMEDY}") from error


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e6:.1f} MB"


def bar() -> Any:
    """The hub's progress bar on the stream itself: it writes control codes of its own, and no text of others."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class Bar(tqdm):
        def __init__(self, *values: Any, **settings: Any) -> None:
            super().__init__(*values, **{"file": behind(sys.stderr)} | settings)  # type: ignore[no-untyped-call]

    return Bar


def cached(name: str) -> Path:
    """The folder that an earlier download left in the hub's cache; raises LocalEntryNotFoundError when it is not whole."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for kind in WEIGHTS:
        folder = Path(snapshot_download(name, allow_patterns=[*NEEDED, kind], local_files_only=True))
        if any(folder.glob(kind)):
            return folder
    raise LocalEntryNotFoundError(f"no weights in {folder}")


def locate_base(adapter: str, base: str, allowed: bool, tell: Tell) -> Path:
    """The folder of an adapter's base; a stranger's adapter does not choose what is asked of the hub, unless that is allowed."""
    from huggingface_hub import constants
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    hub_name = name_on_hub(base)
    if hub_name is None:
        return locate(base, tell)
    try:
        return cached(hub_name)
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
    return fetch(hub_name, tell)


def is_cached(alias: str) -> bool:
    """True when a model of the list is on this machine already."""
    if alias == embedded.ALIAS:
        return embedded.is_ready()
    from huggingface_hub.constants import HF_HUB_CACHE

    snapshots = (
        Path(os.environ.get("HF_HUB_CACHE", HF_HUB_CACHE))
        / f"models--{ALIASES[alias].replace('/', '--')}"
        / "snapshots"
    )
    return any(snapshots.glob("*/config.json"))


def first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")[:400]
