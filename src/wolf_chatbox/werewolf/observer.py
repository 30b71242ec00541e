"""What one person at a werewolf table knows as the game goes on.

A game runs once past an Observer, turn by turn and event by event. What the observer is told becomes turns of the
narrator and, from the next day on, lines of its briefing. So a briefing holds what its player knows by then, by
construction.
"""

from __future__ import annotations

from collections.abc import Iterator

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.game import WEREWOLF, Event, Game, Kind
from wolf_chatbox.scene import Scene
from wolf_chatbox.werewolf.narration import Narrator

KNOW_EACH_OTHER = (WEREWOLF, "MASON")
"""Roles whose players know each other from the start. Any other knowledge of a player has an event of its own."""


class Observer:
    """One person at the table; `name` is a player, or None for the moderator, who knows everything."""

    def __init__(self, conversation: Conversation, game: Game, name: str | None) -> None:
        self.game, self.name = game, name
        self.narrator = Narrator(game.language, conversation.names())
        self.say = self.narrator.say
        self.player = game.player(name) if name is not None else None
        self.role = self.player.first_role if self.player else ""
        self.has_mediums = any(event.kind == "medium" for event in game.events)
        # Roles are dealt when the first day or night begins; talk before that knows none.
        self.begun = not any(event.kind in ("day", "night") for event in game.events)
        self.over = False
        self.day: int | None = None
        self.dark = False
        self.dead: set[str] = set()
        self.ballots: dict[Kind, dict[str, str]] = {"vote": {}, "attack_vote": {}}
        """Votes that are, or will be, made known; kept until all have voted."""
        self.lost: set[str] = set()
        """Who died in a night that is not over; nobody is told before the morning, or how."""
        self.attacked = False
        self.executed: list[str] = []
        """Players whose role a medium learns in the morning."""
        self.story: list[tuple[str, list[str], list[str]]] = [(self.say("at first"), [], [])]
        """For each day what others were told too, and what this person alone was told."""
        self.begin()

    @property
    def knows_all(self) -> bool:
        return self.name is None

    @property
    def sees_votes(self) -> bool:
        return self.knows_all or self.game.votes_are_public

    @property
    def among_wolves(self) -> bool:
        """Whether it hears the wolves: it is one, and alive."""
        return self.knows_all or (self.role == WEREWOLF and self.name not in self.dead)

    def begin(self) -> None:
        self.briefing = ""
        self.channel = ""
        self.turns: list[Turn] = []
        self.places: list[int] = []

    def scene(self) -> Scene:
        """What it heard since the day began; it is the one to speak next."""
        self.briefing = self.briefing or self.brief()
        return Scene(
            turns=tuple(self.turns),
            speaker=self.name,
            opening=self.briefing,
            narrator=self.narrator.name,
            observer=self.name,
            learners=frozenset({self.name} if self.name is not None else ()),
            places=tuple(self.places),
        )

    def hear(self, place: int, turn: Turn) -> None:
        """A turn is said; it joins the scene if this person hears it."""
        reaches = {
            "": True,
            "whisper": self.over or self.among_wolves,
            "thought": self.knows_all,
            "grave": self.over or self.name in self.dead,
        }
        if not (self.knows_all or turn.speaker == self.name or reaches[turn.channel]):
            return
        self.turn_to(turn.channel)
        self.turns.append(turn)
        self.places.append(place)

    def turn_to(self, channel: str) -> None:
        """The narrator tells who hears what follows, where it is another channel than before."""
        self.briefing = self.briefing or self.brief()
        if channel != self.channel:
            self.note(self.say(f"channel {channel}"))
            self.channel = channel

    def note(self, text: str) -> None:
        """The narrator says something that is not remembered."""
        self.turns.append(Turn(self.narrator.name, text))
        self.places.append(-1)

    def tell(self, text: str, *, alone: bool = False) -> None:
        """The narrator says something that is remembered; before the first turn it is part of the briefing."""
        _, public, private = self.story[-1]
        (private if alone else public).append(text)
        if self.briefing:
            self.note(text)

    def tell_of(self, what: str, event: Event, **slots: object) -> None:
        """Tell the actor alone what the actor did, or found out."""
        if self.knows_all or event.actor == self.name:
            you = event.actor == self.name
            actor, to_actor = (self.say("you"), self.say("to you")) if you else (event.actor, event.actor)
            self.tell(
                self.say(what, actor=actor, to_actor=to_actor, target=event.target or self.say("nobody"), **slots),
                alone=event.kind != "vote" and not self.knows_all,
            )

    def witness(self, event: Event) -> Iterator[Scene]:
        """An event happens; yields the scene that it ends, if it ends one."""
        if event.kind in ("execute", "announce", "night", "day", "end"):
            self.close("vote")
        if event.kind in ("attack", "night", "day", "end"):
            self.close("attack_vote")
        match event.kind:
            case "day":
                self.dawn()
                yield self.scene()
                self.begun, self.day = True, event.day
                self.story.append((self.say("on day", day=event.day), [], []))
                self.begin()
            case "night":
                self.begun = self.dark = True
                self.note(self.say("night"))
            case "vote" if self.sees_votes or event.actor == self.name:
                self.cast(event)
            case "attack_vote" if self.among_wolves:
                self.cast(event)
            case "execute":
                self.execute(event)
            case "attack":
                self.attack(event)
            case "death":
                self.die(event)
            case "divine" | "medium" if event.result:
                self.tell_of(event.kind, event, role=self.narrator.role(event.result))
            case "divine":
                self.tell_of("divine, no result", event)
            case "guard":
                self.tell_of("guard", event)
            case "know" if event.text:
                self.tell_of("know", event, text=event.text)
            case "know" if event.result:
                self.tell_of("know a role", event, role=self.narrator.role(event.result))
            case "announce":
                self.note(event.text)
            case "end":
                self.dawn()
                self.end()
                yield self.scene()
                self.begin()

    def cast(self, event: Event) -> None:
        if event.actor in self.ballots[event.kind]:  # the first ballot was a tie
            self.close(event.kind)
        self.ballots[event.kind][event.actor] = event.target

    def close(self, kind: Kind) -> None:
        """All have voted."""
        votes, self.ballots[kind] = self.ballots[kind], {}
        if votes and (kind == "attack_vote" or self.sees_votes):
            self.tell(self.narrator.ballot(kind, votes))
        else:
            for actor, target in votes.items():
                self.tell_of("vote", Event(0, 0, "vote", actor, target))

    def execute(self, event: Event) -> None:
        if not event.target:
            self.tell(self.say("nobody executed"))
        elif event.result:
            self.tell(self.say("executed, with a role", target=event.target, role=self.narrator.role(event.result)))
        else:
            self.tell(self.say("executed", target=event.target))
            self.executed.append(event.target)
        self.dead |= {event.target} - {""}

    def attack(self, event: Event) -> None:
        killed = event.target != "" and event.result == "killed"
        if self.knows_all:
            what = "attack killed" if killed else "attack failed" if event.target else "nobody attacked"
            self.tell(self.say(what, target=event.target))
            self.dead |= {event.target} if killed else set()
        else:
            self.attacked = True
            self.lost |= {event.target} if killed else set()

    def die(self, event: Event) -> None:
        if not self.knows_all and (self.dark or self.attacked):
            self.lost.add(event.target)
        else:
            self.tell(self.say("died, told how" if event.result else "died", target=event.target, how=event.result))
            self.dead.add(event.target)

    def dawn(self) -> None:
        """A night is over: everybody is told who died in it, the medium what the executed players were."""
        if self.lost:
            lost = [player.name for player in self.game.players if player.name in self.lost]
            self.tell(self.say("died at night", names=self.narrator.listed(lost)))
        elif self.attacked:
            self.tell(self.say("nobody died"))
        self.dead |= self.lost
        self.lost, self.attacked, self.dark = set(), False, False
        # https://github.com/aiwolfdial/aiwolf-nlp-server tells mediums and does not log it.
        for target in () if self.has_mediums else self.executed:
            player = self.game.player(target)
            for medium in self.game.players:
                if medium.first_role == "MEDIUM" and medium.name not in self.dead and player and player.first_role:
                    result = WEREWOLF if player.first_role == WEREWOLF else "HUMAN"
                    self.tell_of("medium", Event(0, 0, "medium", medium.name, target), role=self.narrator.role(result))
        self.executed = []

    def end(self) -> None:
        self.over = True
        roles = self.narrator.roles({player.name: player.role for player in self.game.players})
        won = self.say("won", side=self.narrator.side(self.game.winner)) if self.game.winner else self.say("over")
        self.tell(self.narrator.listed([sentence for sentence in (won, roles) if sentence], "space"))

    def brief(self) -> str:
        """Who this person is and who is alive; then a line for each day, and last what this person alone was told."""
        sentences = [*self._identity(), self._today(), *self._table()]
        now = self.narrator.listed([sentence for sentence in sentences if sentence], "space")
        told = [(day, public) for day, public, _ in self.story] + [(day, private) for day, _, private in self.story]
        days = [day + self.narrator.listed(lines, "space") for day, lines in told if lines]
        return "\n".join([now, *days])

    def _identity(self) -> Iterator[str]:
        if self.knows_all:
            yield self.narrator.roles({player.name: player.first_role for player in self.game.players})
        elif self.player is None or not self.begun:
            yield self.say("I am", name=self.name)
        else:
            yield self.narrator.identity(self.player)
            others = [player.name for player in self.game.players if player.first_role == self.role]
            others = [name for name in others if name != self.name]
            if others and self.role in KNOW_EACH_OTHER:
                yield self.say(f"the other {self.role}", names=self.narrator.listed(others))

    def _today(self) -> str:
        if self.over:
            return self.say("over")
        if not self.begun:
            return self.say("before")
        return self.say("today", day=self.day) if self.day is not None else ""

    def _table(self) -> Iterator[str]:
        names = [player.name for player in self.game.players]
        yield self.say("alive", names=self.narrator.listed(name for name in names if name not in self.dead))
        if dead := [name for name in names if name in self.dead]:
            yield self.say("dead", names=self.narrator.listed(dead))
