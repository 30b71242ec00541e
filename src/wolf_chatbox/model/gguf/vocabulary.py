"""A tokenizer as llama.cpp wants it: its tokens, how texts are cut into them, and which of them end a reply.

llama.cpp knows three kinds that models here have: byte-level BPE ("gpt2"), sentencepiece's BPE ("llama") and its
Unigram ("t5"). The kind, and how a text is cut before the BPE, follow from tokenizer.json alone, not from a model's
name. What llama.cpp cannot do as the tokenizer does is told; our own engine is not concerned, for it passes ids.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gguf import GGUFWriter, TokenType

from wolf_chatbox.errors import ModelError
from wolf_chatbox.samples.tokenizer import Tokenizer
from wolf_chatbox.visible import Tell

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
PATTERNS = {LLAMA3: "llama-bpe", LLAMA3.replace("{1,3}", ""): "qwen2"}
"""llama.cpp's names for the patterns that texts are cut by; it has each of them written out in its own code."""
UNSCORED = -1e6
"""The score of a token that no merge makes: pieces never join to a control token."""
SPACE = "\u2581"


class Special(NamedTuple):
    """The marks that other programs need to know."""

    end: int
    """The id that ends a reply of the persona."""
    template: str
    """The chat template, in Jinja."""


def write_vocabulary(
    writer: GGUFWriter, name: str, tokenizer: Tokenizer, entries: int, special: Special, tell: Tell
) -> None:
    """Write the tokenizer of a model whose embedding has `entries` rows.

    Raises ModelError for a kind of tokenizer that llama.cpp does not have.
    """
    described = json.loads(tokenizer.backend_tokenizer.to_str())
    model, parts = described["model"], list(_parts(described))
    kind = _kind(name, model, parts)
    tokens, types = _tokens(name, tokenizer, model, entries)
    writer.add_tokenizer_model(kind)
    if kind == "gpt2":
        pre = _cut(parts)
        if pre == "default":
            tell("note: llama.cpp has no pattern that cuts texts as this tokenizer does; other programs may differ")
        writer.add_tokenizer_pre(pre)
    else:
        writer.add_tokenizer_pre("default")
        writer.add_add_space_prefix(_prefixes_space(parts))
    writer.add_token_list([token.encode() for token in tokens])
    if kind == "t5":
        _write_unigram(writer, model, parts, entries)
    elif kind == "llama":
        writer.add_token_scores(_scores_of_merges(model, tokens))
    writer.add_token_types(types)
    if kind == "gpt2":
        writer.add_token_merges([" ".join(merge) for merge in _merges(model)])
    if changes := [part["type"] for part in parts if part["type"] in ("Lowercase", "NFC", "NFKC", "StripAccents")]:
        tell(f"note: llama.cpp does not normalise texts ({', '.join(changes)}); other programs may differ")
    _write_special(writer, tokenizer, special)


