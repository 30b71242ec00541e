"""Chat templates of strangers, rendered in a process of their own that may take little time, memory and room.

A template is a program (Jinja, https://jinja.palletsprojects.com). Its sandbox keeps it from files and from Python, not from
running for ever or filling the memory. What runs in that process is at the end of this file; it needs nothing but Jinja, and
offers what `apply_chat_template` of transformers does.
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
"""Of the processor; the templates of base models take a hundredth."""
PATIENCE = 60
"""Seconds by the clock, on a busy machine or where there are no limits for processes (Windows)."""
MEMORY = 2**29
MOST_CHARACTERS = 100_000
"""In a rendered conversation of four short turns; and less of an error than that."""

Messages = tuple[tuple[str, str], ...]
"""Role and content of each."""


@lru_cache(maxsize=8)
def render(template: str, tokens: tuple[tuple[str, str], ...], *conversations: Messages) -> list[str | ValueError]:
    """Each conversation as the template renders it, or what the template raised; `tokens` are its variables, such as eos_token.

    Raises ValueError when the template is no template, or takes too much time or memory, or writes too much.
    """
    task = json.dumps({"template": template, "tokens": dict(tokens), "conversations": conversations})
    try:
        done = subprocess.run(
            [sys.executable, "-P", __file__], input=task.encode(), capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ValueError("it runs for too long") from None
    if done.returncode < 0:
        raise ValueError(f"it was stopped after {SECONDS} seconds, or crashed")
    try:
        return [text if error is None else ValueError(error) for text, error in json.loads(done.stdout)]
    except ValueError:
        raise ValueError((done.stderr.decode(errors="replace").splitlines() or ["it fails"])[-1][:200]) from None


def _main() -> None:
    task = json.load(sys.stdin.buffer)
    environment = _environment()
    _limit()
    sys.stdout.write(json.dumps([_rendered(environment, task, messages) for messages in task["conversations"]]))


def _rendered(environment: Any, task: dict[str, Any], messages: Sequence[Sequence[str]]) -> tuple[str, str | None]:
    listed = [{"role": role, "content": content} for role, content in messages]
    text = ""
    try:
        for piece in environment.from_string(task["template"]).generate(
            messages=listed, tools=None, documents=None, add_generation_prompt=False, **task["tokens"]
        ):
            text += piece
            if len(text) > MOST_CHARACTERS:
                return "", "it writes too much"
    except MemoryError:
        return "", "it takes too much memory"
    except Exception as error:  # a template raises whatever it likes
        return "", " ".join(str(error).split())[:200] or type(error).__name__
    return text, None


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows has none; the clock is left
        return
    for name, most in (("CPU", SECONDS), ("AS", MEMORY), ("FSIZE", 0), ("CORE", 0)):
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            try:
                resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
            except (OSError, ValueError):  # macOS does not limit the memory
                continue


def _environment() -> Any:
    """Jinja's sandbox with the tags, filters and functions that chat templates are written for."""
    from jinja2 import TemplateError, ext, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.utils import Namespace

    class Generation(ext.Extension):
        """What the assistant said is between `generation` and `endgeneration`; it is rendered as it is."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Any) -> nodes.Node:
            line = next(parser.stream).lineno
            return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True)).set_lineno(line)

    class Dictionary:
        """`dict`, of which a template can reach nothing else."""

        def __call__(self, *values: Any, **named: Any) -> dict[Any, Any]:
            return dict(*values, **named)

        def fromkeys(self, *values: Any) -> dict[Any, Any]:
            return dict.fromkeys(*values)

    class PublicNamespace(Namespace):
        """`namespace`, in which no name begins as Python's own do."""

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
            raise TemplateError(f"a name may not begin with _: {name}")

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
