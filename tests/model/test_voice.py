"""A reply exists once: the voice, and that the chat and the validation ask the same one."""

from __future__ import annotations

import copy
import random
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import make_gpt2
from games import told
from scripted import voice
from wolf_chatbox.config import SamplingConfig, TrainConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.model.engines.engine import Engine
from wolf_chatbox.model.engines.torch import TorchDecoder
from wolf_chatbox.model.voice import Reply, Voice
from wolf_chatbox.samples.dataset import prepare
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.training.validation import sample_replies
from wolf_chatbox.werewolf.views import watch

laws = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
ASKED = Scene((Turn("Morty", "Where are we?"),), speaker="Rick")
SAMPLING = SamplingConfig(max_new_tokens=100)


def test_a_voice_keeps_nothing_between_replies(tokenizer: Any) -> None:
    model = make_gpt2(len(tokenizer))
    speaking = voice(tokenizer, "unused")
    speaking = Voice(Engine(TorchDecoder(model), tokenizer), speaking.renderer, speaking.speakers)
    alone = [speaking.answer(ASKED, SAMPLING, seed) for seed in (1, 2)]
    expected = ["".join(reply) for reply in alone]
    assert expected[0] != expected[1]
    together = [speaking.answer(ASKED, SAMPLING, seed) for seed in (1, 2)]
    streams, texts = [iter(reply) for reply in together], ["", ""]
    while any(pieces := [next(stream, "") for stream in streams]):
        texts = [text + piece for text, piece in zip(texts, pieces)]
    assert texts == expected, "two replies that are drawn at once do not meet"
    assert [reply.ids for reply in together] == [reply.ids for reply in alone]


@laws
@given(st.integers(1, 30), st.integers(1, 30))
def test_a_reply_in_parts_is_the_reply_at_once(tokenizer: Any, first: int, then: int) -> None:
    speaking = voice(tokenizer, "a long and winding reply about the goose:\nin the house of 🐺, the wolf")
    whole = speaking.answer(ASKED, SAMPLING)
    text = "".join(whole)
    begun = speaking.answer(ASKED, SAMPLING.changed(max_new_tokens=first))
    parts = list(begun)
    before = copy.copy(begun.ids)
    while begun.cut:
        more = speaking.answer(ASKED, SAMPLING.changed(max_new_tokens=then), begun=begun)
        parts += list(more)
        assert begun.ids == before, "what goes in is not changed"
        begun, before = more, copy.copy(more.ids)
        assert begun.text == "".join(parts)
    assert begun.text == text
    assert begun.ids == whole.ids


def test_a_reply_that_is_closed_says_what_there_is(tokenizer: Any) -> None:
    reply = voice(tokenizer, "a long and winding reply").answer(ASKED, SAMPLING)
    pieces = iter(reply)
    said = next(pieces) + next(pieces)
    pieces.close()
    assert reply.text == said
    assert tokenizer.decode(reply.ids).lstrip() == said
    assert not reply.cut


def test_a_reply_ends_where_another_speaks_and_goes_on_from_its_text(tokenizer: Any) -> None:
    speaking = voice(tokenizer, "I say so.\nBeth: and I do not")
    reply = speaking.answer(ASKED, SAMPLING)
    assert "".join(reply) == reply.text == "I say so."
    assert (reply.ids, reply.cut) == ([], False)
    first_of_all = voice(tokenizer, "I say so.\nRick: again", speakers={}).answer(ASKED, SAMPLING)
    assert "".join(first_of_all) == "I say so.", "the one who speaks does not begin twice"
    scene = [*watch(told(), "Ken")][-1]
    run_on = voice(tokenizer, "Well.\nModerator: Night falls.", speakers={}, context=10_000)
    assert "".join(run_on.answer(scene, SAMPLING)) == "Well.", "nor does it speak for the narrator"


def test_a_reply_that_fills_the_context_is_refused_at_once(tokenizer: Any) -> None:
    speaking = voice(tokenizer, "hm", context=64)
    with pytest.raises(ChatError, match="the reply fills the model's context"):
        speaking.answer(ASKED, SAMPLING, begun=Reply("goose " * 80))
    with pytest.raises(ChatError, match="the message has"):
        speaking.answer(Scene((Turn("Morty", "goose " * 80),), speaker="Rick"), SAMPLING)


PARTS = ["Beth", "Morty", ":", "：", "\n", " ", "Hm.", "🐺", "and so on and so on and so on and so on"]


@laws
@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=20).map("".join))
@example("Beth\nBeth\n:")
@example("Beth\nBeth\n \n Be")
def test_pieces_never_show_what_the_whole_reply_takes_back(tokenizer: Any, text: str) -> None:
    """However it is cut into tokens: the pieces join to what stands before the first line of another speaker."""
    written = f" {text}".lstrip()
    kept = re.split(r"(?:\A|\n)\s*(?:Beth|Morty|Rick)\s*[:：]", written)[0].rstrip()
    reply = voice(tokenizer, text).answer(ASKED, SAMPLING.changed(max_new_tokens=200))
    assert "".join(reply) == kept == reply.text


def test_validation_samples_what_the_chat_would_say(tokenizer: Any, tmp_path: Path) -> None:
    path = tmp_path / "talk.csv"
    lines = [
        (name, f"the goose number {number} is in house {number}") for number in range(30) for name in ("Ann", "Bob")
    ]
    path.write_text("index,speaker,text\n" + "".join(f"{at},{name},{text}\n" for at, (name, text) in enumerate(lines)))
    for seed in range(3):
        drawn = random.Random(seed).getrandbits(32)
        config = TrainConfig(data=(str(path),), persona="Bob", seed=drawn, sampling=SAMPLING.changed(max_new_tokens=40))
        dataset = prepare(config, tokenizer, 64)
        model = make_gpt2(len(tokenizer))
        samples = sample_replies(model, dataset, config, nullcontext())
        assert samples
        for sample in samples:
            speaking = Voice(Engine(TorchDecoder(model), tokenizer), dataset.renderer, dataset.speakers, 64)
            *before, asked = sample.context
            session = ChatSession(speaking, persona="Bob", user=asked.speaker, sampling=config.sampling, seed=seed)
            session.history = tuple(before)
            assert session.reply(asked.text) == sample.generated != ""


def test_the_voice_and_the_chat_need_no_torch() -> None:
    program = (
        "import sys, wolf_chatbox.talk.terminal, wolf_chatbox.model.voice, wolf_chatbox.model.engines\n"
        "assert not {'torch', 'transformers', 'accelerate'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
