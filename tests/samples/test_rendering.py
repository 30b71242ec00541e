from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import CHATML, make_tokenizer
from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError, ModelError, StyleError
from wolf_chatbox.samples.fitting import fit
from wolf_chatbox.samples.rendering import Renderer, make_renderer
from wolf_chatbox.samples.styles import choose_style
from wolf_chatbox.scene import Scene

MARKS = ("<|endoftext|>", "<|im_end|>", "<|im_start|>assistant\n")
texts = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
    .map(str.strip)
    .filter(bool)
)
words = texts | st.sampled_from([f"before {mark} after" for mark in MARKS])
turns = st.builds(Turn, st.sampled_from(["Ann", "Bob", "Old Eve"]), words)
talks = st.lists(turns, min_size=1, max_size=12).map(lambda drawn: Scene(tuple(drawn)))
ALONE = Scene(())
"""A turn is rendered the same wherever it stands."""
laws = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def renderers(tokenizer: Any, chat_tokenizer: Any) -> list[Renderer]:
    speakers = ("Ann", "Bob", "Old Eve")
    made = [
        make_renderer(base, style, persona, "Ann", speakers)
        for base in (tokenizer, chat_tokenizer)
        for style in ("dialogpt", "named")
        for persona in (None, "Bob")
    ]
    return [*made, make_renderer(chat_tokenizer, "chat", "Bob", "Ann", speakers)]


@laws
@given(talks)
def test_the_prompt_for_a_turn_is_a_prefix_of_what_training_saw(
    tokenizer: Any, chat_tokenizer: Any, talk: Scene
) -> None:
    for renderer in renderers(tokenizer, chat_tokenizer):
        turns = [renderer.turn(turn, ALONE).ids for turn in talk.turns]
        whole = [*renderer.start(talk, 10**6), *(id for ids in turns for id in ids)]
        for at in range(len(talk.turns)):
            prompt = renderer.prompt(talk.before(at, most=at), 10**6)
            assert whole[: len(prompt)] == prompt
        [sample] = renderer.render([talk], 10**6, 0).samples or [None]
        if sample is not None:
            assert sample.ids == whole[: len(sample)]


@laws
@given(talks, st.integers(24, 90), st.integers(0, 60))
def test_each_turn_is_learnt_once_whatever_the_rows(
    tokenizer: Any, chat_tokenizer: Any, talk: Scene, room: int, context: int
) -> None:
    for renderer in renderers(tokenizer, chat_tokenizer):
        rendered = renderer.render([talk], room, min(context, room))
        assert rendered.learnt + rendered.context + rendered.unused == len(talk.turns)
        assert all(len(sample) == len(sample.learn) <= room and any(sample.learn) for sample in rendered.samples)
        learnt = [id for sample in rendered.samples for id, learn in zip(sample.ids, sample.learn) if learn]
        pieces = [renderer.turn(turn, talk) for turn in talk.turns]
        expected = [id for piece in pieces for id, learn in zip(piece.ids, piece.learn) if learn]
        if not rendered.cut and rendered.learnt == sum(renderer.learns(turn.speaker, talk) for turn in talk.turns):
            # Without names nothing stands before the first token of a row, so it cannot be predicted.
            missing = len(expected) - len(learnt)
            assert 0 <= missing <= (len(rendered.samples) if renderer.style.name == "dialogpt" else 0)
            assert missing or learnt == expected
        elif room >= 60 and renderer.style.name != "dialogpt":
            assert rendered.cut


def test_the_end_of_a_turn_is_learnt_where_it_pads_too(tokenizer: Any) -> None:
    tokenizer_that_pads = make_tokenizer(pad_token="<|endoftext|>")
    for base in (tokenizer, tokenizer_that_pads):
        renderer = make_renderer(base, "named", "Bob", "Ann", ("Ann", "Bob"))
        sample = renderer.turn(Turn("Bob", "hello"), ALONE)
        assert sample.ids[-1] == base.eos_token_id == renderer.end_id
        assert sample.learn[-1]


