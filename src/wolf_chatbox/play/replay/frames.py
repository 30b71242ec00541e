"""From a recorded game to its steps: what was said and done, who was alive, and whom everybody had to suspect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.game import Event, Game
from wolf_chatbox.play.inference.reasoning import Reasoner
from wolf_chatbox.werewolf.claims import claims_in
from wolf_chatbox.werewolf.sight import Line, Sight
from wolf_chatbox.werewolf.table import ROLES, TableConfig

SHOWN = ("vote", "execute", "attack_vote", "attack", "divine", "medium", "guard", "know", "death", "announce", "end")
"""What is a step of its own; a day and a night only begin."""


@dataclass(frozen=True)
class Frame:
    """One step of a game. Names are players; fields that do not apply are empty."""

    day: int
    dark: bool
    """Whether it is night."""
    kind: str
    """talk, whisper, thought, grave, or what happened (`game.Kind`)."""
    who: str
    target: str
    result: str
    text: str
    dead: tuple[str, ...]
    """Who is dead after it."""
    suspicion: tuple[float, ...] | None
    """For each player, how likely it is a wolf by what everybody knows after it; None where roles are unknown ones."""
    claims: tuple[str, ...] = ()
    """The roles that the speaker claims in it."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without empty fields; probabilities in percent."""
        form = {"day": self.day, "dark": self.dark, "kind": self.kind, "who": self.who, "target": self.target}
        form |= {"result": self.result, "text": self.text, "dead": list(self.dead), "claims": list(self.claims)}
        if self.suspicion is not None:
            form["wolf"] = [round(100 * share) for share in self.suspicion]
        return {key: value for key, value in form.items() if value or key == "day"}


def frames(conversation: Conversation) -> Iterator[Frame]:
    """The steps of a game, in order. Suspicion is what the rules player concludes from public facts alone."""
    game = conversation.game
    assert game is not None, "only a game can be replayed"
    course = _Course(game)
    events = iter(game.events)
    event = next(events, None)
    for place, item in enumerate(_with_thoughts(conversation)):
        while event is not None and event.at <= item.at:
            yield from course.happen(event)
            event = next(events, None)
        yield course.say(place, item.turn)
    while event is not None:
        yield from course.happen(event)
        event = next(events, None)


@dataclass(frozen=True)
class _Said:
    at: int
    """How many turns of the conversation came before it."""
    turn: Turn


def _with_thoughts(conversation: Conversation) -> list[_Said]:
    """What was said, and between it what the players of our own games thought."""
    assert conversation.game is not None
    thoughts = conversation.game.facts.get("thoughts", [])
    said = [_Said(at, turn) for at, turn in enumerate(conversation.turns)]
    thought = [_Said(one["at"], Turn(one["name"], one["text"], channel="thought")) for one in thoughts]
    return sorted(said + thought, key=lambda one: (one.at, one.turn.channel != "thought"))


class _Course:
    """A game while it is run through, and somebody who watches it."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.names = tuple(player.name for player in game.players)
        self.day, self.dark = 0, False
        self.dead: list[str] = []
        self.onlooker = _onlooker(game)
        self.reasoner = Reasoner()

    def say(self, place: int, turn: Turn) -> Frame:
        if self.onlooker is not None and turn.channel == "" and turn.speaker in self.names:
            self.onlooker.hear(Line(place, self.day, 0, turn.speaker, turn.text))
        claims = tuple(claims_in(turn.text, self.game.language)) if turn.channel == "" else ()
        return self.frame(turn.channel or "talk", turn.speaker, text=turn.text, claims=claims)

    def happen(self, event: Event) -> Iterator[Frame]:
        if self.onlooker is not None and (event.target or event.kind != "vote"):  # some games have votes for nobody
            self.onlooker.learn(event)
        if event.kind == "day":
            self.day, self.dark = event.day, False
        self.dark |= event.kind == "night"
        if event.target and (event.kind in ("execute", "death") or event.result == "killed"):
            self.dead += [event.target] if event.target not in self.dead else []
        if event.kind in SHOWN:
            yield self.frame(event.kind, event.actor, event.target, event.result, event.text)

    def frame(
        self, kind: str, who: str, target: str = "", result: str = "", text: str = "", claims: tuple[str, ...] = ()
    ) -> Frame:
        suspicion = None
        if self.onlooker is not None:
            beliefs = self.reasoner.public(self.onlooker)
            suspicion = tuple(beliefs.wolf(name) for name in self.names)
        return Frame(self.day, self.dark, kind, who, target, result, text, tuple(self.dead), suspicion, claims)


def _onlooker(game: Game) -> Sight | None:
    """Somebody who hears and sees what everybody does; None in a game with roles that nobody here reasons about."""
    counts = Counter(player.first_role for player in game.players)
    if not set(counts) <= set(ROLES):
        return None
    roles = tuple(f"{role}={number}" for role, number in counts.items())
    try:
        table = TableConfig(
            players=len(game.players),
            roles=roles,
            language="ja" if game.language == "ja" else "en",
            public_votes=game.votes_are_public or game.source.startswith("aiwolf"),
        )
    except ConfigError:  # more players, or more wolves, than sit at any table of ours
        return None
    names = tuple(player.name for player in game.players)
    return Sight(table, "", "", "", names, {}, table.counts())
