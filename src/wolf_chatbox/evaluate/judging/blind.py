"""A blind vote on a terminal: two replies side by side, without the names of who gave them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

from wolf_chatbox.evaluate.judging.pairs import Pair
from wolf_chatbox.evaluate.judging.votes import Choice, Vote
from wolf_chatbox.screen import Screen, painted

CHOICES: dict[str, Choice] = {"1": "first", "2": "second", "=": "tie"}
SKIP, QUIT = "s", "q"
QUESTION = "Which is better? 1, 2, = tie, s skip, q leave: "
SHOWN = 6
"""Turns before the replies that are shown."""


def vote(pairs: Sequence[Pair], voter: str, screen: Screen, keep: Callable[[Vote], None], done: int = 0) -> int:
    """Ask about each pair until the person leaves (q, Ctrl-C, Ctrl-D); `keep` gets each vote at once.

    `done` is the number of pairs that were voted on before. Returns how many votes were cast.
    """
    editor = _editor()
    cast = 0
    for number, pair in enumerate(pairs, done + 1):
        show(pair, screen, f"{number} of {done + len(pairs)}")
        try:
            key = editor.prompt()
        except (KeyboardInterrupt, EOFError):
            break
        if key == QUIT:
            break
        if key in CHOICES:
            keep(Vote(pair, CHOICES[key], voter))
            cast += 1
    return cast


def show(pair: Pair, screen: Screen, where: str) -> None:
    """Print a pair: what was said before, then the two replies."""
    screen.print()
    screen.rule(painted((where, "dim")), style="dim")
    for turn in pair.context[-SHOWN:]:
        screen.print(painted((f"{turn.speaker}: ", "bold dim"), (turn.text, "dim")))
    for number, reply in ((1, pair.first), (2, pair.second)):
        said = (reply.text, "") if reply.text.strip() else ("(nothing)", "dim")
        screen.print(painted((f"\n{number}  ", "bold cyan"), (f"{pair.speaker}: ", "bold yellow"), said))
    screen.print()


def _editor() -> PromptSession[str]:
    """Reads one key of those that mean something, and nothing else."""
    keys = KeyBindings()

    def press(event: KeyPressEvent) -> None:
        event.app.exit(result=event.key_sequence[0].key)

    for key in (*CHOICES, SKIP, QUIT):
        keys.add(key)(press)
    for other in (Keys.Any, Keys.Enter, Keys.BracketedPaste):
        keys.add(other)(lambda event: None)
    return PromptSession(FormattedText([("bold", QUESTION)]), key_bindings=keys)
