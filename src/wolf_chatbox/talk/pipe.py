"""The chat through a pipe: each input line is a message or a command, each reply one line."""

from __future__ import annotations

import sys
from typing import TextIO

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.talk.commands import Answer, Commands, Quit
from wolf_chatbox.talk.face import Face
from wolf_chatbox.talk.listing import one_line
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.shelf import Shelf
from wolf_chatbox.visible import visible
from wolf_chatbox.words import Words


def answer_lines(
    session: ChatSession,
    lines: TextIO,
    out: TextIO,
    turns: int = 0,
    *,
    words: Words | None = None,
    shelf: Shelf | None = None,
) -> bool:
    """Answer each line with one line; the output of commands, notes and errors go to stderr.

    Returns False when a message got no reply. A line holds the model's words alone, so a cut reply has no mark; a note
    on stderr says so, and in a group who speaks. /more prints the whole reply again, with what was added. What is said
    here is searched by nobody: the `shelf` is for /search and /load alone.
    """
    said = 0
    well = True

    def tell(text: str) -> None:
        print(visible(text), file=sys.stderr)

    commands = Commands(session, Face(tell), words, shelf=shelf)
    for line in lines:
        if turns and said >= turns:
            break
        if not line.strip():
            continue
        try:
            answer = commands.answer(line.strip())
            if answer is None:
                continue
            reply = _whole(answer, session)
            for note in _notes(commands):
                tell(note)
        except Quit:
            break
        except WolfChatboxError as error:
            tell(f"error: {error}")
            well, reply = False, ""
        # One line for each message, also without a reply: output line n answers input line n.
        print(" ".join(visible(reply).split()), file=out, flush=True)
        said += 1
    return well


def _whole(answer: Answer, session: ChatSession) -> str:
    reply = "".join(answer.pieces)
    return session.history[-1].text if answer.goes_on else reply


def _notes(commands: Commands) -> list[str]:
    """What is to be known of a reply beside its words."""
    session, words = commands.session, commands.words
    return [
        *([words("terminal.answers", name=one_line(session.speaking))] if len(session.present) > 1 else []),
        *([words("terminal.cut")] if session.cut else []),
        *([took] if (took := commands.took()) else []),
    ]
