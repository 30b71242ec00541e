"""The reference decoder: a transformers model with a key-value cache for each slot."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache, PreTrainedModel

from wolf_chatbox.model.engines.decoder import Feed, Logits
from wolf_chatbox.model.load import BaseModel, context_of, inference_dtype, load_model
from wolf_chatbox.model.loss import evaluating
from wolf_chatbox.visible import Tell


def load_on_best_device(folder: Path, *, trust_remote_code: bool, allow_base: bool, tell: Tell) -> BaseModel:
    """Load a model's folder onto the GPU if there is one; raises ModelError when it cannot be used."""
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    base = load_model(
        str(folder),
        dtype=inference_dtype(device),
        trust_remote_code=trust_remote_code,
        allow_base=allow_base,
        tell=tell,
    )
    torch.nn.Module.to(base.model, device)
    return base


class TorchDecoder:
    """Decodes with a transformers model, where it is; it is in evaluation mode while it reads, and not after."""

    name = "torch"

    def __init__(self, model: PreTrainedModel, slots: int = 4) -> None:
        self.model = model
        self.context = context_of(model.config)
        self.slots = slots
        self.room = slots * self.context
        self.fingerprint = ""
        self._caches: list[DynamicCache | None] = [None] * slots
        self._keeps_last = "logits_to_keep" in inspect.signature(model.forward).parameters

    def read(self, feeds: Sequence[Feed]) -> Logits:
        """Read the ids of all feeds, each in a forward pass of its own."""
        return np.concatenate([self._read(feed) for feed in feeds])

    def _read(self, feed: Feed) -> Logits:
        cache, self._caches[feed.slot] = self._caches[feed.slot], None
        if cache is None or not feed.at:
            cache = DynamicCache(config=self.model.config)
        elif cache.get_seq_length() > feed.at:
            cache.crop(feed.at - cache.get_seq_length())
        keep: dict[str, Any] = {"logits_to_keep": 1} if self._keeps_last and not feed.every else {}
        ids = torch.tensor([list(feed.ids)], device=self.model.device)
        with torch.inference_mode(), evaluating(self.model):
            logits = self.model(input_ids=ids, past_key_values=cache, use_cache=True, **keep).logits[0]
        self._caches[feed.slot] = cache
        rows: Logits = (logits if feed.every else logits[-1:]).float().cpu().numpy()
        return rows

    def copy(self, source: int, target: int, length: int) -> None:
        cache = self._caches[source] if source == target else deepcopy(self._caches[source])
        assert cache is not None, "an empty slot has nothing to copy"
        if cache.get_seq_length() > length:
            cache.crop(length - cache.get_seq_length())
        self._caches[target] = cache

    def forget(self, slot: int) -> None:
        self._caches[slot] = None

    def save(self, slot: int, length: int) -> bytes:
        raise NotImplementedError

    def restore(self, slot: int, state: bytes) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._caches = [None] * self.slots
