"""Base models in folders: old and new layouts, everything that can be wrong with one, and code that must not run."""

from __future__ import annotations

import io
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import sentencepiece
import torch
from transformers import AutoTokenizer, GPT2LMHeadModel, GPT2Tokenizer

from hub import END, LINES, write_gpt2
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model import embedded, hub
from wolf_chatbox.model.hub import locate
from wolf_chatbox.model.load import context_of, load_model

IDS = torch.tensor([[7, 42, 5, 260, 3]])


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A folder as DialoGPT's repository is, and the model whose weights are in it."""
    folder = tmp_path_factory.mktemp("models") / "old"
    return SimpleNamespace(folder=folder, model=write_gpt2(folder))


@pytest.fixture
def folder(old: SimpleNamespace, tmp_path: Path) -> Path:
    """A copy of it that a test may damage."""
    return Path(shutil.copytree(old.folder, tmp_path / "model"))


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def use_safetensors(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    GPT2LMHeadModel.from_pretrained(folder).save_pretrained(folder)
    (folder / "pytorch_model.bin").unlink()
    path = folder / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))


# What loads


def test_old_layout(old: SimpleNamespace) -> None:
    base = load_model(str(old.folder))
    assert base.folder == old.folder
    assert torch.equal(base.model(IDS).logits, old.model(IDS).logits)
    assert base.model.lm_head.weight is base.model.transformer.wte.weight
    assert base.model.dtype is torch.float32
    assert not base.model.training
    assert context_of(base.model.config) == 128
    ids = base.tokenizer(f"{LINES[0]}{END}").input_ids
    assert ids[-1] == base.tokenizer.eos_token_id == base.model.config.eos_token_id
    assert base.tokenizer.decode(ids[:-1]) == LINES[0]


def test_openai_layout_has_no_prefix_and_no_head(old: SimpleNamespace, folder: Path) -> None:
    weights = torch.load(folder / "pytorch_model.bin")
    torch.save(
        {name.removeprefix("transformer."): tensor for name, tensor in weights.items() if name != "lm_head.weight"},
        folder / "pytorch_model.bin",
    )
    assert torch.equal(load_model(str(folder)).model(IDS).logits, old.model(IDS).logits)


def test_other_dtype(old: SimpleNamespace) -> None:
    assert load_model(str(old.folder), dtype=torch.bfloat16).model.dtype is torch.bfloat16


def test_folder_comes_before_alias(old: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (embedded.ALIAS, "gpt2"):
        shutil.copytree(old.folder, tmp_path / name)
        assert locate(name) == Path(name)


def test_aliases_of_the_embedded_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(embedded, "pull", lambda alias, tell: tmp_path / alias)
    for alias in ("smollm2-135m", "gemma3-270m"):
        assert locate(alias.upper()) == tmp_path / alias


def test_aliases_name_hub_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hub, "fetch", lambda name, tell: Path(name))
    assert locate("DialoGPT-small") == Path("microsoft/DialoGPT-small")
    assert locate("japanese-gpt2-medium") == Path("rinna/japanese-gpt2-medium")
    assert locate("someone/else") == Path("someone/else")


# What does not: one line that says why, and the remedy


def cut_weights(folder: Path) -> None:
    path = folder / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(*names: str) -> Callable[[Path], object]:
    return lambda folder: [(folder / name).unlink() for name in names]


def write(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 3\n"

DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "vision model": (write("config.json", b'{"model_type": "vit"}'), "not a causal language model"),
    "encoder-decoder": (write("config.json", b'{"model_type": "t5"}'), "not a causal language model"),
    "unknown architecture": (
        write("config.json", b'{"model_type": "nothing"}'),
        "does not recognize this architecture",
    ),
    "config is no json": (write("config.json", b"{"), "not a valid JSON file"),
    "config is empty": (write("config.json", b"{}"), "model_type"),
    "no weights": (remove("pytorch_model.bin"), "no file named model.safetensors"),
    "cut pytorch_model.bin": (cut_weights, "cannot be loaded"),
    "empty pytorch_model.bin": (write("pytorch_model.bin", b""), "cannot be loaded"),
    "git-lfs pointer": (write("pytorch_model.bin", POINTER), "weights are damaged"),
    "cut safetensors": (lambda folder: use_safetensors(folder, lambda content: content[:-100]), "weights are damaged"),
    "safetensors header": (
        lambda folder: use_safetensors(folder, lambda content: b"\xff" * 8 + content[8:]),
        "weights are damaged",
    ),
    "empty safetensors": (lambda folder: use_safetensors(folder, lambda content: b""), "weights are damaged"),
    "a layer is missing": (lambda folder: change_config(folder, n_layer=3), "12 weights are missing that"),
    "other shapes": (lambda folder: change_config(folder, n_embd=64), "other shapes than config.json says"),
    "no tokenizer": (remove("vocab.json", "merges.txt"), "no tokenizer files"),
    "no vocab.json": (remove("vocab.json"), "cannot load its tokenizer"),
    "no merges.txt": (remove("merges.txt"), "cannot load its tokenizer"),
    "damaged vocab.json": (write("vocab.json", b"{"), "cannot load its tokenizer"),
    "damaged merges.txt": (write("merges.txt", b"#version\na b c d\n"), "cannot load its tokenizer"),
    "damaged tokenizer.json": (write("tokenizer.json", b"{"), "cannot load its tokenizer"),
    "tokenizer is bigger": (
        lambda folder: write_gpt2(folder, vocab_size=200),
        "the tokenizer has 300 entries and the model 200",
    ),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES.keys())
