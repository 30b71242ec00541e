"""Attention over packed samples, computed sample by sample: nothing outside a sample is read, let alone computed.

transformers calls it under the name PACKED (its AttentionInterface). In half precision on CUDA it is PyTorch's
variable-length flash kernel (Dao 2023, https://arxiv.org/abs/2307.08691), told to add up in one order. In bf16 on a CPU
the forward pass is PyTorch's flash kernel for each span, and the backward pass is ours: five matrix products a span
from the saved log-sum-exp (algorithm 2 of that paper), because PyTorch's own bf16 backward kernel is the slowest part
of a step there (docs/benchmarks.md). Otherwise it is PyTorch's attention, span by span.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface

from wolf_chatbox.model.compat import (
    flash_attention_on_cpu,
    flash_attention_on_cuda,
    flash_gradients_on_cuda,
    usual_attention,
)

PACKED = "packed_samples"

SPAN = 128
"""Shorter samples are computed together up to this many tokens, masked from each other: small matrix products cost more
time than they save."""

BLOCK = 128
"""Queries whose scores are computed together in the backward pass, with the keys up to theirs: the other half of the
scores is never needed."""


Spans = tuple[tuple[int, int, Tensor], ...]
"""Begin, end and additive fp32 mask (end - begin, end - begin) of tokens computed together."""


class Packing(NamedTuple):
    """Where the samples of one row of tokens lie."""

    ends: Tensor
    """(samples + 1,) int32: 0 and the end of each sample, as variable-length kernels take it."""
    lengths: tuple[int, ...]
    spans: Spans = ()
    """None of them for CUDA, whose kernel reads no masks: they take longer than the rest of `collate`."""

    def to(self, device: torch.device) -> Packing:
        return self._replace(ends=self.ends.to(device, non_blocking=True))


def describe(lengths: Sequence[int], *, spans: bool = True) -> Packing:
    """The packing of samples of these lengths, one after the other; without `spans` as CUDA wants it."""
    ends = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
    return Packing(ends, tuple(lengths), make_spans(lengths) if spans else ())


def make_spans(lengths: Sequence[int]) -> Spans:
    spans, together = [], list[int]()
    begin = 0
    for number, length in enumerate(lengths):
        together.append(length)
        if sum(together) >= SPAN or number == len(lengths) - 1 or sum(together) + lengths[number + 1] > 2 * SPAN:
            of = torch.repeat_interleave(torch.tensor(together))
            seen = (of[:, None] == of[None]).tril()
            spans.append((begin, begin + len(of), torch.zeros(seen.shape).masked_fill(~seen, -torch.inf)))
            begin += len(of)
            together = []
    return tuple(spans)


@lru_cache(maxsize=2)
def _spans_on(device: torch.device, lengths: tuple[int, ...], window: int | None) -> Spans:
    """The spans for all layers of a pass that a packing does not hold: on a GPU in fp32 or with dropout, or those of
    layers in which a token sees so many tokens and no more, itself among them."""
    spans = []
    for begin, end, mask in make_spans(lengths):
        if window is not None:  # places in a span are as far apart as in a sample
            mask = mask.masked_fill(torch.ones_like(mask).tril(-window).bool(), -torch.inf)
        spans.append((begin, end, mask.to(device)))
    return tuple(spans)


def _attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    packing: Packing | None = None,
    sliding_window: int | None = None,
    **extra: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it: (1, heads, tokens, size) each, to (1, tokens, heads, size).

    With `sliding_window` a token sees that many tokens at most, the last of which is itself (Beltagy et al. 2020,
    https://arxiv.org/abs/2004.05150; Mistral, Gemma). Raises ValueError for what a kernel here does not know: a cap,
    sinks.
    """
    if packing is None:  # generation
        extra |= {} if sliding_window is None else {"sliding_window": sliding_window}
        attended, weights = usual_attention(module, query, key, value, attention_mask, dropout, scaling, **extra)
        return attended, weights
    for name in ("softcap", "s_aux", "position_bias"):
        if extra.get(name) is not None:
            raise ValueError(f"packed attention knows no {name}")
    if sliding_window is not None and max(packing.lengths) <= sliding_window:
        sliding_window = None  # no sample is longer, so it hides nothing
    query, key = query.to(value.dtype), key.to(value.dtype)  # under autocast, rotary embeddings leave them in fp32
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if query.device.type == "cuda" and query.dtype != torch.float32 and not dropout:
        samples: Any = _Samples
        flat = (states[0].transpose(0, 1) for states in (query, key, value))
        return samples.apply(*flat, scale, packing.ends, max(packing.lengths), sliding_window)[None], None
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    masked = packing.spans if sliding_window is None else ()
    masked = masked or _spans_on(query.device, packing.lengths, sliding_window)
    if query.device.type == "cpu" and query.dtype == torch.bfloat16 and not dropout:
        spans: Any = _Spans
        return spans.apply(query, key, value, scale, masked).transpose(1, 2), None
    parts = []
    for begin, end, mask in masked:
        q, k, v = (states[:, :, begin:end] for states in (query, key, value))
        parts.append(F.scaled_dot_product_attention(q, k, v, mask.to(query), dropout, scale=scale))
    return torch.cat(parts, 2).transpose(1, 2), None


