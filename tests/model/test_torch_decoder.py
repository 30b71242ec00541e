"""The torch decoder: texts that are read together give what each gives alone."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import make_gpt2, make_llama
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.compat import attention_of
from wolf_chatbox.model.engines.decoder import Feed
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.torch import TorchDecoder

SAMPLING = SamplingConfig(max_new_tokens=8, no_repeat_phrase=0, temperature=1.0)


def make_gemma3(**settings: Any) -> Any:
    """Layers that see a window of 8 tokens, and one that sees all."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 4, "num_key_value_heads": 1}
    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            vocab_size=120,
            num_hidden_layers=3,
            head_dim=8,
            sliding_window=8,
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            max_position_embeddings=128,
            **(shape | settings),
        )
    )


def make_gemma2() -> Any:
    """Its attention scores are capped, which attention over slots does not know."""
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    return Gemma2ForCausalLM(
        Gemma2Config(
            vocab_size=120, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, head_dim=8, sliding_window=8, max_position_embeddings=128,
        )
    )  # fmt: skip


def make_lfm2() -> Any:
    """It has layers without attention, whose state cannot be cropped."""
    from transformers import Lfm2Config, Lfm2ForCausalLM

    torch.manual_seed(0)
    return Lfm2ForCausalLM(
        Lfm2Config(
            vocab_size=120, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, layer_types=["conv", "full_attention"], max_position_embeddings=128,
        )
    )  # fmt: skip


def make_lora() -> Any:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    with warnings.catch_warnings():  # peft asks transformers in an old way
        warnings.simplefilter("ignore", FutureWarning)
        model = get_peft_model(make_llama(), LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "v_proj"]))
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    return model


MODELS = {"gpt2": make_gpt2, "llama": make_llama, "gemma3": make_gemma3, "gemma2": make_gemma2}
MODELS |= {"lfm2": make_lfm2, "lora": make_lora}
made: dict[str, Any] = {}


def model_of(name: str) -> Any:
    if name not in made:
        made[name] = MODELS[name]().eval()
    return made[name]


def logits_of(model: Any, ids: list[int]) -> Any:
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0].float().numpy()


IDS = st.lists(st.integers(1, 100), min_size=1, max_size=20)


@settings(max_examples=25)
@given(
    name=st.sampled_from(sorted(MODELS)),
    texts=st.lists(IDS, min_size=1, max_size=4, unique_by=tuple),
    cuts=st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=5), min_size=4, max_size=4),
    data=st.data(),
)
def test_texts_read_together_in_parts_give_what_each_gives_alone(
    name: str, texts: list[list[int]], cuts: list[list[int]], data: st.DataObject
) -> None:
    model = model_of(name)
    decoder = TorchDecoder(model, 6)
    slots = data.draw(st.permutations(range(6)))
    at = [0] * len(texts)
    for step in range(40):
        reading = [number for number, text in enumerate(texts) if at[number] < len(text)]
        feeds = []
        for number in reading:
            size = cuts[number][step % len(cuts[number])]
            feeds.append(Feed(slots[number], texts[number][at[number] : at[number] + size], at[number], step % 2 == 0))
        if not feeds:
            break
        rows, row = decoder.read(feeds), 0
        for number, feed in zip(reading, feeds):
            end = at[number] + len(feed.ids)
            expected = logits_of(model, texts[number][:end])[at[number] if feed.every else end - 1 :]
            np.testing.assert_allclose(rows[row : row + len(expected)], expected, atol=2e-4)
            row += len(expected)
            at[number] = end
        assert row == len(rows)
    assert decoder._packed is (name not in ("gemma2", "lfm2"))


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_prefix_that_is_kept_copied_or_cropped_is_as_one_read_anew(name: str) -> None:
    model = model_of(name)
    decoder = TorchDecoder(model, 3)
    text = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3]
    decoder.read([Feed(0, text, 0)])
    decoder.copy(0, 2, 12)
    rows = decoder.read([Feed(0, [7, 7], 9), Feed(2, [8], 12)])
    np.testing.assert_allclose(rows[0], logits_of(model, [*text[:9], 7, 7])[-1], atol=2e-4)
    np.testing.assert_allclose(rows[1], logits_of(model, [*text[:12], 8])[-1], atol=2e-4)
    decoder.copy(2, 1, 13)
    rows = decoder.read([Feed(1, [5], 13), Feed(2, [6], 4)])
    np.testing.assert_allclose(rows[0], logits_of(model, [*text[:12], 8, 5])[-1], atol=2e-4)
    np.testing.assert_allclose(rows[1], logits_of(model, [*text[:4], 6])[-1], atol=2e-4)
    assert rows.dtype == np.float32


