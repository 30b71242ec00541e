"""What one person may see of a game of werewolf: the one place that decides what reaches a browser.

A player sees what its Sight holds, somebody who watches what everybody may know. Whoever is dead, and everybody after
the end, sees all of it.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from wolf_chatbox.conversation import Conversation
from wolf_chatbox.game import WEREWOLF, Event
from wolf_chatbox.visible import visible
from wolf_chatbox.werewolf.chronicle import Thought
from wolf_chatbox.werewolf.claims import claims_in
from wolf_chatbox.werewolf.narration import Narrator
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.sight import Line
from wolf_chatbox.werewolf.steps import Ask, Listen, Step

NIGHT = ("whisper", "divine", "guard", "attack")
SECRET = ("divine", "medium", "guard", "attack_vote")
"""Events that only some learn of, before the end."""


class Entry(NamedTuple):
    """One thing in the course of the game as it is shown."""

    what: str
    """day, night, told, talk, whisper, or thought."""
    text: str
    """Safe to show; of day and night the number."""
    who: str = ""
    claims: tuple[str, ...] = ()
    secret: bool = False
    """Whether it tells something of the role of whoever looks."""


@dataclass(frozen=True)
class Seen:
    """A player, as one person sees it."""

    name: str
    number: int
    """Of the seat, from 1."""
    died: str = ""
    """How: executed or killed; empty while it lives."""
    role: str = ""
    """Empty while it is not known."""
    claims: tuple[str, ...] = ()
    votes: tuple[str, ...] = ()
    """Who voted for this player today."""
    team: str = ""
    """Who played it; known after the end."""


@dataclass(frozen=True)
class Outlook:
    """A game as one person sees it now."""

    me: str
    role: str
    knows_all: bool
    day: int
    phase: str
    """talk, vote, night, or empty: nothing is asked now. Which role acts at night is not told."""
    dark: bool
    seats: tuple[Seen, ...]
    entries: tuple[Entry, ...]
    speaks: str
    """Whose words are waited for, as far as this person knows."""
    ballots: Mapping[int, Mapping[str, str]]
    """Who voted for whom by day, in the last ballot of each."""
    over: bool
    winner: str

    def seat(self, name: str) -> Seen:
        return next(seat for seat in self.seats if seat.name == name)

    @property
    def lives(self) -> bool:
        return bool(self.me) and not self.seat(self.me).died


def outlook(village: Village, me: str, step: Step | None, language: str, teams: Mapping[str, str] | None) -> Outlook:
    """A running game as a player sees it; `me` is empty for somebody who watches.

    `teams` say who played; they are there when the game is over for whatever reason, and then nothing is hidden.
    """
    sight = village.sights[me] if me else village.onlooker
    knows_all = teams is not None or me in village.dead
    narrator = Narrator(language, village.names)
    if knows_all:
        story = _Story(narrator, me, village.table.language, True, village.lines, village.events, village.thoughts)
    else:
        story = _Story(narrator, me, village.table.language, False, sight.lines, sight.events)
    roles = village.roles if knows_all else sight.roles
    phase, speaks = _now(step, knows_all or sight.role == WEREWOLF) if teams is None else ("", "")
    return Outlook(
        me,
        sight.role,
        knows_all,
        village.day,
        phase,
        phase == "night" or (story.dark and phase != "talk"),
        tuple(story.seats(village.names, roles, teams or {})),
        tuple(story.entries),
        speaks,
        story.ballots,
        teams is not None,
        village.winner if teams is not None else "",
    )


def finished(conversation: Conversation, language: str) -> Outlook:
    """A game that is kept, with everything."""
    game = conversation.game
    assert game is not None
    names = [player.name for player in game.players]
    lines = [Line(0, 0, 0, turn.speaker, turn.text, turn.channel == "whisper") for turn in conversation.turns]
    thoughts = [Thought(**thought) for thought in game.facts.get("thoughts", ())]
    story = _Story(Narrator(language, names), "", game.language, True, lines, game.events, thoughts)
    seats = tuple(story.seats(names, {player.name: player.role for player in game.players}, {}))
    day = max((event.day for event in game.events), default=0)
    return Outlook("", "", True, day, "", False, seats, tuple(story.entries), "", story.ballots, True, game.winner)


def _now(step: Step | None, hears_wolves: bool) -> tuple[str, str]:
    """The phase as everybody knows it, and whose words are waited for."""
    if not isinstance(step, Ask | Listen):
        return "", ""
    speaks = step.who[0] if isinstance(step, Ask) and (step.kind == "talk" or hears_wolves) else ""
    if step.kind in NIGHT:
        return "night", speaks if step.kind == "whisper" else ""
    return step.kind, speaks if step.kind == "talk" else ""


@lru_cache(4096)
def _claims(text: str, language: str) -> tuple[str, ...]:
    return tuple(claims_in(text, language))


class _Story:
    """Lines, events and thoughts in their order, in words."""

    def __init__(
        self,
        narrator: Narrator,
        me: str,
        language: str,
        knows_all: bool,
        lines: Sequence[Line],
        events: Sequence[Event],
        thoughts: Sequence[Thought] = (),
    ) -> None:
        self._narrator, self._me, self._knows_all = narrator, me, knows_all
        self.dark = False
        self.died: dict[str, str] = {}
        self.claimed: dict[str, tuple[str, ...]] = {}
        self.ballot: dict[str, str] = {}
        """Who voted for whom today, in the last ballot."""
        self.ballots: dict[int, Mapping[str, str]] = {}
        self.entries: list[Entry] = []
        self._votes: list[Event] = []
        at, pending, left = 0, list[Thought](), deque(thoughts)
        for place, line in enumerate([*lines, None]):
            while left and left[0].at <= place:
                pending.append(left.popleft())
            while at < len(events) and events[at].at <= place:
                thought = next((one for one in pending if one.name == events[at].actor), None)
                if thought is not None:
                    self._think(thought)  # who votes, or acts at night, has thought about it before
                    pending.remove(thought)
                self._happen(events[at])
                at += 1
            self._close()
            for thought in pending:
                self._think(thought)
            pending.clear()
            if line is not None and line.is_speech:
                self._hear(line, language)

    def _think(self, thought: Thought) -> None:
        self.entries.append(Entry("thought", visible(thought.text), thought.name))

    def _hear(self, line: Line, language: str) -> None:
        claims = () if line.whisper else _claims(line.text, language)
        earlier = self.claimed.get(line.speaker, ())
        self.claimed[line.speaker] = earlier + tuple(role for role in claims if role not in earlier)
        what, text = "whisper" if line.whisper else "talk", re.sub(" {2,}", " ", line.text).strip()
        self.entries.append(Entry(what, visible(text), line.speaker, claims, line.whisper))

    def _happen(self, event: Event) -> None:
        if event.kind in ("vote", "attack_vote"):
            if self._votes and (self._votes[0].kind != event.kind or event.actor in {one.actor for one in self._votes}):
                self._close()
            self._votes.append(event)
            return
        self._close()
        if event.kind == "day":
            self.dark, self.ballot = False, {}
            self.entries.append(Entry("day", str(event.day)))
        elif event.kind == "night":
            self.dark = True
            self.entries.append(Entry("night", str(event.day)))
        if event.target and (event.kind in ("execute", "death") or event.result == "killed"):
            self.died[event.target] = "executed" if event.kind == "execute" else "killed"
        self.entries += [Entry("told", text, secret=event.kind in SECRET) for text in self._words(event)]

    def _close(self) -> None:
        """A ballot is over."""
        if not self._votes:
            return
        kind, votes = self._votes[0].kind, {one.actor: one.target for one in self._votes}
        if kind == "vote":
            self.ballot = self.ballots[self._votes[0].day] = votes
        self.entries.append(Entry("told", self._narrator.ballot(kind, votes), secret=kind in SECRET))
        self._votes = []

    def _words(self, event: Event) -> Iterator[str]:
        say = self._narrator.say
        actor = say("you") if event.actor == self._me else event.actor
        match event.kind:
            case "execute" | "death":
                yield say("executed" if event.kind == "execute" else "died", target=event.target)
            case "attack" if self._knows_all and event.target:
                yield say("attack killed" if event.result == "killed" else "attack failed", target=event.target)
            case "attack" if event.target:
                yield say("died at night", names=event.target)
            case "attack":
                yield say("nobody died")
            case "divine" | "medium":
                yield say(event.kind, actor=actor, target=event.target, role=self._narrator.role(event.result))
            case "guard":
                yield say("guard", actor=actor, target=event.target)
            case "know" | "announce":
                yield visible(event.text)

    def seats(self, names: Sequence[str], roles: Mapping[str, str], teams: Mapping[str, str]) -> Iterator[Seen]:
        for number, name in enumerate(names, 1):
            votes = tuple(voter for voter, target in self.ballot.items() if target == name)
            died, claims = self.died.get(name, ""), self.claimed.get(name, ())
            yield Seen(name, number, died, roles.get(name, ""), claims, votes, teams.get(name, ""))
