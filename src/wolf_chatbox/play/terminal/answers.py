"""What a person types at the table: whom it names, and what becomes of an utterance that is too long."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.werewolf.sight import SPEECH, Sight
from wolf_chatbox.werewolf.utterance import cut

COMMANDS = ("/over", "/skip", "/log", "/players", "/help", "/quit")
NEAR = 0.5
"""How alike a typed name and a real one are, from 0 to 1, to be offered."""


def named(text: str, names: Sequence[str]) -> tuple[str, list[str]]:
    """Whom a text names, by number, name or beginning of a name; else nobody (empty), and the nearest names."""
    typed = _plain(text).lstrip("@").rstrip(".。")
    if typed.isdecimal():
        return (names[int(typed) - 1], []) if 0 < int(typed) <= len(names) else ("", list(names))
    plain = {_plain(name): name for name in names}
    begun = [name for key, name in plain.items() if typed and key.startswith(typed)]
    if typed in plain or len(begun) == 1:
        return plain.get(typed) or begun[0], []
    near = difflib.get_close_matches(typed, list(plain), 3, NEAR)
    return "", begun or [plain[key] for key in near] or list(names)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def as_said(text: str, sight: Sight) -> str:
    """An utterance as the table will hear it, cut to its limits."""
    return cut(text, sight.table, [name for name in sight.names if name != sight.me], sight.letters_left).text


def is_cut(text: str, said: str) -> bool:
    """Whether something is missing; blanks around a mention are no difference."""
    return "".join(said.split()) != "".join(text.split())


class Completing(Completer):
    """The Tab key offers commands, those who can be named, and behind an @ everybody."""

    def __init__(self, human: HumanPlayer, names: Sequence[str]) -> None:
        self.human, self.names = human, names

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        kind, sight = self.human.asked, self.human.sight
        if text.startswith("/"):
            return self._offered(text, COMMANDS)
        at = text.rfind("@")
        if at >= 0:
            return self._offered(text[at + 1 :], self.names)
        if kind is not None and kind not in SPEECH and sight is not None:
            return self._offered(text, sight.targets(kind))
        return ()

    def _offered(self, typed: str, choices: Iterable[str]) -> Iterator[Completion]:
        for choice in choices:
            if choice.casefold().startswith(typed.casefold()):
                yield Completion(choice, -len(typed))
