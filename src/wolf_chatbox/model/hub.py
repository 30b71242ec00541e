"""Find a base model: a folder, an alias, or a model of the hub, which is downloaded into the hub's own cache."""

from __future__ import annotations

import errno
import fnmatch
import os
import sys
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model import embedded
from wolf_chatbox.model.bases import KNOWN
from wolf_chatbox.visible import Tell, behind

REMEDY = f"Check the network, pass a model's folder, or use the embedded model: {embedded.ALIAS}."
DOWNLOAD_AGAIN = "Download the complete model again."
NEEDED = ["*.json", "*.txt", "*.model", "*.jinja", "*.py"]
WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
CONFIG_FILE, ADAPTER_FILE = "config.json", "adapter_config.json"
TIMEOUT = 10.0
"""Seconds to wait for the hub's list of a model's files."""


def locate(name: str, tell: Tell = lambda text: None) -> Path:
    """Return the local folder of a model; download the model if it is not on this machine.

    A folder of that name comes first, then the aliases, then the hub. Raises ModelError when none has it.
    """
    if (wanted := hub_name(name)) is not None:
        return fetch(wanted, tell)
    path = Path(os.path.expanduser(name))
    if path.is_dir() and any((path / file).is_file() for file in (CONFIG_FILE, ADAPTER_FILE)):
        return path
    if name.lower() in embedded.EMBEDDED:
        return embedded.pull(name.lower(), tell)
    if path.is_dir():
        raise ModelError(f"{name}: no model: the folder has no {CONFIG_FILE}. Pass the folder with it and the weights.")
    raise ModelError(
        f"{name}: no such folder. Check the path, or pass a hub model or an alias (wolf-chatbox models list)."
    )


def hub_name(name: str) -> str | None:
    """Return a model's name on the hub; None for a folder, an embedded model, and what can only be a path."""
    path = Path(os.path.expanduser(name))
    looks_local = name.startswith((".", "/", "~")) or path.is_absolute() or name.count("/") > 1 or "\\" in name
    if looks_local or path.exists() or name.lower() in embedded.EMBEDDED:
        return None
    known = KNOWN.get(name.lower())
    return known.hub_name if known else name


def fetch(name: str, tell: Tell) -> Path:
    """Download the files of a hub model that are needed; return its folder in the hub's cache.

    HF_HOME, HF_ENDPOINT and HF_TOKEN govern it. Raises ModelError, one line for each way in which it can fail.
    """
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import (  # type: ignore[attr-defined]
        HfHubHTTPError,
        HFValidationError,
        HTTPError,  # httpx's or httpx2's, whichever this version of the hub's library is built on
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
            raise ModelError(f"{name}: no PyTorch weights (model.safetensors, pytorch_model.bin). Use another model.")
        wanted = [*NEEDED, kind]
        plan = snapshot_download(name, allow_patterns=wanted, dry_run=True)
        size = sum(file.file_size or 0 for file in plan if file.will_download)
        if size:
            tell(f"downloading {name} ({megabytes(size)}) from the hub")
        return Path(snapshot_download(name, allow_patterns=wanted, tqdm_class=_bar()))
    except (HTTPError, HFValidationError, OSError) as error:
        raise _failure(name, error) from error


def _failure(name: str, error: Exception) -> ModelError:
    """What to say of a download that failed."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    match error:
        case GatedRepoError():
            problem = "a gated model. Accept its terms on the hub, then set HF_TOKEN to a token that may read it."
        case RepositoryNotFoundError() | HFValidationError():
            problem = "no such model on the hub, and no such folder. Check the name (wolf-chatbox models list); "
            problem += "a private one needs HF_TOKEN."
        case LocalEntryNotFoundError():
            why = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else "cannot reach the hub"
            problem = f"{why}, and the model is not in the cache. {REMEDY}"
        case HfHubHTTPError() if error.response.status_code == 401:
            problem = "the hub refuses HF_TOKEN. Set it to a valid token, or unset it."
        case OSError(errno=errno.ENOSPC):
            problem = "the disk is full. Free some space, or set HF_HOME to another disk."
        case _:
            problem = f"download failed ({first_line(error)}). Try again later. {REMEDY}"
    return ModelError(f"{name}: {problem}")


def megabytes(size: int) -> str:
    """A number of bytes for people: 93 MB, 0.4 MB."""
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e6:.1f} MB"


def _bar() -> Any:
    """The hub's progress bar, on the stream itself: it writes control codes of its own, and nobody else's text."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class Bar(tqdm):
        def __init__(self, *values: Any, **settings: Any) -> None:
            super().__init__(*values, **{"file": behind(sys.stderr)} | settings)  # type: ignore[no-untyped-call]

    return Bar


def cached(name: str) -> Path:
    """Return an earlier download's folder in the hub's cache; raise LocalEntryNotFoundError unless it is complete."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    for kind in WEIGHTS:
        folder = Path(snapshot_download(name, allow_patterns=[*NEEDED, kind], local_files_only=True))
        if any(folder.glob(kind)):
            return folder
    raise LocalEntryNotFoundError(f"no weights in {folder}")


def is_cached(alias: str) -> bool:
    """True when a model with a short name is already on this machine."""
    from huggingface_hub import try_to_load_from_cache

    name = KNOWN[alias].hub_name
    return embedded.is_ready(alias) if name is None else isinstance(try_to_load_from_cache(name, CONFIG_FILE), str)


def first_line(error: BaseException) -> str:
    """The first line of what another library says, to be quoted in a line of ours."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")[:400]
