"""An agent of the contest: plays one game over one connection, for any Player.

One thread listens; another one thinks, so that a slow player never keeps the agent from answering in time. What is
sent goes through one lock, which knows what the server waits for: a late answer is dropped.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any, Literal, NamedTuple, Protocol, cast

from wolf_chatbox.errors import PlayError, WolfChatboxError
from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.importers.shared.games import fields, words
from wolf_chatbox.play.clock import Deadline
from wolf_chatbox.play.inference.reasoning import Reasoner, worth
from wolf_chatbox.play.player import Bid, Player
from wolf_chatbox.play.protocol.knowledge import ASKED, CHAT, Knowledge, winner_of
from wolf_chatbox.play.protocol.setting import Language
from wolf_chatbox.play.protocol.talking import ECHO, Chat, Item, Phase, Request
from wolf_chatbox.visible import Tell as Say
from wolf_chatbox.werewolf.sight import SPEECH, Sight
from wolf_chatbox.werewolf.steps import Tell
from wolf_chatbox.werewolf.utterance import OVER

LOOK = 0.2
"""Seconds between two looks at whether the agent is to stop."""
MARGIN = 5.0
"""Seconds by which the agent is done before the server's time is up; a quarter of a short time."""
SECONDS = 60.0
"""Seconds for an answer, where the server does not tell."""
PHASE = 600.0
"""Seconds of talk at any time, where the server does not tell."""


class Wire(Protocol):
    """A connection: websockets' own, or a test's. `recv` raises TimeoutError, and anything else when it is closed."""

    def send(self, message: str) -> None: ...

    def recv(self, timeout: float | None = None) -> str | bytes: ...


class Outcome(NamedTuple):
    """What became of a game."""

    game_id: str
    me: str
    role: str
    day: int
    winner: str
    finished: bool
    """Whether it came to its end; False if the connection was lost."""
    instead: int
    """Answers that the player did not give in time."""


Note = Callable[[Mapping[str, Any]], None]
"""Takes what happened, to keep it: a packet, or what was sent."""