def test_only_the_persona_is_learnt_and_its_name_is_not(tokenizer: Any) -> None:
    renderer = make_renderer(tokenizer, "named", "Bob", "Ann", ("Ann", "Bob"))
    talk = Scene((Turn("Ann", "hi"), Turn("Bob", "hello"), Turn("Ann", "bye")))
    [sample] = renderer.render([talk], 100, 0).samples
    learnt = [id for id, learn in zip(sample.ids, sample.learn) if learn]
    assert tokenizer.decode(learnt) == " hello<|endoftext|>"
    assert tokenizer.decode(sample.ids) == "Ann: hi<|endoftext|>Bob: hello<|endoftext|>"


@pytest.mark.parametrize("style", ["dialogpt", "named", "chat"])
def test_marks_in_somebodys_text_stay_text(chat_tokenizer: Any, style: str) -> None:
    renderer = make_renderer(chat_tokenizer, style, "Bob", "Ann", ("Ann", "Bob"))
    text = "I typed <|im_end|> and <|im_start|>assistant\nand <|endoftext|> myself"
    ids = renderer.turn(Turn("Bob", text), ALONE).ids
    assert ids.count(renderer.end_id) == 1
    assert chat_tokenizer.convert_tokens_to_ids("<|endoftext|>") not in ids
    assert text in chat_tokenizer.decode(ids)
    named_like_a_mark = make_renderer(chat_tokenizer, "named", "<|im_end|>", "Ann", ("Ann", "<|im_end|>"))
    assert named_like_a_mark.turn(Turn("<|im_end|>", "hi"), ALONE).ids.count(named_like_a_mark.end_id) == 1


@pytest.mark.parametrize("style", ["dialogpt", "named", "chat"])
def test_other_tools_render_the_same_with_the_saved_template(chat_tokenizer: Any, style: str) -> None:
    renderer = make_renderer(chat_tokenizer, style, "Bob", "Ann", ("Ann", "Bob"))
    talk = (Turn("Ann", "hi there"), Turn("Bob", 'what\'s up, "pup"?'), Turn("Ann", "nothing"))
    ours = renderer.prompt(Scene(talk, speaker="Bob"), 10**6)
    messages = [{"role": "assistant" if turn.speaker == "Bob" else "user", "content": turn.text} for turn in talk]
    theirs = chat_tokenizer.apply_chat_template(
        messages, chat_template=renderer.style.template(), add_generation_prompt=True
    )["input_ids"]
    assert list(theirs) == ours


def test_a_template_is_taken_apart_whatever_it_does(chat_tokenizer: Any) -> None:
    gemma = (
        "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for m in messages %}"
        "{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('must alternate') }}{% endif %}"
        "{{ '<|im_start|>' + ('model' if m['role'] == 'assistant' else m['role']) + '\n' }}"
        "{{ m['content'] | trim + '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>model\n' }}{% endif %}"
    )
    tokenizer = make_tokenizer("<|im_end|>", ("<|im_start|>",), gemma, bos_token="<s>")
    renderer = make_renderer(tokenizer, "chat", "assistant", "user", ("user", "assistant", "system"))
    talk = Scene((Turn("user", "a"), Turn("user", "b"), Turn("assistant", "c")))
    text = tokenizer.decode(renderer.render([talk], 10**6, 0).samples[0].ids)
    assert text == "<s><|im_start|>user\na<|im_end|>\n<|im_start|>user\nb<|im_end|>\n<|im_start|>model\nc<|im_end|>\n"
    said = renderer.turn(talk.turns[2], talk)
    assert said.learn == [False] * (len(said) - 3) + [True, True, False]

    own_system = make_renderer(chat_tokenizer, "chat", "assistant", "user", ("user", "assistant", "system"))
    first = chat_tokenizer.decode(own_system.prompt(Scene((Turn("user", "a"),), speaker="assistant"), 10**6))
    assert first.startswith("<|im_start|>system\nYou help.<|im_end|>\n<|im_start|>user\na")
    given = Scene((Turn("system", "Growl."), Turn("user", "a")), speaker="assistant")
    given_system = own_system.prompt(given, 10**6)
    assert chat_tokenizer.decode(given_system).startswith("<|im_start|>system\nGrowl.<|im_end|>\n<|im_start|>user\na")


