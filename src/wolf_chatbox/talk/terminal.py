"""The terminal chat: streaming and line editing on a terminal, plain lines through a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
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
    "/help": "show this list",
    "/reset": "start a new conversation",
    "/undo": "remove your last message and its reply",
    "/retry": "draw another reply to your last message",
    "/more": "continue the last reply; one that ends in … was cut at its token limit",
    "/save FILE": "save the conversation to a file; /save! FILE overwrites an existing one",
    "/load [FILE]": "continue a saved conversation; without FILE the last one",
    "/persona NAME": "let another speaker answer; without NAME list the speakers",
    "/set NAME=VALUE": "change a sampling setting, such as top_p=0.9; without NAME=VALUE show them all",
    "/quit": "leave (Ctrl-D does too); Ctrl-C stops a reply",
}
NAMES_SHOWN = 12


def last_chat() -> Path:
    """The file that a terminal chat is saved to after each reply."""
    return user_state_path("wolf_chatbox") / "last-chat.jsonl"


class Quit(Exception):
    """The user wants to leave."""


def talk(session: ChatSession, turns: int = 0) -> None:
    """Chat on the terminal until the user leaves, or after `turns` replies (0: no limit)."""
    console = Screen()
    editor: PromptSession[str] = PromptSession(
        history=_messages(),
        completer=WordCompleter([name.split()[0] for name in COMMANDS], sentence=True),
        complete_while_typing=False,
    )

    def tell(text: str) -> None:
        console.print(text, style="dim")

    who = painted(("You are talking with ", ""), (session.persona, "bold"), (" as ", ""), (session.user, "bold"))
    console.print(who + ". /help lists the commands, Ctrl-D leaves.")
    said, kept = 0, False
    while not turns or said < turns:
        try:
            line = editor.prompt(FormattedText([("bold ansicyan", f"{visible(session.user)}: ")])).strip()
        except KeyboardInterrupt:
            tell("Ctrl-D or /quit leaves the chat.")
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
        except KeyboardInterrupt:  # before the first word: the message stays in the history
            console.print()
        except WolfChatboxError as error:
            console.print(f"wolf-chatbox: {error}", style="dim red")
    if kept:
        tell("The conversation is saved: /load continues it in the next chat.")


def _keep(session: ChatSession) -> None:
    """Save the conversation where /load finds it; raises CheckpointError."""
    with writing(last_chat(), "Correct its permissions."):
        last_chat().parent.mkdir(parents=True, exist_ok=True)
    session.save(last_chat(), overwrite=True)


def _messages() -> History:
    """What the user typed, in earlier chats too: in a file only they can read, or in memory if it cannot be written."""
    path = last_chat().with_name("messages")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def answer_lines(session: ChatSession, lines: TextIO, out: TextIO, turns: int = 0) -> bool:
    """Answer each line with one line; the output of commands, notes and errors go to stderr.

    Returns False when a message got no reply. A line holds the model's words alone, so a cut reply has no mark; a note
    on stderr says so. /more prints the whole reply again, with what was added.
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


def _goes_on(line: str) -> bool:
    return line.split()[0].lower() == "/more"


def _answer(session: ChatSession, line: str, tell: Callable[[str], None]) -> Iterator[str] | None:
    """The reply that a line asks for; None for a command that asks for none, which is carried out."""
    if not line.startswith("/") or line.startswith("//"):
        return session.stream(line.removeprefix("/") if line.startswith("//") else line)
    command, _, rest = line.partition(" ")
    match command.lower():
        case "/retry":
            return session.retry()
        case "/more":
            return session.more()
        case "/quit" | "/exit":
            raise Quit
        case name:
            _carry_out(session, name, rest.strip(), tell)
            return None


def _carry_out(session: ChatSession, command: str, rest: str, tell: Callable[[str], None]) -> None:
    match command:
        case "/help":
            tell("\n".join(f"{name:16} {meaning}" for name, meaning in COMMANDS.items()))
            tell("To send a message that begins with /, type two: //like this.")
        case "/reset":
            session.reset()
            tell("New conversation.")
        case "/undo":
            tell(f"Removed: {session.undo().text}")
        case "/save" | "/save!":
            if not rest:
                raise ChatError(f"{command}: give a file, such as {command} chat.jsonl.")
            _save(session, Path(rest).expanduser(), overwrite=command.endswith("!"))
            tell(f"Saved to {rest}.")
        case "/load":
            if not rest and not last_chat().exists():
                raise ChatError(
                    "there is no saved chat yet. Use /load FILE; only chats on a terminal are saved by themselves."
                )
            session.load_history(Path(rest).expanduser() if rest else last_chat())
            tell("\n".join(f"{turn.speaker}: {turn.text}" for turn in session.history[-6:]))
        case "/persona":
            if rest:
                session.become(rest)
            others = "" if rest else f" {_others(session)}"
            tell(f"You are talking with {session.persona} as {session.user}.{others}")
        case "/set":
            session.sampling = _set(session.sampling, rest)
            tell(" ".join(f"{name}={value}" for name, value in asdict(session.sampling).items()))
        case _:
            raise ChatError(
                f"{command}: no such command. /help lists them; type // to send a message that begins with /."
            )


def _save(session: ChatSession, path: Path, *, overwrite: bool) -> None:
    check_place(path, overwrite=overwrite, remedy="Use /save! FILE to overwrite it, or choose another name.")
    session.save(path, overwrite=overwrite)


def _others(session: ChatSession) -> str:
    """Who else can answer, as a sentence."""
    others = [name for name in session.speakers if name != session.persona]
    if session.voice.renderer.style.name != "named":
        return "This model has no other personas."
    return f"Others: {shortlist(others, NAMES_SHOWN)}." if others else "The model knows no other names."


def _set(sampling: SamplingConfig, rest: str) -> SamplingConfig:
    """The settings with `name=value` pairs changed; the names of dial_main.py work too."""
    classic = {"temp": "temperature", "max_len_gen": "max_new_tokens"}
    changes: dict[str, float] = {}
    for pair in rest.split():
        name, _, value = pair.partition("=")
        name = classic.get(name, name.replace("-", "_"))
        known = {name: type(value) for name, value in asdict(sampling).items()}
        if name not in known:
            raise ChatError(f"/set: unknown setting {name!r}. The settings are {', '.join(known)}.")
        try:
            changes[name] = known[name](value)
        except ValueError as error:
            raise ChatError(f"/set: {name}={value} is not a number.") from error
    try:
        return sampling.changed(**changes)
    except ConfigError as error:
        raise ChatError(f"/set: {error}") from error


def _stream(console: Screen, wrapper: Wrapper, session: ChatSession, answer: Iterator[str], goes_on: bool) -> bool:
    """Print a reply as it is drawn; Ctrl-C stops it and keeps what is printed. Returns whether there is any text."""
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
            wrapper.feed("(nothing to add)" if goes_on else "(no reply; /retry draws another)") + wrapper.flush(),
            "dim",
        )
    console.print()
    return said
