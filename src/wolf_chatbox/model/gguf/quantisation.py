"""The type of each tensor in a GGUF, and how its numbers get there.

f16    16-bit floats
q8_0   8 bits a weight in blocks of 32 with one scale
q4_k   llama.cpp's mix Q4_K_M: 4 bits in super-blocks of 256, and 5 to 8 where an error costs most. A row that is no
       multiple of 256 (SmolLM2-135M has 576 columns) takes the next type with blocks of 32, as in llama.cpp.

Vectors and GPT-2's positions stay in fp32. The choice by tensor is that of llama.cpp's `llama-quantize`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType, quant_shape_to_byte_shape, quants
from numpy.typing import NDArray

from wolf_chatbox.config import Quantisation
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.gguf.weights import Array

Type = GGMLQuantizationType
FILE_TYPES: dict[Quantisation, LlamaFileType] = {
    "f16": LlamaFileType.MOSTLY_F16,
    "q8_0": LlamaFileType.MOSTLY_Q8_0,
    "q4_k": LlamaFileType.MOSTLY_Q4_K_M,
}
WITHOUT_SUPERBLOCKS = {Type.Q4_K: Type.Q5_0, Type.Q5_K: Type.Q5_1, Type.Q6_K: Type.Q8_0}
KERNELS = "xllamacpp.xllamacpp"


def type_of(name: str, shape: tuple[int, ...], quantise: Quantisation, layers: int) -> GGMLQuantizationType:
    """The type of a tensor, by its name in the GGUF."""
    if len(shape) == 1 or name.startswith(("position_embd", "rope_freqs")):
        return Type.F32
    if quantise == "f16":
        return Type.F16
    wanted = Type.Q8_0 if quantise == "q8_0" else _mixed(name, layers)
    if shape[-1] % GGML_QUANT_SIZES[wanted][0]:
        wanted = WITHOUT_SUPERBLOCKS.get(wanted, wanted)
    return Type.F16 if shape[-1] % GGML_QUANT_SIZES[wanted][0] else wanted


def _mixed(name: str, layers: int) -> GGMLQuantizationType:
    """The type in Q4_K_M where all rows hold whole super-blocks."""
    if name.startswith(("output.", "token_embd.")):
        return Type.Q6_K
    if "attn_qkv" in name:
        return Type.Q5_K
    if "attn_v" in name or "ffn_down" in name:
        layer, eighth = int(name.split(".")[1]), layers // 8
        if layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2:
            return Type.Q6_K
    return Type.Q4_K


def byte_shape(shape: tuple[int, ...], type_: GGMLQuantizationType) -> tuple[int, ...]:
    return tuple(int(size) for size in quant_shape_to_byte_shape(shape, type_))


def quantised(tensor: Array, type_: GGMLQuantizationType) -> NDArray[Any]:
    """A tensor's numbers in a type; raises ModelError for a type that needs llama.cpp where that is not installed."""
    tensor = np.ascontiguousarray(tensor, dtype=np.float32)
    if type_ not in WITHOUT_SUPERBLOCKS:
        return quants.quantize(tensor, type_)
    rows, columns = tensor.size // tensor.shape[-1], tensor.shape[-1]
    packed = np.empty(byte_shape(tensor.shape, type_), np.uint8)
    size = _kernel()(int(type_), tensor.ctypes.data, packed.ctypes.data, 0, rows, columns, None)
    assert size == packed.nbytes, "llama.cpp's layout is another"
    return packed


@cache
def _kernel() -> Callable[..., int]:
    """`ggml_quantize_chunk` of the llama.cpp in xllamacpp: (type, from, to, start, rows, columns, importance)."""
    found = find_spec(KERNELS) if find_spec(KERNELS.split(".")[0]) else None
    if found is None or found.origin is None:
        raise ModelError("q4_k: needs llama.cpp's quantisation. Install xllamacpp, or use q8_0.")
    kernel: Any = ctypes.CDLL(found.origin).ggml_quantize_chunk
    whole, place = ctypes.c_int64, ctypes.c_void_p
    kernel.argtypes = [ctypes.c_int, place, place, whole, whole, whole, place]
    kernel.restype = ctypes.c_size_t
    return kernel  # type: ignore[no-any-return]
