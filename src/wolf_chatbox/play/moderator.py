"""The moderator: leads a game from its first day to its end, whoever the players are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor

from wolf_chatbox.play.clock import Clock, SimulatedClock
from wolf_chatbox.play.player import Player
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.sight import Kind
from wolf_chatbox.werewolf.steps import Answer, Ask, Listen, Step, Tell

Watch = Callable[[Village, Step], None]
"""Called at each step, before anybody is asked, with what has become of the game: for pages, logs and viewers."""


class Moderator:
    """Leads one game. Players may be in this process, behind a network, or people."""

    def __init__(
        self,
        village: Village,
        players: Mapping[str, Player],
        *,
        watch: Watch | None = None,
        together: Executor | None = None,
        clock: Clock | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """`together` asks those who may be asked at once side by side, `clock` leads talk at any time.

        `stopped` is asked between steps: true gives the game up, with what there is.
        """
        self.village, self.players = village, dict(players)
        self._watch, self._together, self._stopped = watch or (lambda village, step: None), together, stopped
        self._clock = clock or SimulatedClock(village, self.players)

    def lead(self) -> Village:
        """Play the game; returns what became of it. What a player raises ends the game, and is raised."""
        course = self.village.course()
        answer: Answer = None
        try:
            while not self._stopped():
                step = course.send(answer)
                self._watch(self.village, step)
                answer = self._take(step)
                for name, player in self.players.items():
                    if player.gone and name not in self.village.gone:
                        self.village.lose(name)
        except StopIteration:
            pass
        finally:
            self._clock.close()
            for player in self.players.values():
                player.close()
        return self.village

    def _take(self, step: Step) -> Answer:
        match step:
            case Tell():
                if step.what != "broadcast":
                    self._clock.rest()
                for name in step.who:
                    if not self._clock.thinking(name):
                        self.players[name].told(step, self.village.sights[name])
                return None
            case Listen():
                heard = self._clock.next(step)
                if heard is not None:
                    self._take_thought(heard[0])
                return heard
            case Ask():
                if self._together is None or len(step.who) < 2:
                    return {name: self._ask(step.kind, name) for name in step.who}
                replies = [self._together.submit(self._ask, step.kind, name) for name in step.who]
                return {name: reply.result() for name, reply in zip(step.who, replies)}

    def _ask(self, kind: Kind, name: str) -> str | None:
        reply = self.players[name].answer(kind, self.village.sights[name])
        self._take_thought(name)
        return reply

    def _take_thought(self, name: str) -> None:
        player = self.players[name]
        self.village.think(name, player.thought)
        player.thought = ""
