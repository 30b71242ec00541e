"""The chat on a terminal: replies stream, lines are edited and completed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import FormattedText
from rich.cells import cell_len
from rich.text import Text

from wolf_chatbox.errors import WolfChatboxError
from wolf_chatbox.screen import Screen
from wolf_chatbox.talk.commands import Answer, Commands, Quit
from wolf_chatbox.talk.comparison import Rivals
from wolf_chatbox.talk.completion import Names
from wolf_chatbox.talk.editor import make_editor
from wolf_chatbox.talk.face import Face
from wolf_chatbox.talk.listing import alternatives, company, one_line
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.shelf import Shelf, last_state
from wolf_chatbox.talk.wrapping import Wrapper, wrapped
from wolf_chatbox.visible import visible
from wolf_chatbox.words import Words

STACKED = 60
"""A table on fewer columns has each text below its term."""
NUMBER = 4
"""Columns of a term so short that the text stands beside it even so."""
WIDEST = 100
"""Columns that a text of the program takes at most."""
NAME = "bold yellow"


class Terminal(Face):
    """A terminal on which a person chats with a session."""

    asks = True

    def __init__(
        self,
        session: ChatSession,
        words: Words | None = None,
        shelf: Shelf | None = None,
        rivals: Rivals | None = None,
    ) -> None:
        super().__init__(self.note)
        self.session = session
        self.console = Screen()
        self.commands = Commands(session, self, words, shelf=shelf, rivals=rivals)
        self.shelf = self.commands.shelf
        self.editor = make_editor(Names(session, lambda: len(self.shelf.hits)))

    def word(self, key: str, **values: object) -> str:
        """A text in the language of the chat."""
        return self.commands.words(f"terminal.{key}", **values)

    @property
    def width(self) -> int:
        """The terminal's columns now, whatever COLUMNS says; what is no terminal has those."""
        return self.editor.output.get_size().columns if self.console.is_terminal else self.console.width

    # What the program says.

    def note(self, text: str, style: str = "dim") -> None:
        self.console.print(Text(self._wrapped(visible(text)), style), soft_wrap=True)

    def _wrapped(self, text: str, indent: int = 0) -> str:
        return wrapped(text, min(WIDEST, self.width), indent)

    def show(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.console.print(Text(self._wrapped(visible(line), 4), "dim"), soft_wrap=True)

    def table(self, title: str, rows: Sequence[tuple[str, str]], column: int = 0) -> None:
        """Rows in two columns, or on a narrow terminal each text below its term."""
        self.console.print(Text(self._wrapped(visible(title)), "bold"), soft_wrap=True)
        column = max([column, *(cell_len(one_line(term)) for term, _ in rows)])
        stacked = self.width < STACKED and column > NUMBER
        indent = 4 if stacked else column + 4
        for term, text in ((one_line(term), visible(text)) for term, text in rows):
            after = "\n    " if stacked else " " * (column - cell_len(term) + 2)
            shown = wrapped(text, min(WIDEST, self.width), indent)
            self.console.print(Text.assemble("  ", (term, "cyan"), after, shown), soft_wrap=True)

    def welcome(self) -> None:
        """Say who is there, their names in bold."""
        template = self.word("welcome", who="\0", user="\1")
        names = {"\0": company(self.session, self.commands.words), "\1": one_line(self.session.user)}
        text = "".join(names.get(sign, sign) for sign in template)
        shown = Text(self._wrapped(text))
        for name in names.values():
            if (at := shown.plain.find(name)) >= 0:
                shown.stylize("bold", at, at + len(name))
        self.console.print(shown, soft_wrap=True)

    # What the person says.

    def ask(self, text: str = "") -> str:
        """What the person types, beginning with a text to edit; raises KeyboardInterrupt and EOFError."""
        name = FormattedText([("bold ansicyan", f"{one_line(self.session.user)}: ")])
        return self.editor.prompt(name, default=text).strip()

    def edit(self, text: str) -> str | None:
        return self.ask(text)

    def choose(self, question: str, answers: Collection[str]) -> str | None:
        """One of the answers; Ctrl-C and Ctrl-D choose none."""
        asking: PromptSession[str] = PromptSession(FormattedText([("bold", question)]))
        while True:
            try:
                given = asking.prompt().strip()
            except (KeyboardInterrupt, EOFError):
                return None
            if given in answers:
                return given

    def handle(self, line: str) -> bool:
        """Carry out a line, and print what comes of it; returns whether there is a reply. Raises Quit."""
        said = False
        try:
            answer = self.commands.answer(line)
            if answer is not None:
                said = self.print_reply(answer)
                if said and (took := self.commands.took()):
                    self.note(took)
            self.shelf.keep(self.session)
        except (KeyboardInterrupt, EOFError):  # before the first word: the message stays in the history
            self.console.print()
        except WolfChatboxError as error:
            self.note(f"wolf-chatbox: {error}", "dim red")
        return said

    # What the characters say.

    def print_reply(self, answer: Answer) -> bool:
        """Print a reply as it is drawn; Ctrl-C stops it and keeps what is printed. Returns whether there is any."""
        said = stopped = False
        wrapper = Wrapper(lambda: self.editor.output.get_size().columns)
        self._show(wrapper.feed(f"{one_line(self.session.speaking)}: ") + wrapper.flush(), NAME)
        try:
            for piece in answer.pieces:
                if answer.goes_on and not said:
                    self._show(wrapper.feed("…") + wrapper.flush(), "dim")
                said = True
                self._show(wrapper.feed(visible(piece)))
        except KeyboardInterrupt:
            stopped = True
        except WolfChatboxError:
            self.console.print(wrapper.flush())
            raise
        finally:
            answer.close()
        if said or stopped:
            self._end(wrapper, answer, stopped)
        else:
            nothing = self.word("nothing_added" if answer.goes_on else "no_reply")
            self._show(wrapper.feed(nothing) + wrapper.flush(), "dim")
        self.console.print()
        return said

    def _end(self, wrapper: Wrapper, answer: Answer, stopped: bool) -> None:
        """Print the marks behind a reply: that it was cut, says an old one again, or is one of several."""
        session, last = self.session, self.session.tree.last
        cut = bool(stopped or session.cut or (answer.known and last and last.cut))
        self._show((wrapper.feed(" …" if cut else "") + wrapper.flush()).removesuffix("…" if cut else ""))
        self._show("…" if cut else f" {self.word('again')}" if session.repeats and not stopped else "", "dim")
        there = alternatives(session) if answer.among and not stopped else []
        if len(there) > 1:
            self._show(wrapper.feed(f" ({there.index(session.tree.at) + 1}/{len(there)})") + wrapper.flush(), "dim")

    def _show(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style), end="", soft_wrap=True)

    def say(self, speaker: str, text: str) -> None:
        name = f"{one_line(speaker)}: "
        shown = Text(wrapped(name + visible(text), self.width))
        shown.stylize(NAME, 0, len(name))
        self.console.print(shown, soft_wrap=True)


def talk(
    session: ChatSession,
    turns: int = 0,
    *,
    words: Words | None = None,
    shelf: Shelf | None = None,
    rivals: Rivals | None = None,
) -> None:
    """Chat on the terminal until the person leaves, or after `turns` replies (0: no limit)."""
    terminal = Terminal(session, words, shelf, rivals)
    terminal.welcome()
    if greeting := session.greet():
        terminal.say(greeting.speaker, greeting.text)
    said = 0
    while not turns or said < turns:
        try:
            if line := terminal.ask():
                said += terminal.handle(line)
        except KeyboardInterrupt:
            terminal.tell(terminal.word("leaving"))
        except (EOFError, Quit):
            break
    if terminal.shelf.kept:
        session.write_state(last_state())
        terminal.tell(terminal.word("kept"))
