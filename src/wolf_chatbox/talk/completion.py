"""What the Tab key offers in a chat: commands, and what they take."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from wolf_chatbox.talk.listing import one_line
from wolf_chatbox.talk.menu import COMMANDS
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.tuning import ORDERS, SETTINGS
from wolf_chatbox.words import languages

OF_ANYBODY = frozenset({"/persona", "/invite"})
"""Commands that take the name of any speaker whom the model knows."""
OF_PRESENT = frozenset({"/dismiss", "/whisper", "/speak", "/next"})
"""Commands that take the name of somebody who is present."""
OF_FILES = frozenset({"/save", "/save!", "/export", "/export!", "/load", "/compare"})
MOST = 200
"""Files that are offered."""


class Names(Completer):
    """Completes commands, and what they and an @ take: names, files, settings, languages, numbers of hits."""

    def __init__(self, session: ChatSession, hits: Callable[[], int] = lambda: 0) -> None:
        self.session = session
        self.hits = hits

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        command, space, rest = text.partition(" ")
        if text.startswith("@"):
            typed, choices = text[1:], list(self.session.present)
        elif not text.startswith("/"):
            return
        elif not space:
            typed, choices = text, list(COMMANDS)
        else:
            typed, choices = self._arguments(command.lower(), rest)
        for choice in choices:
            if choice.casefold().startswith(typed.casefold()):
                yield Completion(choice, -len(typed), display=one_line(choice))

    def _arguments(self, command: str, rest: str) -> tuple[str, list[str]]:
        """What is typed of an argument, and what it may be."""
        if command in OF_ANYBODY:
            return rest, list(self.session.speakers)
        if command in OF_PRESENT:
            return rest, list(self.session.present)
        if command in OF_FILES:
            numbers = [str(number) for number in range(1, self.hits() + 1)] if command == "/load" else []
            return rest, [*numbers, *files(rest)]
        if command == "/set":
            return self._settings(rest.rpartition(" ")[2])
        words = {"/lang": list(languages()), "/time": ["on", "off"]}
        return rest, words.get(command, [])

    def _settings(self, typed: str) -> tuple[str, list[str]]:
        """A setting by its name, then the value it has now, or who may speak next."""
        name, given, _ = typed.partition("=")
        if not given:
            return typed, [f"{name}=" for name in SETTINGS]
        if name == "next":
            return typed, [f"next={order}" for order in ORDERS]
        values = asdict(self.session.sampling)
        return typed, [f"{name}={values[name]}"] if name in values else []


def files(typed: str) -> Iterator[str]:
    """The files and folders whose paths begin so, folders with a slash; hidden ones only where a dot is typed."""
    folder, name = os.path.split(typed)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as found:
            entries = sorted((entry.name, entry.is_dir()) for entry in found)
    except OSError:
        return
    count = 0
    for entry, is_folder in entries:
        if entry.startswith(name) and (name.startswith(".") or not entry.startswith(".")):
            yield os.path.join(folder, entry) + ("/" if is_folder else "")
            count += 1
            if count == MOST:
                return