class Agent:
    """Plays one game."""

    def __init__(
        self,
        wire: Wire,
        name: str,
        player: Player,
        *,
        language: Language | None = None,
        patience: float = 1800,
        hello: float = 30,
        note: Note = lambda event: None,
        tell: Say = lambda text: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """`name` is that of the connection.

        A server that is silent for `hello` seconds before it asks for the name, or for `patience` seconds in a game, is
        given up. `stopped` is asked again and again: true gives the game up.
        """
        self._wire, self._name, self._player = wire, name, player
        self._knowledge = Knowledge(language)
        self._note, self._tell, self._stopped = note, tell, stopped
        self._patience, self._hello = patience, hello
        self._lock = threading.Lock()
        self._request: Request | None = None
        self._phase: Phase | None = None
        self._thinks_of: Request | None = None
        self._todo: SimpleQueue[Item | None] = SimpleQueue()
        self._seconds = SECONDS
        self._durations = {"talk": PHASE, "whisper": PHASE}
        self._instead = 0
        self._last: Mapping[str, Any] = {}
        """What the last packet said of the game."""
        self._failed: set[str] = set()
        self._bug: Exception | None = None
        self._lost = False
        """Whether nothing can be made of this game."""
        self._greeted = False

    def play(self) -> Outcome | None:
        """Play until the end, or until the connection is lost; None: before a game began.

        Raises PlayError for a server that does not speak, DataError for a game that cannot be played, and what the
        player raised, if that is no known error.
        """
        thinker = threading.Thread(target=self._think, name=f"{self._name} thinks", daemon=True)
        thinker.start()
        try:
            finished = self._listen()
        finally:
            with self._lock:
                self._request = self._phase = None
            self._todo.put(None)
            thinker.join(ECHO)  # it may be thinking of an answer that nobody waits for
        if self._bug is not None:
            raise self._bug
        return self._outcome(finished) if self._last else None

    def _outcome(self, finished: bool) -> Outcome:
        info, roles = self._last, fields(self._last.get("role_map"))
        me, day = words(info.get("agent")), info.get("day")
        alive = [name for name, state in fields(info.get("status_map")).items() if state == "ALIVE"]
        winner = winner_of(roles, alive) if finished else ""
        return Outcome(
            words(info.get("game_id")),
            me,
            words(roles.get(me)),
            day if isinstance(day, int) else 0,
            winner,
            finished,
            self._instead,
        )

    # The thread that listens

    def _listen(self) -> bool:
        """Take frames until the end of the game; whether it came to it."""
        silence = Deadline(self._hello)
        while not self._stopped() and not self._lost:
            request = self._request
            try:
                frame = self._wire.recv(timeout=min(LOOK, request.deadline.left) if request else LOOK)
            except TimeoutError:
                if request is not None and not request.deadline.left:
                    self._answer_instead(request)
                elif not silence.left and not self._greeted:
                    raise PlayError("the server says nothing. Is it one of the AIWolf contest?") from None
                elif not silence.left and self._last:
                    self._note({"lost": "silence"})
                    return False
                continue
            except Exception as error:  # whatever a connection may raise when it is lost
                self._note({"lost": str(error) or type(error).__name__})
                return False
            silence = Deadline(self._patience)
            if self._take(frame):
                return True
        return False

    def _take(self, frame: str | bytes) -> bool:
        """Take a frame; whether it ends the game."""
        try:
            packet = fields(json.loads(frame))
        except (ValueError, RecursionError):
            packet = {}
        what, info = words(packet.get("request")), fields(packet.get("info"))
        self._note({"packet": packet} if packet else {"unreadable": len(frame)})
        if what == "NAME":
            self._greeted = True
            with self._lock:  # whatever is being thought of, nobody waits for it any more
                self._request = None
                self._send(what, self._name)
            return False
        if info.get("agent"):
            self._last = info
        if setting := fields(packet.get("setting")):
            self._learn_times(setting)
        with self._lock:
            self._turn_to(what, packet)
            item = packet, self._request if what in ASKED else None, self._phase if what in CHAT else None
        self._todo.put(item)
        return what == "FINISH"

    def _turn_to(self, what: str, packet: Mapping[str, Any]) -> None:
        if what in ASKED:
            self._request, self._phase = Request(ASKED[what], packet, self._seconds), None
        elif what.endswith("PHASE_START") and what in CHAT:
            kind: Literal["talk", "whisper"] = "whisper" if CHAT[what] == "whisper" else "talk"
            self._phase = Phase(kind, Deadline(self._durations[kind]))
        elif what not in CHAT or what.endswith("PHASE_END"):
            self._phase = None

    def _learn_times(self, setting: Mapping[str, Any]) -> None:
        action = fields(setting.get("timeout")).get("action")
        self._seconds = _less(action, SECONDS)
        self._durations = {kind: _less(fields(setting.get(kind)).get("duration"), PHASE) for kind in self._durations}

    def _answer_instead(self, request: Request) -> None:
        """Answer for a player who is not done in time."""
        text = self._best(request)
        if self._reply(request, text, instead=True):
            self._instead += 1

    def _best(self, request: Request) -> str:
        """Over, or the name that the rules player would give by what is known; else one of those who may be named."""
        if request.kind in SPEECH:
            return OVER
        names = may_be_named(request)
        sight = self._knowledge.sight
        if sight is not None and self._thinks_of is request:  # so the Sight is complete, and nobody changes it
            try:
                worths = worth(request.kind, sight, Reasoner().beliefs(sight))
                return max(worths, key=worths.__getitem__)
            except Exception as error:  # an answer is better than none
                self._note({"failed": repr(error)})
        return random.choice(names) if names else words(fields(request.packet.get("info")).get("agent"))

    def _reply(self, request: Request, text: str, *, instead: bool = False) -> bool:
        """Send an answer, if the server still waits for it; whether it did."""
        with self._lock:
            if self._request is not request:
                return False
            self._request, request.sent = None, text
            self._send(request.kind.upper(), text, instead=instead)
            return True

    def _send(self, to: str, text: str, *, instead: bool = False) -> None:
        text = text.encode(errors="replace").decode()  # half a surrogate pair cannot be sent
        self._note({"answer": text, "to": to} | ({"instead": True} if instead else {}))
        try:
            self._wire.send(text)
        except Exception as error:  # the thread that listens will learn of it too
            self._note({"lost": str(error) or type(error).__name__})

    # The thread that thinks

    def _think(self) -> None:
        chat = Chat(self._todo, self._bid, self._speak)
        try:
            while (item := chat.wait()) is not None:
                packet, request, phase = item
                what = self._knowledge.take(packet)
                sight = self._knowledge.sight
                if sight is None or not what:
                    continue
                chat.follow(what, phase, packet, sight)
                if request is not None:
                    self._answer(request, sight)
                elif what not in ASKED:
                    self._told(what, sight)
        except Exception as error:
            self._bug, self._lost = error, True
        finally:
            self._player.close()

    def _told(self, what: str, sight: Sight) -> None:
        told = what.partition("_")[2] if what in CHAT else what
        step = Tell(cast(Any, told.lower()), (sight.me,), CHAT.get(what, "talk"))
        self._asked(lambda: self._player.told(step, sight))

    def _answer(self, request: Request, sight: Sight) -> None:
        if self._request is request:  # else somebody answered, or nobody waits any more
            self._thinks_of = request
            text = self._asked(lambda: self._player.answer(request.kind, sight))
            if self._player.thought:
                self._note({"thought": self._player.thought})
                self._player.thought = ""
            if request.kind in SPEECH:
                text = text or OVER
            if text is None or (request.kind not in SPEECH and text not in sight.alive):
                self._answer_instead(request)
            else:
                self._reply(request, text)
            self._thinks_of = None
        if request.sent is not None:
            self._knowledge.answered(request.kind, request.sent)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What the player says; None where it fails. A known error is told once; any other is raised after the game."""
        try:
            return ask()
        except WolfChatboxError as error:
            if str(error) not in self._failed:
                self._failed.add(str(error))
                self._tell(f"{self._name}: {error}")
        except Exception as error:
            self._note({"failed": repr(error)})
            self._bug = error
        return None

    def _bid(self, phase: Phase, sight: Sight) -> Bid | None:
        bid = self._asked(lambda: self._player.bid(sight, phase.deadline.left, phase.kind))
        return bid if isinstance(bid, Bid) and bid.text.strip() else None

    def _speak(self, phase: Phase, text: str) -> bool:
        """Say something in talk at any time, unless its time is up."""
        with self._lock:
            if self._phase is not phase or self._request is not None or not phase.deadline.left:
                return False
            self._send(phase.kind.upper(), text)
            return True


def may_be_named(request: Request) -> list[str]:
    """Who is alive by a request, without its agent, and in an attack without the wolves it knows."""
    info = fields(request.packet.get("info"))
    roles, me = fields(info.get("role_map")), words(info.get("agent"))
    alive = [name for name, state in fields(info.get("status_map")).items() if state == "ALIVE" and name != me]
    return [name for name in alive if request.kind != "attack" or roles.get(name) != WEREWOLF]


def _less(milliseconds: Any, otherwise: float) -> float:
    """The server's time in seconds, less a margin."""
    known = isinstance(milliseconds, int) and not isinstance(milliseconds, bool) and milliseconds > 0
    seconds = milliseconds / 1000 if known else otherwise
    return seconds - min(MARGIN, seconds / 4)
