"""What a line of the person means: a message, or a command. The same on a terminal and through a pipe."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from wolf_chatbox.talk.comparison import ANSWERS, Rivals, ballot
from wolf_chatbox.talk.face import Face
from wolf_chatbox.talk.listing import alternatives, described, one_line
from wolf_chatbox.talk.orders import Orders
from wolf_chatbox.talk.session import ChatSession
from wolf_chatbox.talk.shelf import Shelf
from wolf_chatbox.talk.watch import Watch
from wolf_chatbox.words import Words


class Quit(Exception):
    """The person wants to leave."""


class Answer(NamedTuple):
    """A reply that a line asks for."""

    pieces: Iterator[str]
    goes_on: bool = False
    """Whether the pieces are added to the reply that is there."""
    among: bool = False
    """Whether it is one of several in the same place."""
    known: bool = False
    """Whether it was drawn before."""

    def close(self) -> None:
        """Draw no more of it."""
        if (close := getattr(self.pieces, "close", None)) is not None:
            close()


class Commands(Orders):
    """Carries out lines for a session.

    `face` takes what the program says, and asks; `shelf` keeps the chats, `rivals` are the runs to compare with.
    """

    def __init__(
        self,
        session: ChatSession,
        face: Face,
        words: Words | None = None,
        *,
        shelf: Shelf | None = None,
        rivals: Rivals | None = None,
    ) -> None:
        super().__init__(session, face, words, shelf or Shelf(), Watch())
        self.rivals = rivals
        self._chance = random.Random()

    def answer(self, line: str) -> Answer | None:
        """The reply that a line asks for; None for a command that asks for none, which is carried out.

        Raises Quit, and WolfChatboxError for what cannot be done.
        """
        self.watch.seconds = 0.0
        answer = self._answer(line)
        return answer if answer is None or answer.known else answer._replace(pieces=self.watch.over(answer.pieces))

    def took(self) -> str:
        """How long the last reply took, if somebody wants to know; else nothing."""
        drawn = self.session.drawn
        if not self.watch.on or drawn is None or not self.watch.seconds:
            return ""
        tokens, seconds = drawn.reply.drawn, self.watch.seconds
        return self.words(
            "terminal.took",
            seconds=f"{seconds:.1f}",
            tokens=tokens,
            speed=f"{tokens / seconds:.1f}",
            first=f"{self.watch.first:.1f}",
        )

    def _answer(self, line: str) -> Answer | None:
        session = self.session
        if not line.startswith("/") or line.startswith("//"):
            return Answer(session.stream(line.removeprefix("/") if line.startswith("//") else line))
        command, rest = _parted(line)
        match command:
            case "/retry":
                return Answer(session.retry(), among=True)
            case "/more":
                return Answer(session.more(), goes_on=True)
            case "/speak":
                return Answer(session.speak(rest or None))
            case "/next":
                return Answer(session.speak(rest)) if rest else self._next()
            case "/back" if not rest:
                return self._swipe(-1)
            case "/whisper":
                return Answer(session.whisper(*self._name_and_text(rest)))
            case "/impersonate":
                return self._impersonate()
            case "/edit":
                return self._edit(rest)
            case "/compare":
                self._compare(rest)
            case "/quit" | "/exit":
                raise Quit
            case _:
                self.carry_out(command, rest)
        return None

    # Replies.

    def _next(self) -> Answer:
        """The reply after the last one, or a new one where there is none after it."""
        there = alternatives(self.session)
        if not there:
            return Answer(self.session.speak())
        if there[-1] == self.session.tree.at:
            return Answer(self.session.retry(), among=True)
        return self._swipe(1)

    def _swipe(self, by: int) -> Answer:
        """Go to another reply in the place of the last one."""
        session, there = self.session, alternatives(self.session)
        if not there:
            raise self._wrong("no_swipe")
        place = there.index(session.tree.at) + by
        if place < 0:
            raise self._wrong("first")
        session.tree = session.tree.go(there[place])
        message = session.tree.messages[there[place]]
        session.speaking = message.speaker
        return Answer(iter((message.text,)), among=True, known=True)

    def _name_and_text(self, rest: str) -> tuple[str, str]:
        """A name of somebody present that a text begins with, and the text after it."""
        names = [name for name in self.session.present if rest.casefold().startswith(f"{name.casefold()} ")]
        name = max(names, key=len, default=rest.partition(" ")[0])
        if not name:
            raise self._wrong("name_and_text", command="/whisper")
        return name, rest[len(name) :]

    def _impersonate(self) -> Answer:
        text = "".join(self.session.impersonate())
        if not text:
            raise self._wrong("wrote_nothing")
        edited = self.face.edit(text)
        if edited is None:
            self.face.tell(f"{one_line(self.session.user)}: {text}")
        return Answer(self.session.stream(text if edited is None else edited))

    def _edit(self, rest: str) -> Answer | None:
        """Edit a message; one of the person is answered anew."""
        session = self.session
        first, _, text = rest.partition(" ")
        if first.isdecimal():
            number = session.tree.known(int(first) - 1)
        else:
            mine = [at for at in session.tree.path() if session.tree.messages[at].speaker not in session.present]
            if not mine:
                raise self._wrong("no_message")
            number, text = mine[-1], rest
        new = text if text.strip() else self.face.edit(session.tree.messages[number].text)
        if new is None:
            raise self._wrong("no_text")
        session.edit(number, new)
        if session.tree.messages[number].speaker not in session.present:
            return Answer(session.speak())
        self.face.tell(described(session.tree, session.tree.at))
        return None

    def _compare(self, run: str) -> None:
        """Ask which of two replies is better, and tell whose they are."""
        if self.rivals is None or not self.face.asks:
            raise self._wrong("alone")
        if not run and not self.rivals.has(run):
            raise self._wrong("give_run")
        if not self.rivals.has(run):
            self._say("loading")
        name, rival = self.rivals.find(run)
        self._say("drawing")
        asked = ballot(self.session, self.rivals.own, name, rival, self._chance)
        (first, one), (second, other) = asked.first, asked.second
        if one == other:
            self._say("same", text=one)
            return
        for number, text in ((1, one), (2, other)):
            self.face.say(f"{number}  {asked.speaker}", text or self.words("terminal.no_words"))
        better = ANSWERS[self.face.choose(self.words("terminal.question"), ANSWERS) or ""]
        if better is None:
            self._say("revealed", first=first, second=second)
        else:
            self._say("voted", first=first, second=second, file=self.rivals.keep(asked, better))


def _parted(line: str) -> tuple[str, str]:
    """A command, and what is typed after it."""
    word, _, rest = line.partition(" ")
    return word.lower(), rest.strip()
