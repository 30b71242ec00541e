"""The chat on a terminal: replies stream, lines are edited and completed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import closing

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from rich.text import Text

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.files import writing
from wolf_chatbox.screen import Screen, painted
from wolf_chatbox.talk.commands import COMMANDS, Answer, Commands, Quit, last_chat, last_state
from wolf_chatbox.talk.listing import company
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.wrapping import Wrapper
from wolf_chatbox.visible import visible

OF_ANYBODY = frozenset({"/persona", "/invite"})
"""Commands that take the name of any speaker whom the model knows."""
OF_PRESENT = frozenset({"/dismiss", "/whisper", "/next"})
"""Commands that take the name of somebody who is present."""


class Terminal:
    """A terminal on which a person chats with a session."""

    def __init__(self, session: ChatSession) -> None:
        self.session = session
        self.console = Screen()
        self.editor: PromptSession[str] = PromptSession(
            history=_messages(), completer=Names(session), complete_while_typing=False
        )
        self.commands = Commands(session, self.tell, self.ask)
        self.kept = False
        """Whether the chat was saved."""

    def tell(self, text: str) -> None:
        self.console.print(text, style="dim")

    def ask(self, text: str = "") -> str:
        """What the person types, beginning with a text to edit; raises KeyboardInterrupt and EOFError."""
        name = FormattedText([("bold ansicyan", f"{visible(self.session.user)}: ")])
        return self.editor.prompt(name, default=text).strip()

    def handle(self, line: str) -> bool:
        """Carry out a line, and print what comes of it; returns whether there is a reply. Raises Quit."""
        said = False
        try:
            answer = self.commands.answer(line)
            if answer is not None:
                said = self.print_reply(answer)
            self.keep()
        except (KeyboardInterrupt, EOFError):  # before the first word: the message stays in the history
            self.console.print()
        except WolfChatboxError as error:
            self.console.print(f"wolf-chatbox: {error}", style="dim red")
        return said

    def keep(self) -> None:
        """Save the chat where /load finds it, if it has changed; raises CheckpointError."""
        if self.session.tree is self.session.saved or not len(self.session.tree):
            return
        with writing(last_chat(), "Correct its permissions."):
            last_chat().parent.mkdir(parents=True, exist_ok=True)
        self.session.save(last_chat(), overwrite=True)
        self.kept = True

    def print_reply(self, answer: Answer) -> bool:
        """Print a reply as it is drawn; Ctrl-C stops it and keeps what is printed. Returns whether there is any."""
        said = stopped = False
        wrapper = Wrapper(lambda: self.editor.output.get_size().columns)

        def show(text: str, style: str = "") -> None:
            self.console.print(Text(text, style=style), end="", soft_wrap=True)

        with closing(answer.pieces) as pieces:  # type: ignore[type-var]
            show(wrapper.feed(visible(f"{self.session.speaking}: ")) + wrapper.flush(), "bold yellow")
            try:
                for piece in pieces:
                    if answer.goes_on and not said:
                        show(wrapper.feed("…") + wrapper.flush(), "dim")
                    said = True
                    show(wrapper.feed(visible(piece)))
            except KeyboardInterrupt:
                stopped = True
            except WolfChatboxError:
                self.console.print(wrapper.flush())
                raise
        if said or stopped:
            marked = stopped or self.session.cut
            again = not stopped and self.session.repeats
            show((wrapper.feed(" …" if marked else "") + wrapper.flush()).removesuffix("…" if marked else ""))
            show("…" if marked else " (as before)" if again else "", "dim")
        else:
            nothing = "(nothing to add)" if answer.goes_on else "(no reply; /retry draws another)"
            show(wrapper.feed(nothing) + wrapper.flush(), "dim")
        self.console.print()
        return said


class Names(Completer):
    """Completes commands, and the names that a command or an @ takes."""

    def __init__(self, session: ChatSession) -> None:
        self.session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        command, space, rest = text.partition(" ")
        if text.startswith("@"):
            typed, choices = text[1:], list(self.session.present)
        elif command in OF_ANYBODY and space:
            typed, choices = rest, list(self.session.speakers)
        elif command in OF_PRESENT and space:
            typed, choices = rest, list(self.session.present)
        else:
            typed, choices = text, [usage.split()[0] for usage in COMMANDS] if text.startswith("/") else []
        for name in choices:
            if name.casefold().startswith(typed.casefold()):
                yield Completion(name, -len(typed), display=visible(name))


def talk(session: ChatSession, turns: int = 0) -> None:
    """Chat on the terminal until the person leaves, or after `turns` replies (0: no limit)."""
    terminal = Terminal(session)
    who = painted(("You are talking with ", ""), (company(session), "bold"), (" as ", ""), (session.user, "bold"))
    terminal.console.print(who + ". /help lists the commands, Ctrl-D leaves.")
    said = 0
    while not turns or said < turns:
        try:
            if line := terminal.ask():
                said += terminal.handle(line)
        except KeyboardInterrupt:
            terminal.tell("Ctrl-D or /quit leaves the chat.")
        except (EOFError, Quit):
            break
    if terminal.kept:
        session.write_state(last_state())
        terminal.tell("The conversation is saved: /load continues it in the next chat.")


def _messages() -> History:
    """What the person typed, in earlier chats too: in a file only they can read, or in memory if that cannot be."""
    path = last_chat().with_name("messages")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
