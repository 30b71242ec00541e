"""The decoder that is fastest on a CPU: llama.cpp, through its own C interface.

All slots share the cells of one cache, so what two texts begin with is held once, and an unused slot takes no memory.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import struct
import weakref
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines.alarm import Alarm
from wolf_chatbox.model.engines.choice import MANY
from wolf_chatbox.model.engines.decoder import Feed, Logits
from wolf_chatbox.model.engines.llama_library import VERSIONS, Batch, complaint, library
from wolf_chatbox.model.engines.threads import Threads, possible_counts

BATCH = 512
"""Ids in one forward pass at most."""
OUTPUTS = 64
"""Ids in one forward pass at most whose logits are wanted: they take memory, 200 kB each for SmolLM2."""
CELLS = 1024
"""Ids that each slot can hold at once with all others: a row of the training, and a reply."""
MOST_CONTEXT, MOST_MEMORY = 1 << 15, 1 << 30
"""Ids, and bytes for the cache, of one text at most; a model with a longer context gets a shorter one."""
LONG = 32
"""Ids from which a step is a prompt's, and takes long."""
FLASH_AUTO, FLASH_OFF = -1, 0
"""On a CPU flash attention reads long prompts faster, and draws after them slower: it is on from MANY slots on."""
HEAD = struct.Struct("<8s32sQQI")
"""What a saved state begins with: a mark, the fingerprint, its ids, its bytes, their CRC-32."""
MARK = b"wolfllm1"
HEADER_BYTES = 1 << 16
RECORD = b"wolf_chatbox.source"
"""What a GGUF of our own holds near its beginning, before the checksums of the files that it was made of."""
NO_CELLS, ABORTED = 1, 2
"""What `llama_decode` returns when the cache is full, and when the alarm rang; the batch is not in the cache then."""
SHORTEST = 0.03
"""Seconds that a step may always take."""