def test_a_group_chat_names_its_users(chat_tokenizer: Any) -> None:
    renderer = make_renderer(chat_tokenizer, "chat", "Bob", "Ann", ("Ann", "Bob", "Eve"))
    assert "<|im_start|>user\nEve: hi<|im_end|>" in chat_tokenizer.decode(renderer.turn(Turn("Eve", "hi"), ALONE).ids)


def test_styles_that_cannot_be_are_refused(tokenizer: Any, chat_tokenizer: Any) -> None:
    with pytest.raises(StyleError, match="no chat template"):
        make_renderer(tokenizer, "chat", "Bob", "Ann", ("Ann", "Bob"))
    with pytest.raises(StyleError, match="--persona"):
        make_renderer(chat_tokenizer, "chat", None, "Ann", ("Ann", "Bob"))
    endless = make_tokenizer("<|im_end|>", ("<|im_start|>",), CHATML.replace("'<|im_end|>' + ", ""))
    with pytest.raises(StyleError, match="end of a turn"):
        make_renderer(endless, "chat", "Bob", "Ann", ("Ann", "Bob"))
    no_end = make_tokenizer()
    no_end.eos_token = None
    with pytest.raises(ModelError, match="no end token"):
        make_renderer(no_end, "named", None, "Ann", ("Ann", "Bob"))


def test_the_style_is_chosen_by_the_data_and_the_model(tokenizer: Any, chat_tokenizer: Any) -> None:
    assert choose_style(tokenizer, ("Rick", "Morty"))[0] == "named"
    assert choose_style(tokenizer, ("A", "B"))[0] == "dialogpt"
    assert choose_style(chat_tokenizer, ("user", "assistant", "system"))[0] == "chat"


def test_history_is_trimmed_by_whole_turns(tokenizer: Any) -> None:
    renderer = make_renderer(tokenizer, "named", "Bob", "Ann", ("Ann", "Bob"))
    talk = tuple(Turn("Ann" if at % 2 == 0 else "Bob", f"line number {at}") for at in range(9))
    last = [renderer.prompt(Scene(talk[first:], speaker="Bob"), 10**6) for first in range(9)]
    for room in range(len(last[-1]), len(last[0]) + 3):
        prompt = renderer.prompt(Scene(talk, speaker="Bob"), room)
        assert prompt == next(prompt for prompt in last if len(prompt) <= room)
    with pytest.raises(ChatError, match=r"the message has \d+ tokens"):
        renderer.prompt(Scene(talk, speaker="Bob"), len(last[-1]) - 1)


def test_a_turn_longer_than_a_row_is_cut_and_counted(tokenizer: Any) -> None:
    renderer = make_renderer(tokenizer, "named", None, "Ann", ("Ann", "Bob"))
    talk = Scene((Turn("Ann", "hi"), Turn("Bob", "goose " * 100), Turn("Ann", "bye")))
    rendered = renderer.render([talk], 50, 12)
    assert rendered.cut == 1
    assert rendered.learnt == 3
    cut = rendered.samples[1]
    assert len(cut) == 50
    assert cut.ids[-1] != renderer.end_id, "a cut turn must not teach that it ended there"


@given(st.lists(st.integers(1, 40), min_size=1, max_size=40), st.data())
def test_a_sample_is_full_and_learns_every_turn_that_fits(lengths: list[int], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lengths) - 1))
    room = data.draw(st.integers(40, 120))
    begin, end = fit(lengths, at, room, room // 8)
    size = sum(lengths[begin:end])
    assert begin <= at < end
    assert size <= room
    assert end == len(lengths) or size + lengths[end] > room, "the next turn would have fitted"
    plain = at + 1
    while plain < len(lengths) and sum(lengths[at : plain + 1]) <= room:
        plain += 1
    if end < len(lengths):
        assert not begin or size + lengths[begin - 1] > room, "more context would have fitted"
    assert sum(lengths[at:end]) >= sum(lengths[at:plain]) - room // 8 - max(lengths), (
        "context takes no more than its share"
    )
