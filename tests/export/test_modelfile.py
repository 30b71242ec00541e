"""The Modelfile's template gives the very text that the model was trained with, whatever stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.conversation import Turn
from wolf_chatbox.export.modelfile import modelfile, template
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.samples.briefing import Cards
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.scene import Scene

ACTION = re.compile(r'\{\{ ((?:"(?:[^"\\]|\\.)*"|[^"}])*) \}\}')
"""An action of Go's templates, in which a string may hold braces."""
CONDITION = re.compile(r'(else )?if (?:and \(eq \$at 0\) )?\(?(eq|ne) \.Role "(\w+)"\)?')

QUOTES = '"' * 3
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["{{ .Content }}", "{{", '"""', "<|im_end|>", "人狼", "\n", "  ", "\\"]
)


def go(source: str, messages: Sequence[dict[str, str]]) -> str:
    """What Go makes of the few actions that a Modelfile's template has (https://pkg.go.dev/text/template)."""
    parts = ACTION.split(source)
    assert not any(parts[0::2]), "text outside of a string"
    actions = parts[1::2]
    end = _ends(actions, 0)
    body, after = actions[1:end], actions[end + 1 :]
    assert actions[0] == "range $at, $_ := .Messages"
    text = "".join(piece for at, message in enumerate(messages) for piece in _run(body, message, at))
    return text + "".join(json.loads(action) for action in after)


def _ends(actions: Sequence[str], begin: int) -> int:
    depth = 0
    for at in range(begin, len(actions)):
        depth += actions[at].startswith(("range", "if")) - (actions[at] == "end")
        if not depth:
            return at
    raise AssertionError("no end")


def _run(body: Sequence[str], message: dict[str, str], at: int) -> Iterator[str]:
    shown, met = True, False
    for action in body:
        if found := CONDITION.fullmatch(action):
            otherwise, how, role = found.groups()
            holds = (message["role"] == role) == (how == "eq") and ("$at" not in action or at == 0)
            shown = holds and not (otherwise and met)
            met = shown or bool(otherwise and met)
        elif action == "end":
            shown, met = True, False
        elif shown:
            yield message["content"] if action == ".Content" else json.loads(action)


@pytest.mark.parametrize("style", ["named", "dialogpt", "chat"])
@given(texts=st.lists(words, min_size=1, max_size=5), system=st.none() | words, name=words, user=words)
def test_same_text_as_our_prompts(
    tokenizer: Any, chat_tokenizer: Any, style: str, texts: list[str], system: str | None, name: str, user: str
) -> None:
    persona, user = f"A{name}", f"B{user}"
    made = chat_tokenizer if style == "chat" else tokenizer
    renderer = make_renderer(made, style, persona, user, [persona, user])
    roles = [("user", user), ("assistant", persona)] * 3
    said = [(role, speaker, text) for (role, speaker), text in zip(roles, texts)]
    if system is not None:
        said.insert(0, ("system", "system", system))
    scene = Scene(tuple(Turn(speaker, text) for _, speaker, text in said), speaker=persona)
    wanted = made.decode(renderer.prompt(scene, 10_000))
    messages = [{"role": role, "content": text} for role, _, text in said]
    assert go(template(renderer.style, persona, user), messages) == wanted


def test_settings_and_stop(tokenizer: Any) -> None:
    renderer = make_renderer(tokenizer, "named", "Ann", "Bob", ["Ann", "Bob"])
    sampling = SamplingConfig(top_k=0, temperature=0.5, max_new_tokens=9, repetition_penalty=1.2)
    lines = modelfile("ann.gguf", Speech(renderer, "Ann", "Bob"), sampling, 256).splitlines()
    assert lines[1] == "FROM ./ann.gguf"
    assert lines[2].startswith('TEMPLATE """{{ range')
    assert lines[2].endswith('"""')
    assert lines[2].count('"""') == 2
    cards = Cards({"Ann": f"Ann says {QUOTES} to {{{{user}}}}.\nShe is old.", "Bob": "no"}, user="Bob")
    told = modelfile("ann.gguf", Speech(renderer, "Ann", "Bob", cards=cards), sampling, 256).splitlines()
    assert told == [*lines[:3], f"SYSTEM {QUOTES}Ann says ''' to Bob.", f"She is old.{QUOTES}", *lines[3:]]
    assert lines[3:] == [
        'PARAMETER stop "<|endoftext|>"',
        "PARAMETER num_ctx 256",
        "PARAMETER num_predict 9",
        "PARAMETER temperature 0.5",
        "PARAMETER top_k 1000000",
        "PARAMETER top_p 0.95",
        "PARAMETER min_p 0.0",
        "PARAMETER repeat_penalty 1.2",
    ]
