"""The terminal chat: streaming and line editing on a terminal, plain lines through a pipe."""

from __future__ import annotations

import os
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
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from rich.text import Text

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.errors import ChatError, ConfigError, WolfChatboxError
from wolf_chatbox.files import check_place, writing
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.wrapping import Wrapper
from wolf_chatbox.visible import shortlist, visible

COMMANDS = {
    "/help": "this list",
    "/reset": "forget the conversation and start anew",
    "/undo": "take your last message and its answer back",
    "/retry": "draw another answer to your last message",
    "/more": "go on with the last answer, such as one that ends in … because it had its most tokens",
    "/save FILE": "write the conversation to a file; /save! FILE replaces one that is there",
    "/load [FILE]": "go on with a saved conversation; without FILE with the last one",
    "/persona NAME": "let another speaker answer; without NAME list them",
    "/set NAME=VALUE": "change how replies are drawn, such as top_p=0.9; without NAME=VALUE show it",
    "/quit": "leave (so does Ctrl-D); Ctrl-C stops a reply",
}
NAMES_SHOWN = 12


def last_chat() -> Path:
    """Where a terminal chat is kept as it goes, so that no chat is lost."""
    return user_state_path("wolf_chatbox") / "last-chat.jsonl"


class Quit(Exception):
    """The person asked to leave."""


def talk(session: ChatSession, turns: int = 0) -> None:
    """Chat on the terminal until the person leaves, or `turns` replies were given (0: no limit)."""
    console = Screen()
    editor: PromptSession[str] = PromptSession(
        history=_messages(),
        completer=WordCompleter([name.split()[0] for name in COMMANDS], sentence=True),
        complete_while_typing=False,
    )

    def tell(text: str) -> None:
        console.print(text, style="dim")

    who = painted(("You talk with ", ""), (session.persona, "bold"), (" as ", ""), (session.user, "bold"))
    console.print(who + ". /help lists the commands, Ctrl-D leaves.")
    said, kept = 0, False
    while not turns or said < turns:
        try:
            line = editor.prompt(FormattedText([("bold ansicyan", f"{visible(session.user)}: ")])).strip()
        except KeyboardInterrupt:
            tell("Ctrl-D or /quit leaves.")
            continue
        except EOFError:
            break
        if not line:
            continue
        try:
            answer = _answer(session, line, tell)
            if answer is None:
                continue
            said += _stream(console, Wrapper(lambda: editor.output.get_size().columns), session, answer, _goes_on(line))
            _keep(session)
            kept = True
        except Quit:
            break
        except KeyboardInterrupt:  # before the first word: the message stays said
            console.print()
        except WolfChatboxError as error:
            console.print(f"wolf-chatbox: {error}", style="dim red")
    if kept:
        tell("The conversation is kept: /load goes on with it in the next chat.")


def _keep(session: ChatSession) -> None:
    """Write the conversation where /load finds it; raises CheckpointError."""
    with writing(last_chat(), "Correct its permissions."):
        last_chat().parent.mkdir(parents=True, exist_ok=True)
    session.save(last_chat(), overwrite=True)


def _messages() -> History:
    """What the person typed, in earlier chats too: in a file for their eyes only, or for this chat where none can be written."""
    path = last_chat().with_name("messages")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def answer_lines(session: ChatSession, lines: TextIO, out: TextIO, turns: int = 0) -> bool:
    """Answer each line with one line; commands, notes and errors speak on stderr. Returns False when a message had no answer.

    A reply that was cut has no mark in its line, which holds the model's words alone; stderr tells. /more gives the whole reply again,
    as it has grown.
    """
    said = 0
    well = True

    def tell(text: str) -> None:
        print(visible(text), file=sys.stderr)

    for line in lines:
        if turns and said >= turns:
            break
        if not line.strip():
            continue
        try:
            answer = _answer(session, line.strip(), tell)
            if answer is None:
                continue
            reply = "".join(answer)
            if _goes_on(line.strip()):
                reply = session.history[-1].text
            if session.cut:
                tell("The reply was cut at its most tokens. /more goes on.")
        except Quit:
            break
        except WolfChatboxError as error:
            tell(f"error: {error}")
            well, reply = False, ""
        # One line for each message, also where there is no answer: line n of the one is line n of the other.
        print(" ".join(visible(reply).split()), file=out, flush=True)
        said += 1
    return well


def _goes_on(line: str) -> bool:
    return line.split()[0].lower() == "/more"


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
        case "/more":
            return session.more()
        case "/save" | "/save!":
            if not rest:
                raise ChatError(f"{command}: name a file, such as {command} chat.jsonl.")
            _save(session, Path(rest).expanduser(), overwrite=command.endswith("!"))
            tell(f"Saved to {rest}.")
        case "/load":
            if not rest and not last_chat().exists():
                raise ChatError(
                    "there is no saved chat yet. A chat on a terminal is kept as it goes; /load FILE goes on with another."
                )
            session.load_history(Path(rest).expanduser() if rest else last_chat())
            tell("\n".join(f"{turn.speaker}: {turn.text}" for turn in session.history[-6:]))
        case "/persona":
            if rest:
                session.become(rest)
            tell(f"You talk with {session.persona} as {session.user}." + ("" if rest else f" {_others(session)}"))
        case "/set":
            if rest:
                session.sampling = _set(session.sampling, rest)
            tell(" ".join(f"{each.name}={getattr(session.sampling, each.name)}" for each in fields(SamplingConfig)))
        case "/quit" | "/exit":
            raise Quit
        case _:
            raise ChatError(
                f"{command}: no such command. /help lists them; a message that begins with / is written with two."
            )
    return None


def _save(session: ChatSession, path: Path, *, overwrite: bool) -> None:
    check_place(path, overwrite=overwrite, remedy="Replace it with /save! FILE, or choose another name.")
    session.save(path, overwrite=overwrite)


def _others(session: ChatSession) -> str:
    """Who else can answer, in words."""
    others = [name for name in session.speakers if name != session.persona]
    if session.renderer.style.name != "named":
        return "This model has one voice."
    return f"Others: {shortlist(others, NAMES_SHOWN)}." if others else "The model knows no other names."


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


def _stream(console: Screen, wrapper: Wrapper, session: ChatSession, answer: Iterator[str], goes_on: bool) -> bool:
    """Print a reply as it comes; Ctrl-C keeps what has come. Returns whether anything was said."""
    said = stopped = False

    def show(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), end="", soft_wrap=True)

    with closing(answer) as pieces:  # type: ignore[type-var]
        show(wrapper.feed(visible(f"{session.persona}: ")) + wrapper.flush(), "bold yellow")
        try:
            for piece in pieces:
                if goes_on and not said:
                    show(wrapper.feed("…") + wrapper.flush(), "dim")
                said = True
                show(wrapper.feed(visible(piece)))
        except KeyboardInterrupt:
            stopped = True
        except WolfChatboxError:
            console.print(wrapper.flush())
            raise
    if said or stopped:
        marked = stopped or session.cut
        show((wrapper.feed(" …" if marked else "") + wrapper.flush()).removesuffix("…" if marked else ""))
        show("…" if marked else "", "dim")
    else:
        show(
            wrapper.feed("(has nothing to add)" if goes_on else "(says nothing; /retry asks again)") + wrapper.flush(),
            "dim",
        )
    console.print()
    return said
