"""The help of every verb ends with two commands that work."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
from cyclopts import App

from wolf_chatbox.cli import app
from wolf_chatbox.screen import Screen

PROGRAM = "wolf-chatbox"


def verbs(parent: App, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The words of every command, and of the groups that they are in."""
    found = [above]
    for name in parent:
        if not name.startswith("-"):
            found += verbs(parent[name], (*above, name))
    return found


VERBS = verbs(app)


def shown(verb: tuple[str, ...], width: int = 80) -> str:
    screen = Screen(width=width)
    with screen.capture() as captured:
        app.meta([*verb, "--help"], console=screen, exit_on_error=False, print_error=False)
    return captured.get()


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_the_help_ends_with_two_examples_that_are_understood(verb: tuple[str, ...]) -> None:
    help_ = shown(verb)
    lines = help_.rstrip().splitlines()
    examples = [line.rstrip() for line in lines[-2:]]
    assert lines[-3].strip() == "Examples"
    for line in examples:
        program, *words = shlex.split(line)
        assert program == PROGRAM
        command, _, ignored = app.parse_args(words, exit_on_error=False, print_error=False)
        assert callable(command)
        assert not ignored
    assert examples[0] != examples[1]
    assert shlex.split(examples[0])[1:][: len(verb)] == [*verb], "cyclopts hands those of the program down to a verb"


def test_flags_that_there_are_not_are_refused() -> None:
    with pytest.raises(Exception, match="--brightness"):
        app.parse_args(["chat", "--brightness", "7"], exit_on_error=False, print_error=False)


def test_words_in_examples_are_shown_as_they_are_typed() -> None:
    text: Any = shown(("evaluate",), 120)
    assert re.search(r"^wolf-chatbox evaluate wolf_model --quick *$", text, re.MULTILINE)
