"""Renders chat templates of unknown origin in a process of its own, with limits on time, memory and output.

A template is a program (Jinja, https://jinja.palletsprojects.com). Jinja's sandbox keeps it from files and from Python,
but not from running for ever or filling the memory. The code of that process is at the end of this file; it needs
nothing but Jinja, and offers what `apply_chat_template` of transformers does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

SECONDS = 3
"""Processor time; the templates of base models take a hundredth of it."""
PATIENCE = 60
"""Seconds of wall-clock time, for a busy machine, or where processes have no limits (Windows)."""
MEMORY = 2**29
OWN = "{#- by wolf_chatbox -#}"
"""What our own templates begin with; they are asked for their marks alone by an empty name."""
MOST_CHARACTERS = 100_000
"""Of one rendered conversation, which has four short turns."""

Messages = tuple[tuple[str, str], ...]
"""The role and the content of each message."""


@lru_cache(maxsize=8)
def render(
    template: str, tokens: tuple[tuple[str, str], ...], *conversations: Messages, prompt: bool = False
) -> list[str | ValueError]:
    """Each conversation as the template renders it, or the error that it raised.

    `tokens` are the template's variables, such as eos_token; `prompt` asks for what an answer begins with, too. Raises
    ValueError when the process fails: the template is not valid, or takes too much time or memory.
    """
    task = json.dumps({"template": template, "tokens": dict(tokens), "conversations": conversations, "prompt": prompt})
    try:
        done = subprocess.run(
            [sys.executable, "-P", __file__], input=task.encode(), capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ValueError("it runs too long") from None
    if done.returncode < 0:
        raise ValueError(f"it ran longer than {SECONDS} seconds, or crashed")
    try:
        return [text if error is None else ValueError(error) for text, error in json.loads(done.stdout)]
    except ValueError:
        raise ValueError((done.stderr.decode(errors="replace").splitlines() or ["it crashed"])[-1][:200]) from None


def _main() -> None:
    task = json.load(sys.stdin.buffer)
    environment = _environment()
    _limit()
    sys.stdout.write(json.dumps([_rendered(environment, task, messages) for messages in task["conversations"]]))


def _rendered(environment: Any, task: dict[str, Any], messages: Sequence[Sequence[str]]) -> tuple[str, str | None]:
    unnamed = {"name": ""} if task["template"].startswith(OWN) else {}
    listed = [{"role": role, "content": content} | unnamed for role, content in messages]
    text = ""
    try:
        for piece in environment.from_string(task["template"]).generate(
            messages=listed, tools=None, documents=None, add_generation_prompt=task["prompt"], **task["tokens"]
        ):
            text += piece
            if len(text) > MOST_CHARACTERS:
                return "", "its output is too long"
    except MemoryError:
        return "", "it needs too much memory"
    except Exception as error:  # a template raises whatever it likes
        return "", " ".join(str(error).split())[:200] or type(error).__name__
    return text, None


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has no limits for processes, only the wall clock
        return
    for name, most in (("CPU", SECONDS), ("AS", MEMORY), ("FSIZE", 0), ("CORE", 0)):
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            try:
                resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
            except (OSError, ValueError):  # macOS has no limit on memory
                continue


def _environment() -> Any:
    """Jinja's sandbox with the tags, filters and functions that chat templates are written for."""
    from jinja2 import TemplateError, ext, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.utils import Namespace

    class Generation(ext.Extension):
        """Renders what stands between `generation` and `endgeneration` as it is; it marks the assistant's words."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Any) -> nodes.Node:
            line = next(parser.stream).lineno
            return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True)).set_lineno(line)

    class Dictionary:
        """`dict` and `dict.fromkeys` for templates, and nothing else of it."""

        def __call__(self, *values: Any, **named: Any) -> dict[Any, Any]:
            return dict(*values, **named)

        def fromkeys(self, *values: Any) -> dict[Any, Any]:
            return dict.fromkeys(*values)

    class PublicNamespace(Namespace):
        """`namespace` for templates, without names that begin with _ (Python's own do)."""

        def __init__(*values: Any, **named: Any) -> None:
            self, *rest = values
            attributes = dict(*rest, **named)
            for name in attributes:
                _check_public(name)
            Namespace.__init__(self, attributes)

        def __setitem__(self, name: str, value: Any) -> None:
            _check_public(name)
            super().__setitem__(name, value)

    def _check_public(name: str) -> None:
        if str(name).startswith("_"):
            raise TemplateError(f"a name must not begin with _: {name}")

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    def tojson(value: Any, ensure_ascii: bool = False, **layout: Any) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, **layout)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, ext.loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals |= {
        "raise_exception": raise_exception,
        "strftime_now": lambda form: datetime.now().strftime(form),
        "dict": Dictionary(),
        "namespace": PublicNamespace,
    }
    return environment


if __name__ == "__main__":
    _main()
