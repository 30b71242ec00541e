"""A game of werewolf as one person at the table lived it: what was heard and what was told, and nothing else.

A game runs once past an Observer, turn by turn and event by event. What the observer is told becomes turns of the narrator
and, from the next day on, lines of its briefing; so a briefing holds what its player knows by then, by construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from wolf_chatbox.conversation import Conversation, Turn
from wolf_chatbox.game import WEREWOLF, Event, Game, Kind
from wolf_chatbox.werewolf.narration import Narrator

KNOW_EACH_OTHER = (WEREWOLF, "MASON")
"""Roles whose players know each other from the beginning. Who else knows something of somebody has an event of its own."""


@dataclass(frozen=True, slots=True)
class View(Conversation):
    """A stretch of a game (a day and the night after it) as one person lived it; the narrator's turns stand among those of the game.

    It holds no `game`: it knows no more than its person.
    """

    briefing: str = ""
    """What the person knows before the first turn, never learnt: a line on itself and the table now, then what it was told, a line for each day.

    What matters most comes last, so that of a briefing that is too long the lines after the first are left out.
    """
    learners: frozenset[str] = frozenset()
    """Whose turns alone are learnt."""
    narrator: str = ""
    """Who tells the briefing and what happens; no name of the game."""
    places: tuple[int, ...] = ()
    """Where each turn stands in the game, by number; -1 for the narrator's."""


def view(conversation: Conversation, kind: str, persona: str | None = None) -> list[View]:
    """The views of a game from which something is learnt; each turn of a learner is learnt in exactly one.

    `player` is each player's days, as it lived them; `player:ROLE` those of this role's players; `moderator` is the whole
    game, day by day, with everything in it and every player learnt. With a persona only the player of that name is learnt.
    """
    assert conversation.game is not None
    learners = learners_of(conversation.game, kind, persona)
    if kind == "moderator":
        views = [replace(each, learners=learners) for each in watch(conversation, None)]
    else:
        views = [
            each
            for player in conversation.game.players
            if player.name in learners
            for each in watch(conversation, player.name)
        ]
    return [each for each in views if each.speakers() & each.learners]


def learners_of(game: Game, kind: str, persona: str | None = None) -> frozenset[str]:
    """The players whose turns are learnt in the views of this kind."""
    role = kind.partition(":")[2].upper()
    names = frozenset(each.name for each in game.players if not role or each.first_role == role)
    return names if persona is None else names & {persona}


def watch(conversation: Conversation, name: str | None) -> Iterator[View]:
    """The stretches of a game, also one that is still going on, as this player lives them; None is the moderator, who knows everything.

    The last stretch is the present: with its turns and its briefing a player is asked for its next words.
    """
    assert conversation.game is not None
    observer = Observer(conversation, conversation.game, name)
    events = iter(conversation.game.events)
    event = next(events, None)
    for place, turn in enumerate(conversation.turns):
        while event is not None and event.at <= place:
            yield from observer.witness(event)
            event = next(events, None)
        observer.hear(place, turn)
    while event is not None:
        yield from observer.witness(event)
        event = next(events, None)
    yield observer.stretch()


