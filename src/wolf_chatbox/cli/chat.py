"""`wolf-chatbox chat`."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from rich.console import Console
from rich.text import Text

from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.config import ChatConfig


def chat(config: ChatConfig | None = None) -> int:
    """Talk with a trained model; through a pipe, each line is a message and each reply a line."""
    return open_chat(config or ChatConfig())


def open_chat(config: ChatConfig) -> int:
    """Load the model and talk, on a terminal or through a pipe."""
    from wolf_chatbox.checkpoint import read_run
    from wolf_chatbox.models import locate

    console = Console(stderr=True, highlight=False)
    with console.status("Loading the model …"):
        folder = locate(config.model, lambda text: console.print(Text(text, style="dim")))
        saved = read_run(folder)
        quiet_transformers()
        from wolf_chatbox.chat import ChatSession
        from wolf_chatbox.terminal import answer_lines, talk

        session = ChatSession.load(folder, persona=config.persona, user=config.user, seed=config.seed, trust_remote_code=config.trust_remote_code)
        session.sampling = config.sampling(session.sampling)
    if saved and not saved.get("finished", True):
        console.print("note: this model's training was interrupted; it can be resumed", style="yellow")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # bytes that are no text reach the session, which refuses them
            stream.reconfigure(errors="surrogateescape" if stream is sys.stdin else "backslashreplace")
    if sys.stdin.isatty() and sys.stdout.isatty():
        talk(session, config.turns)
        return 0
    return 0 if answer_lines(session, sys.stdin, sys.stdout, config.turns) else 1
