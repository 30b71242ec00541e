"""What a model is told by its own weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from conftest import make_gpt2, make_llama
from wolf_chatbox.model.adaptation import relative_scale


@torch.no_grad()
@pytest.mark.parametrize("make", [make_gpt2, make_llama])
def test_the_scale_is_that_of_the_layers_matrices(make: Any) -> None:
    model = make()
    before = relative_scale(model)
    assert 0 < before < 1
    for name, weights in model.named_parameters():
        if weights.ndim < 2 or "wte" in name or "wpe" in name or "embed" in name:
            weights.mul_(7)  # vectors and embeddings do not count
    assert relative_scale(model) == pytest.approx(before)
    for weights in model.parameters():
        weights.mul_(3)
    assert relative_scale(model) == pytest.approx(3 * before)


@torch.no_grad()
def test_a_model_of_zeros_has_the_usual_scale() -> None:
    model = make_llama()
    for weights in model.parameters():
        weights.zero_()
    assert relative_scale(model) == 1
