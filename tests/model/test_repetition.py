"""Replies do not go round in circles, and no word is broken to see to it."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import make_gpt2, make_tokenizer
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.repetition import WORD, Repetition
from wolf_chatbox.model.engines.torch import TorchDecoder

TOKENIZER = make_tokenizer()
RULE = Repetition(TOKENIZER)
WHOLE_WORDS = [at for text, at in TOKENIZER.get_vocab().items() if re.fullmatch("Ġ[a-z]{3,}", text)][:6]
NAMES = ["Old Grimbold", "two coppers", "Zanthippe Quill", "Brannoch's inn", "the moon", "no", "ha"]


def ids_of(text: str) -> list[int]:
    return list(TOKENIZER(text, add_special_tokens=False).input_ids)


def text_of(ids: list[int]) -> str:
    return str(TOKENIZER.decode(ids))


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=12), st.integers(1, 6), st.integers(0, 10**6))
@example(5 * ["Zanthippe Quill"], 4, 53)
def test_nothing_is_barred_within_a_word(names: list[str], phrase: int, cut: int) -> None:
    ids = ids_of(" ".join(names))
    reply, following = ids[: cut % len(ids)], ids[cut % len(ids)]
    within = re.search(r"\w\Z", text_of(reply)) and re.match(r"\w", TOKENIZER.decode([following]))
    if within:
        assert following not in RULE.barred(reply, phrase), (text_of(reply), TOKENIZER.decode([following]))


@given(st.lists(st.sampled_from(WHOLE_WORDS), max_size=60), st.integers(1, 5))
def test_no_phrase_comes_twice(wanted: list[int], phrase: int) -> None:
    """Whatever a model wants to say: what is barred is left out, and the rest says no phrase twice."""
    reply: list[int] = []
    for token in wanted:
        if token not in RULE.barred(reply, phrase):
            reply.append(token)
    words = WORD.findall(text_of(reply).casefold())
    phrases = [tuple(words[at : at + phrase]) for at in range(len(words) - phrase + 1)]
    assert len(phrases) == len(set(phrases)), text_of(reply)


def test_a_name_may_come_back_and_a_phrase_may_not() -> None:
    once = ids_of("I am Old Grimbold. Old Grimbold is my name, and Old Grimb")
    assert ids_of("old")[0] not in RULE.barred(once, 4)
    twice = ids_of("Shut the door, pup. Shut the door,")
    barred = {TOKENIZER.decode([id]) for id in RULE.barred(twice, 4)}
    assert barred, "pup would say the phrase again"
    assert all("pup".startswith(text.casefold().strip()) for text in barred)


@pytest.mark.parametrize("loop", ["ha", "no ", "Bah! ", "Old Grimbold is old. ", "だよ", "そうですね。"])
def test_no_piece_stands_more_than_four_times_in_a_row(loop: str) -> None:
    reply: list[int] = []
    whole = make_tokenizer() if loop.isascii() else _tokenizer_of(loop)
    rule = Repetition(whole)
    for token in whole(loop * 12, add_special_tokens=False).input_ids:
        if token not in rule.barred(reply, 50):
            reply.append(token)
    assert not re.search(r"(.{2,}?)\1{5}|(.)\2{9}", whole.decode(reply)), "what began before the fifth may end it"
    assert re.search(r"(.+?)\1{2}", whole.decode(reply)), "three in a row are nobody's business"


def _tokenizer_of(text: str) -> Any:
    """A tokenizer that has the letters of a text as tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted({*text, "x"})
    tokenizer = Tokenizer(models.WordLevel({letter: at for at, letter in enumerate(letters)}, unk_token="x"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def test_the_engine_keeps_to_the_rule() -> None:
    """A model that loops by itself says no phrase twice, unless the rule is off."""
    model = make_gpt2(len(TOKENIZER))
    greedy = SamplingConfig(max_new_tokens=100, temperature=0, no_repeat_phrase=0)
    engine = Engine(TorchDecoder(model), TOKENIZER)
    free = [token.id for token in engine.stream([5, 6, 7], greedy, set())]
    assert any(set(RULE.barred(free[:at], 2)) & {free[at]} for at in range(1, len(free))), "the model loops by itself"
    held = [token.id for token in engine.stream([5, 6, 7], greedy.changed(no_repeat_phrase=2), set())]
    assert not any(set(RULE.barred(held[:at], 2)) & {held[at]} for at in range(1, len(held)))


def test_a_tokenizer_with_more_entries_than_the_model_has_scores() -> None:
    model = make_gpt2(vocab=300)
    repetition = SimpleNamespace(barred=lambda reply, phrase: [1, 350])
    engine = Engine(TorchDecoder(model), TOKENIZER)
    engine._repetition = repetition  # type: ignore[assignment]
    assert 1 not in [token.id for token in engine.stream([5], SamplingConfig(max_new_tokens=5, temperature=0), set())]
