"""The line that a person types: with history and completion, over several lines if wanted, and safe to look at."""

from __future__ import annotations

import os
import shutil
from bisect import bisect_right
from itertools import accumulate
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import Completer
from prompt_toolkit.data_structures import Size
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.formatted_text.utils import fragment_list_len
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.utils import is_dumb_terminal

from wolf_chatbox.talk.shelf import last_chat
from wolf_chatbox.visible import visible


def make_editor(completer: Completer) -> PromptSession[str]:
    """The editor of a chat; what is typed in one chat can be recalled in the next."""
    return PromptSession(
        history=_messages(),
        completer=completer,
        complete_while_typing=False,
        key_bindings=_keys(),
        input_processors=[Shown()],
        prompt_continuation=_before_line,
    )


def _before_line(width: int, number: int, soft: int) -> str:
    """Spaces below the name, where there is room for them."""
    return " " * width if 2 * width < get_app().output.get_size().columns else ""


class Plain(PlainTextOutput):
    """Writes text and no codes, on a terminal whose width is known all the same."""

    def get_size(self) -> Size:
        columns, rows = shutil.get_terminal_size()
        return Size(rows, columns)


def make_output(stream: TextIO) -> Output:
    """What the editor writes to; a dumb terminal (TERM=dumb) is sent no codes."""
    return Plain(stream) if is_dumb_terminal() else create_output(stream)


class Shown(Processor):
    """Shows control characters and marks of direction that are pasted, completed or given to edit, and obeys none."""

    def apply_transformation(self, ti: TransformationInput) -> Transformation:
        source = explode_text_fragments(ti.fragments)
        if all(text.isprintable() for _, text, *_ in source):
            return Transformation(ti.fragments)
        shown: StyleAndTextTuples = [(style, visible(text).replace("\t", "    ")) for style, text, *_ in source]
        ends = [0, *accumulate(len(text) for _, text, *_ in shown)]
        length = fragment_list_len(source)

        def to_display(at: int) -> int:
            return ends[at] if at <= length else ends[-1] + at - length

        def to_source(at: int) -> int:
            return bisect_right(ends, at) - 1 + max(0, at - ends[-1])

        return Transformation(shown, to_display, to_source)


def _keys() -> KeyBindings:
    """Alt+Enter, or Enter after a backslash, begins a new line."""
    keys = KeyBindings()

    @Condition
    def goes_on() -> bool:
        text = get_app().current_buffer.text
        return bool((len(text) - len(text.rstrip("\\"))) % 2) and get_app().current_buffer.document.is_cursor_at_the_end

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("enter", filter=goes_on)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.delete_before_cursor()
        event.current_buffer.insert_text("\n")

    return keys


def _messages() -> History:
    """What the person typed, in earlier chats too: in a file only they can read, or in memory if that cannot be."""
    path = last_chat().with_name("messages")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
