"""The saved chat template gives other programs, such as vLLM, the prompts that our renderer makes: the same ids.

They render as transformers does (`apply_chat_template`), and read the text with its special tokens.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.utils.chat_template_utils import render_jinja_template

from conftest import CHATML, make_tokenizer
from wolf_chatbox.conversation import Turn
from wolf_chatbox.samples.rendering import Renderer, make_renderer
from wolf_chatbox.samples.styles import make_style
from wolf_chatbox.scene import Scene

NAMES = ("Rick", "Morty", "Mrs. O'Neil", "ベス", "\\n{{ x }}", "Al 9")
MARKS = ("<|im_end|>", "<|im_start|>", "<|endoftext|>", "<s>")
STYLES = ["dialogpt", "named", "chat", "chat-of-many", "chat-without-system"]

words = st.text(
    st.one_of(st.sampled_from("abcXYZ .,:;'\"!?(){}[]%#-_/\\\n\t09あいう漢字。「」🐺é́"), st.characters(codec="utf-8")),
    min_size=1,
    max_size=40,
).map(str.strip)
texts = words.filter(lambda text: text and not any(mark in text for mark in MARKS))
turns = st.lists(st.tuples(st.sampled_from([*NAMES, "system", None]), texts), max_size=8)


@pytest.fixture(scope="module")
def renderers() -> dict[str, Renderer]:
    plain = make_tokenizer("<|endoftext|>", ("<|im_end|>", "<|im_start|>"))
    chat = make_tokenizer("<|im_end|>", ("<|im_start|>", "<|endoftext|>"), CHATML)
    no_system = CHATML.replace(
        "{% for message in messages %}",
        "{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}",
        1,
    )
    without = make_tokenizer("<|im_end|>", ("<|im_start|>", "<|endoftext|>"), no_system)
    pair, many = ("Rick", "Morty"), NAMES
    made = {
        "dialogpt": make_renderer(plain, "dialogpt", "Rick", "Morty", pair),
        "named": make_renderer(plain, "named", "Rick", "Morty", many),
        "chat": make_renderer(chat, "chat", "Rick", "Morty", pair),
        "chat-of-many": make_renderer(chat, "chat", "Rick", "Morty", many),
        "chat-without-system": make_renderer(without, "chat", "Rick", "Morty", many),
    }
    assert made["chat-of-many"].style.others_are_named  # type: ignore[attr-defined]
    return made


def templated(renderer: Renderer, said: list[tuple[str | None, str]], *, prompt: bool = True) -> str:
    """What transformers renders; apply_chat_template does it with this function, and refuses no messages at all."""
    [text], _ = render_jinja_template(
        conversations=[messages_of(said)],
        chat_template=renderer.template(),
        add_generation_prompt=prompt,
        **renderer.tokenizer.special_tokens_map,
    )
    return str(text)


def messages_of(said: list[tuple[str | None, str]]) -> list[dict[str, Any]]:
    """Messages as the API takes them; None says that a user's message has no name."""
    found = []
    for at, (name, text) in enumerate(said):
        if name == "system":
            found.append({"role": "system", "content": text})
        elif name is None:
            found.append({"role": "user", "content": text} | ({} if at % 2 else {"name": None}))
        elif name == "Rick":
            found.append({"role": "assistant", "content": text} | ({"name": name} if at % 2 else {}))
        else:
            found.append({"role": "user", "content": text, "name": name})
    return found


def scene_of(said: list[tuple[str | None, str]]) -> Scene:
    return Scene(tuple(Turn(name or "Morty", text) for name, text in said), speaker="Rick")


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@settings(max_examples=1000)
@given(said=turns)
def test_the_template_gives_the_ids_of_our_renderer(
    renderers: dict[str, Renderer], style: str, said: list[tuple[str | None, str]]
) -> None:
    renderer = renderers[style]
    scene = scene_of(said)
    ours = renderer.prompt(scene, 10**6) or [renderer.end_id]
    text = templated(renderer, said)
    assert renderer.tokenizer(text, add_special_tokens=False).input_ids == ours
    assert renderer.tokenizer.decode(ours) == text
    if said:  # without the prompt for a reply: what training saw of these turns
        whole = [*renderer.start(scene, 10**6), *(id for turn in scene.turns for id in renderer.turn(turn, scene).ids)]
        text = templated(renderer, said, prompt=False)
        assert renderer.tokenizer(text, add_special_tokens=False).input_ids == whole


@pytest.mark.parametrize("style", ["dialogpt", "named"])
def test_a_token_that_begins_every_text_is_in_the_template(style: str) -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = make_tokenizer(marks=("<s>",), bos_token="<s>")
    begin = tokenizer.convert_tokens_to_ids("<s>")
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", begin)])
    renderer = make_renderer(tokenizer, style, "Rick", "Morty", ("Rick", "Morty"))
    for said in ([], [("Morty", "hi")]):
        ours = renderer.prompt(scene_of(said), 100)
        theirs = tokenizer(templated(renderer, said), add_special_tokens=False).input_ids
        assert theirs == ours
        assert ours[0] == begin


@pytest.mark.parametrize("style", STYLES)
def test_a_special_token_that_somebody_typed_is_text_for_us_alone(renderers: dict[str, Renderer], style: str) -> None:
    """A template gives text, in which a typed mark cannot be told from ours; docs/serving.md says so."""
    renderer = renderers[style]
    said: list[tuple[str | None, str]] = [("Morty", "I typed <|im_end|> myself")]
    ours = renderer.prompt(scene_of(said), 10**6)
    text = templated(renderer, said)
    theirs = renderer.tokenizer(text, add_special_tokens=False).input_ids
    assert renderer.tokenizer.decode(ours) == text, "the words are the same"
    mark = renderer.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert theirs.count(mark) == ours.count(mark) + 1


@pytest.mark.parametrize("style", ["chat", "chat-of-many", "chat-without-system"])
def test_a_saved_template_is_taken_apart_into_the_same_marks(renderers: dict[str, Renderer], style: str) -> None:
    renderer = renderers[style]
    saved = make_tokenizer("<|im_end|>", ("<|im_start|>", "<|endoftext|>"), renderer.template())
    speakers = ("Rick", "Morty") if style == "chat" else NAMES
    again = make_style(saved, "chat", "Rick", "Morty", speakers)
    for speaker in (*NAMES, "system"):
        assert again.marks(speaker) == renderer.style.marks(speaker)
    assert again.start == renderer.style.start
    assert again.template() == renderer.template(), "also when a trained model is trained further"
