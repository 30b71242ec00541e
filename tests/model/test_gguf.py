"""GGUF: llama.cpp's own server computes, cuts texts, renders and stops as the model the file was made of."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from conftest import make_gpt2, make_llama, make_tokenizer
from hub import write_gpt2
from runs import harm
from vocabularies import KINDS
from wolf_chatbox.errors import CheckpointError, ModelError
from wolf_chatbox.export.llama_server import llama_server
from wolf_chatbox.files import cache_folder
from wolf_chatbox.model.adapter import write_base_name
from wolf_chatbox.model.gguf import gguf_of
from wolf_chatbox.model.gguf.quantisation import type_of
from wolf_chatbox.model.gguf.writing import write_gguf
from wolf_chatbox.model.load import load_model
from wolf_chatbox.model.tokenizer import load_tokenizer
from wolf_chatbox.training.loop import train

NEAR, FIRST_WORD = 0.02, 3
PROMPTS = ([5, 6, 7, *range(20, 60)], list(range(100, 131)), [300, 8, 9] * 5)
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
LOCAL = {
    "full_attention": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 4.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
}


def make_gemma(vocab: int, **changes: Any) -> Any:
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(0)
    shape = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "query_pre_attn_scalar": 16,
        "max_position_embeddings": 256,
        "sliding_window": 8,
        "layer_types": ["sliding_attention", "sliding_attention", "full_attention"],
        "bos_token_id": 0,
        "eos_token_id": 0,
        "pad_token_id": 0,
    }
    return Gemma3ForCausalLM(Gemma3TextConfig(vocab_size=vocab, **(shape | changes)))


MODELS = {
    "gpt2": (make_gpt2, {}),
    "gpt2, untied": (make_gpt2, {"tie_word_embeddings": False}),
    "llama": (make_llama, {}),
    "llama, biases, untied, wide heads": (
        make_llama,
        {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False, "head_dim": 16},
    ),
    "llama 3.1": (make_llama, {"rope_parameters": LLAMA3}),
    "llama, stretched": (make_llama, {"rope_parameters": {"rope_type": "linear", "rope_theta": 500.0, "factor": 4.0}}),
    "gemma 3": (make_gemma, {}),
    "gemma 3, stretched": (make_gemma, {"rope_parameters": LOCAL}),
}


def write(folder: Path, kind: str, tokenizer: Any) -> Any:
    """A folder with a model whose next tokens are far apart, in numbers that f16 holds exactly; returns the model."""
    make, changes = MODELS[kind]
    model = make(len(tokenizer) + 6, **changes)  # rows that no token has
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_((weights + 0.3 * torch.randn_like(weights)).half().float())
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval()


def greedy(model: Any, prompt: Sequence[int], tokens: int) -> list[int]:
    """The most likely tokens, up to a special one, or one that another comes near: llama.cpp computes in f16."""
    ids = list(prompt)
    for _ in range(tokens):
        with torch.inference_mode():
            best = model(torch.tensor([ids])).logits[0, -1].topk(2)
        if float(best.values[0] - best.values[1]) < NEAR or int(best.indices[0]) < FIRST_WORD:
            break
        ids.append(int(best.indices[0]))
    return ids[len(prompt) :]


@pytest.mark.parametrize("kind", MODELS)
def test_same_greedy_tokens(chat_tokenizer: Any, tmp_path: Path, kind: str) -> None:
    model = write(tmp_path / "model", kind, chat_tokenizer)
    with llama_server(gguf_of(tmp_path / "model", "f16"), 256) as server:
        wanted = [greedy(model, prompt, 20) for prompt in PROMPTS]
        assert [server.greedy(prompt, len(ids)) for prompt, ids in zip(PROMPTS, wanted)] == wanted
    assert sum(map(len, wanted)) >= 20


@pytest.mark.parametrize("quantise", ["q8_0", "q4_k"])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_quantised_weights_are_near(chat_tokenizer: Any, tmp_path: Path, kind: str, quantise: str) -> None:
    """Each block is as near as its type allows: half a step of its scale, and the rounding of the scale itself."""
    write(tmp_path / "model", kind, chat_tokenizer)
    exact, rounded = (gguf.GGUFReader(gguf_of(tmp_path / "model", form)) for form in ("f16", quantise))
    types = set()
    for one, other in zip(exact.tensors, rounded.tensors, strict=True):
        assert (one.name, list(one.shape)) == (other.name, list(other.shape))
        numbers = [gguf.dequantize(part.data, part.tensor_type).reshape(-1) for part in (one, other)]
        types.add(other.tensor_type.name)
        if other.tensor_type == gguf.GGMLQuantizationType.F32:
            assert np.array_equal(*numbers)
            continue
        blocks = [part.reshape(-1, 32) for part in numbers]
        step = {"Q8_0": 127, "Q5_0": 15, "Q5_1": 15}[other.tensor_type.name]
        most = np.abs(blocks[0]).max(-1, keepdims=True) * 1.01 / step
        assert (np.abs(blocks[0] - blocks[1]) <= most).all(), one.name
    assert types == {"F32", "Q8_0"} | (
        {"Q5_0"} | ({"Q5_1"} if kind == "gpt2" else set()) if quantise == "q4_k" else set()
    )


def test_superblocks(chat_tokenizer: Any, tmp_path: Path) -> None:
    """Rows of 256 numbers are quantised by llama.cpp itself, to 4 bits, and the file answers."""
    model = make_llama(len(chat_tokenizer), hidden_size=256, intermediate_size=512)
    model.save_pretrained(tmp_path / "model")
    chat_tokenizer.save_pretrained(tmp_path / "model")
    path = gguf_of(tmp_path / "model", "q4_k")
    exact = {part.name: part for part in gguf.GGUFReader(gguf_of(tmp_path / "model", "f16")).tensors}
    kinds = set()
    for part in gguf.GGUFReader(path).tensors:
        kinds.add(part.tensor_type.name)
        one, other = (gguf.dequantize(each.data, each.tensor_type) for each in (exact[part.name], part))
        assert np.abs(one.reshape(other.shape) - other).mean() <= 0.1 * np.abs(one).mean()
    assert kinds == {"F32", "Q4_K", "Q6_K"}
    with llama_server(path, 256) as server:
        assert len(server.greedy([1, 2, 3], 5)) >= 1


@pytest.mark.parametrize(
    ("name", "columns", "quantise", "type"),
    [
        ("blk.0.attn_q.weight", 576, "q4_k", "Q5_0"),
        ("blk.0.ffn_down.weight", 1536, "q4_k", "Q6_K"),
        ("blk.5.ffn_down.weight", 1536, "q4_k", "Q6_K"),
        ("blk.4.ffn_down.weight", 1536, "q4_k", "Q4_K"),
        ("token_embd.weight", 576, "q4_k", "Q8_0"),
        ("token_embd.weight", 768, "q4_k", "Q6_K"),
        ("blk.0.attn_qkv.weight", 768, "q4_k", "Q5_K"),
        ("blk.0.attn_q.weight", 40, "q8_0", "F16"),
        ("position_embd.weight", 768, "q8_0", "F32"),
    ],
)
def test_types_as_llama_cpp_chooses_them(name: str, columns: int, quantise: str, type: str) -> None:
    """The first rows are those of SmolLM2-135M (30 layers) and GPT-2, as `llama-quantize` writes them."""
    assert type_of(name, (64, columns), quantise, 30).name == type


# What other programs see: the vocabulary, the template, the end


@pytest.fixture(scope="module", params=KINDS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """llama.cpp's server with a model of each kind of tokenizer, and the tokenizer."""
    folder = tmp_path_factory.mktemp("vocabulary")
    made = KINDS[request.param](folder / "source")
    make_llama(len(made), eos_token_id=made.eos_token_id).save_pretrained(folder / "model")
    made.save_pretrained(folder / "model")
    place, told = folder / "model.gguf", list[str]()
    write_gguf(folder / "model", folder / "model", place, "f16", tell=told.append)
    assert told == []
    with llama_server(place, 256) as server:
        yield server, made


