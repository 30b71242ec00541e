"""The laws of the decoder over OpenVINO, on tiny models of the shapes of GPT-2 and Llama."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

pytest.importorskip("openvino", reason="the extra openvino is not installed")

from conftest import make_gpt2, make_llama
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines import choice, load, openvino_graph
from wolf_chatbox.model.engines.decoder import Feed
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.gguf_reading import read_gguf
from wolf_chatbox.model.engines.openvino import BLOCK, OpenVinoDecoder
from wolf_chatbox.model.gguf import gguf_of

CLOSE = {"f16": 0.003, "q8_0": 0.1}
"""How far logits may be from those of the fp32 model: the size of the difference as a share of the logits' size."""
MODELS: dict[str, Callable[..., Any]] = {
    "gpt2": lambda vocab: make_gpt2(vocab, n_embd=64, initializer_range=0.2),
    "llama": lambda vocab: make_llama(
        vocab, hidden_size=64, intermediate_size=96, num_attention_heads=4, num_key_value_heads=2, initializer_range=0.2
    ),
    "llama3": lambda vocab: make_llama(
        vocab,
        hidden_size=64,
        intermediate_size=96,
        num_attention_heads=2,
        num_key_value_heads=2,
        initializer_range=0.2,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    ),
}


@pytest.fixture(scope="module", params=[*MODELS])
def model(request: pytest.FixtureRequest, tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tiny model in fp32, and its folder."""
    made = MODELS[request.param](len(tokenizer)).eval()
    made.folder = tmp_path_factory.mktemp("openvino") / request.param
    made.save_pretrained(made.folder)
    tokenizer.save_pretrained(made.folder)
    return made


@pytest.fixture(scope="module", params=["f16", "q8_0"])
def decoder(request: pytest.FixtureRequest, model: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path_factory.mktemp("cache")))
        made = OpenVinoDecoder(gguf_of(model.folder, request.param, allow_base=True), slots=4, threads=1)
    made.close_to = CLOSE[request.param]  # type: ignore[attr-defined]
    yield made
    made.close()


def text(seed: int, length: int) -> list[int]:
    return random.Random(seed).choices(range(5, 395), k=length)


def logits(model: Any, ids: list[int]) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0].numpy()


def far(rows: Any, expected: Any) -> float:
    return float(np.linalg.norm(rows - expected) / np.linalg.norm(expected))


def test_the_logits_are_those_of_the_model(model: Any, decoder: OpenVinoDecoder) -> None:
    ids = text(1, 150)
    rows = decoder.read([Feed(0, ids, 0, every=True)])
    expected = logits(model, ids)
    assert rows.dtype == np.float32
    assert far(rows, expected) < decoder.close_to  # type: ignore[attr-defined]
    last = decoder.read([Feed(1, ids, 0)])
    assert last.shape == (1, expected.shape[1])
    assert far(last[0], rows[-1]) < decoder.close_to  # type: ignore[attr-defined]


def test_texts_read_together_give_what_each_gives_alone(decoder: OpenVinoDecoder) -> None:
    texts = [text(slot, length) for slot, length in enumerate((3, 70, 1, 200))]
    alone = [decoder.read([Feed(0, ids, 0)])[0] for ids in texts]
    together = decoder.read([Feed(slot, ids, 0) for slot, ids in enumerate(texts)])
    assert far(together, alone) < decoder.close_to  # type: ignore[attr-defined]


@pytest.mark.parametrize("kept", [1, BLOCK - 1, BLOCK, BLOCK + 1, 90])
def test_a_prefix_that_is_kept_or_copied_gives_what_reading_anew_gives(decoder: OpenVinoDecoder, kept: int) -> None:
    one, other = text(1, 100), text(1, kept) + text(2, 40)
    anew = decoder.read([Feed(3, other, 0)])[0]
    decoder.read([Feed(0, one, 0)])
    decoder.copy(0, 1, kept)
    decoder.keep(0, kept)
    decoder.keep(3, 0)
    for slot in (0, 1):
        rows = decoder.read([Feed(slot, other[kept:], kept)])
        assert far(rows[0], anew) < decoder.close_to  # type: ignore[attr-defined]


def test_a_copy_changes_with_none_but_itself(decoder: OpenVinoDecoder) -> None:
    ids = text(1, 50)
    decoder.read([Feed(0, ids, 0)])
    decoder.copy(0, 1, 50)
    before = decoder.read([Feed(0, [7], 50)])[0]
    decoder.read([Feed(1, text(9, 40), 40)])
    np.testing.assert_array_equal(decoder.read([Feed(0, [7], 50)])[0], before)


def test_a_state_is_restored_and_none_that_does_not_fit(decoder: OpenVinoDecoder) -> None:
    ids = text(3, 77)
    decoder.read([Feed(0, ids, 0)])
    expected = decoder.read([Feed(0, [9], 70)])[0]
    state = decoder.save(0, 70)
    decoder.keep(0, 0)
    decoder.read([Feed(1, text(4, 60), 0)])
    decoder.restore(2, state)
    np.testing.assert_array_equal(decoder.read([Feed(2, [9], 70)])[0], expected)
    damaged = bytearray(state)
    damaged[-1] ^= 1
    for bad in (
        b"",
        state[:20],
        state[:-1],
        state + b"x",
        bytes(damaged),
        b"X" + state[1:],
        state[:8] + b"x" * 32 + state[40:],
    ):
        with pytest.raises(ValueError, match="state"):
            decoder.restore(2, bad)


def test_blocks_that_are_forgotten_are_used_again(decoder: OpenVinoDecoder) -> None:
    for _ in range(20):
        for slot in range(4):
            decoder.read([Feed(slot, text(slot, 200), 0)])
        for slot in range(4):
            decoder.keep(slot, 0)
    pool = len(next(iter(decoder._caches.values())))
    assert pool <= 2 * (decoder.room // BLOCK + decoder.slots)
    assert sorted(decoder._free) == list(range(pool))


def test_greedy_replies_of_many_streams_are_those_of_the_model(model: Any, decoder: OpenVinoDecoder) -> None:
    engine = Engine(decoder)
    greedy = SamplingConfig(temperature=0, max_new_tokens=12, no_repeat_phrase=0)
    prompts = [text(1, 40), text(1, 40) + text(5, 8), text(6, 3), text(7, 90), text(8, 30), text(9, 2)]
    streams = [engine.stream(prompt, greedy, ()) for prompt in prompts]
    replies: list[list[int]] = [[] for _ in prompts]
    for _ in range(12):
        for reply, stream in zip(replies, streams):
            reply.append(next(stream).id)
    for prompt, reply in zip(prompts, replies):
        rows = logits(model, prompt + reply)[len(prompt) - 1 : -1]
        chosen = rows[np.arange(12), reply]
        # Rounded weights may turn a near tie; nothing clearly worse is ever chosen.
        assert (rows.max(1) - chosen).max() <= 2 * decoder.close_to * np.abs(rows).max()  # type: ignore[attr-defined]


def test_a_model_of_another_shape_is_an_error_of_one_line(decoder: OpenVinoDecoder) -> None:
    settings, tensors = read_gguf(decoder.path)
    for change in ({"general.architecture": "gemma3"}, {"rope.scaling.type": "yarn"}):
        with pytest.raises(ModelError, match=r"only GPT-2 and Llama .* --engine"):
            openvino_graph.Graph("m.gguf", settings | change, tensors)


def test_a_file_that_is_no_gguf_is_an_error_of_one_line(tmp_path: Path) -> None:
    for content in (b"", b"GGUF", b"GGUF" + bytes(40), b"x" * 100):
        (tmp_path / "m.gguf").write_bytes(content)
        with pytest.raises(ModelError, match="not a GGUF file"):
            OpenVinoDecoder(tmp_path / "m.gguf")


def test_another_version_or_none_is_an_error_of_one_line(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "version", lambda name: "2031.1")
    with pytest.raises(ModelError, match=r"openvino 2031\.1 .*pip install"):
        load(model.folder, engine="openvino", allow_base=True)

    def none(name: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(choice, "version", none)
    with pytest.raises(ModelError, match=r"not installed.*pip install"):
        load(model.folder, engine="openvino", allow_base=True)


def test_importing_it_tells_nobody(tmp_path: Path) -> None:
    (tmp_path / "openvino_telemetry").mkdir()
    (tmp_path / "openvino_telemetry" / "__init__.py").write_text("print('told')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    for name, said in (("wolf_chatbox.model.engines.openvino", ""), ("openvino_telemetry", "told")):
        command = [sys.executable, "-c", f"import {name}"]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == said


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice, "_gpu", lambda: None)
    monkeypatch.setenv("WOLF_CHATBOX_CACHE", str(tmp_path))


@pytest.mark.usefixtures("cpu")
@pytest.mark.parametrize(("engine", "slots"), [("openvino", 1), ("auto", choice.MANY)])
def test_it_is_loaded_when_asked_for_or_for_many_replies(
    model: Any, engine: Literal["openvino", "auto"], slots: int
) -> None:
    notes: list[str] = []
    loaded = load(model.folder, engine=engine, slots=slots, allow_base=True, tell=notes.append)
    assert (loaded.engine.decoder.name, loaded.engine.decoder.slots) == ("openvino", slots)
    assert notes[-1].startswith("engine: openvino, q8_0 (")
    loaded.engine.decoder.close()


@pytest.mark.usefixtures("cpu")
def test_auto_takes_another_for_a_model_that_it_cannot_compute(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise ModelError("OpenVINO cannot.")

    monkeypatch.setattr("wolf_chatbox.model.engines.openvino.OpenVinoDecoder", fails)
    loaded = load(model.folder, slots=choice.MANY, allow_base=True)
    assert loaded.engine.decoder.name != "openvino"
    with pytest.raises(ModelError, match="OpenVINO cannot"):
        load(model.folder, engine="openvino", allow_base=True)
