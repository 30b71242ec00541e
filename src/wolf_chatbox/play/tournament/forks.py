"""Choices between two lines of a player, from what came of them: which of the two its side wins with more often.

A game is played up to a place where somebody talks. There the player says what it said, or draws something else, and
from there the game is played on, with the same seeds after both lines. One game says little about one line, so each is
played on several times, and of lines that do about equally well none is chosen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

from wolf_chatbox.conversation import Turn
from wolf_chatbox.data.preferences import Preference
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.game import SIDES
from wolf_chatbox.play.casting import Cast
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.tournament.games import Order, Stopped, game_of
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.steps import Tell
from wolf_chatbox.werewolf.utterance import FORCE_SKIP, OVER, SKIP, plain

MARGIN = 0.25
"""A line is chosen when its side wins so much more often with it."""
TRIES = 4
"""How often another line is drawn, until it is another one."""


class Asked(NamedTuple):
    """A request, and what came of it."""

    kind: Kind
    name: str
    reply: str | None

    @property
    def is_talk(self) -> bool:
        return self.kind == "talk" and bool(self.reply) and self.reply not in (OVER, SKIP, FORCE_SKIP)


class Tape:
    """The answers of a game, in the order of the requests; the first ones are given, the others are the players'."""

    def __init__(self, given: Sequence[str | None] = ()) -> None:
        self.given = list(given)
        self.asked: list[Asked] = []
        self.scene: Scene | None = None
        """What the player saw who was asked first after the given answers."""

    def answer(self, player: Player, kind: Kind, sight: Sight) -> str | None:
        at = len(self.asked)
        if at == len(self.given):
            self.scene = sight.scene(kind)
        reply = self.given[at] if at < len(self.given) else player.answer(kind, sight)
        self.asked.append(Asked(kind, sight.me, reply))
        return reply


class Taped(Player):
    """A player whose first answers are on a tape."""

    def __init__(self, player: Player, tape: Tape) -> None:
        super().__init__()
        self._player, self._tape = player, tape

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        return self._tape.answer(self._player, kind, sight)

    def told(self, tell: Tell, sight: Sight) -> None:
        self._player.told(tell, sight)

    def close(self) -> None:
        self._player.close()


def fork(order: Order, game: int, cast: Cast, rollouts: int) -> Preference | None:
    """A choice between two lines of one game; None where nobody talked, drew another line, or won more with it."""
    if order.contest.table.talk != "turns":
        raise ConfigError("preferences", True, "needs talk in turns. Add --talk turns, or leave it out.")

    def played(tape: Tape, what: object, stopped: Stopped = lambda: False) -> Village:
        return play_on(order, game, cast, tape, what, stopped)

    whole = Tape()
    village = played(whole, "first")
    places = [at for at, asked in enumerate(whole.asked) if asked.is_talk]
    if not places:
        return None
    at = random.Random(order.contest.seed_of(game, "place")).choice(places)
    before, speaker = [asked.reply for asked in whole.asked[:at]], whole.asked[at].name
    drawn = _other_line(before, whole.asked[at], played)
    if drawn is None or drawn.scene is None:
        return None
    lines = [plain(tape.asked[at].reply or "", lines=False) for tape in (whole, drawn)]
    side = SIDES[village.roles[speaker]]
    won = [
        sum(played(Tape([*before, line]), turn).winner == side for turn in range(rollouts)) / rollouts for line in lines
    ]
    if abs(won[0] - won[1]) < MARGIN:
        return None
    chosen, rejected = lines if won[0] > won[1] else lines[::-1]
    return Preference(context_of(drawn.scene), Turn(speaker, chosen), Turn(speaker, rejected))


def context_of(scene: Scene) -> tuple[Turn, ...]:
    """A scene as the turns of a choice: what is known at its beginning is the narrator's first turn."""
    opening = (Turn(scene.narrator, scene.opening),) if scene.opening else ()
    return (*opening, *(Turn(turn.speaker, turn.text) for turn in scene.turns))


def _other_line(
    before: Sequence[str | None], said: Asked, played: Callable[[Tape, object, Stopped], Village]
) -> Tape | None:
    """A tape that ends with another line in the same place; None where the player draws none."""
    for trial in range(TRIES):
        tape = Tape(before)
        played(tape, f"other {trial}", lambda tape=tape: len(tape.asked) > len(before))  # type: ignore[misc]
        if tape.asked[-1].is_talk and tape.asked[-1].reply != said.reply:
            return tape
    return None


def play_on(order: Order, game: int, cast: Cast, tape: Tape, what: object, stopped: Stopped = lambda: False) -> Village:
    """Play a game whose first answers are on a tape; the players' seeds follow from the game and `what`."""
    seating = order.contest.seating(game)
    village = game_of(order.contest, seating)
    players = {
        name: Taped(cast.make(player)(order.contest.seed_of(game, f"{what}/{seat}")), tape)
        for seat, (name, player) in enumerate(zip(village.names, seating.players))
    }
    return Moderator(village, players, stopped=stopped).lead()
