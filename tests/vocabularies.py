"""Tokenizers of every kind that llama.cpp has and our models use, small and trained here."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import sentencepiece

from conftest import CHATML, make_tokenizer
from wolf_chatbox.model.gguf.vocabulary import LLAMA3
from wolf_chatbox.model.tokenizer import load_tokenizer

LINES = ["the wolf is here tonight", "who is the wolf?", "人狼は誰ですか？", "私は村人です。", "I am 42 years old."]


def with_digits(folder: Path) -> Any:
    """A byte-level BPE that cuts off each digit, as SmolLM's."""
    from tokenizers import pre_tokenizers

    made = make_tokenizer()
    cuts = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    made.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cuts)
    return made


def with_pattern(folder: Path) -> Any:
    """A byte-level BPE that cuts as Llama 3's."""
    from tokenizers import Regex, pre_tokenizers

    made = make_tokenizer()
    cuts = [pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    made.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cuts)
    return made


def with_start(folder: Path) -> Any:
    """A byte-level BPE that puts a start token before each text, as Llama 3's."""
    from tokenizers import processors

    made = make_tokenizer(marks=("<s>",), bos_token="<s>")
    ids = [("<s>", made.convert_tokens_to_ids("<s>"))]
    made.backend_tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=ids)
    return made


def from_sentencepiece(folder: Path, kind: str, file: str, named: str, **options: Any) -> Any:
    folder.mkdir()
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 4),
        model_writer=model,
        model_type=kind,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    (folder / file).write_bytes(model.getvalue())
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": named, "extra_ids": 0}))
    return load_tokenizer("model", folder)


def gemma_like(folder: Path) -> Any:
    """A BPE of sentencepiece's kind, with bytes for what it never saw."""
    marks = {f"{name}_id": at for at, name in enumerate(("pad", "eos", "bos", "unk"))}
    marks |= {f"{name}_piece": f"<{name}>" for name in ("pad", "eos", "bos", "unk")}
    rules = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False, "add_dummy_prefix": False}
    bpe = {"vocab_size": 400, "byte_fallback": True, "user_defined_symbols": ["<mask>", "\n\n"]}
    return from_sentencepiece(folder, "bpe", "tokenizer.model", "GemmaTokenizer", **marks, **rules, **bpe)


def rinna_like(folder: Path) -> Any:
    return from_sentencepiece(folder, "unigram", "spiece.model", "T5Tokenizer", vocab_size=110)


KINDS: dict[str, Any] = {
    "plain": lambda folder: make_tokenizer(),
    "chat": lambda folder: make_tokenizer("<|im_end|>", ("<|im_start|>", "<|endoftext|>"), CHATML),
    "digits": with_digits,
    "pattern": with_pattern,
    "start": with_start,
    "sentencepiece": gemma_like,
    "unigram": rinna_like,
}
"""Each makes a tokenizer; the folder is for the files that it may be made of."""