def test_unusable_folder(folder: Path, damage: Callable[[Path], object], told: str) -> None:
    damage(folder)
    with pytest.raises(ModelError) as raised:
        load_model(str(folder))
    text = str(raised.value)
    assert text.startswith(f"{folder}: ")
    assert told in text
    assert "\n" not in text
    assert text.endswith(("Download the complete model again.", "such as GPT-2, DialoGPT or Llama."))


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~nobody-of-this-name/model", "a/b/c", "a\\b"])
def test_no_such_folder(name: str) -> None:
    with pytest.raises(ModelError, match=r"no such folder\. Check the path"):
        locate(name)


def test_a_file_is_no_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(ModelError, match="no such folder"):
        locate("config.json")


def test_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the folder has no config\.json"):
        locate(str(tmp_path))


# Code in a model


class Malicious:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.marker,))


def zipped_pickle(path: Path, value: object) -> None:
    torch.save({"transformer.wte.weight": value}, path)


def bare_pickle(path: Path, value: object) -> None:
    path.write_bytes(pickle.dumps(value, protocol=2))


@pytest.mark.parametrize("save", [zipped_pickle, bare_pickle])
def test_pickled_code_does_not_run(folder: Path, tmp_path: Path, save: Callable[[Path, object], None]) -> None:
    marker = tmp_path / "ran"
    save(folder / "pytorch_model.bin", Malicious(marker))
    with pytest.raises(
        ModelError, match=r"a pickle with code in it, which is never run\. Download the complete model again\.$"
    ):
        load_model(str(folder))
    assert not marker.exists()
    if save is bare_pickle:  # what would have happened
        pickle.loads((folder / "pytorch_model.bin").read_bytes())
        assert marker.exists()


@pytest.fixture
def remote(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose architecture is in a Python file that leaves a mark when it is run."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(tmp_path / "modules")
    change_config(
        folder, model_type="wolf", auto_map={"AutoConfig": "wolf.WolfConfig", "AutoModelForCausalLM": "wolf.Wolf"}
    )
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}')
    (folder / "wolf.py").write_text(
        f"""from pathlib import Path
from transformers import GPT2Config, GPT2LMHeadModel
Path({str(tmp_path / "ran")!r}).touch()
class WolfConfig(GPT2Config):
    model_type = "wolf"
class Wolf(GPT2LMHeadModel):
    config_class = WolfConfig
"""
    )
    return folder


