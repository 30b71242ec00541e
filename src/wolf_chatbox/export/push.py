"""A trained model, or an export of it, on the hub: private by default, with its card, without paths of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from wolf_chatbox.errors import CheckpointError, ModelError, Setting
from wolf_chatbox.model.hub import ADAPTER_FILE, first_line, hub_name
from wolf_chatbox.model.record import RUN_FILE, read_run
from wolf_chatbox.samples.learnt import LEARNT_FILE
from wolf_chatbox.visible import Tell

CARD = "README.md"


class Pushed(NamedTuple):
    """What is on the hub now."""

    address: str
    files: int
    size: int


def push(folder: Path, name: str, *, card: Path, public: bool, tell: Tell = lambda text: None) -> Pushed:
    """Upload a folder's files to the repository `name`, with the model card at `card`, and compare what is there.

    The repository is made if it is not there: private, unless `public`. HF_TOKEN names who uploads. Raises ModelError
    when the hub refuses, the model card is missing, or the repository is public already and `public` is not set;
    CheckpointError when a file there is not as long as here.
    """
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HFValidationError, HTTPError  # type: ignore[attr-defined]

    if not card.is_file():
        raise ModelError(f"{card}: no model card, which a trained model has. Name the folder of one.")
    contents = {path.name: _content(path) for path in _files(folder)} | {CARD: _content(card)}
    operations = [
        CommitOperationAdd(file, content if isinstance(content, Path) else BytesIO(content))
        for file, content in contents.items()
    ]
    sizes = {file: _size(content) for file, content in contents.items()}
    hub = HfApi()
    try:
        address = hub.create_repo(name, private=not public, exist_ok=True)
        if not public and hub.model_info(address.repo_id).private is False:
            raise ModelError(
                f"{name}: is there already, and public. Choose another name, or pass ", Setting("public"), "."
            )
        tell(f"uploading {len(sizes)} files to {address}")
        hub.create_commit(address.repo_id, operations, commit_message=f"Upload {folder.resolve().name}")
        there = {entry.path: getattr(entry, "size", None) for entry in hub.list_repo_tree(address.repo_id)}
    except (HTTPError, HFValidationError, OSError, ValueError) as error:
        raise ModelError(
            f"{name}: cannot be uploaded ({first_line(error)}). Check the name, the network and HF_TOKEN, which must "
            "be allowed to write."
        ) from error
    if wrong := [file for file, size in sizes.items() if there.get(file) != size]:
        raise CheckpointError(f"{name}: {wrong[0]} is not whole there. Upload again.")
    return Pushed(str(address), len(sizes), sum(sizes.values()))


def _files(folder: Path) -> Iterator[Path]:
    """What is uploaded: no folders, no hidden files, no GGUF that our own engine made beside a run.

    Nor the hashes of what was learnt: with them a guess at two private turns could be tested.
    """
    for path in sorted(folder.iterdir()):
        made_here = path.suffix == ".gguf" and (folder / RUN_FILE).is_file()
        if path.is_file() and not path.name.startswith(".") and path.name != LEARNT_FILE and not made_here:
            yield path


def _content(path: Path) -> Path | bytes:
    """A file, or what is uploaded in its place: the records lose the folders that their paths name."""
    if path.name == RUN_FILE:
        return _json(_without_paths(read_run(path.parent) or {}))
    if path.name == CARD:
        base = (read_run(path.parent) or {}).get("base_model")
        return path.read_text(encoding="utf-8").replace(base, _named(base)).encode() if base else path
    if path.name == ADAPTER_FILE:
        settings = json.loads(path.read_text(encoding="utf-8"))
        base = str(settings.get("base_model_name_or_path"))
        if hub_name(base) is None:
            raise ModelError(
                f"{path.parent}: an adapter of {base}, which is on this machine only. Merge them first: "
                f"wolf-chatbox merge."
            )
    return path


def _without_paths(run: dict[str, Any]) -> dict[str, Any]:
    settings, data = {**run.get("settings", {})}, {**run.get("data", {})}
    for place, keys in ((settings, ("model",)), (run := {**run}, ("base_model",))):
        place.update({key: _named(place[key]) for key in keys if isinstance(place.get(key), str)})
    if "output" in settings:
        settings["output"] = PurePath(str(settings["output"])).name
    if isinstance(settings.get("data"), list):
        settings["data"] = [PurePath(str(path)).name for path in settings["data"]]
    if isinstance(data.get("files"), list):
        data["files"] = [{**file, "path": PurePath(str(file["path"])).name} for file in data["files"]]
    return {**run, "settings": settings, "data": data}


def _named(model: str) -> str:
    """A model's name on the hub, or its folder's name."""
    return hub_name(model) or PurePath(model).name


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
