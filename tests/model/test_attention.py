"""Our attention against PyTorch's with the whole mask, computed in double precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from wolf_chatbox.model import attention
from wolf_chatbox.model.attention import describe

CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
)
DEVICES = pytest.mark.parametrize("device", ["cpu", CUDA])
LENGTHS = [[40], [1], [3, 5], [300, 7], [20] * 25, [100, 40, 1, 1, 60, 150]]


def make(lengths: list[int], dtype: torch.dtype, groups: int = 1, device: str = "cpu") -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    heads = [4, 4 // groups, 4 // groups]
    states = [torch.randn(1, each, sum(lengths), 16, generator=random) for each in heads]
    return [each.to(device, dtype).requires_grad_() for each in states]


def packing_of(lengths: list[int], device: str = "cpu") -> attention.Packing:
    return describe(lengths, spans=device == "cpu").to(torch.device(device))


def whole(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    lengths: list[int],
    scale: float | None = None,
    window: int | None = None,
) -> Tensor:
    seen = torch.block_diag(*[torch.ones(each, each).tril().triu(1 - (window or each)) for each in lengths]).bool()
    return F.scaled_dot_product_attention(
        query, key, value, attn_mask=seen[None, None], scale=scale, enable_gqa=True
    ).transpose(1, 2)


def gradients(inputs: list[Tensor], attended: Tensor) -> list[Tensor]:
    along = torch.randn(attended.shape, generator=torch.Generator().manual_seed(1)).to(attended)
    return list(torch.autograd.grad(attended, inputs, along))


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-5), (torch.bfloat16, 1.2e-2)])
@pytest.mark.parametrize(("groups", "scale"), [(1, None), (2, 0.3)])
@DEVICES
def test_it_is_attention_with_the_whole_mask(
    lengths: list[int], dtype: torch.dtype, rounding: float, groups: int, scale: float | None, device: str
) -> None:
    inputs = make(lengths, dtype, groups, device)
    exact = [each.detach().cpu().double().requires_grad_() for each in inputs]
    expected = whole(*exact, lengths, scale)
    attended, _ = attention._attend(None, *inputs, None, scaling=scale, packing=packing_of(lengths, device))
    assert_equal(inputs, attended, exact, expected, rounding)


@pytest.mark.parametrize("window", [2, 7, 299])
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize(("dtype", "rounding"), [(torch.float32, 1e-5), (torch.bfloat16, 1.2e-2)])
@DEVICES
def test_a_window_hides_what_is_further_back(
    window: int, lengths: list[int], dtype: torch.dtype, rounding: float, device: str
) -> None:
    inputs = make(lengths, dtype, 2, device)
    exact = [each.detach().cpu().double().requires_grad_() for each in inputs]
    expected = whole(*exact, lengths, window=window)
    attended, _ = attention._attend(None, *inputs, None, packing=packing_of(lengths, device), sliding_window=window)
    assert_equal(inputs, attended, exact, expected, rounding)


def assert_equal(
    inputs: list[Tensor], attended: Tensor, exact: list[Tensor], expected: Tensor, rounding: float
) -> None:
    """The results are equal, and so are the gradients."""
    for ours, theirs in zip([attended, *gradients(inputs, attended)], [expected, *gradients(exact, expected)]):
        # A single token's query and key have no gradient: what is left is the rounding of numbers of size one.
        assert (ours.cpu().double() - theirs).norm() <= rounding * (theirs.norm() + 1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@DEVICES
def test_no_sample_sees_another(dtype: torch.dtype, device: str) -> None:
    inputs = make([30, 50, 9], dtype, device=device)
    packing = packing_of([30, 50, 9], device)
    before, _ = attention._attend(None, *inputs, None, packing=packing)
    others = [each.detach().clone() for each in inputs]
    for each in others:
        each[:, :, 30:80] = 7.0
    after, _ = attention._attend(None, *others, None, packing=packing)
    assert torch.equal(before[:, :30], after[:, :30])
    assert torch.equal(before[:, 80:], after[:, 80:])


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
def test_spans_cover_every_token_once(lengths: list[int]) -> None:
    packing = describe(lengths)
    assert [begin for begin, _, _ in packing.spans] == [0, *(end for _, end, _ in packing.spans[:-1])]
    assert packing.spans[-1][1] == sum(lengths) == int(packing.ends[-1])


def test_spans_that_were_left_out_are_made_where_they_are_needed() -> None:
    inputs = make([30, 50, 9], torch.float32)
    usual, _ = attention._attend(None, *inputs, None, packing=describe([30, 50, 9]))
    without, _ = attention._attend(None, *inputs, None, packing=describe([30, 50, 9], spans=False))
    assert torch.equal(usual, without)


@pytest.mark.parametrize("unknown", [{"softcap": 2.0}, {"s_aux": torch.zeros(4)}])
def test_what_it_does_not_know_is_refused(unknown: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="packed attention knows no"):
        attention._attend(None, *make([9], torch.float32), None, packing=describe([9]), **unknown)
