"""A chat as Markdown: whatever was said shows as text."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolf_chatbox.conversation import Turn
from wolf_chatbox.talk.markdown import as_text, to_markdown
from wolf_chatbox.talk.tree import Message, Tree


def test_a_chat_has_its_title_who_and_when_and_a_paragraph_a_message() -> None:
    tree = Tree.of([Turn("Ann", "Hello."), Turn("Bob", "Two\nlines")])
    text = to_markdown(tree, "A\ntitle", datetime(2026, 1, 2, 3, 4))
    assert text == "# A title\n\n*Ann, Bob · 2026-01-02 03:04*\n\n**Ann:** Hello.\n\n**Bob:** Two\\\nlines\n"


def test_only_the_conversation_at_hand_is_written_and_a_whisper_says_who_heard_it() -> None:
    tree = Tree.of([Turn("Ann", "First.")]).instead(0, "Second.")
    tree = tree.say(Message("Ann", "Psst", heard=frozenset({"Ann", "Cat"}), whispered=True))
    assert to_markdown(tree) == "*Ann*\n\n**Ann:** Second.\n\n**Ann → Cat:** Psst\n"


def test_an_empty_chat_is_an_empty_page() -> None:
    assert to_markdown(Tree()).strip() == ""


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("# no heading", r"\# no heading"),
        ("1. no list\n2) nor this", "1\\. no list\\\n2\\) nor this"),
        ("- no list", r"\- no list"),
        ("*no* _stress_ `code`", r"\*no\* \_stress\_ \`code\`"),
        ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)\>"),
        ("[a](javascript:alert)", r"\[a\](javascript:alert)"),
        ("&lt;", r"\&lt;"),
        ("a\n\n    no code", "a\n\n\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}no code"),
        ("\x1b[31mred", r"␛\[31mred"),
        ("ends with \\\nnext", "ends with \\\\\\\nnext"),
        ("snow-white, 3.14 and it's!", "snow-white, 3.14 and it's!"),
    ],
)
def test_marks_are_text(said: str, written: str) -> None:
    assert as_text(said) == written


@given(st.text(alphabet="ab \n#*_`<>[]()\\-+=~|1.&$!"))
def test_nothing_is_lost_and_no_line_begins_with_a_mark(text: str) -> None:
    written = as_text(text)
    read = re.sub(r"\\(?=\n)", "", written)  # breaks of lines
    read = re.sub(r"\\([!-/:-@[-`{-~])", r"\1", read).replace("\N{NO-BREAK SPACE}", " ")
    assert read == text.strip()
    for line in written.splitlines():
        assert not re.match(r"\s*([#+=>*_`~|<-]|\d+[.)])", line)