class LlamaDecoder:
    """Decodes the model of a GGUF file; raises ModelError when llama.cpp is not here or cannot read the file.

    `counts` are the numbers of threads to choose from; by default all that this machine has cores for.
    """

    name = "llama.cpp"

    def __init__(self, path: Path, slots: int = 4, counts: Sequence[int] = ()) -> None:
        self.path, self.slots = path, slots
        self._lib = library()
        self._model = self._lib.llama_model_load_from_file(os.fsencode(path), self._lib.llama_model_default_params())
        if not self._model:
            problem = f"llama.cpp cannot read it ({complaint()})"
            raise ModelError(f"{path}: {problem}. Delete the file; it is made anew.")
        contexts: list[int] = []
        self._alarm = Alarm()
        self._close = weakref.finalize(self, _free, self._lib, self._model, contexts, self._alarm)
        trained = int(self._lib.llama_model_n_ctx_train(self._model))
        self.context = min(trained, MOST_CONTEXT, max(CELLS, MOST_MEMORY // self._bytes_of_a_cell()))
        self.room = max(self.context, slots * min(self.context, CELLS))
        self._most_outputs = max(OUTPUTS, slots + 1)
        self._handle = self._open_context()
        contexts.append(self._handle)
        self._lib.llama_set_abort_callback(self._handle, self._alarm.function, self._alarm.text)
        self._memory = self._lib.llama_get_memory(self._handle)
        self._entries = int(self._lib.llama_vocab_n_tokens(self._lib.llama_model_get_vocab(self._model)))
        self._held: list[int | None] = [0] * slots
        """How many ids each slot holds; None while that is not known."""
        self._counts = list(counts) or possible_counts()
        self._threads: dict[int, Threads] = {}
        self._count = 0
        self._make_arrays(BATCH)

    @cached_property
    def fingerprint(self) -> str:
        """Names the weights, their form, and the version of llama.cpp."""
        with self.path.open("rb") as file:
            head = file.read(HEADER_BYTES)
            whole = hashlib.sha256(head)
            if RECORD not in head:
                while part := file.read(1 << 20):
                    whole.update(part)
        size = os.stat(self.path).st_size
        return hashlib.sha256(f"{VERSIONS[-1]} {size} {whole.hexdigest()}".encode()).hexdigest()

    def read(self, feeds: Sequence[Feed]) -> Logits:
        """Read the ids of all feeds, in as few forward passes as hold them.

        Raises ModelError when the model cannot be computed.
        """
        size = self._fill(feeds)
        rows = np.empty((int(self._wanted[:size].sum()), self._entries), np.float32)
        for feed in feeds:
            self.keep(feed.slot, feed.at)
            self._held[feed.slot] = None
        try:
            self._compute(size, rows)
        except BaseException:
            for feed in feeds:
                self.keep(feed.slot, feed.at)
            raise
        for feed in feeds:
            self._held[feed.slot] = feed.at + len(feed.ids)
        return rows

    def keep(self, slot: int, length: int) -> None:
        if self._held[slot] != length:
            self._lib.llama_memory_seq_rm(self._memory, slot, length, -1)
            self._held[slot] = length

    def copy(self, source: int, target: int, length: int) -> None:
        self.keep(target, 0)
        self._lib.llama_memory_seq_cp(self._memory, source, target, 0, length)
        self._held[target] = length

    def save(self, slot: int, length: int) -> bytes:
        """The state after the first `length` ids of a slot, in a form that only this version of llama.cpp reads."""
        spare = self.slots
        self._lib.llama_memory_seq_cp(self._memory, slot, spare, 0, length)
        try:
            size = self._lib.llama_state_seq_get_size(self._handle, spare)
            state = ctypes.create_string_buffer(size)
            size = self._lib.llama_state_seq_get_data(self._handle, state, size, spare)
        finally:
            self._lib.llama_memory_seq_rm(self._memory, spare, -1, -1)
        body = state.raw[:size]
        return HEAD.pack(MARK, bytes.fromhex(self.fingerprint), length, len(body), zlib.crc32(body)) + body

    def restore(self, slot: int, state: bytes) -> None:
        self.keep(slot, 0)
        if len(state) < HEAD.size:
            raise ValueError("no saved state of llama.cpp")
        mark, fingerprint, length, size, check = HEAD.unpack_from(state)
        body = state[HEAD.size :]
        if mark != MARK or len(body) != size or zlib.crc32(body) != check:
            raise ValueError("no saved state of llama.cpp, or a damaged one")
        if fingerprint.hex() != self.fingerprint:
            raise ValueError("the saved state is of another model, or of another version of llama.cpp")
        if not self._lib.llama_state_seq_set_data(self._handle, body, size, slot):
            self._held[slot] = None
            self.keep(slot, 0)
            raise ValueError(f"the saved state does not fit ({complaint()})")
        self._held[slot] = length

    def close(self) -> None:
        """Free the memory; nothing else may be called afterwards."""
        self._close()

    # How the model is opened.

    def _open_context(self) -> int:
        params = self._lib.llama_context_default_params()
        params.n_ctx = self.room
        params.n_batch = params.n_ubatch = BATCH
        params.n_seq_max = self.slots + 1  # one more to save from
        params.n_outputs_max, params.n_outputs_max_per_seq = self._most_outputs, 0
        params.kv_unified = True
        params.flash_attn_type = FLASH_AUTO if self.slots >= MANY else FLASH_OFF
        context: int | None = self._lib.llama_init_from_model(self._model, params)
        if not context:
            problem = f"llama.cpp cannot open a context of {self.room} tokens ({complaint()})"
            raise ModelError(f"{self.path}: {problem}. Close other programs, or use --engine torch.")
        return context

    def _bytes_of_a_cell(self) -> int:
        """Memory that one id takes: a key and a value of 16 bits for each layer."""
        lib, model = self._lib, self._model
        heads = lib.llama_model_n_head_kv(model)
        size = lib.llama_model_n_embd(model) // max(lib.llama_model_n_head(model), 1)
        return int(2 * 2 * lib.llama_model_n_layer(model) * heads * (self._setting("attention.key_length") or size))

    def _setting(self, key: str) -> int | None:
        """A whole number of the file's metadata, by its key without the architecture."""
        text = ctypes.create_string_buffer(128)
        for whole in (b"general.architecture", None):
            name = whole or text.value + b"." + key.encode()
            if self._lib.llama_model_meta_val_str(self._model, name, text, len(text)) < 0:
                return None
        return int(text.value)

    # How ids go through it.

    def _make_arrays(self, size: int) -> None:
        """Arrays for the ids of a step, which each step fills anew: llama.cpp reads them during its calls only."""
        self._ids, self._positions, self._sequences = (np.zeros(size, np.int32) for _ in range(3))
        self._one, self._wanted = np.ones(size, np.int32), np.zeros(size, np.int8)
        step = self._sequences.itemsize
        self._places = self._sequences.ctypes.data + np.arange(size, dtype=np.uintp) * step  # pointers to each of them

    def _fill(self, feeds: Sequence[Feed]) -> int:
        """Put the ids of all feeds into the arrays; returns how many there are."""
        size = sum(len(feed.ids) for feed in feeds)
        if size > len(self._ids):
            self._make_arrays(size)
        start = 0
        for feed in feeds:
            end = start + len(feed.ids)
            self._ids[start:end] = feed.ids
            self._positions[start:end] = range(feed.at, feed.at + len(feed.ids))
            self._sequences[start:end] = feed.slot
            self._wanted[start:end] = feed.every
            self._wanted[end - 1] = True
            start = end
        return size

    def _parts(self, size: int) -> Iterator[tuple[int, int]]:
        """Cut the ids in the arrays into forward passes."""
        start = 0
        while start < size:
            end = min(start + BATCH, size)
            outputs = self._wanted[start:end].cumsum(dtype=np.int32)
            end = start + int(np.searchsorted(outputs, self._most_outputs, side="right"))
            yield start, end
            start = end

    def _compute(self, size: int, rows: Logits) -> None:
        """Compute the ids in the arrays, and put the logits that are wanted into `rows`."""
        done = 0
        for start, end in self._parts(size):
            self._pass(start, end)
            if outputs := int(self._wanted[start:end].sum()):
                place = self._lib.llama_get_logits(self._handle)
                logits: Any = (ctypes.c_float * (outputs * self._entries)).from_address(place)
                rows[done : done + outputs] = np.frombuffer(logits, np.float32).reshape(outputs, self._entries)
                done += outputs

    def _pass(self, start: int, end: int) -> None:
        """One forward pass over a part of the arrays; raises ModelError when it fails."""
        ids, positions, one, places, wanted = (
            array.ctypes.data + start * array.itemsize
            for array in (self._ids, self._positions, self._one, self._places, self._wanted)
        )
        batch = Batch(end - start, ids, None, positions, one, places, wanted)
        threads = self._threads_for(end - start)
        while (status := self._timed(batch, threads, end - start)) == ABORTED:
            pass
        if status:
            why = "its cache is full" if status == NO_CELLS else complaint()
            raise ModelError(f"{self.path}: llama.cpp cannot compute it ({why}). Use --engine torch.")

    def _timed(self, batch: Batch, threads: Threads, ids: int) -> int:
        """Compute a batch with the threads of the hour; returns llama.cpp's status, ABORTED if they took too long."""
        if (count := threads.choose()) != self._count:
            self._lib.llama_set_n_threads(self._handle, count, count)
            self._count = count
        limit = threads.limit()
        self._alarm.arm(None if limit is None else max(limit * ids, SHORTEST))
        began = perf_counter()
        status = int(self._lib.llama_decode(self._handle, batch))
        seconds = (perf_counter() - began) / ids
        self._alarm.disarm()
        (threads.failed if status == ABORTED else threads.took)(seconds)
        return status

    def _threads_for(self, ids: int) -> Threads:
        """Who chooses the threads for so many ids: one token and a long prompt are not fastest with the same."""
        kind = ids.bit_length()
        if kind not in self._threads:
            self._threads[kind] = Threads(self._counts, eager=ids >= LONG)
        return self._threads[kind]


def _free(lib: Any, model: int, contexts: list[int], alarm: Alarm) -> None:
    alarm.close()
    for context in contexts:
        lib.llama_free(context)
    lib.llama_model_free(model)
