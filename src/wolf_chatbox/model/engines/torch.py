"""The reference decoder: a transformers model that reads many texts in one forward pass."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from wolf_chatbox.model.compat import attention_of, switch_attention
from wolf_chatbox.model.engines.decoder import Feed, Logits
from wolf_chatbox.model.engines.slotted import SLOTTED, Reading, SlotCache
from wolf_chatbox.model.load import BaseModel, context_of, inference_dtype, load_model
from wolf_chatbox.model.loss import evaluating
from wolf_chatbox.visible import Tell

SAMPLED = 16
"""Numbers of each weight that make up the fingerprint of a model."""


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


@dataclass
class _Own:
    """What a slot holds for a model that is read with a cache of its own kind."""

    ids: list[int] = field(default_factory=list)
    cache: DynamicCache | None = None

    def length(self) -> int:
        """How many of the ids the cache knows."""
        return self.cache.get_seq_length() if self.cache is not None else 0

    def keep(self, length: int, crops: bool) -> None:
        """Forget all but the first `length` ids; a cache that cannot be cropped is forgotten as a whole."""
        del self.ids[length:]
        if self.cache is None or self.length() <= length:
            return
        if crops and length:
            self.cache.crop(length - self.length())
        else:
            self.cache = None


class TorchDecoder:
    """Decodes with a transformers model, where it is and as it is; reading leaves its mode and its attention as found.

    The feeds of a step go through the model as one row of tokens. A model whose attention cannot be exchanged, which
    is tried at the first read, reads them one by one, with a cache of its own kind for each slot.
    """

    name = "torch"

    def __init__(self, model: PreTrainedModel, slots: int = 4) -> None:
        self.model = model
        self.context = context_of(model.config)
        self.slots = slots
        self.room = slots * self.context
        base: Any = getattr(model, "get_base_model", None)  # peft's wrapper hands on what it is given
        forward = base().forward if base is not None else model.forward
        self._keeps_some = "logits_to_keep" in inspect.signature(forward).parameters
        self._packed: bool | None = None
        self._cache = SlotCache(slots, self.context)
        kinds = getattr(model.config.get_text_config(), "layer_types", None) or ()
        self._crops = set(kinds) <= {"full_attention", "sliding_attention"}
        self._own = [_Own() for _ in range(slots)]

    @property
    def fingerprint(self) -> str:
        """A hash of the model's form and of some numbers of each weight, as they are now."""
        sampled = [
            weight.detach().flatten()[:: max(1, weight.numel() // SAMPLED)][:SAMPLED].float()
            for weight in self.model.state_dict().values()
        ]
        shapes = [f"{name} {tuple(weight.shape)} {weight.dtype}" for name, weight in self.model.state_dict().items()]
        numbers = torch.cat(sampled).cpu().numpy().tobytes()
        return hashlib.sha256("\n".join(shapes).encode() + numbers).hexdigest()[:32]

    def read(self, feeds: Sequence[Feed]) -> Logits:
        """Read the ids of all feeds in one forward pass."""
        with torch.inference_mode(), evaluating(self.model) if self.model.training else nullcontext():
            if self._packed is None:
                self._packed = self._can_pack()
            if self._packed:
                return self._read_together(feeds, self._cache)
            return np.concatenate([self._read_alone(feed) for feed in feeds])

    def _read_together(self, feeds: Sequence[Feed], cache: SlotCache) -> Logits:
        device = self.model.device
        reading = Reading(feeds, cache, device)
        begins, begin = dict[int, int](), 0
        for number in reading.order:
            begins[number] = begin
            begin += len(feeds[number].ids)
        wanted = [
            row
            for number, feed in enumerate(feeds)
            for row in range(begins[number] + (0 if feed.every else len(feed.ids) - 1), begins[number] + len(feed.ids))
        ]
        rows = torch.tensor(wanted, device=device)
        keep: dict[str, Any] = {"logits_to_keep": rows} if self._keeps_some else {}
        with _slotted(self.model):
            logits = self.model(
                input_ids=torch.tensor([reading.ids], device=device),
                position_ids=torch.tensor([reading.positions], device=device),
                use_cache=False,
                reading=reading,
                **keep,
            ).logits[0]
        return _numbers(logits if self._keeps_some else logits[rows])

    def _can_pack(self) -> bool:
        """Whether texts that are read in one row, in steps, give what the model gives one of them alone.

        The kinds of the layers are looked at too: what a small convolution adds may hide in the rounding.
        """
        config = self.model.config.get_text_config()
        first, second = ([id % config.vocab_size for id in ids] for ids in ([3, 1, 4, 1], [2, 7, 1, 8]))
        cache = SlotCache(2, 8)
        if not self._crops:
            return False
        try:
            self._read_together([Feed(0, first[:3], 0), Feed(1, second[:2], 0)], cache)
            together = [
                self._read_together([Feed(0, first[3:], 3), Feed(1, second[2:3], 2)], cache)[1],
                self._read_together([Feed(1, second[3:], 3)], cache)[0],
            ]
        except (TypeError, ValueError, RuntimeError, KeyError, AttributeError):  # remote code, a cap, no positions
            return False
        if len(cache.layers) != config.num_hidden_layers:
            return False
        ids = torch.tensor([second], device=self.model.device)
        alone = _numbers(self.model(input_ids=ids, use_cache=False).logits[0, 2:])
        rounding = (
            1e-3 if self.model.dtype == torch.float32 and not torch.is_autocast_enabled(ids.device.type) else 5e-2
        )
        return bool(np.linalg.norm(np.stack(together) - alone) <= rounding * np.linalg.norm(alone))

    def _read_alone(self, feed: Feed) -> Logits:
        own, self._own[feed.slot] = self._own[feed.slot], _Own(self._own[feed.slot].ids[: feed.at])
        own.keep(feed.at, self._crops)
        read = [*own.ids[own.length() :], *feed.ids]
        cache = own.cache if own.cache is not None else DynamicCache(config=None if self._crops else self.model.config)
        keep: dict[str, Any] = {"logits_to_keep": len(feed.ids) if feed.every else 1} if self._keeps_some else {}
        ids = torch.tensor([read], device=self.model.device)
        logits = self.model(input_ids=ids, past_key_values=cache, use_cache=True, **keep).logits[0]
        self._own[feed.slot] = _Own([*own.ids, *feed.ids], cache)
        return _numbers(logits[-len(feed.ids) :] if feed.every else logits[-1:])

    def copy(self, source: int, target: int, length: int) -> None:
        with torch.inference_mode():
            if self._packed:
                self._cache.copy(source, target, length)
            else:
                self._own[target] = deepcopy(self._own[source])
                self._own[target].keep(length, self._crops)

    def keep(self, slot: int, length: int) -> None:
        """Nothing to do: each slot has room of its own, and a read says what it keeps."""

    def save(self, slot: int, length: int) -> bytes:
        """A line of JSON that says what follows, then the numbers; empty where the model has a cache of its own."""
        if not self._packed:
            return b""
        states = self._cache.states(slot, length)
        head = {"model": self.fingerprint, "length": length, "states": [list(state.shape) for state in states]}
        head["type"] = str(states[0].dtype)
        numbers = [state.contiguous().cpu().view(torch.uint8).numpy().tobytes() for state in states]
        return b"".join([json.dumps(head).encode(), b"\n", *numbers])

    def restore(self, slot: int, state: bytes) -> None:
        line, _, numbers = state.partition(b"\n")
        try:
            head = json.loads(line)
            dtype = getattr(torch, str(head["type"]).removeprefix("torch."))
            shapes = [tuple(map(int, shape)) for shape in head["states"]]
            length = int(head["length"])
            size = sum(int(np.prod(shape)) for shape in shapes) * dtype.itemsize
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError("the bytes are no saved state of this decoder") from error
        fits = head["model"] == self.fingerprint and size == len(numbers) and 0 < length <= self.context
        if not fits or not shapes or len(shapes) % 2 or any(len(s) != 3 or s[1] != length for s in shapes):
            raise ValueError("the state was saved by another model, or it is damaged")
        with torch.inference_mode():
            self._fill(slot, torch.frombuffer(bytearray(numbers), dtype=dtype), shapes, length)

    def _fill(self, slot: int, numbers: Tensor, shapes: Sequence[tuple[int, ...]], length: int) -> None:
        self._packed = True  # only a decoder that packs has saved it, and the model is the same
        self._cache.make_room(length)
        states = [
            part.view(shape)[None].to(self.model.device)
            for part, shape in zip(torch.split(numbers, [int(np.prod(shape)) for shape in shapes]), shapes)
        ]
        for at, (key, value) in enumerate(zip(states[::2], states[1::2])):
            for held, saved in zip(self._cache.layer(at, key, value), (key, value)):
                held[slot, :, :length] = saved[0]

    def close(self) -> None:
        self._cache = SlotCache(self.slots, self.context)
        self._own = [_Own() for _ in range(self.slots)]


@contextmanager
def _slotted(model: PreTrainedModel) -> Iterator[None]:
    """Attention over slots inside; afterwards the model attends as before."""
    usual = attention_of(model)
    switch_attention(model, SLOTTED)
    try:
        yield
    finally:
        switch_attention(model, usual)


def _numbers(logits: Tensor) -> Logits:
    numbers: Logits = logits.float().cpu().numpy()
    return numbers