class Observer:
    """What one person knows as a game goes on."""

    def __init__(self, conversation: Conversation, game: Game, name: str | None) -> None:
        self.conversation, self.game, self.name = conversation, game, name
        self.narrator = Narrator(game.language, conversation.names())
        self.say = self.narrator.say
        self.player = game.player(name) if name is not None else None
        self.role = self.player.first_role if self.player else ""
        self.has_mediums = any(each.kind == "medium" for each in game.events)
        # Roles are dealt when the first day or night begins; talk before that knows none.
        self.begun = not any(each.kind in ("day", "night") for each in game.events)
        self.over = False
        self.day: int | None = None
        self.dark = False
        self.dead: set[str] = set()
        self.ballots: dict[Kind, dict[str, str]] = {"vote": {}, "attack_vote": {}}
        """Who has voted for whom, as far as it is or will be told, while not all have."""
        self.lost: set[str] = set()
        """Who died in a night that is not over; nobody is told before the morning, nor how."""
        self.attacked = False
        self.executed: list[str] = []
        """Whose role a medium learns in the morning."""
        self.story: list[tuple[str, list[str], list[str]]] = [(self.say("at first"), [], [])]
        """Of each day what was told to others too, and what to this person alone."""
        self.begin()

    @property
    def knows_all(self) -> bool:
        return self.name is None

    @property
    def sees_votes(self) -> bool:
        return self.knows_all or self.game.votes_are_public

    @property
    def among_wolves(self) -> bool:
        """Whether it hears them, and is alive."""
        return self.knows_all or (self.role == WEREWOLF and self.name not in self.dead)

    def begin(self) -> None:
        self.briefing = ""
        self.channel = ""
        self.turns: list[Turn] = []
        self.places: list[int] = []

    def stretch(self) -> View:
        """What it lived since the day began."""
        self.briefing = self.briefing or self.brief()
        learners = frozenset({self.name} if self.name is not None else ())
        return View(
            tuple(self.turns),
            self.conversation.group,
            None,
            self.briefing,
            learners,
            self.narrator.name,
            tuple(self.places),
        )

    def hear(self, place: int, turn: Turn) -> None:
        """A turn is said; it joins the stretch if it reaches this person."""
        reaches = {
            "": True,
            "whisper": self.over or self.among_wolves,
            "thought": self.knows_all,
            "grave": self.over or self.name in self.dead,
        }
        if not (self.knows_all or turn.speaker == self.name or reaches[turn.channel]):
            return
        self.briefing = self.briefing or self.brief()
        if turn.channel != self.channel:
            self.note(self.say(f"channel {turn.channel}"))
            self.channel = turn.channel
        self.turns.append(turn)
        self.places.append(place)

    def note(self, text: str) -> None:
        """The narrator says something of the moment."""
        self.turns.append(Turn(self.narrator.name, text))
        self.places.append(-1)

    def tell(self, text: str, *, alone: bool = False) -> None:
        """The narrator says something that will be remembered; before the first turn it is part of the briefing."""
        _, public, private = self.story[-1]
        (private if alone else public).append(text)
        if self.briefing:
            self.note(text)

    def tell_of(self, what: str, event: Event, **slots: object) -> None:
        """Tell what an actor did, or learnt, to the actor alone."""
        if self.knows_all or event.actor == self.name:
            you = event.actor == self.name
            actor, to_actor = (self.say("you"), self.say("to you")) if you else (event.actor, event.actor)
            self.tell(
                self.say(what, actor=actor, to_actor=to_actor, target=event.target or self.say("nobody"), **slots),
                alone=event.kind != "vote" and not self.knows_all,
            )

    def witness(self, event: Event) -> Iterator[View]:
        """Something happens; yields the stretch that it ends, if it does."""
        if event.kind in ("execute", "announce", "night", "day", "end"):
            self.close("vote")
        if event.kind in ("attack", "night", "day", "end"):
            self.close("attack_vote")
        match event.kind:
            case "day":
                self.dawn()
                yield self.stretch()
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
                yield self.stretch()
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
            self.tell(
                self.say(
                    "attack killed" if killed else "attack failed" if event.target else "nobody attacked",
                    target=event.target,
                )
            )
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
        """A night is over: everybody is told who died in it, the medium what the executed was."""
        if self.lost:
            self.tell(
                self.say(
                    "died at night",
                    names=self.narrator.listed(each.name for each in self.game.players if each.name in self.lost),
                )
            )
        elif self.attacked:
            self.tell(self.say("nobody died"))
        self.dead |= self.lost
        self.lost, self.attacked, self.dark = set(), False, False
        # https://github.com/aiwolfdial/aiwolf-nlp-server tells mediums and logs nothing of it.
        for target in () if self.has_mediums else self.executed:
            player = self.game.player(target)
            for medium in self.game.players:
                if medium.first_role == "MEDIUM" and medium.name not in self.dead and player and player.first_role:
                    result = WEREWOLF if player.first_role == WEREWOLF else "HUMAN"
                    self.tell_of("medium", Event(0, 0, "medium", medium.name, target), role=self.narrator.role(result))
        self.executed = []

    def end(self) -> None:
        self.over = True
        roles = self.narrator.roles({each.name: each.role for each in self.game.players})
        won = self.say("won", side=self.narrator.side(self.game.winner)) if self.game.winner else self.say("over")
        self.tell(self.narrator.listed([each for each in (won, roles) if each], "space"))

    def brief(self) -> str:
        """A line on itself and the table now, then what was told, a line for each day; last what was told to this person alone."""
        say = self.say
        lines: list[str] = []
        if self.knows_all:
            lines.append(self.narrator.roles({each.name: each.first_role for each in self.game.players}))
        elif self.player is not None and self.begun:
            lines.append(self.narrator.identity(self.player))
            if self.role in KNOW_EACH_OTHER:
                others = [
                    each.name for each in self.game.players if each.first_role == self.role and each.name != self.name
                ]
                lines += [say(f"the other {self.role}", names=self.narrator.listed(others))] if others else []
        else:
            lines.append(say("I am", name=self.name))
        lines.append(
            say("over")
            if self.over
            else say("before")
            if not self.begun
            else say("today", day=self.day)
            if self.day is not None
            else ""
        )
        dead = [each.name for each in self.game.players if each.name in self.dead]
        lines.append(
            say(
                "alive",
                names=self.narrator.listed(each.name for each in self.game.players if each.name not in self.dead),
            )
        )
        lines.append(say("dead", names=self.narrator.listed(dead)) if dead else "")
        now = self.narrator.listed([each for each in lines if each], "space")
        told = [(day, public) for day, public, _ in self.story] + [(day, private) for day, _, private in self.story]
        return "\n".join(
            [now, *(day + self.narrator.listed(sentences, "space") for day, sentences in told if sentences)]
        )
