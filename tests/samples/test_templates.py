"""Chat templates: rendered as transformers renders them, and none of a stranger's hangs or fills the memory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from conftest import CHATML, make_tokenizer
from wolf_chatbox.errors import StyleError
from wolf_chatbox.samples.rendering import make_renderer
from wolf_chatbox.samples.templates import render
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.training.loop import train

TALK = (("user", "Hello «»"), ("assistant", "Good evening"), ("user", "Who are you?"), ("assistant", "Grimold"))
TEMPLATES = {
    "ChatML": CHATML,
    "trimmed blocks": "{% for m in messages %}\n  {% if m.role == 'user' %}\n[U] {{ m.content | trim }}\n"
    "  {% endif %}\n{% endfor %}{{ eos_token }}",
    "generation": "{% for m in messages %}{% generation %}{% set x = m.content %}{{ x }}{% endgeneration %}"
    "{{ x }}{{ eos_token }}{% endfor %}",
    "loop controls": "{% for m in messages %}{% if loop.first %}{% continue %}{% elif loop.last %}{% break %}"
    "{% endif %}{{ m.content }}{% endfor %}",
    "json": "{{ messages | tojson(indent=1) }}{{ messages[0] | tojson(separators=(',', ':')) }}"
    "{{ '<é>' | tojson }}{{ tools | tojson }}",
    "namespace": "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{{ ns.n }}{% endfor %}"
    "{{ dict(a=1) | tojson }}",
    "macro": "{% macro say(m) %}<{{ m.role | upper }}>{{ m['content'] }}{% endmacro %}"
    "{% for m in messages %}{{ say(m) }}{% endfor %}",
    "what is not there": "{{ tools is none }}{{ documents is none }}{{ add_generation_prompt }}"
    "{{ nothing is defined }}{{ bos_token is defined }}",
}


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_a_template_renders_as_transformers_does(tokenizer: Any, template: str) -> None:
    messages = [{"role": role, "content": content} for role, content in TALK]
    expected = [
        tokenizer.apply_chat_template(part, chat_template=template, tokenize=False) for part in (messages, messages[:1])
    ]
    assert render(template, tuple(tokenizer.special_tokens_map.items()), TALK, TALK[:1]) == expected


def test_the_embedded_models_template_is_taken_apart(chat_tokenizer: Any) -> None:
    style = make_renderer(chat_tokenizer, "chat", "assistant", "user", ["user", "assistant"]).style
    assert style.marks("user").before == "<|im_start|>user\n"
    assert style.marks("assistant").after == "<|im_end|>\n"


LOOP = "".join(f"{{% for {name} in range(99999) %}}" for name in "ijk") + 3 * "{% endfor %}"
HOSTILE = {
    "a long range": ("{% for i in range(10**9) %}{% endfor %}", "Range too big"),
    "nested loops": (LOOP, "ran longer than 3 seconds"),
    "a long text": ("{{ 'x' * 10**9 }}", "memory"),
    "a text that doubles": (
        "{% set n = namespace(x='xxxxxxxx') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "memory",
    ),
    "a format": ("{{ '%999999999s' | format('x') }}", "memory"),
    "a filter": ("{{ 'x' | center(10**9) }}", "memory"),
    "endless output": ("{% for i in range(99999) %}{{ messages[0].content }}{% endfor %}", "output is too long"),
    "a macro that calls itself": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    "deep nesting": ("{{ " + "(" * 5000 + ")" * 5000 + " }}", ""),
    "no template": ("{% for %}", ""),
    "Python's insides": ("{{ ''.__class__.__mro__ }}{{ cycler.__init__.__globals__ }}", "unsafe"),
    "Python's names in a namespace": ("{% set n = namespace(__class__=1) %}", "must not begin with _"),
    "an error of many lines": ("{{ raise_exception('one\ntwo ' * 9999) }}", "one two one two"),
}


@pytest.mark.parametrize(("template", "told"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_template_is_one_line(template: str, told: str) -> None:
    tokenizer = make_tokenizer(template=template)
    with pytest.raises(StyleError) as raised:
        make_renderer(tokenizer, "chat", "assistant", "user", ["user", "assistant"])
    text = str(raised.value)
    assert text.startswith("style chat: the base model's chat template fails (")
    assert told in text
    assert "\n" not in text
    assert len(text) < 400


def test_the_limits_are_the_childs_alone_and_a_template_is_rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    from wolf_chatbox.samples import templates

    before = [resource.getrlimit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)]
    first = render("{{ messages[0].content }}!", (), TALK)
    monkeypatch.setattr(templates.subprocess, "run", None)
    assert render("{{ messages[0].content }}!", (), TALK) == first == ["Hello «»!"]
    assert before == [
        resource.getrlimit(kind) for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)
    ]


def test_what_an_answer_begins_with() -> None:
    [plain], [prompt] = (render(CHATML, (), TALK[:1], prompt=asked) for asked in (False, True))
    assert prompt == f"{plain}<|im_start|>assistant\n"


def test_chat_and_training_with_a_hostile_template(tiny_llama: Path, tmp_path: Path, config: Any) -> None:
    folder = Path(shutil.copytree(tiny_llama, tmp_path / "hostile"))
    for path in folder.glob("*.jinja"):
        path.unlink()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": "{{ 'x' * 10**9 }}"}))
    with pytest.raises(StyleError, match=r"chat template fails \(it needs too much memory\)"):
        ChatSession.load(folder)
    with pytest.raises(StyleError, match=r"chat template fails \(it needs too much memory\)"):
        train(config(model=str(folder), style="chat", persona="Ann", dry_run=True))
