"""The loss on pairs is the textbook's, however the pairs are packed; the textbook is computed the plain way here."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from test_loss import granite, make_samples

from conftest import make_gpt2, make_llama
from wolf_chatbox.model import loss as loss_module
from wolf_chatbox.model.loss import evaluating
from wolf_chatbox.model.preference_loss import PreferenceLoss
from wolf_chatbox.samples.pairs import Pair
from wolf_chatbox.samples.rendering import Sample

BETA = 0.7


def make_pairs() -> list[Pair]:
    samples = make_samples()
    return [Pair.of(samples[one], samples[other]) for one, other in ((0, 1), (2, 3), (6, 4))]


def log_probability(model: Any, sample: Sample) -> torch.Tensor:
    ids, learn = torch.tensor([sample.ids]), torch.tensor(sample.learn[1:])
    logits = F.log_softmax(model(input_ids=ids).logits[0, :-1], -1)
    return logits.gather(-1, ids[0, 1:, None])[learn].sum()


def textbook(model: Any, pair: Pair, chosen_weight: float = 0.0) -> torch.Tensor:
    """Equation 7 of Rafailov et al. 2023, and the term of Pang et al. 2024."""
    chosen, rejected = (log_probability(model, part) for part in pair.parts())
    preferred = torch.sigmoid(BETA * (chosen - rejected - pair.reference))
    return -torch.log(preferred) - chosen_weight * chosen / sum(pair.parts()[0].learn)


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def ratios(learner: PreferenceLoss, rows: list[Any]) -> torch.Tensor:
    with torch.no_grad(), evaluating(learner):
        found: torch.Tensor = learner(learner.collate(rows, 1), ratios=True)
    return found


@pytest.mark.parametrize("make", [make_gpt2, make_llama, granite])
@pytest.mark.parametrize("chosen_weight", [0.0, 0.5])
def test_the_gradient_of_packed_pairs_is_the_textbooks_one_by_one(
    make: Any, chosen_weight: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loss_module, "CHUNK", 7)
    model = make()
    learner = PreferenceLoss(model, BETA, chosen_weight)
    pairs = make_pairs()
    known = ratios(learner, [tuple(pairs)]).tolist()
    pairs = [replace(pair, reference=ratio + 2 * at - 3) for at, (pair, ratio) in enumerate(zip(pairs, known))]
    rows = [(pairs[0],), (pairs[1], pairs[2])]
    packed = learner(learner.collate(rows, 1))
    found = gradients(model, packed)
    usual = make()  # the same weights, and the attention that it comes with
    plain = torch.stack([textbook(usual, pair, chosen_weight) for pair in pairs]).sum()
    wanted = gradients(usual, plain)
    assert packed.item() == pytest.approx(plain.item(), rel=1e-5)
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        assert torch.allclose(found[name], gradient, rtol=1e-3, atol=1e-5), name
    assert learner.count(rows) == 3


def test_where_nothing_was_learnt_yet_the_loss_is_the_logarithm_of_two() -> None:
    learner = PreferenceLoss(make_llama(), BETA, 0.0)
    pairs = make_pairs()
    known = ratios(learner, [tuple(pairs)]).tolist()
    assert min(map(abs, known)) > 0.1, "the test needs replies that are not equally likely"
    remembered = tuple(replace(pair, reference=ratio) for pair, ratio in zip(pairs, known))
    assert learner(learner.collate([remembered], 1)).item() == pytest.approx(3 * math.log(2), rel=1e-6)


def test_exchanged_replies_mirror_the_loss() -> None:
    """As log s(x) - log s(-x) = x, a choice and its opposite differ by the margin that they are about."""
    learner = PreferenceLoss(make_llama(), BETA, 0.0)
    pair = make_pairs()[0]
    reference = ratios(learner, [(pair,)]).item() - 1.5
    pair = replace(pair, reference=reference)
    other = replace(Pair.of(*reversed(pair.parts())), reference=-reference)
    ratio, mirrored = (ratios(learner, [(each,)]).item() for each in (pair, other))
    assert mirrored == pytest.approx(-ratio, rel=1e-5)
    one, two = (learner(learner.collate([(each,)], 1)).item() for each in (pair, other))
    assert two - one == pytest.approx(BETA * 1.5, rel=1e-3)