def _parts(described: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All normalizers and pre-tokenizers, those in sequences too."""
    waiting = [described.get("normalizer"), described.get("pre_tokenizer")]
    while waiting:
        part = waiting.pop(0)
        if part is not None:
            waiting[:0] = part.get("normalizers") or part.get("pretokenizers") or ()
            yield part


def _kind(name: str, model: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> str:
    kinds = {part["type"] for part in parts}
    if model["type"] == "BPE" and "ByteLevel" in kinds:
        return "gpt2"
    if model["type"] == "BPE" and model.get("byte_fallback"):
        return "llama"
    if model["type"] == "Unigram":
        return "t5"
    raise ModelError(f"{name}: llama.cpp has no tokenizer like this one ({model['type']}). Use --engine torch for it.")


def _tokens(name: str, tokenizer: Tokenizer, model: Mapping[str, Any], entries: int) -> tuple[list[str], list[int]]:
    """The text of each id, and what kind of token it is; ids that no token has get a name of their own."""
    ids = tokenizer.backend_tokenizer.get_vocab(with_added_tokens=True)
    tokens = [f"[PAD{id}]" for id in range(entries)]
    types = [int(TokenType.UNUSED)] * entries
    for token, id in ids.items():
        if id >= entries:
            raise ModelError(f"{name}: the tokenizer has the id {id}, and the model {entries} rows. Use another model.")
        tokens[id], types[id] = token, int(TokenType.NORMAL)
        if model.get("byte_fallback") and len(token) == 6 and token.startswith("<0x"):
            types[id] = int(TokenType.BYTE)
    unknown = model.get("unk_token") if model["type"] == "BPE" else model.get("unk_id")
    if unknown is not None:
        types[ids[unknown] if isinstance(unknown, str) else unknown] = int(TokenType.UNKNOWN)
    for id, token in tokenizer.added_tokens_decoder.items():
        types[id] = int(TokenType.CONTROL if token.special else TokenType.USER_DEFINED)
    if len(set(tokens)) < entries:
        raise ModelError(f"{name}: two ids of the tokenizer have the same text. Use --engine torch for it.")
    return tokens, types


def _cut(parts: Sequence[Mapping[str, Any]]) -> str:
    """llama.cpp's name for how a text is cut before a byte-level BPE; "default" where it has none that is the same."""
    cuts = [part for part in parts if part["type"] in ("ByteLevel", "Split", "Digits", "Punctuation", "Whitespace")]
    *before, last = cuts
    if last["type"] != "ByteLevel" or last.get("add_prefix_space"):
        return "default"
    if last.get("use_regex", True):
        digits = [part.get("individual_digits") for part in before if part["type"] == "Digits"]
        return {0: "gpt-2"}.get(len(before), "smollm" if digits == [True] and len(before) == 1 else "default")
    if len(before) == 1 and before[0]["type"] == "Split" and not before[0].get("invert"):
        return PATTERNS.get(before[0]["pattern"].get("Regex", ""), "default")
    return "default"


def _prefixes_space(parts: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        (part["type"] == "Prepend" and part.get("prepend") == SPACE)
        or (part["type"] == "Metaspace" and part.get("prepend_scheme", "always") != "never")
        for part in parts
    )


def _merges(model: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    return (merge.split(" ", 1) if isinstance(merge, str) else merge for merge in model["merges"])


def _scores_of_merges(model: Mapping[str, Any], tokens: Sequence[str]) -> list[float]:
    """Scores that make llama.cpp join pieces in the order of the merges: it takes the pair with the highest score."""
    ranks: dict[str, int] = {}
    for rank, merge in enumerate(_merges(model)):
        ranks.setdefault("".join(merge), rank)
    return [-float(ranks[token]) if token in ranks else UNSCORED for token in tokens]


def _write_unigram(
    writer: GGUFWriter, model: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], entries: int
) -> None:
    scores = [float(score) for _, score in model["vocab"]]
    writer.add_token_scores(scores + [UNSCORED] * (entries - len(scores)))
    for part in parts:
        if part["type"] == "Precompiled":
            writer.add_precompiled_charsmap(base64.b64decode(part["precompiled_charsmap"]))
        elif part["type"] == "Replace" and part["pattern"].get("Regex") == " {2,}":
            writer.add_remove_extra_whitespaces(True)
    if model.get("unk_id") is not None:
        writer.add_unk_token_id(model["unk_id"])


def _write_special(writer: GGUFWriter, tokenizer: Tokenizer, special: Special) -> None:
    ids = list(tokenizer("x").input_ids)
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    # llama.cpp stops at both, and puts the text of the first into a template that asks for it.
    first = end if end is not None and "eos_token" in special.template else special.end
    # Without one, llama.cpp would take the id 11.
    writer.add_bos_token_id(begin if begin is not None else first)
    writer.add_eos_token_id(first)
    writer.add_eot_token_id(special.end)
    writer.add_add_bos_token(begin is not None and ids[0] == begin)
    writer.add_add_eos_token(end is not None and ids[-1] == end)
    if special.template:
        writer.add_chat_template(special.template)
