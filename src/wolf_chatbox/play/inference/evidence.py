"""What a player saw and heard of a game, as far as it says something about the roles; read as the game goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from wolf_chatbox.game import SIDES, WEREWOLF, Event
from wolf_chatbox.play.inference.behaviour import SPECIAL
from wolf_chatbox.play.inference.statements import Statement, statements_in
from wolf_chatbox.werewolf.rules import HUMAN
from wolf_chatbox.werewolf.sight import Line, Sight


class Result(NamedTuple):
    """What a player claims to have found out."""

    teller: str
    role: str
    target: str
    result: str
    day: int


class Ballot(NamedTuple):
    """The votes that are known of one execution, and who was alive."""

    day: int
    alive: tuple[str, ...]
    votes: tuple[tuple[str, str], ...]


class Asked(NamedTuple):
    """A question to a player."""

    line: int
    by: str
    role: str
    """The role whose claim or result is asked for, or empty."""
    by_name: bool
    """Whether the player was named, or everybody was asked."""


class Evidence:
    """Everything that `reasoning` weighs: public facts, and in `known` and `species` what its reader alone knows."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.version = 0
        """Grows whenever something new was found."""
        self.claims: dict[str, str] = {}
        """The special role that each player claimed last."""
        self.claimed_first: dict[str, int] = {}
        """The day on which a player claimed something special first."""
        self.results: dict[tuple[str, str, str], Result] = {}
        """By teller, role, and target; the last word counts."""
        self.estimates: dict[tuple[str, str], str] = {}
        """WEREWOLF or HUMAN, as what the first player called the second one last."""
        self.announced: dict[str, str] = {}
        """Whom each player announced today to vote for."""
        self.asked: dict[str, Asked] = {}
        """Who was asked something today."""
        self.ballots: dict[int, Ballot] = {}
        self.killed: list[str] = []
        self.quiet_nights: list[tuple[str, tuple[str, ...]]] = []
        """Nights without a victim: whom the reader guarded, if it did, and who was alive."""
        self.tables: list[tuple[str, ...]] = []
        """Who was alive when the game is known to have gone on."""
        self.days: dict[str, int] = dict.fromkeys(names, 0)
        """For how many days each player could talk before a vote or a night."""
        self.known: dict[str, str] = {}
        """Roles that the reader knows."""
        self.revealed: dict[str, str] = {}
        """Roles that everybody knows."""
        self.species: dict[str, bool] = {}
        """Who is a wolf, and who is none, for sure."""
        self.dead: set[str] = set()
        self.day = 0
        self._lines = self._events = 0
        self._guarded = ""

    def read(self, sight: Sight) -> bool:
        """Take in what is new in a Sight; true if anything was."""
        before = self.version
        while self._lines < len(sight.lines) or self._events < len(sight.events):
            if self._events < len(sight.events) and sight.events[self._events].at <= self._lines:
                self._happen(sight.events[self._events], sight)
                self._events += 1
            elif self._lines < len(sight.lines):
                self._hear(self._lines, sight.lines[self._lines], sight)
                self._lines += 1
            else:  # an event that is said to come after lines that nobody heard
                self._happen(sight.events[self._events], sight)
                self._events += 1
        for name, role in sight.roles.items():
            if self.known.get(name) != role:
                self.known[name] = role
                self.version += 1
        return self.version > before

    @property
    def alive(self) -> tuple[str, ...]:
        return tuple(name for name in self.names if name not in self.dead)

    def _hear(self, at: int, line: Line, sight: Sight) -> None:
        if line.whisper or not line.is_speech or line.speaker not in self.names:
            return
        for statement in statements_in(line.text, self.names, sight.table.language):
            self._say(at, line, statement)

    def _say(self, at: int, line: Line, said: Statement) -> None:
        speaker = line.speaker
        match said.what:
            case "claim" if said.role in SPECIAL:
                self._claim(speaker, said.role, line.day)
            case "result" if said.target != speaker:
                self._result(speaker, said, line.day)
            case "estimate" if said.role in (WEREWOLF, HUMAN) and said.target != speaker:
                if self.estimates.get((speaker, said.target)) != said.role:
                    self.estimates[speaker, said.target] = said.role
                    self.version += 1
            case "vote" if said.target != speaker:
                self.announced[speaker] = said.target
            case "ask" if said.target != speaker:
                for name in [said.target] if said.target else self.alive:
                    if name != speaker and (said.target or name not in self.asked):
                        self.asked[name] = Asked(at, speaker, said.role, bool(said.target))

    def _result(self, speaker: str, said: Statement, day: int) -> None:
        """Somebody tells what it found out; who has claimed nothing yet claims it with that."""
        claimed = self.claims.get(speaker, "")
        role = said.role or claimed
        if role not in ("SEER", "MEDIUM") or (claimed in ("SEER", "MEDIUM") and claimed != role):
            return
        self._claim(speaker, role, day)
        key = (speaker, role, said.target)
        if key not in self.results or self.results[key].result != said.result:
            self.results[key] = Result(*key, said.result, day)
            self.version += 1

    def _claim(self, speaker: str, role: str, day: int) -> None:
        self.claimed_first.setdefault(speaker, day)
        if self.claims.get(speaker) != role:
            self.claims[speaker] = role
            self.version += 1

    def _happen(self, event: Event, sight: Sight) -> None:
        if event.kind != "end" and (not self.tables or self.tables[-1] != self.alive):
            self.tables.append(self.alive)
            self.version += 1
        match event.kind:
            case "day":
                self.day, self.announced, self.asked = event.day, {}, {}
            case "vote":
                self._close_day(event.day)
                ballot = self.ballots[event.day]
                kept = tuple(vote for vote in ballot.votes if vote[0] != event.actor)  # of two ballots, the last one
                self.ballots[event.day] = ballot._replace(votes=(*kept, (event.actor, event.target)))
                self.version += 1
            case "execute" | "death":
                self._close_day(event.day)
                self._bury(event.target, event.result)
            case "attack":
                self._attack(event)
            case "divine" | "medium" | "know" if event.actor == sight.me and event.target and event.result:
                if event.result in SIDES and event.result != WEREWOLF:
                    self.known[event.target] = event.result
                self.species[event.target] = event.result == WEREWOLF
                self.version += 1
            case "guard" if event.actor == sight.me:
                self._guarded = event.target
            case "night":
                self._close_day(event.day)

    def _close_day(self, day: int) -> None:
        """The day's talk is over: who has not spoken up by now was silent for a day."""
        if day in self.ballots:
            return
        self.ballots[day] = Ballot(day, self.alive, ())
        for name in self.alive:
            self.days[name] += 1
        self.version += 1

    def _attack(self, event: Event) -> None:
        if event.target and event.result == "killed":
            self.killed.append(event.target)
            self.species[event.target] = False
            self._bury(event.target, "")
        else:
            self.quiet_nights.append((self._guarded, self.alive))
        self._guarded = ""
        self.version += 1

    def _bury(self, name: str, role: str) -> None:
        if not name:
            return
        self.dead.add(name)
        if role in SIDES:
            self.revealed[name] = role
        self.version += 1

    def claimants(self, role: str) -> list[str]:
        """Who claims this role, the first one first."""
        who: Mapping[str, str] = self.claims
        return sorted((name for name in who if who[name] == role), key=lambda name: self.claimed_first[name])