def plain(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
    return ids


pieces = st.sampled_from(
    ["the wolf", " is", "12345", "'s", "'S", " ", "\n", "人狼は", "誰", "é", "👩", "?!", "<|im_end|>"]
)
texts = st.lists(pieces, min_size=1, max_size=10).map("".join)


@settings(max_examples=80)
@given(texts)
def test_texts_are_cut_alike(served: Any, text: str) -> None:
    server, tokenizer = served
    assert server.tokenize(text) == plain(tokenizer, text)


def test_a_prompt_begins_alike(served: Any) -> None:
    server, tokenizer = served
    assert server.tokenize("the wolf", add=True) == tokenizer("the wolf").input_ids


def test_special_tokens_are_read_where_asked(served: Any) -> None:
    server, tokenizer = served
    end = tokenizer.eos_token
    assert server.tokenize(f"{end}{end}", special=True) == [tokenizer.eos_token_id] * 2


# The end and the template


def rendered(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


TALK = [("Hi.", "Hello, 人狼."), ("Who are you?", "It's {{ me }} <|x|>"), ("  spaces \n", "<b>"), ("last", "")]
MESSAGES = [{"role": role, "content": text} for pair in TALK for role, text in zip(("user", "assistant"), pair)][:-1]


@pytest.mark.parametrize("style", ["named", "dialogpt", "chat"])
def test_a_run_renders_and_stops_as_trained(config: Any, tiny_gpt2: Path, tiny_llama: Path, style: str) -> None:
    settings = config(epochs=1, style=style, persona="Bob", model=str(tiny_llama if style == "chat" else tiny_gpt2))
    train(settings)
    tokenizer, told = load_tokenizer("run", settings.output), list[str]()
    path = gguf_of(settings.output, "f16", told.append)
    assert path == settings.output / "model-f16.gguf"
    assert [line.split(" ")[0] for line in told] == ["writing", "wrote"]
    reader = gguf.GGUFReader(path)
    end = reader.get_field("tokenizer.ggml.eot_token_id").contents()
    assert tokenizer.convert_ids_to_tokens(end) == ("<|im_end|>" if style == "chat" else "<|endoftext|>")
    assert reader.get_field("tokenizer.ggml.eos_token_id").contents() == end
    with llama_server(path, 256) as server:
        for messages in (MESSAGES[:1], MESSAGES[:3], MESSAGES):
            assert server.rendered(messages) == rendered(tokenizer, messages)


def test_server_stops_at_the_end_token(tiny_gpt2: Path, tmp_path: Path, tokenizer: Any) -> None:
    model = make_gpt2(len(tokenizer))
    model.transformer.ln_f.weight.data.zero_()
    model.transformer.ln_f.bias.data.copy_(model.transformer.wte.weight[tokenizer.eos_token_id] * 10)
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    with llama_server(gguf_of(tmp_path / "model", "f16"), 256) as server:
        assert server.greedy([5, 6, 7], 8) in ([], [tokenizer.eos_token_id])


# The file: made once, made anew, made by one


def make(folder: Path, tokenizer: Any) -> None:
    make_gpt2(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def test_made_once_and_again_when_something_changes(tmp_path: Path, tokenizer: Any) -> None:
    folder, told = tmp_path / "model", list[str]()
    make(folder, tokenizer)
    path = gguf_of(folder, "f16", told.append)
    assert path.parent == cache_folder() / "gguf"  # a base model's folder is not ours
    first, said = path.read_bytes(), len(told)
    assert gguf_of(folder, "f16", told.append) == path
    os.utime(folder / "model.safetensors", ns=(1, 1))  # as after a copy
    before = path.stat().st_ino
    assert gguf_of(folder, "f16", told.append) == path
    assert (path.stat().st_ino, len(told)) == (before, said)
    assert len(path.read_bytes()) == len(first)
    make_gpt2(len(tokenizer), layer_norm_epsilon=1e-3).save_pretrained(folder)
    gguf_of(folder, "f16", told.append)
    assert len(told) == 2 * said
    weights = folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-2] ^= 1
    weights.write_bytes(content)  # same size
    assert gguf_of(folder, "f16", told.append).read_bytes() != first
    assert len(told) == 3 * said


def test_checksums_only_where_times_differ(tmp_path: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "model", tokenizer)
    gguf_of(tmp_path / "model")
    os.utime(tmp_path / "model" / "config.json", ns=(1, 1))
    gguf_of(tmp_path / "model")

    def forbidden(path: Path) -> str:
        raise AssertionError(path)

    monkeypatch.setattr("wolf_chatbox.model.gguf.sha256", forbidden)
    gguf_of(tmp_path / "model")
    os.utime(tmp_path / "model" / "config.json", ns=(2, 2))
    with pytest.raises(AssertionError):
        gguf_of(tmp_path / "model")


@pytest.mark.parametrize("damage", [b"", b"GGUF", b"other", None])
def test_a_damaged_file_is_made_anew(tmp_path: Path, tokenizer: Any, damage: bytes | None) -> None:
    make(tmp_path / "model", tokenizer)
    path = gguf_of(tmp_path / "model")
    whole = path.read_bytes()
    path.write_bytes(whole[:100] if damage is None else damage)
    assert gguf_of(tmp_path / "model").read_bytes() == whole


def test_two_processes_make_one_file(tmp_path: Path, tokenizer: Any) -> None:
    make(tmp_path / "model", tokenizer)
    code = (
        "import sys; from pathlib import Path; from wolf_chatbox.model.gguf import gguf_of\n"
        "told = []; print(gguf_of(Path(sys.argv[1]), 'q8_0', told.append), len(told))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / "model"], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    places, told = zip(*(process.communicate()[0].rsplit(" ", 1) for process in both))
    assert places[0] == places[1]
    assert sorted(map(int, told)) == [0, 2]
    assert [path.name for path in Path(places[0]).parent.iterdir()] == [Path(places[0]).name]


def test_neither_torch_nor_transformers(tiny_llama: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from wolf_chatbox.model.gguf import gguf_of\n"
        "gguf_of(Path(sys.argv[1])); print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, tiny_llama], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_failure_leaves_nothing(tmp_path: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path / "model", tokenizer)

    def fail(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as changed:
        changed.setattr("wolf_chatbox.model.gguf.writing.quantised", fail)
        with pytest.raises(CheckpointError, match="the disk is full"):
            gguf_of(tmp_path / "model")
    assert not (cache_folder() / "gguf").exists()


# Other folders


def test_old_folder_of_the_hub(tmp_path: Path) -> None:
    """pytorch_model.bin, vocab.json and merges.txt, and names without `transformer.` in front."""
    model = write_gpt2(tmp_path / "model")
    names = {key.removeprefix("transformer."): value for key, value in model.state_dict().items()}
    names |= {"h.0.attn.bias": torch.ones(1, 1, 128, 128), "h.0.attn.masked_bias": torch.tensor(-1e4)}
    torch.save(names, tmp_path / "model" / "pytorch_model.bin")
    wanted = greedy(model.eval(), [5, 6, 7], 5)
    with llama_server(gguf_of(tmp_path / "model", "f16"), 128) as server:
        assert server.greedy([5, 6, 7], len(wanted)) == wanted


def test_several_files_in_bf16(tmp_path: Path, tokenizer: Any) -> None:
    model = make_gpt2(len(tokenizer)).to(torch.bfloat16)
    model.save_pretrained(tmp_path / "model", max_shard_size="30KB")
    tokenizer.save_pretrained(tmp_path / "model")
    assert len(list((tmp_path / "model").glob("model-*.safetensors"))) > 1
    tensors = {part.name: part for part in gguf.GGUFReader(gguf_of(tmp_path / "model", "f16")).tensors}
    wanted = model.transformer.h[1].mlp.c_fc.weight.detach().float().numpy().T.astype(np.float16)
    assert np.array_equal(tensors["blk.1.ffn_up.weight"].data, wanted)


def test_an_adapter_is_merged_with_its_base(config: Any, tiny_llama: Path) -> None:
    settings = config(model=str(tiny_llama), lora_rank=2, lr=2e-2)
    train(settings)
    merged = load_model(str(settings.output)).model
    tensors = {part.name: part for part in gguf.GGUFReader(gguf_of(settings.output, "f16")).tensors}
    base = load_model(str(tiny_llama)).model
    for name, model, same in (("merged", merged, True), ("base", base, False)):
        weights = model.model.layers[1].mlp.up_proj.weight.detach().numpy().astype(np.float16)
        assert np.array_equal(tensors["blk.1.ffn_up.weight"].data, weights) == same, name
    shutil.rmtree(settings.output.parent / "nowhere", ignore_errors=True)
    write_base_name(settings.output, str(settings.output.parent / "nowhere"))
    with pytest.raises(ModelError, match="no such folder"):
        gguf_of(settings.output, "f16")


def test_a_run_that_cannot_be_written(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(epochs=1)
    train(settings)
    monkeypatch.setattr("os.access", lambda path, how: False)
    assert gguf_of(settings.output).parent == cache_folder() / "gguf"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_type": "gpt_neox"}, "a gpt_neox model cannot be written as GGUF, only gemma3_text, gpt2, llama"),
        ({"activation_function": "relu"}, "llama.cpp has no gpt2 model with activation_function relu"),
        ({"scale_attn_by_inverse_layer_idx": True}, "llama.cpp has no gpt2 model with scale_attn_by_inverse_layer_idx"),
        ({"auto_map": {"AutoModelForCausalLM": "x.Y"}}, "it comes with Python code of its own"),
        ({"n_layer": 3}, "weights are missing, such as"),
        ({"n_embd": None}, "config.json is damaged .n_embd cannot be right"),
    ],
)
def test_models_that_are_refused(tmp_path: Path, tokenizer: Any, change: dict[str, Any], says: str) -> None:
    make(tmp_path, tokenizer)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=says) as error:
        gguf_of(tmp_path)
    assert "\n" not in str(error.value)


def test_an_adapter_that_stands_on_itself(tmp_path: Path, tokenizer: Any) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(tmp_path)}))
    with pytest.raises(ModelError, match="names itself as its base model"):
        gguf_of(tmp_path)


def test_a_template_that_is_not_turn_by_turn(tmp_path: Path) -> None:
    """A base model with such a template is talked with, and written, in the style dialogpt."""
    made = make_tokenizer(template="{{ messages | length }}{{ messages[0].content }}")
    make(tmp_path, made)
    with llama_server(gguf_of(tmp_path), 64) as server:
        assert server.rendered([{"role": "user", "content": "Hi."}]) == "Hi.<|endoftext|>"


@pytest.mark.parametrize("damage", ["cut", "gone", "renamed"])
def test_damaged_weights(tmp_path: Path, tokenizer: Any, damage: str) -> None:
    make(tmp_path, tokenizer)
    path = tmp_path / "model.safetensors"
    if damage == "renamed":
        tensors = {f"strange.{key}": value for key, value in load_file(path).items()}
        save_file(tensors, path)
    else:
        harm(path, damage)
    with pytest.raises(ModelError, match=r"damaged|no weights|no place for the tensor strange"):
        gguf_of(tmp_path)
