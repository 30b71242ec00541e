"""The light tokenizer gives the ids and the texts that transformers gives, and imports nothing of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import write_gpt2
from vocabularies import KINDS
from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.embedded import embedded_folder, is_ready
from wolf_chatbox.model.light_tokenizer import LightTokenizer, load_light
from wolf_chatbox.model.tokenizer import load_tokenizer
from wolf_chatbox.samples.rendering import make_renderer

SMOLLM = embedded_folder() if is_ready() else None
GPT2 = Path(__file__).parents[3] / "shared" / "data" / "gpt2_tokenizer"
NAMED = ("bos_token", "eos_token", "unk_token", "pad_token", "bos_token_id", "eos_token_id", "unk_token_id")

pieces = st.sampled_from(
    [
        *("<|endoftext|>", "<|im_end|>", "<|im_start|>", "<pad>", "</s>", " ", "\n", " n't", " .", " ' ", "wolf"),
        *("人狼", "が", "é", "👩\u200d👧"),
    ]
)
texts = st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=8).map("".join)
"""Texts with special tokens typed in them, Japanese, emoji, and characters in parts."""


def two(folder: Path) -> tuple[LightTokenizer, Any]:
    light = load_light("model", folder)
    assert isinstance(light, LightTokenizer)
    return light, load_tokenizer("model", folder)


def agree(light: LightTokenizer, reference: Any, text: str) -> None:
    for form in (text, unicodedata.normalize("NFD", text)):
        for how in ({}, {"add_special_tokens": False}, {"add_special_tokens": False, "split_special_tokens": True}):
            ids = light(form, **how).input_ids
            assert ids == reference(form, **how).input_ids
            for skip in (False, True):
                assert light.decode(ids, skip_special_tokens=skip) == reference.decode(ids, skip_special_tokens=skip)


def describe_alike(light: LightTokenizer, reference: Any) -> None:
    for name in (*NAMED, "chat_template", "special_tokens_map"):
        assert getattr(light, name) == getattr(reference, name), name
    assert len(light) == len(reference)
    assert light.all_special_ids == reference.all_special_ids
    ours, theirs = light.added_tokens_decoder, reference.added_tokens_decoder
    assert {id: (str(token), token.special) for id, token in ours.items()} == {
        id: (str(token), token.special) for id, token in theirs.items()
    }
    some = [[id, id + 1] for id in range(0, len(light) - 1, 7)][:400]
    assert light.batch_decode(some) == reference.batch_decode(some)


@pytest.fixture(scope="module", params=[*KINDS, "more tokens", "wordpiece", "gpt2", "smollm"])
def pair(request: pytest.FixtureRequest, tiny_llama: Path, tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("tokenizer")
    match request.param:
        case "more tokens":
            write_more_tokens(tiny_llama, folder)
        case "wordpiece":
            write_wordpiece(folder)
        case "gpt2":
            write_run_of_gpt2(folder)
        case "smollm":
            if SMOLLM is None:
                pytest.skip("smollm2-135m is not on this machine")
            return two(SMOLLM)
        case kind:
            made = KINDS[kind](folder / "source")
            made.save_pretrained(folder)
            (folder / "run.json").write_text("{}")  # as a training leaves it
            (folder / "config.json").write_text('{"model_type": "llama"}')
    return two(folder)


def write_more_tokens(tiny_llama: Path, folder: Path) -> None:
    """A folder whose settings name tokens that its tokenizer.json does not hold."""
    shutil.copytree(tiny_llama, folder, dirs_exist_ok=True)
    path = folder / "tokenizer_config.json"
    named = json.loads(path.read_text())
    token = {"content": "<pad>", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    named |= {"pad_token": "<pad>", "bos_token": "the", "extra_special_tokens": ["</s>"], "image_token": "<image>"}
    named["added_tokens_decoder"] = {"500": {**token, "content": "wolf", "special": False}}
    path.write_text(json.dumps(named))


def write_wordpiece(folder: Path) -> None:
    """A tokenizer that is no BPE, whose texts are cleaned up after decoding."""
    from tokenizers import BertWordPieceTokenizer
    from transformers import PreTrainedTokenizerFast

    words = BertWordPieceTokenizer(lowercase=True)
    lines = ["I'm the wolf, aren't I? No! She 's said: don't . 人狼です"] * 4
    words.train_from_iterator(lines, vocab_size=200, min_frequency=1, show_progress=False)
    PreTrainedTokenizerFast(
        tokenizer_object=words._tokenizer,
        eos_token="[SEP]",
        unk_token="[UNK]",
        clean_up_tokenization_spaces=True,
    ).save_pretrained(folder)


def write_run_of_gpt2(folder: Path) -> None:
    """GPT-2's tokenizer as a run saves it, from the files that the hub has: its class builds one of its own."""
    if GPT2.is_dir():
        for name in ("vocab.json", "merges.txt"):
            shutil.copy2(GPT2 / name, folder)
        (folder / "config.json").write_text('{"model_type": "gpt2"}')
    else:
        write_gpt2(folder)
    tokenizer = load_tokenizer("gpt2", folder)
    (folder / "run.json").write_text("{}")
    tokenizer.save_pretrained(folder)