def test_remote_code_does_not_run(remote: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        load_model(str(remote))
    assert str(raised.value) == (
        f"{remote}: it comes with Python code of its own, which was not run. "
        "If you trust its author, pass --trust-remote-code."
    )
    assert not (tmp_path / "ran").exists()


def test_trusted_code_runs(remote: Path, tmp_path: Path) -> None:
    assert type(load_model(str(remote), trust_remote_code=True).model).__name__ == "Wolf"
    assert (tmp_path / "ran").exists()


# GPT-2's own tokenizer

GPT2_FILES = Path(__file__).parents[3] / "shared" / "data" / "gpt2_tokenizer"
TRICKY = (
    "Hello world",
    "  two leading spaces, a tab\t, two trailing  ",
    "line\n\nline\r\nline\n",
    "I'm, you're, they've. He'll; she'd!",
    "人狼は誰ですか？　私は占い師です。",
    "🐺👩‍👩‍👧‍👦 é e\u0301 ﷺ \u200b",
    "x=1234567890;#include<stdio.h>",
    "Rick: hi<|endoftext|>Morty: hey<|endoftext|>",
    "<|endoftext",
    "",
    " ",
)


@pytest.mark.skipif(not GPT2_FILES.is_dir(), reason="GPT-2's tokenizer is not on this machine")
def test_gpt2_tokenizer_from_vocab_and_merges(folder: Path) -> None:
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(GPT2_FILES / name, folder / name)
    change_config(folder, vocab_size=50257, n_embd=8, n_head=1, bos_token_id=50256, eos_token_id=50256)
    torch.save(
        GPT2LMHeadModel(GPT2LMHeadModel.config_class.from_pretrained(folder)).state_dict(), folder / "pytorch_model.bin"
    )
    tokenizer = load_model(str(folder)).tokenizer
    assert tokenizer("Hello world").input_ids == [15496, 995]
    assert tokenizer(" the").input_ids == [262]
    assert tokenizer(END).input_ids == [50256] == [tokenizer.eos_token_id]
    reference = GPT2Tokenizer(vocab=str(GPT2_FILES / "vocab.json"), merges=str(GPT2_FILES / "merges.txt"))
    for text in TRICKY:
        ids = tokenizer(text).input_ids
        assert ids == reference(text).input_ids
        assert tokenizer.decode(ids) == text


# Japanese: a sentencepiece file under T5Tokenizer, as in rinna/japanese-gpt2

JAPANESE = (
    "こんにちは、今日はいい天気ですね。",
    "私は人狼ではありません。",
    "昨日の夜、誰を占いましたか？",
    "村人の皆さん、投票しましょう。",
    "はい、そうです。あなたは誰ですか？",
    "yes, the wolf is here (1/2).",
)
MARKS = {
    "unk_token": "<unk>",
    "bos_token": "<s>",
    "eos_token": "</s>",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}


def write_rinna(folder: Path, **options: object) -> sentencepiece.SentencePieceProcessor:
    """Put such a tokenizer in the place of the folder's own; returns the reference that reads the same file."""
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(JAPANESE * 4),
        model_writer=file,
        vocab_size=120,
        hard_vocab_limit=False,
        character_coverage=1.0,
        pad_id=3,
        pad_piece="[PAD]",
        control_symbols="[CLS],[SEP],[MASK]",
        num_threads=1,
        minloglevel=2,
        **options,
    )
    for name in ("vocab.json", "merges.txt"):
        (folder / name).unlink()
    (folder / "spiece.model").write_bytes(file.getvalue())
    (folder / "special_tokens_map.json").write_text(json.dumps(MARKS))
    settings = {
        "tokenizer_class": "T5Tokenizer",
        "do_lower_case": True,
        "extra_ids": 0,
        "additional_special_tokens": [],
        "sp_model_kwargs": {},
        **MARKS,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    change_config(folder, bos_token_id=1, eos_token_id=2)
    return sentencepiece.SentencePieceProcessor(model_proto=file.getvalue())


@pytest.mark.parametrize("prefix", [True, False])
def test_sentencepiece_as_rinna(folder: Path, tmp_path: Path, prefix: bool) -> None:
    reference = write_rinna(folder, add_dummy_prefix=prefix)
    tokenizer = load_model(str(folder)).tokenizer
    assert (tokenizer.unk_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id) == (
        0,
        1,
        2,
        3,
    )
    # What sentencepiece itself says of the file, for a word, a space, a fullwidth sign, and characters it never saw.
    texts = [*JAPANESE, "人狼は 誰ですか？", "鬱🐺です", "the  wolf！", "はい\nはい"]
    for text in texts:
        assert tokenizer(text).input_ids == reference.encode(text), text
    for text in JAPANESE:
        assert (
            tokenizer.decode(tokenizer(text).input_ids)
            == reference.decode(reference.encode(text))
            == text.replace("？", "?")
        )
    assert tokenizer("The WOLF").input_ids == reference.encode("the wolf")
    # A mark is a mark where the program writes it, and text where a person does.
    assert tokenizer("はい</s>").input_ids[-1] == tokenizer.eos_token_id
    for mark in MARKS.values():
        assert (
            tokenizer.convert_tokens_to_ids(mark) not in tokenizer(f"wolf{mark}", split_special_tokens=True).input_ids
            or mark == "<unk>"
        )
    # A trained model's folder holds it as tokenizer.json.
    tokenizer.save_pretrained(tmp_path / "saved")
    again = AutoTokenizer.from_pretrained(tmp_path / "saved")
    assert [again(text).input_ids for text in texts] == [tokenizer(text).input_ids for text in texts]


def test_sentencepiece_file_is_missing(folder: Path) -> None:
    write_rinna(folder)
    (folder / "spiece.model").unlink()
    with pytest.raises(ModelError, match=r"cannot load its tokenizer \(.*spiece.model"):
        load_model(str(folder))
