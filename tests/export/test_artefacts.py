"""`wolf-chatbox export`: made, checked by the program that reads it, and only then in its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import make_gpt2, make_llama
from wolf_chatbox.cli import app, run
from wolf_chatbox.errors import CheckpointError, DataError, ModelError
from wolf_chatbox.export import agreement
from wolf_chatbox.export.agreement import END, TOKENS, check, compare
from wolf_chatbox.export.artefact import export
from wolf_chatbox.export.character_card import CHUNKS, check_card, read_card
from wolf_chatbox.export.llama_server import llama_server
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.training.loop import train


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tiny_gpt2: Path, script: Path) -> Path:
    """A finished run in which Bob answers Ann."""
    from wolf_chatbox.config import SamplingConfig, TrainConfig

    folder = tmp_path_factory.mktemp("runs") / "bob"
    train(
        TrainConfig(
            data=(str(script),),
            model=str(tiny_gpt2),
            output=folder,
            persona="Bob",
            epochs=4,
            max_tokens=64,
            lr=2e-2,
            sampling=SamplingConfig(max_new_tokens=4),
        )
    )
    return folder


@pytest.fixture
def copied(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "bob"))


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    capsys.readouterr()
    words = ["export", *map(str, arguments)]
    code = run(lambda: app.meta(words, exit_on_error=False, print_error=False), {})
    shown = capsys.readouterr()
    return code, shown.out + shown.err


# GGUF


@pytest.mark.parametrize("quantise", ["q8_0", "q4_k", "f16"])
def test_gguf_beside_the_run(copied: Path, capsys: pytest.CaptureFixture[str], quantise: str) -> None:
    code, shown = call(capsys, copied, "--to", "gguf", "--quantise", quantise)
    place = copied.with_name("bob-gguf")
    assert code == 0, shown
    assert "tokens of 5 prompts agree (greedy)" in shown
    assert f"The export is in {place}." in shown.replace("\n", " ") or str(place) in shown.replace("\n", "")
    assert {path.name for path in place.iterdir()} == {
        f"bob-{quantise}.gguf",
        "Modelfile",
        "wolf_chatbox.export",
    }
    assert f"FROM ./bob-{quantise}.gguf" in (place / "Modelfile").read_text()
    with llama_server(place / f"bob-{quantise}.gguf", 128) as server:
        prompt = server.rendered([{"role": "user", "content": "Hi."}])
        assert prompt == "Ann: Hi.<|endoftext|>Bob:"
        assert server.tokenize(prompt, special=True)


def test_an_adapter(config: Any) -> None:
    settings = config(lora_rank=2, lr=2e-2, persona="Bob")
    train(settings)
    place, checked = export(settings.output, "gguf", quantise="f16")
    assert "of 5 prompts agree" in checked
    assert (place / f"{settings.output.name}-f16.gguf").stat().st_size > 10_000


def test_a_file_that_answers_otherwise_is_not_kept(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wolf_chatbox.model.gguf import writing

    def worse(tensor: Any, type_: Any) -> Any:
        return writing_quantised(tensor[..., ::-1] if tensor.ndim == 2 and len(tensor) == 96 else tensor, type_)

    writing_quantised = writing.quantised
    monkeypatch.setattr(writing, "quantised", worse)
    with pytest.raises(CheckpointError, match="answers otherwise than the model it was made of"):
        export(copied, "gguf", quantise="f16")
    assert [path.name for path in copied.parent.iterdir() if path.name != "script.csv"] == ["bob"]


def test_a_template_that_renders_otherwise_is_not_kept(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wolf_chatbox.export import gguf

    monkeypatch.setattr(gguf, "render", lambda *_, **__: ["something else"])
    with pytest.raises(CheckpointError, match="its chat template renders another text"):
        export(copied, "gguf", quantise="f16")
    assert not copied.with_name("bob-gguf").exists()


def test_llama_cpp_refuses_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError, match=r"llama\.cpp cannot load it"), llama_server(tmp_path / "x.gguf", 64):
        pass


def test_what_is_in_the_folder_is_kept(copied: Path, tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(CheckpointError, match="not empty and holds no export"):
            export(copied, "card", output=place, overwrite=overwrite)
    assert [path.name for path in place.iterdir()] == ["mine.txt"]
    (place / "mine.txt").unlink()
    export(copied, "card", output=place)
    with pytest.raises(CheckpointError, match=r"holds an export\. Replace it with --overwrite"):
        export(copied, "card", output=place)
    export(copied, "gguf", output=place, overwrite=True)
    assert not (place / "card.json").exists()


def test_nothing_to_do(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = call(capsys, copied)
    assert code == 2
    assert "error: --to (none): names nothing to do. Give gguf, onnx or card, or pass --push-to-hub NAME." in shown


# The comparison


class Fixed:
    """A decoder whose next token follows from the last one alone, by a table of logits."""

    name, context, slots, fingerprint = "fixed", 100, 1, ""

    def __init__(self, table: Any) -> None:
        self.table = np.array(table, dtype=np.float32)

    def read(self, feeds: Sequence[Any]) -> Any:
        return np.stack([self.table[feed.ids[-1]] for feed in feeds])


def likeliest(table: Any) -> Callable[[Sequence[int], Sequence[int]], list[int]]:
    return lambda prompt, reply: [int(np.argmax(table[id])) for id in [prompt[-1], *reply[:-1]]]


ROUND = [[0, 9, 1], [0, 1, 9], [9, 0, 1]]
"""0 → 1 → 2 → 0 → …"""


def test_the_same_model_agrees() -> None:
    found = compare(Fixed(ROUND), [[0], [1, 2]], [], likeliest(ROUND))  # type: ignore[arg-type]
    assert (found.same, found.tokens, found.prompts, found.farthest) == (2 * TOKENS, 2 * TOKENS, 2, 0.0)
    assert str(found) == "40 of 40 tokens of 2 prompts agree (greedy)"


def test_a_difference_is_measured_and_does_not_spread() -> None:
    other = [[0, 9, 1], [9, 1, 0], [9, 0, 1]]  # after 1 it says 0, where the original says 2 and holds 0 nine nats back
    found = compare(Fixed(ROUND), [[0]], [], likeliest(other))  # type: ignore[arg-type]
    assert (found.same, found.tokens, found.farthest) == (13, 20, 9.0)
    with pytest.raises(CheckpointError, match=r"13 of 20 tokens agree, one is 9\.00 nats less likely"):
        check(Path("x"), found, "q4_k")


def test_an_undecided_original_is_no_failure() -> None:
    original = [[0, 9, 1], [8.95, 1, 9], [9, 0, 1]]
    other = [[0, 9, 1], [0, 1, 9], [9, 8, 1]]
    found = compare(Fixed(original), [[0]], [], likeliest(other))  # type: ignore[arg-type]
    assert found.same == found.tokens
    near = agreement.Agreement(19, 20, 1, 0.05)
    assert check(Path("x"), near, "f16") is near
    assert str(near).endswith("where they differ, the original is undecided (by at most 0.05 nats)")
    with pytest.raises(CheckpointError):
        check(Path("x"), near, "onnx")
    with pytest.raises(CheckpointError):
        check(Path("x"), agreement.Agreement(5, 20, 1, 0.05), "f16")


def test_the_end_is_a_token_too() -> None:
    table = [[0, 9, 1], [0, 1, 9], [9, 0, 1]]
    found = compare(Fixed(table), [[0]], [2], lambda prompt, reply: [1, END])  # type: ignore[arg-type]
    assert (found.same, found.tokens) == (2, 2)
    found = compare(Fixed(table), [[0]], [2], lambda prompt, reply: [END, 2])  # type: ignore[arg-type]
    assert (found.same, found.tokens, found.farthest) == (1, 2, 8.0)


def test_torch_agrees_with_itself(tokenizer: Any) -> None:
    one, other = (TorchDecoder(make_gpt2(len(tokenizer)).eval(), 1) for _ in range(2))

    def asks(prompt: Sequence[int], reply: Sequence[int]) -> list[int]:
        from wolf_chatbox.model.engines.decoder import Feed

        rows = other.read([Feed(0, [*prompt, *reply[:-1]], 0, every=True)])[-len(reply) :]
        return [int(id) for id in rows.argmax(-1)]

    found = compare(one, [[5, 6, 7], [8]], [], asks)
    assert found.same == found.tokens == 2 * TOKENS


# ONNX


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_onnx(copied: Path, chat_tokenizer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    pytest.importorskip("onnxruntime")
    import onnxruntime
    import torch

    from wolf_chatbox.model.load import load_model

    folder = copied
    if kind == "llama":
        folder = tmp_path / "llama"
        make_llama(len(chat_tokenizer), eos_token_id=chat_tokenizer.eos_token_id).save_pretrained(folder)
        chat_tokenizer.save_pretrained(folder)
    code, shown = call(capsys, folder, "--to", "onnx", "-o", tmp_path / "out")
    assert code == 0, shown
    assert "tokens of 5 prompts agree (greedy)" in shown
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "model.onnx"), providers=["CPUExecutionProvider"])
    original = load_model(str(folder)).model.eval()
    for shape in ((1, 1), (1, 33), (3, 20)):
        ids = np.random.default_rng(0).integers(0, 399, shape)
        with torch.inference_mode():
            wanted = original(torch.tensor(ids)).logits.numpy()
        assert np.allclose(session.run(None, {"input_ids": ids})[0], wanted, atol=1e-4)
    assert load_model_files(tmp_path / "out") >= {"model.onnx", "tokenizer.json", "config.json"}


def load_model_files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_onnx_needs_its_packages(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wolf_chatbox.export.onnx.find_spec", lambda name: None if name == "onnx" else name)
    with pytest.raises(ModelError, match=r"onnx: onnx missing\. Install wolf-chatbox\[onnx\]\."):
        export(copied, "onnx")


# Character cards


def test_card(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = call(capsys, copied, "--to", "card")
    assert code == 0, shown
    place = copied.with_name("bob-card")
    cards = {chunk: json.loads((place / name).read_text(encoding="utf-8")) for chunk, name in CHUNKS.items()}
    for chunk, content in cards.items():
        check_card(content)
        assert read_card(place / "card.png", chunk) == content
    assert (cards["chara"]["spec"], cards["ccv3"]["spec"]) == ("chara_card_v2", "chara_card_v3")
    data = cards["ccv3"]["data"]
    said = [f"the goose number {line} is in house {episode}" for episode in range(6) for line in range(1, 8, 2)]
    assert data["name"] == "Bob"
    assert {data["first_mes"], *data["alternate_greetings"]} <= set(said)
    assert data["mes_example"].count("<START>\n{{user}}: the goose number") == 4
    assert data["mes_example"].count("\n{{char}}: the goose number") == 4
    assert data["extensions"]["wolf_chatbox"]["style"] == "named"
    assert str(copied.parent) not in json.dumps(cards)


def test_a_png_reader_finds_the_card(copied: Path) -> None:
    from PIL import Image

    place = export(copied, "card").place
    with Image.open(place / "card.png") as image:
        assert {"chara", "ccv3"} <= set(image.text)  # type: ignore[attr-defined]
        assert image.size == (400, 600)


def test_card_of_another_speaker(copied: Path) -> None:
    place = export(copied, "card", persona="ann").place
    data = json.loads((place / "card.json").read_text())["data"]
    assert data["name"] == "Ann"
    assert data["first_mes"] == "the goose number 0 is in house 0"  # it begins each episode
    with pytest.raises(DataError, match="no such speaker"):
        export(copied, "card", persona="Zoe", overwrite=True)


def test_card_without_the_data(copied: Path, script: Path, tmp_path: Path) -> None:
    record = json.loads((copied / "run.json").read_text())
    record["settings"]["data"] = [str(tmp_path / "gone.csv")]
    (copied / "run.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"the data it was trained on is not here\. Pass it with "):
        export(copied, "card")
    assert export(copied, "card", data=[str(script)]).checked.startswith("Bob, with 4 openings and 4 examples")


def test_card_hides_what_the_run_hid(config: Any, tmp_path: Path) -> None:
    from conftest import write_script
    from wolf_chatbox.config import CleanConfig

    data = tmp_path / "secret.csv"
    write_script(data, say=lambda episode, line: f"write to bob{line}@example.org, house {episode}")
    settings = config(data=(str(data),), persona="Bob", epochs=1, clean=CleanConfig(scrub=True))
    train(settings)
    with pytest.raises(DataError, match="the data it was trained on is not here"):
        export(settings.output, "card")  # its record names no file
    place = export(settings.output, "card", data=[str(data)]).place
    text = (place / "card.json").read_text()
    assert "[email]" in text
    assert "example.org" not in text


def test_card_under_pseudonyms(config: Any, script: Path, tmp_path: Path) -> None:
    from wolf_chatbox.config import CleanConfig

    settings = config(persona="Bob", epochs=1, clean=CleanConfig(pseudonyms=tmp_path / "names.json"))
    train(settings)
    with pytest.raises(CheckpointError, match="was trained under pseudonyms, and this data has names"):
        export(settings.output, "card", data=[str(script)])


def test_card_of_a_base_model(tiny_gpt2: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no trained model, so nobody to make a card of"):
        export(tiny_gpt2, "card", output=tmp_path / "out")