class _Samples(torch.autograd.Function):
    """The kernel for CUDA, whose backward pass adds up in one order: a run ends the same each time."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scale: float,
        ends: Tensor,
        longest: int,
        window: int | None,
    ) -> Tensor:
        attended, log_sum, state = flash_attention_on_cuda(query, key, value, ends, longest, scale, window)
        ctx.save_for_backward(query, key, value, attended, log_sum, state, ends)
        ctx.scale, ctx.longest, ctx.window = scale, longest, window
        return attended  # type: ignore[no-any-return]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        *saved, ends = ctx.saved_tensors
        settings = {"longest": ctx.longest, "scale": ctx.scale, "window": ctx.window}
        found = flash_gradients_on_cuda(gradients[0], *saved, ends=ends, **settings)
        return *found, None, None, None, None


class _Spans(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float, spans: Spans) -> Tensor:
        attended = torch.empty_like(query.transpose(1, 2)).transpose(1, 2)
        sums = []
        for begin, end, mask in spans:
            part = slice(begin, end)
            attended[:, :, part], log_sum = flash_attention_on_cpu(
                query[:, :, part], key[:, :, part], value[:, :, part], mask.to(query), scale
            )
            sums.append(log_sum)
        ctx.save_for_backward(query, key, value, attended, *sums)
        ctx.scale, ctx.spans = scale, spans
        return attended

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, attended, *sums = ctx.saved_tensors
        of_query, of_key, of_value = (torch.empty_like(states) for states in (query, key, value))
        for (begin, end, mask), log_sum in zip(ctx.spans, sums):
            part = slice(begin, end)
            q, k, v, o, g = (states[:, :, part].flatten(0, 1) for states in (query, key, value, attended, gradients[0]))
            one = torch.ones_like(v[..., :1])
            # What is subtracted from a product stands in further columns of its factors, because passes over the scores
            # take the time here. The scores are in fp32: in bf16 they would not belong to the saved sums any more. The
            # mean gradient is in two bf16 parts, which together are as good as fp32.
            mean = (g.float() * o.float()).sum(-1, keepdim=True)
            high = mean.to(g.dtype)
            long_q = torch.cat([q.float() * ctx.scale, -log_sum.flatten(0, 1).unsqueeze(-1)], -1)
            long_k = torch.cat([k.float(), one.float()], -1).transpose(1, 2)
            long_g = torch.cat([g, -high, (high.float() - mean).to(g.dtype)], -1)
            long_v = torch.cat([v, one, one], -1).transpose(1, 2)
            to_q, to_k, to_v = (
                torch.empty_like(q),
                torch.zeros_like(k, dtype=torch.float32),
                torch.zeros_like(v, dtype=torch.float32),
            )
            for first in range(0, end - begin, BLOCK):
                last = min(first + BLOCK, end - begin)
                shares = (
                    torch.baddbmm(mask[first:last, :last].float(), long_q[:, first:last], long_k[..., :last])
                    .exp_()
                    .to(q.dtype)
                )
                to_v[:, :last] += torch.bmm(shares.transpose(1, 2), g[:, first:last])
                of_scores = torch.bmm(long_g[:, first:last], long_v[..., :last]).mul_(shares)
                to_q[:, first:last] = torch.bmm(of_scores, k[:, :last])
                to_k[:, :last] += torch.bmm(of_scores.transpose(1, 2), q[:, first:last])
            shape = query[:, :, part].shape
            of_query[:, :, part] = to_q.mul_(ctx.scale).view(shape)
            of_key[:, :, part] = to_k.mul_(ctx.scale).view(shape)
            of_value[:, :, part] = to_v.view(shape)
        return of_query, of_key, of_value, None, None


AttentionInterface.register(PACKED, _attend)
