"""A pair is two replies after one prompt, as training and talking have it."""

from __future__ import annotations

from typing import Any

import pytest

from wolf_chatbox.conversation import Turn
from wolf_chatbox.errors import ChatError
from wolf_chatbox.samples.pairs import render_pair
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.scene import Scene

CONTEXT = (Turn("Morty", "Where are we?"), Turn("Rick", "Home."), Turn("Morty", "This is the garage."))
CHOSEN, REJECTED = Turn("Rick", "Yes, Morty."), Turn("Rick", "Well, that depends on what you call a home.")


@pytest.mark.parametrize("style", ["named", "dialogpt", "chat"])
@pytest.mark.parametrize("max_tokens", [400, 160])
def test_a_pair_is_two_samples_of_the_training_with_one_prompt(
    chat_tokenizer: Any, style: str, max_tokens: int
) -> None:
    renderer = make_renderer(chat_tokenizer, style, "Rick", "Morty", ["Rick", "Morty"])
    pair = render_pair(renderer, CONTEXT, CHOSEN, REJECTED, max_tokens)
    prompts = []
    for part, reply in zip(pair.parts(), (CHOSEN, REJECTED)):
        at = part.learn.index(True)
        prompts.append(part.ids[:at])
        assert all(part.learn[at:])
        assert part.ids[-1] == renderer.end_id, "the end of the reply is learnt"
        assert renderer.decode(part.ids[at:]).strip() == reply.text
        [whole] = renderer.render([Scene((*CONTEXT, reply))], 400, 0).samples
        end = len(whole) - whole.learn[::-1].index(True)
        assert whole.ids[:end][-(len(part) - at) :] == part.ids[at:]
        if max_tokens == 400:
            assert whole.ids[:end] == part.ids
    assert prompts[0] == prompts[1] == renderer.prompt(Scene(CONTEXT, "Rick"), len(prompts[0]))
    assert len(pair) <= max_tokens


def test_a_reply_to_nothing_has_a_prompt(tokenizer: Any) -> None:
    renderer = make_renderer(tokenizer, "dialogpt", "Rick", "Morty", ["Rick", "Morty"])
    for part in render_pair(renderer, (), CHOSEN, REJECTED, 200).parts():
        assert part.ids[0] == renderer.end_id
        assert part.learn == [False] + [True] * (len(part) - 1)


@pytest.mark.parametrize("context", [(), CONTEXT])
def test_what_does_not_fit_into_half_a_row_is_refused(tokenizer: Any, context: tuple[Turn, ...]) -> None:
    renderer = make_renderer(tokenizer, "named", "Rick", "Morty", ["Rick", "Morty"])
    size = max(map(len, render_pair(renderer, context[-1:], CHOSEN, REJECTED, 400).parts()))
    assert len(render_pair(renderer, context, CHOSEN, REJECTED, 2 * size)) <= 2 * size
    with pytest.raises(ChatError, match=r"half a row|fit into"):
        render_pair(renderer, context, CHOSEN, REJECTED, 2 * size - 2)
