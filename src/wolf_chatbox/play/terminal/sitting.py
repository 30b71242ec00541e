"""A whole game at the terminal, or through a pipe: from the first card to the reveal; whatever happens, it is saved."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterable
from contextvars import copy_context
from pathlib import Path
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session, get_app, run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.utils import is_dumb_terminal
from rich.text import Text

from wolf_chatbox.errors import DataError
from wolf_chatbox.play.finished import save
from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.play.seating import Sitting
from wolf_chatbox.play.terminal.answers import Completing
from wolf_chatbox.play.terminal.seat import Leave, Seat
from wolf_chatbox.screen import Screen
from wolf_chatbox.talk.editor import Shown, make_output
from wolf_chatbox.visible import behind, visible


class Desk(Seat):
    """A seat at a real terminal: the person types while the others talk."""

    def prepare(self) -> None:
        self._context = copy_context()  # with the app session of this terminal, for what other threads want printed
        self._unprinted: deque[Text] = deque()
        self._editor: PromptSession[str] = PromptSession(
            self._message,
            bottom_toolbar=self._toolbar,
            completer=Completing(self.human, self.village.names),
            complete_while_typing=False,
            erase_when_done=True,  # what is said stands in the game, once
            history=InMemoryHistory(),
            input_processors=[Shown()],
            refresh_interval=0.5,
        )

    def _message(self) -> FormattedText:
        return FormattedText([("bold" if self.human.asked else "", self.prompt())])

    def _toolbar(self) -> FormattedText:
        return FormattedText([("", f" {self.status(get_app().current_buffer.text)} ")])

    def show(self, pieces: Iterable[Text]) -> None:
        """Print above the prompt; while there is none, a text of the game's thread waits for the next one."""
        self._unprinted.extend(pieces)
        if threading.current_thread() is threading.main_thread():
            self._print()
        else:
            self.wake()

    def _print(self) -> None:
        with self._printing:
            while self._unprinted:
                self.console.print(self._unprinted.popleft(), soft_wrap=True)

    def wake(self) -> None:
        app = self._editor.app
        if app.is_running and app.loop is not None:
            app.loop.call_soon_threadsafe(self._refresh, context=self._context)

    def _refresh(self) -> None:
        """Draw the prompt anew, below what is new; end it when the game is over."""
        app = self._editor.app
        if self._unprinted:
            run_in_terminal(self._print)
        if self.ended.is_set() and app.is_running and not app.is_done:
            app.exit(result="")
        else:
            app.invalidate()

    def lines(self) -> None:
        """Take what the person types, until the game is over; raises Leave."""
        text = ""
        self.start()
        while not self.ended.is_set():
            self._print()
            try:
                text = self.take(self._editor.prompt(default=text, pre_run=self._refresh))
            except (KeyboardInterrupt, EOFError):
                text = ""
                self.interrupt()


class Pipe(Seat):
    """A seat whose lines come from a file, or from a terminal without codes: each is the answer to a question."""

    def lines(self, source: TextIO) -> None:
        self.start()
        while not self.ended.is_set():
            self.woken.clear()
            if not self.human.waits:
                self.woken.wait(1)
                continue
            if source.isatty():
                self.console.print(Text(self.prompt()), end="")
            line = source.readline()
            if not line:
                raise DataError("standard input: ended before the game did; it is saved as it is. Pass more lines.")
            self.take(line)


def play_game(sitting: Sitting, human: HumanPlayer, console: Screen, folder: Path, pace: float) -> None:
    """Play a game to its end, or until the person leaves, and save it in a folder; raises what ended it."""
    terminal = sys.stdin.isatty() and sys.stdout.isatty() and not is_dumb_terminal()
    seat = (Desk if terminal else Pipe)(sitting, human, console, asks=terminal, pace=pace if terminal else 0)
    try:
        if isinstance(seat, Desk):
            with create_app_session(output=make_output(behind(sys.stdout))):
                seat.prepare()
                seat.lines()
        elif isinstance(seat, Pipe):
            seat.lines(sys.stdin)
        seat.show(seat.telling.news())
        seat.show(seat.telling.reveal())
    except Leave:
        pass
    finally:
        seat.leave()
        try:
            seat.join()
        finally:
            saved = save(sitting.village, folder, sitting.teams)
            # Not wrapped: a path is to be copied.
            seat.show([Text(visible(seat.word("saved", file=saved.log)), "dim")])
            if saved.games is not None:
                seat.show([Text(visible(seat.word("learn", folder=folder)), "dim")])
