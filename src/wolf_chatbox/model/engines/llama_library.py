"""llama.cpp's public C interface (llama.h) out of the shared object in the wheel `xllamacpp`.

The wheel's own Python module offers a server that draws tokens itself: no logits, no scores, no other number of threads
while it runs. The shared object exports llama.h as well, which gives all of it. The structs of that header change
between versions without a number in the file. So exactly the versions listed here are used, and the structs are held
against their known defaults before the first call.
"""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_bool, c_char_p, c_float, c_int32, c_size_t, c_uint32, c_void_p
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wolf_chatbox.errors import ModelError

PACKAGE = "xllamacpp"
VERSIONS = ("2026.10.11549",)
"""Releases of the wheel whose llama.h has the structs below."""
REMEDY = f"Install it (pip install '{PACKAGE}=={VERSIONS[-1]}'), or use --engine torch."
SPIN_COUNTS = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME")
SPINS = "300000"
"""GNU's OpenMP by default: three milliseconds, after which an idle thread sleeps."""
ERROR = 4
"""ggml's level of a log line that tells of an error."""


class ModelParams(ctypes.Structure):
    """`struct llama_model_params`."""

    _fields_ = (
        ("devices", c_void_p),
        ("tensor_buft_overrides", c_void_p),
        ("n_gpu_layers", c_int32),
        ("split_mode", c_int32),
        ("load_mode", c_int32),
        ("lazy_mode", c_int32),
        ("main_gpu", c_int32),
        ("tensor_split", c_void_p),
        ("progress_callback", c_void_p),
        ("progress_callback_user_data", c_void_p),
        ("kv_overrides", c_void_p),
        ("vocab_only", c_bool),
        ("check_tensors", c_bool),
        ("use_extra_bufts", c_bool),
        ("no_host", c_bool),
        ("no_alloc", c_bool),
        ("load_mtp", c_bool),
    )


class ContextParams(ctypes.Structure):
    """`struct llama_context_params`."""

    _fields_ = (
        ("n_ctx", c_uint32),
        ("n_batch", c_uint32),
        ("n_ubatch", c_uint32),
        ("n_seq_max", c_uint32),
        ("n_rs_seq", c_uint32),
        ("n_outputs_max", c_uint32),
        ("n_outputs_max_per_seq", c_uint32),
        ("n_threads", c_int32),
        ("n_threads_batch", c_int32),
        ("ctx_type", c_int32),
        ("rope_scaling_type", c_int32),
        ("pooling_type", c_int32),
        ("attention_type", c_int32),
        ("flash_attn_type", c_int32),
        ("rope_freq_base", c_float),
        ("rope_freq_scale", c_float),
        ("yarn_ext_factor", c_float),
        ("yarn_attn_factor", c_float),
        ("yarn_beta_fast", c_float),
        ("yarn_beta_slow", c_float),
        ("yarn_orig_ctx", c_uint32),
        ("defrag_thold", c_float),
        ("cb_eval", c_void_p),
        ("cb_eval_user_data", c_void_p),
        ("type_k", c_int32),
        ("type_v", c_int32),
        ("moe_cache_size", c_size_t),
        ("abort_callback", c_void_p),
        ("abort_callback_data", c_void_p),
        ("embeddings", c_bool),
        ("offload_kqv", c_bool),
        ("no_perf", c_bool),
        ("op_offload", c_bool),
        ("swa_full", c_bool),
        ("kv_unified", c_bool),
        ("samplers", c_void_p),
        ("n_samplers", c_size_t),
        ("ctx_other", c_void_p),
    )


class Batch(ctypes.Structure):
    """`struct llama_batch`: pointers to arrays of int32, but `logits` to int8, and `embd` to floats."""

    _fields_ = (
        ("n_tokens", c_int32),
        ("token", c_void_p),
        ("embd", c_void_p),
        ("pos", c_void_p),
        ("n_seq_id", c_void_p),
        ("seq_id", c_void_p),
        ("logits", c_void_p),
    )


