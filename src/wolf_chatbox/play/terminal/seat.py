"""A person's seat: the game runs in a thread of its own, and tells what happens; what is typed is carried out."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from rich.cells import cell_len
from rich.text import Text

from wolf_chatbox.play.clock import LiveClock
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.play.seating import Sitting
from wolf_chatbox.play.terminal.answers import as_said, is_cut, named
from wolf_chatbox.play.terminal.telling import Telling
from wolf_chatbox.screen import Screen
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.sight import SPEECH, Kind
from wolf_chatbox.werewolf.steps import Ask, Listen, Step
from wolf_chatbox.werewolf.utterance import OVER, SKIP, counted

LINE_SECONDS, COLUMN_SECONDS, MOST_SECONDS = 0.4, 0.02, 4.0
"""The time to read a line: for itself, for each of its columns, and at most."""
END = 24
"""Characters that are shown of where a long utterance is cut."""


class Leave(Exception):
    """The person leaves the table."""


class Seat:
    """What one person sees and does. `take` is called from the person's thread, everything else from the game's."""

    def __init__(self, sitting: Sitting, human: HumanPlayer, console: Screen, *, asks: bool, pace: float = 1.0) -> None:
        """`asks`: somebody is there who can be asked again, as at a terminal, and not through a pipe."""
        self.village, self.human, self.console, self.asks = sitting.village, human, console, asks
        self.me = next(name for name, player in sitting.players.items() if player is human)
        self.telling = Telling(self.village, self.me, lambda: console.width)
        self.words, self.word = self.telling.words, self.telling.word
        self.ended, self.left, self.woken = threading.Event(), threading.Event(), threading.Event()
        self.error: BaseException | None = None
        """What ended the game, if it was no rule."""
        self.choosing = False
        """Whether the person, who is dead, is to say whether it watches on."""
        self._pace = pace
        self._step: Step | None = None
        self._chosen, self._printing = threading.Event(), threading.RLock()
        self._asked: Kind | None = None
        self._answered = self._leaving = self._empty = self._buried = False
        self._long = ""
        self._executor = ThreadPoolExecutor(len(sitting.players), "player")
        talk = LiveClock(self.village, sitting.players, pace=pace)
        self._moderator = Moderator(
            self.village,
            sitting.players,
            watch=self.watch,
            together=self._executor,
            clock=talk,
            stopped=self.left.is_set,
        )
        self._thread = threading.Thread(target=self._lead, name="game", daemon=True)
        human.changed = self.changed

    # The game's thread

    def start(self) -> None:
        self.show(self.telling.card())
        self._thread.start()

    def _lead(self) -> None:
        try:
            self._moderator.lead()
        except BaseException as error:  # whatever it is, the person's thread raises it
            self.error = error
        finally:
            self._executor.shutdown()
            self.ended.set()
            self.woken.set()
            self.wake()

    def watch(self, village: Village, step: Step) -> None:
        """Show what happened, and leave time to read it."""
        self._step = step
        with self._printing:
            news = list(self.telling.news())
            if isinstance(step, Ask) and self.me in step.who:
                news += self.telling.quiet()
            self.show(news)
        if not self.telling.sight.lives and not self._buried and not village.over:
            self._bury()
        self.wake()
        if news and village.table.talk == "turns" and not (isinstance(step, Ask) and self.me in step.who):
            seconds = LINE_SECONDS + COLUMN_SECONDS * sum(cell_len(piece.plain) for piece in news)
            self.left.wait(self._pace * min(MOST_SECONDS, seconds))

    def _bury(self) -> None:
        """The person is dead: ask whether it watches on, and show it everything."""
        self._buried = True
        self.show([self.telling.told(self.word("dead"))])
        if self.asks:
            self.choosing = True
            self.show([self.telling.note(self.word("watch"))])
            self.wake()
            self._chosen.wait()
        self.choosing = False
        if not self.left.is_set():
            self.show(self.telling.see_all())

    def changed(self) -> None:
        """Something is asked, or was answered: show who can be named."""
        asked, before = self.human.asked, self._asked
        self._asked = asked
        if asked is not None and asked != before:
            self._answered = self._empty = False
            if asked not in SPEECH:
                self.show(self.telling.choices(asked))
        elif asked is None and before is not None and not self._answered and not self.left.is_set():
            self.show([self.telling.note(self.word("late"))])
        self.woken.set()
        self.wake()

    def wake(self) -> None:
        """Something is new on the screen; a terminal draws its prompt anew."""

    # The person's thread

    def take(self, line: str) -> str:
        """Carry out a line; returns what is to be edited, if something is. Raises Leave."""
        text = line.strip()
        if text != "/quit":
            self._leaving = False
        if text.startswith("/"):
            self._command(text)
        elif self.choosing:
            self._chosen.set()
        elif self.human.asked is None:
            if text and not self.ended.is_set():
                self._note("not_now")
                return text
        elif self.human.asked in SPEECH:
            return self._speak(text)
        else:
            self._name(self.human.asked, text)
        return ""

    def interrupt(self) -> None:
        """Leave when it is asked for twice; raises Leave."""
        if self._leaving or not self.asks:
            raise Leave
        self._leaving = True
        self._note("leaving")

    def leave(self) -> None:
        """Let the game end where it is."""
        self.left.set()
        self.human.leave()
        self._chosen.set()

    def join(self) -> None:
        """Wait for the game's end; raises what ended it."""
        if self._thread.ident is not None:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def show(self, pieces: Iterable[Text]) -> None:
        with self._printing:
            for piece in pieces:
                self.console.print(piece, soft_wrap=True)

    def _note(self, key: str, **values: object) -> None:
        self.show([self.telling.note(self.word(key, **values))])

    def _say(self, text: str) -> None:
        self._answered = True
        self._empty, self._long = False, ""
        if not self.human.say(text):
            self._note("not_now")

    def _speak(self, text: str) -> str:
        """Say something, once it is known what will be cut off; two empty lines are Over."""
        assert self.human.sight is not None
        if not text:
            if self._empty:
                self._say(OVER)
            else:
                self._empty = True
                self._note("empty")
            return ""
        said = as_said(text, self.human.sight)
        if is_cut(text, said) and text != self._long:
            self._note("long", size=counted(text, self.village.table), end="…" + said.strip()[-END:])
            if self.asks:
                self._long = text
                return text
        self._say(text)
        return ""

    def _name(self, kind: Kind, text: str) -> None:
        targets = self.telling.sight.targets(kind)
        name, near = named(text, targets) if text else ("", [])
        if name:
            self._note(f"chosen.{kind}", name=name)
            self._say(name)
            return
        if text:
            self._note("nobody", text=text)
        self.show(self.telling.choices(kind, near))

    def _command(self, text: str) -> None:
        command = text.split()[0].casefold()
        speaking = self.human.asked in SPEECH
        match command:
            case "/over":
                self._say(OVER) if speaking else self._note("no_talk", command=command)
            case "/skip":
                skips = self.village.table.skips
                reason = "no_talk" if skips else "no_skip"
                self._say(SKIP) if speaking and skips else self._note(reason, command=command)
            case "/log":
                self.show(self.telling.so_far())
            case "/players":
                self.show(self.telling.seats(self.village.roles if self.telling.everything else None))
            case "/help":
                for key in ("talk", "names", "commands", "leave"):
                    self._note(f"help.{key}", talks=self.village.table.talks, letters=self.village.table.letters)
            case "/quit":
                self.interrupt()
            case _:
                self._note("no_command", command=command)

    # What stands beside the prompt

    def prompt(self) -> str:
        """What the person is to type now."""
        kind = self.human.asked
        if kind is None:
            return "… "
        if kind in SPEECH:
            return f"{self.me}: " if kind == "talk" else f"{self.me} ({self.word('whispers')}): "
        asked = self.word(f"prompts.{kind}")
        return f"{asked}: "

    def status(self, typed: str = "") -> str:
        """One line: what is asked, what is left, how much time."""
        kind, sight = self.human.asked, self.human.sight
        parts: list[str] = []
        if kind is None or sight is None:
            parts = [self._others()]
        elif kind in SPEECH:
            limit = self.village.table.letters
            length = counted(typed, self.village.table)
            parts = [self.word("talks_left", count=sight.left), f"{length}/{limit}" if limit else str(length)]
            parts += [self.word("rest", left=sight.letters_left)] if sight.letters_left is not None else []
            parts += [self.word("over")]
        else:
            parts = [self.word("number")]
        deadline = self.human.deadline
        if kind is not None and deadline is not None:
            parts.append(f"{int(deadline.left) // 60}:{int(deadline.left) % 60:02}")
        return " · ".join(parts)

    def _others(self) -> str:
        """What goes on, as far as everybody may know it."""
        step, all_ = self._step, self.telling.everything
        if self.choosing:
            return self.word("dead")
        if isinstance(step, Ask | Listen) and (step.kind in ("talk", "vote") or all_):
            if step.kind in SPEECH and isinstance(step, Ask):
                return self.word("speaks", name=step.who[0])
            return self.words(f"werewolf.phases.{step.kind}")
        return self.word("night")
