"""What a line of the person means: a message, or a command. The same on a terminal and through a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple, get_args

from platformdirs import user_state_path

from wolf_chatbox.config import NextSpeaker, SamplingConfig
from wolf_chatbox.errors import ChatError, ConfigError
from wolf_chatbox.files import check_place
from wolf_chatbox.talk.listing import branches, company, described
from wolf_chatbox.talk.memory import Memory
from wolf_chatbox.talk.recollection import Recollection
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.state import read_state
from wolf_chatbox.talk.why import why
from wolf_chatbox.visible import Tell, shortlist

GROUPS = {
    "Replies": {
        "/retry": "draw another reply in place of the last one",
        "/more": "continue the last reply; one that ends in … was cut at its token limit",
        "/next [NAME]": "let the next one speak, or NAME",
        "/impersonate": "let the model write your message, for you to edit and send",
        "/why": "show how the last reply came about",
    },
    "Going back (what was said stays, as a branch)": {
        "/undo": "go back to before your last message",
        "/back [N]": "go back by N messages",
        "/edit [N] [TEXT]": "put another text in place of message N, or of your last one",
        "/branches": "list the messages, with what was said in their place",
        "/go [N]": "go to message N and the end of its branch; without N to the end of this one",
    },
    "Who is there": {
        "/persona [NAME]": "let another speaker take the persona's place; without NAME list the speakers",
        "/invite NAME": "let NAME hear and answer from now on; @NAME asks one of several",
        "/dismiss NAME": "let NAME hear no more",
        "/whisper NAME TEXT": "say something that only NAME hears",
    },
    "The chat": {
        "/save FILE": "save the chat to a file; /save! FILE overwrites an existing one",
        "/load [FILE]": "continue a saved chat; without FILE the last one",
        "/set NAME=VALUE": "change a setting, such as top_p=0.9 or next=turn; without NAME=VALUE show them all",
        "/reset": "start a new conversation",
        "/forget": "forget earlier chats with those present, and keep nothing of this one",
        "/help": "show this list",
        "/quit": "leave (Ctrl-D does too); Ctrl-C stops a reply",
    },
}
COMMANDS = {usage: meaning for group in GROUPS.values() for usage, meaning in group.items()}
NAMES_SHOWN = 12
MESSAGES_SHOWN = 6
CLASSIC = {"temp": "temperature", "max_len_gen": "max_new_tokens"}
"""Settings by their names in dial_main.py."""


def last_chat() -> Path:
    """The file that a terminal chat is saved to after each reply."""
    return user_state_path("wolf_chatbox") / "last-chat.jsonl"


def last_state() -> Path:
    """The file of what the engine had read of that chat."""
    return last_chat().with_suffix(".state")


class Quit(Exception):
    """The person wants to leave."""


class Answer(NamedTuple):
    """A reply that a line asks for."""

    pieces: Iterator[str]
    goes_on: bool = False
    """Whether the pieces are added to the reply that is there."""


class Commands:
    """Carries out lines for a session.

    `tell` takes what the program says; `edit` shows a text for editing and returns it as it is sent, or None where
    nobody can edit.
    """

    def __init__(self, session: ChatSession, tell: Tell, edit: Callable[[str], str] | None = None) -> None:
        self.session = session
        self.tell = tell
        self.edit = edit

    def answer(self, line: str) -> Answer | None:
        """The reply that a line asks for; None for a command that asks for none, which is carried out.

        Raises Quit, and WolfChatboxError for what cannot be done.
        """
        session = self.session
        if not line.startswith("/") or line.startswith("//"):
            return Answer(session.stream(line.removeprefix("/") if line.startswith("//") else line))
        word, _, rest = line.partition(" ")
        command, rest = word.lower(), rest.strip()
        match command:
            case "/retry":
                return Answer(session.retry())
            case "/more":
                return Answer(session.more(), goes_on=True)
            case "/next":
                return Answer(session.speak(rest or None))
            case "/whisper":
                return Answer(session.whisper(*self._name_and_text(rest)))
            case "/impersonate":
                return self._impersonate()
            case "/edit":
                return self._edit(rest)
            case "/quit" | "/exit":
                raise Quit
        self._carry_out(command, rest)
        return None

    def _carry_out(self, command: str, rest: str) -> None:
        match command:
            case "/help":
                self._help()
            case "/why":
                self.tell("\n".join(why(self.session)))
            case "/undo" | "/back" | "/go" | "/branches":
                self._move(command, rest)
            case "/persona" | "/invite" | "/dismiss":
                self._cast(command, rest)
            case "/save" | "/save!" | "/load":
                self._file(command, rest)
            case "/set":
                self._set(rest)
            case "/reset":
                self.session.reset()
                self.tell("New conversation.")
            case "/forget":
                self._forget()
            case _:
                raise ChatError(
                    f"{command}: no such command. /help lists them; type // to send a message that begins with /."
                )

    def _help(self) -> None:
        for title, commands in GROUPS.items():
            self.tell("\n".join([f"{title}:", *(f"  {name:18} {meaning}" for name, meaning in commands.items())]))
        self.tell("To send a message that begins with /, type two: //like this.")

    def _name_and_text(self, rest: str) -> tuple[str, str]:
        """A name of somebody present that a text begins with, and the text after it."""
        names = [name for name in self.session.present if rest.casefold().startswith(f"{name.casefold()} ")]
        name = max(names, key=len, default=rest.partition(" ")[0])
        if not name:
            raise ChatError("/whisper: give a name and a text, such as /whisper Morty Do you hear me?")
        return name, rest[len(name) :]

    def _impersonate(self) -> Answer:
        text = "".join(self.session.impersonate())
        if not text:
            raise ChatError("the model wrote nothing in your place. Try again.")
        if self.edit is None:
            self.tell(f"{self.session.user}: {text}")
        else:
            text = self.edit(text)
        return Answer(self.session.stream(text))

    def _edit(self, rest: str) -> Answer | None:
        """Edit a message; one of the person is answered anew."""
        session = self.session
        first, _, text = rest.partition(" ")
        if first.isdecimal():
            number = session.tree.known(int(first) - 1)
        else:
            mine = [at for at in session.tree.path() if session.tree.messages[at].speaker not in session.present]
            if not mine:
                raise ChatError("there is no message yet. Send one first.")
            number, text = mine[-1], rest
        if not text.strip():
            if self.edit is None:
                raise ChatError("/edit: give the new text, such as /edit 3 Where are we?")
            text = self.edit(session.tree.messages[number].text)
        session.edit(number, text)
        if session.tree.messages[number].speaker not in session.present:
            return Answer(session.speak())
        self.tell(described(session.tree, session.tree.at))
        return None

    def _move(self, command: str, rest: str) -> None:
        session = self.session
        count = _count(command, rest)
        match command:
            case "/undo":
                self.tell(f"Taken back: {session.undo().text}")
                return
            case "/back":
                session.back(1 if count is None else count)
            case "/go":
                session.go(None if count is None else count - 1)
            case "/branches":
                self.tell("\n".join(branches(session.tree)) or "Nothing is said yet.")
                return
        self.tell("At the beginning." if session.tree.last is None else described(session.tree, session.tree.at))

    def _cast(self, command: str, rest: str) -> None:
        session = self.session
        if command == "/persona":
            if rest:
                session.become(rest)
        elif not rest:
            raise ChatError(f"{command}: give a name, such as {command} Morty.")
        elif command == "/invite":
            session.invite(rest)
        else:
            session.dismiss(rest)
        others = f" {self._others()}" if command == "/persona" and not rest else ""
        self.tell(f"You are talking with {company(session)} as {session.user}.{others}")

    def _others(self) -> str:
        """Who else can answer, as a sentence."""
        others = [name for name in self.session.speakers if name not in self.session.present]
        if self.session.voice.renderer.style.name != "named":
            return "This model has no other personas."
        return f"Others: {shortlist(others, NAMES_SHOWN)}." if others else "The model knows no other names."

    def _file(self, command: str, rest: str) -> None:
        session = self.session
        if command == "/load":
            if not rest and not last_chat().exists():
                raise ChatError(
                    "there is no saved chat yet. Use /load FILE; only chats on a terminal are saved by themselves."
                )
            session.load_history(Path(rest).expanduser() if rest else last_chat())
            if not rest:
                read_state(session.voice.engine, last_state())
            self.tell("\n".join(f"{turn.speaker}: {turn.text}" for turn in session.history[-MESSAGES_SHOWN:]))
            return
        if not rest:
            raise ChatError(f"{command}: give a file, such as {command} chat.jsonl.")
        path, overwrite = Path(rest).expanduser(), command.endswith("!")
        check_place(path, overwrite=overwrite, remedy="Use /save! FILE to overwrite it, or choose another name.")
        session.save(path, overwrite=overwrite)
        self.tell(f"Saved to {rest}.")

    def _forget(self) -> None:
        session = self.session
        recollection = session.recollection or Recollection(Memory())
        count = recollection.forget(session.present, session.user)
        session.recollection = None
        self.tell(f"Forgotten: {count} chats with {company(session)}. This one is not kept in memory.")

    def _set(self, rest: str) -> None:
        session = self.session
        pairs = [(name, value) for name, _, value in (pair.partition("=") for pair in rest.split())]
        orders: dict[str, NextSpeaker] = {order: order for order in get_args(NextSpeaker)}
        wanted = [value for name, value in pairs if name == "next"]
        for value in wanted:
            if value not in orders:
                raise ChatError(f"/set: next={value} is none of {', '.join(orders)}.")
        session.sampling = changed(session.sampling, [pair for pair in pairs if pair[0] != "next"])
        session.next = orders[wanted[-1]] if wanted else session.next
        settings = asdict(session.sampling) | {"next": session.next}
        self.tell(" ".join(f"{name}={value}" for name, value in settings.items()))


def changed(sampling: SamplingConfig, pairs: list[tuple[str, str]]) -> SamplingConfig:
    """The settings with some changed, by name and value; the names of dial_main.py work too."""
    changes: dict[str, float] = {}
    for given, value in pairs:
        name = CLASSIC.get(given, given.replace("-", "_"))
        known = {name: type(value) for name, value in asdict(sampling).items()}
        if name not in known:
            raise ChatError(f"/set: unknown setting {name!r}. The settings are {', '.join([*known, 'next'])}.")
        try:
            changes[name] = known[name](value)
        except ValueError as error:
            raise ChatError(f"/set: {name}={value} is not a number.") from error
    try:
        return sampling.changed(**changes)
    except ConfigError as error:
        raise ChatError(f"/set: {error}") from error


def _count(command: str, rest: str) -> int | None:
    if rest and not rest.isdecimal():
        raise ChatError(f"{command}: {rest} is no number. Give one, such as {command} 2.")
    return int(rest) if rest else None