MODEL_DEFAULTS: dict[str, Any] = {"n_gpu_layers": -1, "split_mode": 1, "load_mode": -1, "lazy_mode": 1}
MODEL_DEFAULTS |= {"use_extra_bufts": True}
CONTEXT_DEFAULTS: dict[str, Any] = {"n_ctx": 512, "n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1}
CONTEXT_DEFAULTS |= {"n_outputs_max_per_seq": 1, "n_threads": 4, "n_threads_batch": 4, "rope_scaling_type": -1}
CONTEXT_DEFAULTS |= {"pooling_type": -1, "attention_type": -1, "flash_attn_type": -1, "yarn_ext_factor": -1.0}
CONTEXT_DEFAULTS |= {"yarn_attn_factor": -1.0, "yarn_beta_fast": -1.0, "yarn_beta_slow": -1.0, "defrag_thold": -1.0}
CONTEXT_DEFAULTS |= {"type_k": 1, "type_v": 1, "offload_kqv": True, "no_perf": True, "op_offload": True}
CONTEXT_DEFAULTS |= {"swa_full": True}
"""The defaults of llama.h's structs; all other fields are 0."""

_complaints: deque[str] = deque(maxlen=8)


def _hear(level: int, text: bytes, data: Any) -> None:
    """Keep llama.cpp's errors for our own, and everything else off the terminal."""
    if level == ERROR:
        _complaints.append(text.decode(errors="replace").strip())


_Log = ctypes.CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
_LISTENER = _Log(_hear)  # llama.cpp keeps the address


def complaint() -> str:
    """What llama.cpp said of its last failure, in one line; it is forgotten then."""
    text = _complaints[0] if _complaints else "llama.cpp does not say why"
    _complaints.clear()
    return text.partition(": ")[2] or text  # the name of a C function comes first


@cache
def lacking() -> str | None:
    """Why llama.cpp cannot be used here; None if it can."""
    try:
        found = version(PACKAGE)
    except PackageNotFoundError:
        return f"{PACKAGE} is not installed"
    if found not in VERSIONS:
        return f"{PACKAGE} {found} has another interface than {' or '.join(VERSIONS)}"
    return None if _file() else f"{PACKAGE} is not installed whole"


def _file() -> Path | None:
    """The shared object; Python would take a second to import it as a module."""
    spec = find_spec(PACKAGE)
    return next(Path(spec.origin).parent.glob(f"{PACKAGE}.*.so"), None) if spec and spec.origin else None


@cache
def library() -> Any:
    """Load llama.cpp, with the types of its functions; raises ModelError when it is not here or not a known version."""
    if reason := lacking():
        raise ModelError(f"llama.cpp: {reason}. {REMEDY}")
    try:
        with _spinning_threads():
            loaded = _declared(ctypes.CDLL(str(_file())))
    except (OSError, AttributeError) as error:
        raise ModelError(f"llama.cpp: {PACKAGE} cannot be loaded ({error}). {REMEDY}") from error
    check_defaults(loaded.llama_model_default_params(), MODEL_DEFAULTS)
    check_defaults(loaded.llama_context_default_params(), CONTEXT_DEFAULTS)
    loaded.llama_log_set(_LISTENER, None)
    loaded.llama_backend_init()
    return loaded


@contextmanager
def _spinning_threads() -> Iterator[None]:
    """Let its OpenMP threads spin as long as they do by default, also where OMP_WAIT_POLICY is passive.

    A token is made of several hundred operations of 20 microseconds, and at each of them the threads wait for the
    slowest: if they sleep there, two threads take three times as long as one. OpenMP reads the variable when it is
    loaded.
    """
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # it would start a debugger and print
    if any(name in os.environ for name in SPIN_COUNTS):
        yield
        return
    os.environ[SPIN_COUNTS[0]] = SPINS
    try:
        yield
    finally:
        del os.environ[SPIN_COUNTS[0]]


def check_defaults(params: ctypes.Structure, known: dict[str, Any]) -> None:
    """Raise ModelError unless a struct holds its known defaults, and 0 in all other fields."""
    for name, *_ in params._fields_:
        value = getattr(params, name)
        if value != known.get(name, 0) and not (value is None and name not in known):
            problem = f"{PACKAGE} has other structs than {VERSIONS[-1]} ({name} is {value})"
            raise ModelError(f"llama.cpp: {problem}. {REMEDY}")


def _declared(lib: Any) -> Any:
    """Say what the functions take and give."""
    context, model, memory, seq, pos = c_void_p, c_void_p, c_void_p, c_int32, c_int32
    functions: dict[str, tuple[Any, list[Any]]] = {
        "llama_model_default_params": (ModelParams, []),
        "llama_context_default_params": (ContextParams, []),
        "llama_log_set": (None, [_Log, c_void_p]),
        "llama_backend_init": (None, []),
        "llama_model_load_from_file": (model, [c_char_p, ModelParams]),
        "llama_model_free": (None, [model]),
        "llama_model_get_vocab": (c_void_p, [model]),
        "llama_model_n_ctx_train": (c_int32, [model]),
        "llama_model_n_layer": (c_int32, [model]),
        "llama_model_n_embd": (c_int32, [model]),
        "llama_model_n_head": (c_int32, [model]),
        "llama_model_n_head_kv": (c_int32, [model]),
        "llama_model_meta_val_str": (c_int32, [model, c_char_p, c_char_p, c_size_t]),
        "llama_vocab_n_tokens": (c_int32, [c_void_p]),
        "llama_init_from_model": (context, [model, ContextParams]),
        "llama_free": (None, [context]),
        "llama_n_ctx": (c_uint32, [context]),
        "llama_get_memory": (memory, [context]),
        "llama_set_n_threads": (None, [context, c_int32, c_int32]),
        "llama_set_abort_callback": (None, [context, c_void_p, c_void_p]),
        "llama_decode": (c_int32, [context, Batch]),
        "llama_get_logits": (c_void_p, [context]),
        "llama_memory_clear": (None, [memory, c_bool]),
        "llama_memory_seq_rm": (c_bool, [memory, seq, pos, pos]),
        "llama_memory_seq_cp": (None, [memory, seq, seq, pos, pos]),
        "llama_memory_seq_pos_max": (pos, [memory, seq]),
        "llama_state_seq_get_size": (c_size_t, [context, seq]),
        "llama_state_seq_get_data": (c_size_t, [context, c_char_p, c_size_t, seq]),
        "llama_state_seq_set_data": (c_size_t, [context, c_char_p, c_size_t, seq]),
    }
    for name, (gives, takes) in functions.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = gives, takes
    return lib