def test_the_two_describe_themselves_alike(pair: Any) -> None:
    describe_alike(*pair)


@settings(max_examples=60)
@given(texts)
def test_same_ids_and_texts(pair: Any, text: str) -> None:
    agree(*pair, text)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 199), max_size=12), st.booleans())
def test_any_ids_decode_alike(pair: Any, ids: list[int], skip: bool) -> None:
    light, reference = pair
    assert light.decode(ids, skip_special_tokens=skip) == reference.decode(ids, skip_special_tokens=skip)


def test_renderers_are_alike(tiny_llama: Path) -> None:
    light, reference = two(tiny_llama)
    ours, theirs = (make_renderer(one, "chat", "Ann", "Bob", ["Ann", "Bob"]) for one in (light, reference))
    assert (ours.style, ours.end_id, ours._special) == (theirs.style, theirs.end_id, theirs._special)


@pytest.mark.parametrize("change", ["class", "no tokenizer.json", "more templates", "damaged settings"])
def test_what_is_not_certain_is_left_to_transformers(tiny_gpt2: Path, tmp_path: Path, change: str) -> None:
    folder = tmp_path / "model"
    write_gpt2(folder)
    if change != "no tokenizer.json":
        for path in tiny_gpt2.glob("tokenizer*"):
            shutil.copy2(path, folder)
    path = folder / "tokenizer_config.json"
    if change == "class":
        path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer_class": "GPT2Tokenizer"}))
    elif change == "more templates":
        (folder / "additional_chat_templates").mkdir()
    elif change == "damaged settings":
        path.write_text("[]")
        with pytest.raises(ModelError, match="cannot load its tokenizer"):
            load_light("model", folder)
        return
    assert not isinstance(load_light("model", folder), LightTokenizer)


def test_damaged_tokenizer(tiny_gpt2: Path, tmp_path: Path) -> None:
    for path in tiny_gpt2.glob("tokenizer*"):
        shutil.copy2(path, tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"model: cannot load its tokenizer \(.*\)\. Download"):
        load_light("model", tmp_path)


def test_code_of_a_stranger_does_not_run(tiny_gpt2: Path, tmp_path: Path) -> None:
    for path in tiny_gpt2.glob("tokenizer*"):
        shutil.copy2(path, tmp_path)
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoTokenizer": ["x.Y", None]}}))
    with pytest.raises(ModelError, match="it comes with Python code of its own, which was not run"):
        load_light("model", tmp_path)


def test_neither_torch_nor_transformers(tiny_llama: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from wolf_chatbox.model.light_tokenizer import load_light\n"
        "from wolf_chatbox.samples.rendering import make_renderer\n"
        "make_renderer(load_light('m', Path(sys.argv[1])), 'chat', 'Ann', 'Bob', ['Ann', 'Bob'])\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, tiny_llama], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
