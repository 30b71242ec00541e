"""The llama.cpp decoder against the torch decoder, over the same weights in 16 bits."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import make_gpt2, make_llama
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines import llama_library
from wolf_chatbox.model.engines.decoder import Feed
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.sampling import Sampler
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.model.gguf import gguf_of

pytestmark = pytest.mark.skipif(llama_library.lacking() is not None, reason="llama.cpp is an optional engine")

SHARP = {"initializer_range": 0.3}
"""Weights so large that the likeliest tokens stand apart: 16 bits then change no choice."""
GREEDY = SamplingConfig(max_new_tokens=30, no_repeat_phrase=0, temperature=0)
PLAIN = GREEDY.changed(temperature=1.0, top_k=0, top_p=1.0)
IDS = [id % 97 + 3 for id in range(1, 400, 7)]


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tokenizer: Any, chat_tokenizer: Any
) -> Iterator[tuple[Any, Path]]:
    """A model whose weights are 16-bit numbers, and the same as a GGUF file."""
    make, words = (make_gpt2, tokenizer) if request.param == "gpt2" else (make_llama, chat_tokenizer)
    folder = tmp_path_factory.mktemp("pair") / request.param
    model = make(len(words), **SHARP).half().float().eval()
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WOLF_CHATBOX_CACHE", str(folder.parent / "cache"))
        yield model, gguf_of(folder, "f16")


@pytest.fixture
def decoder(pair: tuple[Any, Path]) -> Iterator[Any]:
    made = decoder_of(pair[1])
    yield made
    made.close()


def decoder_of(path: Path, slots: int = 4, **settings: Any) -> Any:
    from wolf_chatbox.model.engines.llama_cpp import LlamaDecoder

    return LlamaDecoder(path, slots, **settings)


def said(engine: Engine, *asked: Any, **settings: Any) -> list[int]:
    return [token.id for token in engine.stream(*asked, **settings)]


def same(one: Any, other: Any, rounding: float = 1e-2) -> bool:
    """Whether two sets of logits are the same but for the rounding of 16-bit numbers."""
    return bool(np.linalg.norm(one - other) <= rounding * np.linalg.norm(other))


def test_the_logits_are_those_of_torch(pair: tuple[Any, Path], decoder: Any) -> None:
    with torch.inference_mode():
        expected = pair[0](torch.tensor([IDS])).logits[0].numpy()
    rows = decoder.read([Feed(0, IDS, 0, every=True)])
    assert rows.dtype == np.float32
    assert rows.shape == expected.shape
    assert same(rows, expected)
    assert not same(rows[:-1], expected[1:], 0.5)
    assert same(decoder.read([Feed(1, IDS, 0)]), expected[-1:])


def agreed(model: Any, prompt: list[int], reply: list[int], sampling: SamplingConfig, seed: int) -> list[bool]:
    """Which tokens of a reply torch would draw at the same place; 16 bits turn a close choice now and then."""
    sampler = Sampler(sampling, seed)
    with torch.inference_mode():
        rows = model(torch.tensor([prompt + reply])).logits[0, len(prompt) - 1 : -1].numpy()
    assert len(rows) == len(reply) == sampling.max_new_tokens
    return [sampler.draw(row, reply[:place]).id == reply[place] for place, row in enumerate(rows)]


def agreement(model: Any, engine: Engine, sampling: SamplingConfig, torch_seed: int = 0) -> float:
    """The share of them in six replies that an engine draws with the seed 0."""
    prompts = [IDS[at : at + 9] for at in range(6)]
    replies = [said(engine, prompt, sampling, set(), seed=0) for prompt in prompts]
    return float(
        np.mean([agreed(model, prompt, reply, sampling, torch_seed) for prompt, reply in zip(prompts, replies)])
    )


@pytest.mark.parametrize(
    "setting",
    [
        {"temperature": 0.0},
        {},
        {"temperature": 0.5},
        {"top_k": 3},
        {"top_p": 0.5},
        {"min_p": 0.2},
        {"repetition_penalty": 1.7},
        {"no_repeat_ngram_size": 2},
    ],
)
def test_each_setting_means_the_same_as_in_torch(pair: tuple[Any, Path], decoder: Any, setting: dict[str, Any]) -> None:
    sampling = PLAIN.changed(**setting)
    assert agreement(pair[0], Engine(decoder), sampling) > 0.9
    if sampling.temperature:
        assert agreement(pair[0], Engine(decoder), sampling, torch_seed=1) < 0.9


def test_scores_are_those_of_torch(pair: tuple[Any, Path], decoder: Any) -> None:
    expected = Engine(TorchDecoder(pair[0])).score(IDS[:5], IDS[5:])
    assert Engine(decoder).score(IDS[:5], IDS[5:]) == pytest.approx(expected, rel=0.05, abs=0.1)


def test_a_batch_gives_what_each_text_gives_alone(decoder: Any) -> None:
    texts = [IDS[:1], IDS[3:40], IDS[7:9]]
    alone = [decoder.read([Feed(0, text, 0)])[0] for text in texts]
    together = decoder.read([Feed(at, text, 0) for at, text in enumerate(texts)])
    assert same(together, np.stack(alone))
    mixed = decoder.read([Feed(0, [5], 1), Feed(1, IDS[:9], 0, every=True), Feed(2, [6], 2)])
    assert mixed.shape == (11, decoder.read([Feed(3, [1], 0)]).shape[1])
    assert same(mixed[0], decoder.read([Feed(3, [*IDS[:1], 5], 0)])[0])
    assert same(mixed[10], decoder.read([Feed(3, [*IDS[7:9], 6], 0)])[0])


def test_what_is_kept_copied_cut_or_restored_is_as_if_read_anew(decoder: Any) -> None:
    anew = decoder.read([Feed(0, IDS[:20], 0)])
    decoder.read([Feed(1, [*IDS[:12], 1, 2, 3], 0)])
    assert same(decoder.read([Feed(1, IDS[12:20], 12)]), anew)
    decoder.copy(1, 2, 15)
    assert same(decoder.read([Feed(2, IDS[15:20], 15)]), anew)
    decoder.keep(1, 10)
    assert same(decoder.read([Feed(1, IDS[10:20], 10)]), anew)
    state = decoder.save(1, 18)
    decoder.keep(1, 0)
    decoder.restore(3, state)
    assert same(decoder.read([Feed(3, IDS[18:20], 18)]), anew)


def test_a_state_that_is_not_ours_is_refused(pair: tuple[Any, Path], decoder: Any) -> None:
    decoder.read([Feed(0, IDS[:20], 0)])
    state = decoder.save(0, 20)
    other = bytearray(state)
    other[8] ^= 1  # the fingerprint
    damaged = bytearray(state)
    damaged[-9] ^= 1
    for bad in (b"", b"x" * 100, state[:-1], bytes(other), bytes(damaged)):
        with pytest.raises(ValueError, match="state"):
            decoder.restore(1, bad)
    again = decoder_of(pair[1], slots=1)
    again.restore(0, state)
    assert same(again.read([Feed(0, [9], 20)]), decoder.read([Feed(0, [9], 20)]))
    again.close()


def test_more_than_one_forward_pass(decoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from wolf_chatbox.model.engines import llama_cpp

    feeds = [Feed(0, IDS, 0, every=True), Feed(1, IDS[:9], 0), Feed(2, IDS[9:30], 0, every=True)]
    whole = decoder.read(feeds)
    monkeypatch.setattr(llama_cpp, "BATCH", 13)
    decoder._most_outputs = 6
    assert same(decoder.read(feeds), whole)


def test_a_reply_ends_with_the_context(decoder: Any) -> None:
    engine = Engine(decoder)
    prompt = [3] * (decoder.context - 5)
    assert len(said(engine, prompt, GREEDY, set())) == 5
    assert len(said(engine, IDS[:4], GREEDY, set())) == 30


def test_an_interrupted_step_leaves_a_usable_engine(decoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(decoder)
    expected = said(engine, IDS[:9], GREEDY, set())
    real = decoder._pass
    for interrupted_at in range(4):
        calls = iter(range(100))

        def stopped(*part: int, at: int = interrupted_at, calls: Iterator[int] = calls) -> None:
            real(*part)
            if next(calls) == at:
                raise KeyboardInterrupt

        monkeypatch.setattr(decoder, "_pass", stopped)
        with pytest.raises(KeyboardInterrupt):
            said(engine, IDS[1:9], GREEDY, set())
        monkeypatch.setattr(decoder, "_pass", real)
        assert said(engine, IDS[:9], GREEDY, set()) == expected


def test_a_step_that_takes_too_long_is_computed_again_with_one_thread(
    pair: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from wolf_chatbox.model.engines import llama_cpp

    decoder = decoder_of(pair[1], counts=[1, 2])
    expected = decoder.read([Feed(0, IDS, 0)])
    threads = decoder._threads_for(len(IDS))
    threads._trying, threads._present, threads._fewest = [], 2, 1e-9
    real = decoder._alarm.arm

    def late(seconds: float | None) -> None:
        real(seconds)
        decoder._alarm.text[0] = b"\0" if seconds is None else b"1"  # as if the time were over already

    monkeypatch.setattr(llama_cpp, "SHORTEST", 60)
    monkeypatch.setattr(decoder._alarm, "arm", late)
    assert same(decoder.read([Feed(1, IDS, 0)]), expected)
    assert threads.choose() == 1
    decoder.close()


def test_ids_that_the_model_does_not_have_are_one_error(decoder: Any) -> None:
    with pytest.raises(ModelError, match=r"llama\.cpp cannot compute it \(.+\)"):
        decoder.read([Feed(0, [3, 10**6], 0)])
    assert decoder.read([Feed(0, [3, 4], 0)]).shape[0] == 1


def test_eight_threads_get_replies_of_their_own(pair: tuple[Any, Path], decoder: Any) -> None:
    engine = Engine(decoder)
    prompts = [IDS[at : at + 6 + at] for at in range(16)]
    got: dict[int, list[int]] = {}

    def ask(number: int) -> None:
        for at in range(number, 16, 8):
            got[at] = said(engine, prompts[at], PLAIN, set(), seed=at)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.mean([agreed(pair[0], prompts[at], got[at], PLAIN, seed=at) for at in range(16)]) > 0.9


def test_many_replies_and_many_models_take_no_more_memory(pair: tuple[Any, Path]) -> None:
    def use() -> None:
        decoder = decoder_of(pair[1])
        engine = Engine(decoder)
        for at in range(4):
            said(engine, IDS[at : at + 20], GREEDY, set())
        decoder.restore(0, decoder.save(0, 10))
        decoder.close()
        decoder.close()

    for _ in range(8):
        use()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(24):
        use()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16_000  # kB; a model takes 5,000


def test_a_file_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + b"\xff" * 200)
    with pytest.raises(ModelError, match=r"cannot read it \(.+\)\. Delete the file"):
        decoder_of(path)


def test_nothing_of_llama_cpp_reaches_the_terminal(pair: tuple[Any, Path], capfd: pytest.CaptureFixture[str]) -> None:
    decoder = decoder_of(pair[1])
    decoder.read([Feed(0, IDS, 0)])
    decoder.close()
    shown = capfd.readouterr()
    assert shown.out + shown.err == ""
