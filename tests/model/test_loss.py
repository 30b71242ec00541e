from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import (
    AttentionInterface,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GraniteConfig,
    GraniteForCausalLM,
    OPTConfig,
    OPTForCausalLM,
)

from conftest import make_gpt2, make_llama
from wolf_chatbox.model import loss as loss_module
from wolf_chatbox.model.attention import PACKED
from wolf_chatbox.model.loss import SummedLoss, choose_apart, count_learnt
from wolf_chatbox.samples.packing import pack
from wolf_chatbox.samples.rendering import Sample


def granite() -> Any:
    """A model that scales its logits: the output layer alone is not the whole of its head."""
    torch.manual_seed(0)
    shape = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    return GraniteForCausalLM(GraniteConfig(vocab_size=410, logits_scaling=3.0, **shape))


def gemma() -> Any:
    """A model with a window in one of its two layers, shorter than some samples, and a tied, scaled embedding."""
    torch.manual_seed(0)
    shape = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 16,
    }
    layers = ["sliding_attention", "full_attention"]
    return Gemma3ForCausalLM(Gemma3TextConfig(vocab_size=410, sliding_window=8, layer_types=layers, **shape))


def make_samples() -> list[Sample]:
    random = torch.Generator().manual_seed(1)
    sizes = [30, 3, 17, 9, 25, 2, 12]
    ids = [torch.randint(1, 400, (size,), generator=random).tolist() for size in sizes]
    return [
        Sample(each, [at > 0 and (at + number) % 3 > 0 for at in range(len(each))]) for number, each in enumerate(ids)
    ]


@torch.no_grad()
def one_by_one(model: Any, samples: list[Sample]) -> float:
    total = 0.0
    for sample in samples:
        ids = torch.tensor([sample.ids])
        logits = model(input_ids=ids).logits[0, :-1]
        learn = torch.tensor(sample.learn[1:])
        if learn.any():
            total += float(cross_entropy(logits[learn], ids[0, 1:][learn], reduction="sum"))
    return total


@torch.no_grad()
def summed(learner: SummedLoss, rows: list[Any], pad_id: int = 1) -> float:
    return float(learner(learner.collate(rows, pad_id)))


@pytest.mark.parametrize("make", [make_gpt2, make_llama, granite, gemma])
def test_packed_is_one_by_one(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "CHUNK", 7)
    model = make().eval()
    samples = make_samples()
    expected = one_by_one(model, samples)
    learner = SummedLoss(model)
    assert learner.head_is_plain == (make is not granite)
    assert learner.apart == "packed"
    for room in (30, 47, 200):
        rows = pack(samples, room)
        assert summed(learner, rows) == pytest.approx(expected, rel=1e-5)
    assert count_learnt(rows) == sum(sum(sample.learn) for sample in samples)


@pytest.mark.parametrize("make", [make_gpt2, gemma])
def test_gradients_of_packed_are_those_of_one_by_one(make: Any) -> None:
    samples = make_samples()
    gradients = []
    for rows in (pack(samples, 64), [(sample,) for sample in samples]):
        model = make()
        learner = SummedLoss(model)
        learner(learner.collate(rows, pad_id=0)).backward()
        gradients.append(torch.cat([each.grad.flatten() for each in model.parameters()]))
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-4, atol=1e-5)


def test_the_padding_is_told_by_the_mask_never_by_an_id() -> None:
    model = make_gpt2().eval()
    rows = pack(make_samples(), 64)
    assert summed(SummedLoss(model), rows, 0) == pytest.approx(summed(SummedLoss(model), rows, 5), rel=1e-6)


def test_a_model_that_cannot_pack_is_found_out() -> None:
    class Deaf(type(make_gpt2())):  # type: ignore[misc]
        def forward(self, input_ids: Any = None, position_ids: Any = None, **rest: Any) -> Any:
            return super().forward(input_ids=input_ids, **rest)

    torch.manual_seed(0)
    assert choose_apart(Deaf(make_gpt2().config)) == "alone"
    opt = OPTForCausalLM(
        OPTConfig(
            vocab_size=50,
            hidden_size=16,
            ffn_dim=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=64,
            word_embed_proj_dim=16,
        )
    )
    samples = [Sample([3, 4, 5], [False, True, True])]
    assert summed(SummedLoss(opt.eval()), [(samples[0],)]) == pytest.approx(one_by_one(opt, samples), rel=1e-5)


def test_without_its_kernel_the_model_keeps_samples_apart_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise AttributeError("'_OpNamespace' 'aten' object has no attribute '_flash_attention_forward'")

    monkeypatch.setitem(AttentionInterface._global_mapping, PACKED, missing)
    model = make_gpt2()
    assert choose_apart(model) == "masked"
    assert model.config._attn_implementation == "sdpa"


def test_choosing_how_samples_are_kept_apart_changes_no_model() -> None:
    model = make_gpt2()
    before = model.config._attn_implementation
    assert choose_apart(model) == "packed"
    assert model.config._attn_implementation == before
    SummedLoss(model)
    assert model.config._attn_implementation == PACKED


# What counts how much


def make_weighed() -> list[Sample]:
    return [
        Sample(sample.ids, [learn * (1.0, 0.3, 1.0, 0.7)[at % 4] for at, learn in enumerate(sample.learn)])
        for sample in make_samples()
    ]


@pytest.mark.parametrize("make", [make_gpt2, make_llama, granite])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_weights_and_smoothing_are_those_of_cross_entropy(
    make: Any, smoothing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_module, "CHUNK", 7)
    samples, totals, gradients = make_weighed(), [], []
    for ours in (True, False):
        model = make().train()
        total = torch.zeros(())
        if ours:
            learner = SummedLoss(model, smoothing)
            learner.train()
            total = learner(learner.collate(pack(samples, 64), pad_id=0))
        else:
            for sample in samples:
                ids, weights = torch.tensor(sample.ids), torch.tensor(sample.learn[1:])
                logits = model(input_ids=ids[None]).logits[0, :-1]
                total = total + cross_entropy(logits, ids[1:], reduction="none", label_smoothing=smoothing) @ weights
        total.backward()
        totals.append(total.item())
        gradients.append(torch.cat([each.grad.flatten() for each in model.parameters()]))
    assert totals[0] == pytest.approx(totals[1], rel=1e-5)
    assert torch.allclose(gradients[0], gradients[1], rtol=1e-3, atol=1e-4)
    assert count_learnt(pack(samples, 64)) == pytest.approx(sum(sum(sample.learn) for sample in samples))


@pytest.mark.parametrize("make", [make_gpt2, granite])
def test_a_measurement_has_neither_smoothing_nor_noise(make: Any) -> None:
    rows = pack(make_samples(), 64)
    model = make()
    plain, changed = SummedLoss(model).eval(), SummedLoss(model, smoothing=0.3, noise=9.0).eval()
    assert summed(changed, rows) == summed(plain, rows)
    assert summed(changed.train(), rows) != summed(plain.train(), rows)


def test_noise_is_as_large_as_each_sample_allows() -> None:
    model = make_gpt2()
    learner = SummedLoss(model, noise=5.0)
    batch = learner.collate([(Sample([7] * 16, [True] * 16), Sample([7] * 4, [True] * 4))], pad_id=0)
    noise = (learner._noisy(batch) - model.get_input_embeddings()(batch.ids)).abs()[0].detach()
    for first, last in ((0, 16), (16, 20)):
        most = 5.0 / ((last - first) * 32) ** 0.5
        assert 0.9 * most < float(noise[first:last].max()) <= most * 1.001
        assert float(noise[first:last].mean()) == pytest.approx(most / 2, rel=0.15)
