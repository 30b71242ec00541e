"""A model of a GGUF file as a graph of OpenVINO, for texts of different lengths at once.

Attention is OpenVINO's PagedAttention (Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving
with PagedAttention"): keys and values lie in blocks of BLOCK ids, and each text names its own blocks. OpenVINO promises
that operation to nobody, so its inputs are those of one version (engines/choice.py).

The graph is that of GPT-2 (Radford et al. 2019) or Llama (Touvron et al. 2023). Weights of 8 bits stay so, with a scale
for each 32 of them, as in the GGUF; other quantised ones are brought to that form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import quants
from numpy.typing import NDArray

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines.gguf_reading import Tensor
from wolf_chatbox.model.engines.openvino_library import Model, Node, Output, PagedAttention, openvino, ops

GROUP = 32
"""Weights that share a scale."""
ROWS = ("input_ids", "position_ids")
TEXTS = ("past_lens", "subsequence_begins", "block_indices", "block_indices_begins")
WANTED, LONGEST = "wanted", "max_context_len"

Wire = Any
"""A node, or one of its outputs."""


class Shape(NamedTuple):
    """What the decoder must know of a model."""

    layers: int
    context: int
    """Ids it was trained on at most."""
    vocabulary: int


class Graph:
    """Builds the graph; `settings` are the GGUF's, without the architecture's name before them.

    Inputs: ROWS (ids of all texts, one after the other), TEXTS and LONGEST (see PagedAttention), WANTED (the rows whose
    logits are wanted), `key_cache.N` and `value_cache.N`. Output: logits (wanted rows, vocabulary). Raises ModelError
    for a model of another shape.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        self.tensors, self.settings = tensors, settings
        self.kind = str(settings["general.architecture"])
        odd = {"rope.scaling.type": ("none", "linear")}
        if self.kind not in ("gpt2", "llama") or any(
            key in settings and settings[key] not in known for key, known in odd.items()
        ):
            remedy = "Use --engine llama.cpp or torch for it."
            raise ModelError(f"{name}: only GPT-2 and Llama can be computed by OpenVINO, not {self.kind}. {remedy}")
        self.width, self.heads = int(settings["embedding_length"]), int(settings["attention.head_count"])
        self.kv_heads = int(settings.get("attention.head_count_kv", self.heads))
        self.size = int(settings.get("attention.key_length", self.width // self.heads))
        rows = tensors["token_embd.weight"].shape[0]
        self.shape = Shape(int(settings["block_count"]), int(settings["context_length"]), rows)
        self.inputs = {each: _input(each, [-1]) for each in (*ROWS, *TEXTS, WANTED)} | {LONGEST: _input(LONGEST, [])}

    def model(self) -> Model:
        """The whole graph."""
        x = self._rows_of("token_embd.weight", "input_ids")
        if self.kind == "gpt2":
            x = ops.add(x, self._rows_of("position_embd.weight", "position_ids"))
            turned = None
        else:
            turned = self._angles()
        for layer in range(self.shape.layers):
            block = f"blk.{layer}."
            x = ops.add(x, self._attention(self._norm(x, block + "attn_norm"), block, turned))
            x = ops.add(x, self._forward(self._norm(x, block + "ffn_norm"), block))
        x = self._norm(ops.gather(x, self.inputs[WANTED], _ints(0)), "output_norm")
        last = "output" if "output.weight" in self.tensors else "token_embd"
        logits = ops.result(self._linear(x, last))
        return Model([logits], list(self.inputs.values()), self.kind)

    def _attention(self, x: Node, block: str, turned: tuple[Node, Node] | None) -> Node:
        if self.kind == "gpt2":
            query, key, value = ops.split(self._linear(x, block + "attn_qkv"), _ints(1), 3).outputs()
        else:
            query, key, value = (self._linear(x, block + f"attn_{each}").output(0) for each in "qkv")
        if turned:
            query, key = self._turn(query, self.heads, turned), self._turn(key, self.kv_heads, turned)
        caches = [f"{each}_cache.{block.split('.')[1]}" for each in ("key", "value")]
        self.inputs |= {each: _input(each, [-1] * 4, openvino.Type.dynamic) for each in caches}
        inputs = [query, key, value, *(self.inputs[each] for each in caches)]
        inputs += [self.inputs[each] for each in TEXTS]
        inputs += _unused(_floats(1 / math.sqrt(self.size)), self.inputs[LONGEST])
        paged = PagedAttention([each if isinstance(each, Output) else each.output(0) for each in inputs])
        facts = {"num_k_heads": self.kv_heads, "num_v_heads": self.kv_heads}
        for key_, value_ in (facts | {"k_head_size": self.size, "v_head_size": self.size}).items():
            paged.get_rt_info()[key_] = value_
        return self._linear(paged.output(0), block + "attn_output")

    def _forward(self, x: Node, block: str) -> Node:
        if self.kind == "gpt2":
            inner = ops.gelu(self._linear(x, block + "ffn_up"), "tanh")
        else:
            inner = ops.multiply(ops.swish(self._linear(x, block + "ffn_gate")), self._linear(x, block + "ffn_up"))
        return self._linear(inner, block + "ffn_down")

    def _norm(self, x: Node, name: str) -> Node:
        weight = _floats(self.tensors[name + ".weight"].floats()[None])
        if self.kind == "gpt2":
            within = float(self.settings["attention.layer_norm_epsilon"])
            even = ops.mvn(x, _longs(-1), True, within, "inside_sqrt")
            return ops.add(ops.multiply(even, weight), _floats(self.tensors[name + ".bias"].floats()[None]))
        within = float(self.settings["attention.layer_norm_rms_epsilon"])
        squares = ops.reduce_mean(ops.power(x, _floats(2)), _longs(-1), True)
        return ops.multiply(
            weight, ops.multiply(x, ops.divide(_floats(1), ops.sqrt(ops.add(squares, _floats(within)))))
        )

    def _angles(self) -> tuple[Node, Node]:
        """Cosines and sines of the rotary embedding (Su et al. 2021), each (rows, 1, 1, size)."""
        turns = float(self.settings.get("rope.freq_base", 10_000)) ** (-np.arange(0, self.size, 2) / self.size)
        if "rope_freqs.weight" in self.tensors:
            turns /= self.tensors["rope_freqs.weight"].floats()
        if self.settings.get("rope.scaling.type") == "linear":
            turns /= float(self.settings["rope.scaling.factor"])
        places = ops.reshape(ops.convert(self.inputs["position_ids"], np.float32), _ints(-1, 1, 1, 1), False)
        angles = ops.multiply(places, _floats(np.concatenate([turns, turns])[None, None, None]))
        return ops.cos(angles), ops.sin(angles)

    def _turn(self, x: Wire, heads: int, turned: tuple[Node, Node]) -> Output:
        """Rotate the halves of each head against each other, in the form that OpenVINO makes one operation of."""
        split = ops.transpose(ops.reshape(x, _ints(0, 1, heads, self.size), True), _ints(0, 2, 1, 3))
        half, end, one, last = _longs(self.size // 2), _longs(1 << 62), _longs(1), _longs(3)
        first, second = ops.slice(split, _longs(0), half, one, last), ops.slice(split, half, end, one, last)
        across = ops.concat([ops.multiply(second, _floats([[[[-1.0]]]])), first], -1)
        sum_ = ops.add(ops.multiply(split, turned[0]), ops.multiply(across, turned[1]))
        return ops.reshape(ops.transpose(sum_, _ints(0, 2, 1, 3)), _ints(0, heads * self.size), True).output(0)

    def _linear(self, x: Wire, name: str) -> Node:
        product = ops.matmul(x, self._weight(name + ".weight"), False, True)
        if name + ".bias" not in self.tensors:
            return product
        return ops.add(product, _floats(self.tensors[name + ".bias"].floats()[None]))

    def _weight(self, name: str) -> Node:
        """A matrix (out, in), as OpenVINO recognises weights that are stored in fewer bits."""
        tensor = self._in_order(name)
        if tensor.kind in (Kind.F32, Kind.F16):
            return ops.convert(ops.constant(tensor.data), np.float32)
        scales, eights = _groups(tensor)
        whole = ops.multiply(ops.convert(ops.constant(eights), np.float16), ops.constant(scales))
        return ops.convert(ops.reshape(whole, _ints(*tensor.shape), False), np.float32)

    def _in_order(self, name: str) -> Tensor:
        """A tensor; where llama.cpp rotates neighbours, the rows of a head as halves again."""
        tensor = self.tensors[name]
        heads = {"attn_q": self.heads, "attn_k": self.kv_heads}.get(name.split(".")[-2])
        if self.kind != "llama" or heads is None:
            return tensor
        rows = tensor.data.reshape(heads, self.size // 2, 2, -1).swapaxes(1, 2).reshape(tensor.data.shape)
        return tensor._replace(data=np.ascontiguousarray(rows))

    def _rows_of(self, name: str, which: str) -> Node:
        """The rows of an embedding that an input names, in fp32."""
        tensor, rows = self.tensors[name], self.inputs[which]
        if tensor.kind in (Kind.F32, Kind.F16):
            return ops.convert(ops.gather(ops.constant(tensor.data), rows, _ints(0)), np.float32)
        scales, eights = (
            ops.convert(ops.gather(ops.constant(part), rows, _ints(0)), np.float32) for part in _groups(tensor)
        )
        return ops.reshape(ops.multiply(eights, scales), _ints(-1, self.width), False)


def _groups(tensor: Tensor) -> tuple[NDArray[np.float16], NDArray[np.int8]]:
    """The scales (rows, groups, 1) and the weights (rows, groups, GROUP) of a quantised matrix."""
    data = tensor.data if tensor.kind == Kind.Q8_0 else quants.quantize(tensor.floats(), Kind.Q8_0)
    blocks = data.reshape(tensor.shape[0], tensor.shape[1] // GROUP, 2 + GROUP)
    return blocks[:, :, :2].copy().view(np.float16), blocks[:, :, 2:].copy().view(np.int8)


def _unused(scale: Node, longest: Node) -> list[Node]:
    """The other inputs of PagedAttention: its scale, the longest text, and what is not used here, in its order."""
    none, no_ints, zero = ops.constant(np.zeros(0, np.float32)), ops.constant(np.zeros(0, np.int32)), _ints(0)
    window_and_slopes = [zero, none]
    scores_and_rotation = [no_ints, no_ints, no_ints, none]
    sparse_and_sinks = [none, zero, zero, none]
    eviction = [zero, no_ints, no_ints, no_ints]
    tokens_and_bias = [no_ints, ops.constant(np.zeros(0, np.uint8)), no_ints]
    before = [scale, *window_and_slopes, longest]
    return [*before, *scores_and_rotation, *sparse_and_sinks, *eviction, *tokens_and_bias]


def _input(name: str, shape: Sequence[int], kind: Any = openvino.Type.i32) -> Node:
    made = ops.parameter(openvino.PartialShape(list(shape)), kind)
    made.output(0).get_tensor().set_names({name})
    return made


def _ints(*values: int) -> Node:
    return ops.constant(np.array(values[0] if len(values) == 1 else values, np.int32))


def _longs(value: int) -> Node:
    return ops.constant(np.array([value], np.int64))


def _floats(values: Any) -> Node:
    return ops.constant(np.array(values, np.float32))
