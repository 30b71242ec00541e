from __future__ import annotations

from typing import Any

import pytest
import torch

from conftest import make_gpt2, make_llama
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ConfigError, ModelError
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.torch import TorchDecoder

PROMPT = [5, 6, 7, 8]
GREEDY = SamplingConfig(max_new_tokens=30, no_repeat_ngram_size=0, top_k=0, top_p=1.0, temperature=0)
PLAIN = GREEDY.changed(temperature=1.0)


def engine_of(model: Any) -> Engine:
    return Engine(TorchDecoder(model))


def said(engine: Engine, *asked: Any, **settings: Any) -> list[int]:
    return [token.id for token in engine.stream(*asked, **settings)]


@pytest.mark.parametrize("make", [make_gpt2, make_llama])
def test_greedy_is_that_of_transformers(make: Any) -> None:
    model = make().eval()
    expected = model.generate(
        torch.tensor([PROMPT]),
        attention_mask=torch.ones(1, 4),
        do_sample=False,
        max_new_tokens=30,
        eos_token_id=None,
        pad_token_id=0,
    )
    assert said(engine_of(model), PROMPT, GREEDY, set()) == expected[0, 4:].tolist()


def test_the_seed_decides() -> None:
    engine = engine_of(make_gpt2())
    assert said(engine, PROMPT, PLAIN, set(), seed=1) == said(engine, PROMPT, PLAIN, set(), seed=1)
    assert said(engine, PROMPT, PLAIN, set(), seed=1) != said(engine, PROMPT, PLAIN, set(), seed=2)
    assert said(engine, PROMPT, PLAIN, set()) != said(engine, PROMPT, PLAIN, set())


def test_a_reply_ends_at_a_stop_id_which_is_no_part_of_it() -> None:
    engine = engine_of(make_gpt2())
    whole = said(engine, PROMPT, PLAIN, set(), seed=1)
    assert said(engine, PROMPT, PLAIN, {whole[7]}, seed=1) == whole[: whole.index(whole[7])]


@pytest.mark.parametrize("first", [1, 5, 29])
@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_reply_in_two_parts_is_the_reply_in_one(size: int, first: int) -> None:
    engine = engine_of(make_gpt2(vocab=60))
    rule = GREEDY.changed(no_repeat_ngram_size=size)
    whole = said(engine, PROMPT, rule, set())
    begun = said(engine, PROMPT, rule.changed(max_new_tokens=first), set())
    rest = said(engine, [*PROMPT, *begun], rule.changed(max_new_tokens=30 - first), set(), begun=first)
    assert begun + list(rest) == whole


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_a_model_that_gives_no_numbers_is_named(bad: float, temperature: float) -> None:
    model = make_gpt2()
    model.transformer.ln_f.weight.data.fill_(bad)
    with pytest.raises(ModelError, match="logits are NaN or infinite"):
        said(engine_of(model), PROMPT, PLAIN.changed(temperature=temperature), set())


@pytest.mark.parametrize("temperature", [0.001, 1000.0])
def test_every_temperature_that_is_allowed_works(temperature: float) -> None:
    assert said(engine_of(make_gpt2()), PROMPT, PLAIN.changed(temperature=temperature), set(), seed=1)[0] >= 0
    for bad in (1e-300, 1e-4, 1e4, 1e300):
        with pytest.raises(ConfigError, match=r"from 0\.001 to 1000"):
            PLAIN.changed(temperature=bad)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_ngram_comes_twice(size: int) -> None:
    model = make_gpt2(vocab=20)
    looping = said(engine_of(model), PROMPT, GREEDY.changed(max_new_tokens=40), set())
    assert len({tuple(looping[at : at + size]) for at in range(len(looping) - size + 1)}) < len(looping) - size + 1, (
        "the model loops by itself"
    )
    ids = said(engine_of(model), PROMPT, GREEDY.changed(max_new_tokens=15, no_repeat_ngram_size=size), set())
    grams = [tuple(ids[at : at + size]) for at in range(len(ids) - size + 1)]
    assert len(grams) == len(set(grams))


def test_the_ngram_rule_looks_at_the_reply_alone() -> None:
    model = make_gpt2(vocab=20)
    prompt = [at % 20 for at in range(60)]
    assert list(
        said(engine_of(model), prompt, GREEDY.changed(max_new_tokens=1, no_repeat_ngram_size=1), set())
    ) == said(engine_of(model), prompt, GREEDY.changed(max_new_tokens=1), set())


def test_top_k_and_top_p_leave_out_the_unlikely() -> None:
    engine = engine_of(make_gpt2())
    greedy = said(engine, PROMPT, GREEDY, set())
    assert said(engine, PROMPT, PLAIN.changed(top_k=1), set(), seed=3) == greedy
    assert said(engine, PROMPT, PLAIN.changed(top_p=1e-9), set(), seed=3) == greedy
    with torch.no_grad():
        ranks = engine.decoder.model(torch.tensor([PROMPT])).logits[0, -1].argsort(descending=True).tolist()
    firsts = {said(engine, PROMPT, PLAIN.changed(top_k=4, max_new_tokens=1), set(), seed=seed)[0] for seed in range(60)}
    assert firsts == set(ranks[:4])


def test_a_low_temperature_is_safer_than_a_high_one() -> None:
    engine = engine_of(make_gpt2())

    def kinds(temperature: float) -> int:
        return len(
            {
                said(engine, PROMPT, PLAIN.changed(temperature=temperature, max_new_tokens=1), set(), seed=seed)[0]
                for seed in range(60)
            }
        )

    assert kinds(0.05) < kinds(5.0)


def test_replies_stay_within_their_length_and_the_context() -> None:
    engine = engine_of(make_gpt2(context=64))
    assert len(said(engine, PROMPT, PLAIN.changed(max_new_tokens=5), set())) == 5
    assert len(said(engine, [1] * 60, PLAIN, set())) == 4
    assert len(said(engine, [1] * 63, PLAIN, set())) == 1
    for bad in ([], [1] * 64):
        with pytest.raises(ValueError, match="a prompt of"):
            said(engine, bad, PLAIN, set())


def test_generating_leaves_the_model_in_its_mode() -> None:
    model = make_gpt2(resid_pdrop=0.5).train()
    first = said(engine_of(model), PROMPT, GREEDY, set())
    assert model.training
    assert first == said(engine_of(model), PROMPT, GREEDY, set()), "no dropout while generating"
