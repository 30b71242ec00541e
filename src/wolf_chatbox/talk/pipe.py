"""The chat through a pipe: each input line is a message or a command, each reply one line."""

from __future__ import annotations

import sys
from typing import TextIO

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.talk.commands import Commands, Quit
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.visible import visible


def answer_lines(session: ChatSession, lines: TextIO, out: TextIO, turns: int = 0) -> bool:
    """Answer each line with one line; the output of commands, notes and errors go to stderr.

    Returns False when a message got no reply. A line holds the model's words alone, so a cut reply has no mark; a note
    on stderr says so, and in a group who speaks. /more prints the whole reply again, with what was added.
    """
    said = 0
    well = True

    def tell(text: str) -> None:
        print(visible(text), file=sys.stderr)

    commands = Commands(session, tell)
    for line in lines:
        if turns and said >= turns:
            break
        if not line.strip():
            continue
        try:
            answer = commands.answer(line.strip())
            if answer is None:
                continue
            reply = "".join(answer.pieces)
            if answer.goes_on:
                reply = session.history[-1].text
            if len(session.present) > 1:
                tell(f"{session.speaking} answers.")
            if session.cut:
                tell("The reply was cut at its token limit. /more continues it.")
        except Quit:
            break
        except WolfChatboxError as error:
            tell(f"error: {error}")
            well, reply = False, ""
        # One line for each message, also without a reply: output line n answers input line n.
        print(" ".join(visible(reply).split()), file=out, flush=True)
        said += 1
    return well
