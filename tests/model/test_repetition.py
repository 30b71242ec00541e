"""Replies do not go round in circles, and no word is broken to see to it."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conftest import make_gpt2, make_tokenizer
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.engines.dry import Dry, copied
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.repetition import WORD, Repetition
from wolf_chatbox.model.engines.sampling import Sampler
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


# DRY


def longest_copies(ids: list[int], breakers: set[int]) -> dict[int, int]:
    """From the definition: how long a copy of the end each id would go on with."""
    found: dict[int, int] = {}
    for at in range(1, len(ids)):
        for size in range(1, at + 1):
            copy = ids[at - size : at]
            if copy == ids[-size:] and not breakers & {*copy, ids[at]}:
                found[ids[at]] = max(found.get(ids[at], 0), size)
    return found


@given(st.lists(st.integers(0, 4), max_size=30), st.sets(st.integers(0, 4), max_size=2))
def test_dry_finds_the_longest_copies(ids: list[int], breakers: set[int]) -> None:
    found = copied(np.array(ids, np.int64), np.array([id in breakers for id in ids], bool))
    assert found == longest_copies(ids, breakers)


def test_a_loop_of_a_thousand_tokens_is_a_copy_of_64() -> None:
    assert copied(np.ones(1000, np.int64), np.zeros(1000, bool)) == {1: 64}


def letters(text: str) -> list[int]:
    """One token a letter."""
    return [id for letter in text for id in ids_of(letter)]


def test_dry_takes_off_what_its_formula_says() -> None:
    sampling = SamplingConfig(dry_multiplier=0.8, dry_base=1.75, dry_allowed_length=2)

    def lost(text: str, *names: str) -> dict[str, float]:
        return {text_of([id]): loss for id, loss in Dry(TOKENIZER, names).penalties(letters(text), sampling).items()}

    assert lost("xyzw.x") == {}, "a copy of one token is allowed"
    assert lost("xyzw.xy") == {"z": 0.8}
    assert lost("xyzw.xyz") == {"w": pytest.approx(0.8 * 1.75)}
    assert lost("xyzw.xyzw") == {".": pytest.approx(0.8 * 1.75**2)}
    assert lost("xyzq,xyw.xy") == {"z": 0.8, "w": 0.8}
    assert lost("xyzxyz") == {"x": pytest.approx(0.8 * 1.75)}
    for mark in '\n:"*「':
        assert lost(f"xy{mark}zw.xy{mark}z") == {}, "no copy reaches over a breaker"
        assert lost(f"xy{mark}z.xy") == {}, "and no breaker goes on with one"
    assert lost("sozq.sozq") != {}
    assert lost("sozq.sozq", "zq") == lost("sozq.so", "zq") == {}, "a name may be said again"


def test_dry_is_drawn_by_and_what_the_prompt_says_is_free(tokenizer: Any) -> None:
    ids, [following] = letters("xyzw.xy"), letters("z")
    logits = np.zeros(len(tokenizer), np.float32)
    logits[following], logits[7] = 1.0, 0.5
    for multiplier, drawn in ((0.0, following), (0.4, following), (0.8, 7)):
        sampling = SamplingConfig(temperature=0.0, dry_multiplier=multiplier, no_repeat_phrase=0)
        sampler = Sampler(sampling, dry=Dry(tokenizer))
        assert sampler.draw(logits, ids).id == drawn
        assert sampler.draw(logits, ids[-2:]).id == following
    engine = Engine(TorchDecoder(make_gpt2(len(tokenizer))), tokenizer)
    greedy = SamplingConfig(temperature=0.0, no_repeat_phrase=0, max_new_tokens=40)
    for multiplier, longest in ((0.0, range(10, 40)), (9.0, range(4))):
        drawn_ids = [token.id for token in engine.stream([5, 6], greedy.changed(dry_multiplier=multiplier), ())]
        assert max(longest_copies(drawn_ids, set()).values(), default=0) in longest
