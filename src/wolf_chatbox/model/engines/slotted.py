"""Attention over slots: texts of various lengths go through a model in one row, and each attends to its own slot.

transformers calls it under the name SLOTTED (its AttentionInterface), layer by layer, with the new keys and values of
all feeds. They are written into the slots' tensors, and each feed attends to what its slot holds. So a model needs no
cache, no mask and no padding of its own, and a text's prefix is kept, copied and forgotten by numbers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface

from wolf_chatbox.model.engines.decoder import Feed

SLOTTED = "slots"
LEAST = 256
"""Tokens that a slot has room for at first; the room doubles when a text outgrows it."""


class SlotCache:
    """The keys and values of every layer: two tensors (slots, heads, room, size) a layer."""

    def __init__(self, slots: int, context: int) -> None:
        self.slots = slots
        self.context = context
        self.room = 0
        self.layers: list[list[Tensor]] = []

    def make_room(self, length: int) -> None:
        """Let every slot hold texts of `length` tokens."""
        if length <= self.room:
            return
        room = max(self.room, LEAST)
        while room < length:
            room *= 2
        self.room = max(length, min(room, self.context))
        for layer in self.layers:
            for at, states in enumerate(layer):
                larger = states.new_zeros(*states.shape[:2], self.room, states.shape[3])
                larger[:, :, : states.shape[2]] = states
                layer[at] = larger

    def layer(self, at: int, key: Tensor, value: Tensor) -> list[Tensor]:
        """The tensors of a layer, made when it is met first; `key` and `value` say their shapes and types."""
        if at == len(self.layers):
            self.layers.append(
                [states.new_zeros(self.slots, states.shape[1], self.room, states.shape[3]) for states in (key, value)]
            )
        return self.layers[at]

    def copy(self, source: int, target: int, length: int) -> None:
        for layer in self.layers:
            for states in layer:
                states[target, :, :length] = states[source, :, :length]

    def states(self, slot: int, length: int) -> list[Tensor]:
        """What a slot holds of its first `length` tokens: views (heads, length, size), keys and values in turn."""
        return [states[slot, :, :length] for layer in self.layers for states in layer]


class Reading:
    """What one forward pass reads, and where: the feeds of one id come first, because they attend together."""

    def __init__(self, feeds: Sequence[Feed], cache: SlotCache, device: torch.device) -> None:
        self.order = sorted(range(len(feeds)), key=lambda at: (len(feeds[at].ids) > 1, feeds[at].slot))
        ordered = [feeds[at] for at in self.order]
        self.cache = cache
        self.device = device
        self.singles = [feed for feed in ordered if len(feed.ids) == 1]
        if len(self.singles) == 1:  # alone it needs no mask
            self.singles = []
        self.others = ordered[len(self.singles) :]
        self.ids = [id for feed in ordered for id in feed.ids]
        self.positions = [at for feed in ordered for at in range(feed.at, feed.at + len(feed.ids))]
        self.layer = 0
        self._masks: dict[tuple[int, int | None], tuple[int, Tensor]] = {}
        slots = [feed.slot for feed in self.singles]
        self._side_by_side = slots == list(range(slots[0], slots[0] + len(slots))) if slots else False
        self._slots = torch.tensor(slots, device=device)
        self._at = torch.tensor([feed.at for feed in self.singles], device=device)
        cache.make_room(max(feed.at + len(feed.ids) for feed in ordered))

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scale: float | None, window: int | None) -> Tensor:
        """One layer: (1, heads, tokens, size) each, to (1, tokens, heads, size)."""
        keys, values = self.cache.layer(self.layer, key, value)
        self.layer += 1
        parts, begin = [], len(self.singles)
        if begin:
            states = (query[0, :, :begin].transpose(0, 1), key[0, :, :begin], value[0, :, :begin])
            parts.append(self._attend_singles(states, keys, values, scale, window))
        for number, feed in enumerate(self.others):
            end = begin + len(feed.ids)
            until = feed.at + len(feed.ids)
            keys[feed.slot, :, feed.at : until] = key[0, :, begin:end]
            values[feed.slot, :, feed.at : until] = value[0, :, begin:end]
            first, mask = self._mask(number, feed, window, query)
            known, told = (states[feed.slot, :, first:until] for states in (keys, values))
            parts.append(_grouped(query[0, :, begin:end][None], known[None], told[None], mask, scale)[0])
            begin = end
        return (parts[0] if len(parts) == 1 else torch.cat(parts))[None]

    def _attend_singles(
        self,
        states: tuple[Tensor, Tensor, Tensor],
        keys: Tensor,
        values: Tensor,
        scale: float | None,
        window: int | None,
    ) -> Tensor:
        """The feeds of one id, side by side in a batch: (feeds, heads, size)."""
        query, key, value = states
        keys[self._slots, :, self._at] = key.transpose(0, 1).to(keys.dtype)
        values[self._slots, :, self._at] = value.transpose(0, 1).to(values.dtype)
        first, mask = self._mask(-1, None, window, query)
        until = max(feed.at for feed in self.singles) + 1
        if self._side_by_side:
            slots = slice(self.singles[0].slot, self.singles[0].slot + len(self.singles))
            known, told = keys[slots, :, first:until], values[slots, :, first:until]
        else:
            known, told = (states[:, :, first:until].index_select(0, self._slots) for states in (keys, values))
        return _grouped(query[:, :, None], known, told, mask, scale)[:, 0]

    def _mask(self, number: int, feed: Feed | None, window: int | None, like: Tensor) -> tuple[int, Tensor | None]:
        """The first position that a feed (all single ones: None) attends to, and the additive mask from there on.

        Shapes: (ids, tokens) for a feed, (feeds, 1, 1, tokens) for the single ones.
        """
        if feed is not None and len(feed.ids) == 1:
            return max(0, feed.at - window + 1) if window else 0, None
        if (number, window) not in self._masks:
            if feed is None:
                at, until = self._at[:, None], max(feed.at for feed in self.singles) + 1
                least = min(feed.at for feed in self.singles)
            else:
                until, least = feed.at + len(feed.ids), feed.at
                at = torch.arange(least, until, device=self.device)[:, None]
            first = max(0, least - window + 1) if window else 0
            tokens = torch.arange(first, until, device=self.device)
            seen = tokens <= at
            if window:
                seen &= tokens > at - window
            mask = torch.zeros(seen.shape, dtype=like.dtype, device=self.device).masked_fill_(~seen, -torch.inf)
            self._masks[number, window] = (first, mask[:, None, None] if feed is None else mask)
        return self._masks[number, window]


def _grouped(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    """Attention in which several heads of the query share one head of keys: (batch, tokens, heads, size).

    The heads that share one are laid side by side as tokens, which is several times faster on a CPU in bf16 than
    repeated keys.
    """
    batch, heads, tokens, size = query.shape
    groups = heads // key.shape[1]
    folded = query.reshape(batch, key.shape[1], groups * tokens, size)
    if mask is not None and groups > 1 and tokens > 1:
        mask = mask.repeat(groups, 1)
    attended = F.scaled_dot_product_attention(folded, key.to(query), value.to(query), mask, scale=scale)
    return attended.reshape(batch, heads, tokens, -1).transpose(1, 2)


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    reading: Reading | None = None,
    **extra: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it: (1, heads, tokens, size) each, to (1, tokens, heads, size).

    Raises ValueError for what a model asks of its attention and this one does not know.
    """
    for name in ("softcap", "s_aux", "position_bias"):
        if extra.get(name) is not None:
            raise ValueError(f"attention over slots knows no {name}")
    if reading is None:
        raise ValueError("attention over slots is not told what is read")
    query, key = query.to(value.dtype), key.to(value.dtype)  # under autocast, rotary embeddings leave them in fp32
    return reading.attend(query, key, value, scaling, extra.get("sliding_window")), None


AttentionInterface.register(SLOTTED, _attend)
