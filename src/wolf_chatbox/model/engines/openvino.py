"""The decoder for many texts at once on a CPU: OpenVINO, out of the same GGUF file as llama.cpp.

Keys and values lie in blocks, which the slots take from one pool; it grows as they are filled.
"""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines.decoder import Feed, Logits
from wolf_chatbox.model.engines.gguf_reading import read_gguf
from wolf_chatbox.model.engines.openvino_graph import LONGEST, WANTED, Graph
from wolf_chatbox.model.engines.openvino_library import openvino

BLOCK = 32
"""Ids in a block: what OpenVINO's CPU plugin asks for."""
ROOM = 1024
"""Ids that each slot can hold at once with all others: a row of the training, and a reply."""
MOST_CONTEXT, MOST_MEMORY = 1 << 15, 1 << 30
"""Ids, and bytes of keys and values, of one text at most; a model with a longer context gets a shorter one."""
HEAD = struct.Struct("<8s32sQI")
"""What a saved state begins with: a mark, the fingerprint, its ids, the CRC-32 of what follows."""
MARK = b"wolfvino"
SETTINGS = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f16"}


class OpenVinoDecoder:
    """Decodes the model of a GGUF file on the CPU; raises ModelError for another shape than GPT-2's and Llama's.

    `threads` are all cores by default.
    """

    name = "openvino"

    def __init__(self, path: Path, slots: int = 4, threads: int | None = None) -> None:
        self.path, self.slots = path, slots
        graph = Graph(str(path), *read_gguf(path))
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        settings = SETTINGS | {"INFERENCE_NUM_THREADS": threads or cores}
        try:
            compiled = openvino.Core().compile_model(graph.model(), "CPU", settings)
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot compile it ({_short(error)}). Use another engine.") from error
        self._request = compiled.create_infer_request()
        self._forms = {
            each.get_any_name(): (
                [size.get_length() for size in list(each.get_partial_shape())[1:]],
                each.get_element_type().to_dtype(),
            )
            for each in compiled.inputs
            if "_cache." in each.get_any_name()
        }
        block = sum(int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind in self._forms.values())
        self.context = min(graph.shape.context, MOST_CONTEXT, max(ROOM, MOST_MEMORY // block * BLOCK))
        self.room = max(self.context, slots * min(self.context, ROOM))
        self._caches: dict[str, NDArray[Any]] = {}
        self._held: list[list[int]] = [[] for _ in range(slots)]
        """The blocks of each slot."""
        self._free: list[int] = []
        self._grow(slots * 4)

    @cached_property
    def fingerprint(self) -> str:
        """Names the weights, their form, and the version of OpenVINO."""
        with self.path.open("rb") as file:
            weights = hashlib.file_digest(file, "sha256").hexdigest()
        return hashlib.sha256(f"{openvino.__version__} {SETTINGS} {weights}".encode()).hexdigest()

    def read(self, feeds: Sequence[Feed]) -> Logits:
        """Read the ids of all feeds in one forward pass."""
        for feed in feeds:
            self._resize(feed.slot, feed.at + len(feed.ids))
        blocks = [self._held[feed.slot] for feed in feeds]
        ends = list(accumulate(len(feed.ids) for feed in feeds))
        wanted = [
            row for feed, end in zip(feeds, ends) for row in range(end - len(feed.ids) if feed.every else end - 1, end)
        ]
        inputs = {
            "input_ids": [id for feed in feeds for id in feed.ids],
            "position_ids": [feed.at + place for feed in feeds for place in range(len(feed.ids))],
            "past_lens": [feed.at for feed in feeds],
            "subsequence_begins": [0, *ends],
            "block_indices": [block for held in blocks for block in held],
            "block_indices_begins": [0, *accumulate(map(len, blocks))],
            LONGEST: max(feed.at + len(feed.ids) for feed in feeds),
            WANTED: wanted,
        }
        for name, values in inputs.items():
            self._request.set_tensor(name, openvino.Tensor(np.array(values, np.int32)))
        try:
            self._request.infer()
        except RuntimeError as error:
            raise ModelError(
                f"{self.path}: OpenVINO cannot compute it ({_short(error)}). Use another engine."
            ) from error
        return np.array(self._request.get_output_tensor(0).data, np.float32)

    def copy(self, source: int, target: int, length: int) -> None:
        """Let `target` hold the first `length` ids of `source`, and nothing else."""
        self._resize(target, length)
        for cache in self._caches.values():
            cache[self._held[target]] = cache[self._held[source][: len(self._held[target])]]

    def keep(self, slot: int, length: int) -> None:
        """Let a slot hold only the first `length` ids of those that it holds; its other blocks are free for others."""
        self._resize(slot, min(length, len(self._held[slot]) * BLOCK))

    def save(self, slot: int, length: int) -> bytes:
        """The state after the first `length` ids of a slot: its blocks, layer by layer."""
        blocks = self._held[slot][: -(-length // BLOCK)]
        body = b"".join(cache[blocks].tobytes() for cache in self._caches.values())
        return HEAD.pack(MARK, bytes.fromhex(self.fingerprint), length, zlib.crc32(body)) + body

    def restore(self, slot: int, state: bytes) -> None:
        """Put back a state that `save` gave; raises ValueError when it does not fit."""
        if len(state) < HEAD.size:
            raise ValueError("not a state")
        mark, fingerprint, length, check = HEAD.unpack_from(state)
        body = memoryview(state)[HEAD.size :]
        blocks = -(-length // BLOCK)
        size = blocks * sum(cache[0].nbytes for cache in self._caches.values())
        if mark != MARK or fingerprint.hex() != self.fingerprint or not 0 < length <= self.context:
            raise ValueError("the state of another model")
        if len(body) != size or zlib.crc32(body) != check:
            raise ValueError("a damaged state")
        self._resize(slot, length)
        for cache in self._caches.values():
            part = blocks * cache[0].nbytes
            cache[self._held[slot]] = np.frombuffer(body[:part], cache.dtype).reshape(blocks, *cache.shape[1:])
            body = body[part:]

    def close(self) -> None:
        """Free the memory; nothing else may be called afterwards."""
        self._caches.clear()
        del self._request

    def _resize(self, slot: int, length: int) -> None:
        """Give a slot as many blocks as `length` ids need, and no more."""
        held, needed = self._held[slot], -(-length // BLOCK)
        self._free += held[needed:]
        del held[needed:]
        if needed - len(held) > len(self._free):
            self._grow(max(needed - len(held), sum(map(len, self._held)) // 2))
        for _ in range(needed - len(held)):
            held.append(self._free.pop())

    def _grow(self, more: int) -> None:
        """Add blocks to the pool."""
        before = len(next(iter(self._caches.values()))) if self._caches else 0
        for name, (shape, kind) in self._forms.items():
            cache = np.zeros((before + more, *shape), kind)
            if before:
                cache[:before] = self._caches[name]
            self._caches[name] = cache
            self._request.set_tensor(name, openvino.Tensor(cache, shared_memory=True))
        self._free += range(before, before + more)


def _short(error: Exception) -> str:
    """The last line of an error, which says what was wrong."""
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), "no reason given")[:200]
