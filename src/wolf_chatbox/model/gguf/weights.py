"""The weights of a model folder, one tensor at a time, so that a model is never in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.adapter import is_adapter
from wolf_chatbox.model.hub import DOWNLOAD_AGAIN, first_line
from wolf_chatbox.visible import Tell

Array = NDArray[np.float32]
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"


class Stored(NamedTuple):
    """A tensor that is read when it is needed, as fp32."""

    shape: tuple[int, ...]
    read: Callable[[], Array]


def open_weights(name: str, folder: Path, *, allow_base: bool, tell: Tell) -> dict[str, Stored]:
    """The tensors of a model by name; an adapter's are merged into those of its base model, which takes torch.

    Raises ModelError when the files are missing or damaged.
    """
    if is_adapter(folder):
        from wolf_chatbox.model.load import load_model

        return _of_torch(load_model(str(folder), allow_base=allow_base, tell=tell).model.state_dict())
    try:
        if (folder / INDEX).is_file():
            parts = sorted(set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()))
            return {key: tensor for part in parts for key, tensor in _of_safetensors(folder / Path(part).name).items()}
        if (folder / SINGLE).is_file():
            return _of_safetensors(folder / SINGLE)
        return _of_pickles(name, sorted(folder.glob("pytorch_model*.bin")))
    except ModelError:
        raise
    except Exception as error:  # safetensors, pickle, JSON: damaged in as many ways as there are formats
        raise ModelError(f"{name}: the weights are damaged ({first_line(error)}). {DOWNLOAD_AGAIN}") from error


def _of_safetensors(path: Path) -> dict[str, Stored]:
    from gguf.utility import SafetensorsLocal

    def later(tensor: Any) -> Callable[[], Array]:
        return lambda: _floats(tensor.dtype, tensor.mmap_bytes()).reshape(tensor.shape)

    tensors, size = SafetensorsLocal(path).tensors, path.stat().st_size
    for key, tensor in tensors.items():
        if tensor.data_range.offset + tensor.data_range.size > size:
            raise ValueError(f"{path.name} ends before {key}")
    return {key: Stored(tensor.shape, later(tensor)) for key, tensor in tensors.items()}


def _floats(kind: str, raw: NDArray[np.uint8]) -> Array:
    if kind == "BF16":  # the upper half of an fp32
        wide = raw.view(np.uint16).astype(np.uint32)
        wide <<= 16
        return wide.view(np.float32)
    kinds = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
    return raw.view(kinds[kind]).astype(np.float32, copy=False)


def _of_pickles(name: str, paths: list[Path]) -> dict[str, Stored]:
    import torch

    if not paths:
        raise ModelError(f"{name}: no weights ({SINGLE}, pytorch_model.bin). {DOWNLOAD_AGAIN}")
    tensors: dict[str, Any] = {}
    for path in paths:
        tensors |= torch.load(path, map_location="cpu", weights_only=True)
    return _of_torch(tensors)


def _of_torch(tensors: dict[str, Any]) -> dict[str, Stored]:
    def later(tensor: Any) -> Callable[[], Array]:
        return lambda: np.asarray(tensor.detach().cpu().float().numpy(), dtype=np.float32)

    return {key: Stored(tuple(tensor.shape), later(tensor)) for key, tensor in tensors.items()}
