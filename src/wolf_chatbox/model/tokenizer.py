"""Load a model's tokenizer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from wolf_chatbox.errors import ModelError, Setting
from wolf_chatbox.model.compat import sentencepiece_converter
from wolf_chatbox.model.hub import DOWNLOAD_AGAIN, first_line

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FEWEST_ENTRIES = 16
UNLIMITED = 10**9
"""As `model_max_length`: samples are cut to the row, so transformers need not warn of long texts."""


def load_tokenizer(name: str, folder: Path, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """Load the tokenizer in a model's folder; raise ModelError when there is none that works."""
    from transformers import AutoTokenizer

    check_trust(name, folder, "tokenizer_config.json", "AutoTokenizer", trust_remote_code)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=trust_remote_code, local_files_only=not trust_remote_code
        )
        if type(tokenizer).__name__ == "T5Tokenizer":
            tokenizer = _from_sentencepiece(folder, tokenizer)
    except Exception as error:  # the tokenizers library raises no class of its own
        raise ModelError(f"{name}: cannot load its tokenizer ({first_line(error)}). {DOWNLOAD_AGAIN}") from error
    # Where its files are missing, transformers makes one up of nothing but the special tokens.
    if len(tokenizer) < FEWEST_ENTRIES:
        files = "tokenizer.json, or vocab.json and merges.txt"
        raise ModelError(f"{name}: no tokenizer files ({files}). {DOWNLOAD_AGAIN}")
    tokenizer.model_max_length = UNLIMITED
    return tokenizer


def check_trust(name: str, folder: Path, file: str, kind: str, trusted: bool) -> None:
    """Raise ModelError when a folder's `file` names Python code of its own for `kind`, and the code is not trusted."""
    try:
        brings = kind in json.loads((folder / file).read_text(encoding="utf-8"))["auto_map"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return  # transformers tells what is wrong with it
    if brings and not trusted:
        problem = "it comes with Python code of its own, which was not run. If you trust its author, pass "
        raise ModelError(f"{name}: {problem}", Setting("trust_remote_code"), ".")


def pad_id(tokenizer: Any) -> int:
    """An id to pad with. Any id does: what is learnt is told by the mask, never by an id."""
    return int(tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0)


def _from_sentencepiece(folder: Path, loaded: PreTrainedTokenizerBase) -> Any:
    """Make the tokenizer that a sentencepiece file describes, as of rinna/japanese-gpt2.

    Such folders name T5Tokenizer, which assumes T5's order of special tokens: it turns an unknown character into
    rinna's end token.
    """
    from tokenizers import Regex, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    if (folder / "tokenizer.json").is_file():
        return PreTrainedTokenizerFast.from_pretrained(folder)
    source = SimpleNamespace(vocab_file=str(folder / "spiece.model"))
    converter = sentencepiece_converter(source)
    source.add_prefix_space = converter.proto.normalizer_spec.add_dummy_prefix
    tokenizer = converter.converted()
    if loaded.init_kwargs.get("do_lower_case"):
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), tokenizer.normalizer])
    # Sentencepiece never reads a special token in a text; the Unigram model would, so its first character is cut off.
    marks = {piece.piece for piece in converter.proto.pieces if piece.type in (2, 3)} | set(loaded.all_special_tokens)
    cut = Regex("|".join(f"{re.escape(mark[0])}(?={re.escape(mark[1:])})" for mark in sorted(marks)))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([tokenizer.pre_tokenizer, pre_tokenizers.Split(cut, "isolated")])
    special: Any = loaded.special_tokens_map
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)  # type: ignore[no-untyped-call]
