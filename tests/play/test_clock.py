"""Talk at any time in real time: people by their lines, agents by their bids."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wolf_chatbox.play.clock import LiveClock
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.player import Bid, Player
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.players.human import HumanPlayer
from wolf_chatbox.play.seating import Sitting, sit_down
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.steps import Tell
from wolf_chatbox.werewolf.table import TableConfig

TABLE = TableConfig(talk="anytime", days=1)


class Person(HumanPlayer):
    """Says its lines as soon as it may talk, then Over, and votes for the first."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines = list(lines)

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        return sight.targets(kind)[0]

    def let_talk(self, *given: object) -> None:
        super().let_talk(*given)  # type: ignore[arg-type]
        assert self.say(self.lines.pop(0) if self.lines else "Over")


def play(person: HumanPlayer, agent: type[Player] = ChancePlayer) -> Sitting:
    held = sit_down(TABLE, {"Ann": person}, ["random"], lambda word: lambda seed: agent(seed), 1)  # type: ignore[call-arg]
    Moderator(held.village, held.players, clock=LiveClock(held.village, held.players, pace=0)).lead()
    return held


def test_people_and_agents_talk_until_all_have_said_what_they_may() -> None:
    held = play(Person("Hello.", "Anybody?", "Over", "Day two.", "Over"))
    assert [line.text for line in held.village.lines if line.speaker == "Ann"] == [
        "Hello.",
        "Anybody?",
        "Over",
        "Day two.",
        "Over",
    ]
    assert {line.speaker for line in held.village.lines if line.is_speech} == set(held.village.names)


def test_who_may_not_talk_any_more_is_not_asked() -> None:
    person = Person()
    assert not person.say("Hello.")
    held = play(person)
    assert not person.talks_freely
    assert not person.say("Hello.")
    assert held.village.winner or held.village.over


def test_who_left_holds_nobody_up() -> None:
    person = HumanPlayer()
    person.leave()
    held = play(person)
    assert held.village.over
    assert not [line for line in held.village.lines if line.speaker == "Ann"]


class Slow(ChancePlayer):
    """Thinks until it is told to go on; records whether two calls came at once."""

    gate = threading.Event()
    together = 0

    def __init__(self, seed: int | str | None = None) -> None:
        super().__init__(seed)
        self.busy = threading.Lock()

    @contextmanager
    def alone(self) -> Iterator[None]:
        free = self.busy.acquire(blocking=False)
        Slow.together += not free
        yield
        if free:
            self.busy.release()

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
        with self.alone():
            assert self.gate.wait(30)
            return super().bid(sight, seconds, kind)

    def told(self, tell: Tell, sight: Sight) -> None:
        with self.alone():
            super().told(tell, sight)


def test_a_slow_agent_keeps_nobody_from_talking_and_is_called_once_at_a_time() -> None:
    class Chatty(Person):
        def let_talk(self, *given: object) -> None:
            if len(self.lines) < 2:
                Slow.gate.set()
            super().let_talk(*given)

    Slow.gate.clear()
    Slow.together = 0
    held = play(Chatty("One.", "Two.", "Three.", "Over"), Slow)
    said = [(line.speaker, line.text) for line in held.village.lines if line.is_speech and line.day == 0]
    assert [text for speaker, text in said[:3]] == ["One.", "Two.", "Three."]
    assert {speaker for speaker, _ in said} == set(held.village.names)
    assert Slow.together == 0


def test_what_an_agent_thought_is_kept_for_the_reveal() -> None:
    class Thinker(ChancePlayer):
        def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
            bid = super().bid(sight, seconds, kind)
            self.thought = f"I say {bid.text}" if bid else ""
            return bid

    held = play(Person("Over"), Thinker)
    assert any(thought.text.startswith("I say") for thought in held.village.thoughts)
