"""The terminal chat: streaming and line editing on a terminal, plain lines through a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import TextIO

from platformdirs import user_state_path
from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory
from rich.text import Text

from wolf_chatbox.chat import ChatSession
from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ChatError, ConfigError, WolfChatboxError
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.visible import visible

COMMANDS = {
    "/help": "this list",
    "/reset": "forget the conversation and start anew",
    "/undo": "take your last message and its answer back",
    "/retry": "draw another answer to your last message",
    "/save FILE": "write the conversation to a file",
    "/load [FILE]": "go on with a saved conversation; without FILE with the last one",
    "/persona NAME": "let another speaker answer",
    "/set NAME=VALUE": "change how replies are drawn, such as top_p=0.9; without NAME=VALUE show it",
    "/quit": "leave (so does Ctrl-D); Ctrl-C stops a reply",
}


def last_chat() -> Path:
    """Where a terminal chat is kept as it goes, so that no chat is lost."""
    return user_state_path("wolf_chatbox", ensure_exists=True) / "last-chat.jsonl"


class Quit(Exception):
    """The person asked to leave."""


def talk(session: ChatSession, turns: int = 0) -> None:
    """Chat on the terminal until the person leaves, or `turns` replies were given (0: no limit)."""
    console = Screen()
    editor: PromptSession[str] = PromptSession(
        history=FileHistory(str(user_state_path("wolf_chatbox", ensure_exists=True) / "messages")),
        completer=WordCompleter([name.split()[0] for name in COMMANDS], sentence=True),
        complete_while_typing=False,
    )
    who = painted(("You talk with ", ""), (session.persona, "bold"), (" as ", ""), (session.user, "bold"))
    console.print(who + ". /help lists the commands, Ctrl-D leaves.")
    said = 0
    while not turns or said < turns:
        try:
            line = editor.prompt(FormattedText([("bold ansicyan", visible(f"{session.user}: "))])).strip()
        except KeyboardInterrupt:
            console.print("Ctrl-D or /quit leaves.", style="dim")
            continue
        except EOFError:
            break
        if not line:
            continue
        try:
            answer = _answer(session, line, lambda text: console.print(Text(text, style="dim")))
            if answer is None:
                continue
            said += _stream(console, session.persona, answer)
            session.save(last_chat())
        except Quit:
            break
        except WolfChatboxError as error:
            console.print(Text(f"error: {error}", style="red"))
    if session.history:
        console.print("The conversation is kept: /load goes on with it in the next chat.", style="dim")


def answer_lines(session: ChatSession, lines: TextIO, out: TextIO, turns: int = 0) -> bool:
    """Answer each line with one line; commands and errors speak on stderr. Returns False when a message had no answer."""
    said = 0
    well = True

    def tell(text: str) -> None:
        print(text, file=sys.stderr)

    for line in lines:
        if turns and said >= turns:
            break
        if not line.strip():
            continue
        try:
            answer = _answer(session, line.strip(), tell)
            if answer is None:
                continue
            reply = " ".join("".join(answer).split())
        except Quit:
            break
        except WolfChatboxError as error:
            tell(f"error: {error}")
            well, reply = False, ""
        # One line for each message, also where there is no answer: line n of the one is line n of the other.
        print(reply, file=out, flush=True)
        said += 1
    return well


def _answer(session: ChatSession, line: str, tell: Callable[[str], None]) -> Iterator[str] | None:
    """The reply that a line asks for; None for a command, which is carried out."""
    if not line.startswith("/") or line.startswith("//"):
        return session.stream(line.removeprefix("/") if line.startswith("//") else line)
    command, _, rest = line.partition(" ")
    rest = rest.strip()
    match command.lower():
        case "/help":
            tell("\n".join(f"{name:16} {meaning}" for name, meaning in COMMANDS.items()))
            tell("A message that begins with / is written with two: //like this.")
        case "/reset":
            session.reset()
            tell("A new conversation.")
        case "/undo":
            tell(f"Taken back: {session.undo().text}")
        case "/retry":
            return session.retry()
        case "/save":
            if not rest:
                raise ChatError("/save: name a file, such as /save chat.jsonl.")
            session.save(Path(rest).expanduser())
            tell(f"Saved to {rest}.")
        case "/load":
            session.load_history(Path(rest).expanduser() if rest else last_chat())
            tell("\n".join(f"{turn.speaker}: {turn.text}" for turn in session.history[-6:]))
        case "/persona":
            if rest:
                session.become(rest)
            tell(f"You talk with {session.persona} as {session.user}." + ("" if rest else f" Others: {', '.join(list(session.speakers)[:12])}"))
        case "/set":
            if rest:
                session.sampling = _set(session.sampling, rest)
            tell(" ".join(f"{each.name}={getattr(session.sampling, each.name)}" for each in fields(SamplingConfig)))
        case "/quit" | "/exit":
            raise Quit
        case _:
            raise ChatError(f"{command}: no such command. /help lists them; a message that begins with / is written with two.")
    return None


def _set(sampling: SamplingConfig, rest: str) -> SamplingConfig:
    """The settings with `name=value` pairs changed; the names of dial_main.py do as well."""
    classic = {"temp": "temperature", "max_len_gen": "max_new_tokens"}
    changes: dict[str, float] = {}
    for pair in rest.split():
        name, _, value = pair.partition("=")
        name = classic.get(name, name.replace("-", "_"))
        known = {each.name: type(getattr(sampling, each.name)) for each in fields(SamplingConfig)}
        if name not in known:
            raise ChatError(f"/set: no setting {name!r}. There are {', '.join(known)}.")
        try:
            changes[name] = known[name](value)
        except ValueError as error:
            raise ChatError(f"/set: {name}={value} is no number.") from error
    try:
        return sampling.changed(**changes)
    except ConfigError as error:
        raise ChatError(f"/set: {error}") from error


def _stream(console: Screen, persona: str, answer: Iterator[str]) -> bool:
    """Print a reply as it comes; Ctrl-C keeps what has come. Returns whether anything was said."""
    said = False
    with closing(answer) as pieces:  # type: ignore[type-var]
        try:
            console.print(Text(f"{persona}: ", style="bold yellow"), end="")
            for piece in pieces:
                said = True
                console.print(Text(piece), end="", soft_wrap=True)
        except KeyboardInterrupt:
            console.print(Text(" …", style="dim"), end="")
    console.print("" if said else Text("(says nothing; /retry asks again)", style="dim"))
    return said