def test_a_text_may_outgrow_the_room_of_its_slot() -> None:
    model = make_gpt2(context=700).eval()
    decoder = TorchDecoder(model, 2)
    text = [1 + at % 90 for at in range(690)]
    decoder.read([Feed(0, text[:200], 0)])
    decoder.read([Feed(1, text[:3], 0), Feed(0, text[200:300], 200)])
    rows = decoder.read([Feed(0, text[300:], 300), Feed(1, [9], 3)])
    np.testing.assert_allclose(rows[0], logits_of(model, text)[-1], atol=2e-4)
    np.testing.assert_allclose(rows[1], logits_of(model, [*text[:3], 9])[-1], atol=2e-4)
    assert decoder._cache.room == 700, "and it never has more than the context"


@pytest.mark.parametrize("name", ["gpt2", "gemma3", "lora"])
def test_64_streams_over_4_slots_draw_what_each_draws_alone(name: str) -> None:
    model = model_of(name)
    prompts = [[7, 7, 7, *range(1, 1 + number % 9)] for number in range(64)]
    expected = [
        [token.id for token in Engine(TorchDecoder(model, 1)).stream(prompt, SAMPLING, {0}, seed=seed)]
        for seed, prompt in enumerate(prompts)
    ]
    engine = Engine(TorchDecoder(model, 4))
    got: dict[int, list[int]] = {}

    def draw(seed: int) -> None:
        got[seed] = [token.id for token in engine.stream(prompts[seed], SAMPLING, {0}, seed=seed)]

    threads = [threading.Thread(target=draw, args=(seed,)) for seed in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [got[seed] for seed in range(64)] == expected


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_a_state_is_read_by_the_same_model_alone(name: str) -> None:
    model = model_of(name)
    decoder = TorchDecoder(model, 2)
    text = [3, 1, 4, 1, 5, 9, 2, 6]
    decoder.read([Feed(1, text, 0)])
    state = decoder.save(1, 6)
    fresh = TorchDecoder(model, 2)
    fresh.restore(0, state)
    np.testing.assert_allclose(fresh.read([Feed(0, [7], 6)])[0], logits_of(model, [*text[:6], 7])[-1], atol=2e-4)
    for bad in (b"", b"{}\n", state[:-4], state[:20], state + b"\0", b"\xff" + state):
        with pytest.raises(ValueError, match="state"):
            fresh.restore(0, bad)
    other = model_of("llama" if name == "gpt2" else "gpt2")
    with pytest.raises(ValueError, match="another model"):
        TorchDecoder(other, 2).restore(0, state)


def test_the_fingerprint_changes_with_the_weights() -> None:
    model = make_gpt2()
    decoder = TorchDecoder(model)
    before = decoder.fingerprint
    assert before == TorchDecoder(make_gpt2()).fingerprint
    model.transformer.h[1].mlp.c_fc.weight.data += 0.01
    assert decoder.fingerprint != before


def test_a_model_without_exchangeable_attention_saves_no_state() -> None:
    engine = Engine(TorchDecoder(model_of("gemma2")))
    assert len(list(engine.stream([1, 2, 3], SAMPLING, (), seed=1))) == 8
    assert engine.save([1, 2, 3]) is None


def test_a_model_that_is_trained_replies_and_is_left_as_it_was() -> None:
    model = make_llama(attention_dropout=0.5).train()
    model.config.use_cache = False
    attention = attention_of(model)
    engine = Engine(TorchDecoder(model))
    expected = [token.id for token in Engine(TorchDecoder(make_llama().eval())).stream([5, 6], SAMPLING, (), seed=1)]
    assert [token.id for token in engine.stream([5, 6], SAMPLING, (), seed=1)] == expected
    assert model.training
    assert attention_of(model) == attention
    loss = model(torch.tensor([[1, 2, 3]]), labels=torch.tensor([[1, 2, 3]])).loss
    loss.backward()
    with torch.autocast("cpu", torch.bfloat16):
        assert len(list(engine.stream([5, 6, 7], SAMPLING, (), seed=1))) == 8
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        model(torch.tensor([[1, 2, 3]]), labels=torch.tensor([[1, 2, 3]])).loss.backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_bf16_reads_together_what_it_reads_alone() -> None:
    model = make_llama().eval().to(torch.bfloat16)
    decoder = TorchDecoder(model, 2)
    rows = decoder.read([Feed(0, [3, 1, 4], 0), Feed(1, [2, 7], 0)])
    np.testing.assert_allclose(rows[1], logits_of(model, [2, 7])[-1], atol=3e-2)
    assert decoder._packed
    assert rows.dtype == np.float32


def test_a_model_that_ignores_what_it_is_told_is_read_one_by_one() -> None:
    model = make_gpt2().eval()
    whole = model.forward

    def forward(input_ids: Any, past_key_values: Any = None, use_cache: Any = None, **ignored: Any) -> Any:
        return whole(input_ids=input_ids, past_key_values=past_key_values, use_cache=use_cache)

    model.forward = forward
    decoder = TorchDecoder(model, 2)
    rows = decoder.read([Feed(0, [3, 1, 4], 0), Feed(1, [2, 7], 0)])
    assert decoder._packed is False
    np.testing.assert_allclose(rows[1], logits_of(model, [2, 7])[-1], atol=1e-5)
