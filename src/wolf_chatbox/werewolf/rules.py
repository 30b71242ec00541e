"""The rules of werewolf: a pure, seeded state machine, which runs a game from the first day to the end.

    village = Village(TableConfig(), deal(TableConfig(), names, seed), seed)
    course = village.course()
    step = next(course)
    while True:                      # StopIteration: the game is over
        step = course.send(answers)  # for an Ask: a reply for each that is asked; for a Tell: None

It knows no clock, no network and no player: the same seed and the same answers give the same game. The flow, the order
and the quirks are those of aiwolf-nlp-server, https://github.com/aiwolfdial/aiwolf-nlp-server.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Generator, Mapping, Sequence
from typing import Literal

from wolf_chatbox.game import VILLAGER, WEREWOLF
from wolf_chatbox.game import Kind as EventKind
from wolf_chatbox.werewolf.chronicle import Chronicle
from wolf_chatbox.werewolf.sight import Kind, Line
from wolf_chatbox.werewolf.steps import Answer, Ask, Course, Listen, Step, Tell
from wolf_chatbox.werewolf.table import TableConfig, roles_in_order
from wolf_chatbox.werewolf.utterance import FORCE_SKIP, OVER, SKIP, cut, plain

HUMAN = "HUMAN"
"""What a divination says of everybody who is no wolf."""


def deal(table: TableConfig, names: Sequence[str], seed: int | str | None = None) -> dict[str, str]:
    """Give each player a role, by chance; raises ValueError when there are not as many names as players."""
    roles = roles_in_order(table.counts())
    random.Random(f"roles {seed}" if seed is not None else None).shuffle(roles)
    return dict(zip(names, roles, strict=True))


class Village(Chronicle):
    """A game, and the rules by which it goes on."""

    def __init__(
        self,
        table: TableConfig,
        roles: Mapping[str, str],
        seed: int | str | None = None,
        *,
        game_id: str = "",
        profiles: Mapping[str, str] | None = None,
        chance: random.Random | None = None,
    ) -> None:
        """`roles` are the players' in the order of their seats; `chance` decides on orders and ties."""
        super().__init__(table, roles, game_id=game_id, profiles=profiles)
        self._chance = chance or random.Random(f"course {seed}" if seed is not None else None)
        self._evening = self._dark = False
        self._guarded = ""

    def course(self) -> Course:
        """The game, step by step."""
        yield Tell("initialize", self.names)
        while not self.over:
            self._dawn()
            yield Tell("daily_initialize", self.names)
            yield from self._day()
            self.day += 1
            self.over = self.over or self._is_late() or self._decided()
        self._end()
        yield Tell("finish", self.names)

    def _day(self) -> Course:
        """A day and the night after it. The night's first phase comes also when the talk ended the game."""
        if self.day == 0:
            yield from self._speech("whisper")
            if self._ends():
                return
        yield from self._speech("talk")
        given_up = self._ends()
        yield Tell("daily_finish", self.names)
        self._evening = True
        later = [self._execute, self._divine, self._whisper, self._guard, self._attack]
        for phase in [self._whisper, self._divine] if self.day == 0 else later:
            yield from phase()
            if given_up or self._ends():
                return

    def _is_late(self) -> bool:
        """Whether the days are used up, or nobody has died for so long that nobody will."""
        quiet = self.day - max(self.onlooker.dead.values(), default=0)
        return quiet > self.table.quiet_days or (self.table.days is not None and self.day > self.table.days)

    def _decided(self) -> bool:
        """Whether somebody has won, or too many are lost."""
        if len(self.gone) >= self.table.lost_at_most():
            return True
        wolves = sum(self.roles[name] == WEREWOLF for name in self.alive)
        self.winner = VILLAGER if not wolves else WEREWOLF if 2 * wolves >= len(self.alive) else ""
        return self.winner != ""

    def _ends(self) -> bool:
        self.over = self._decided()
        return self.over

    def _nightfall(self) -> None:
        """The night begins with the first thing that somebody may do in it."""
        if self._evening and not self._dark:
            self._dark = True
            self._happen("night")

    def _dawn(self) -> None:
        self._evening = self._dark = False
        self._tell_mediums()
        self._happen("day")

    def _tell_mediums(self) -> None:
        """What yesterday's executed was; as on the server, a medium learns it who did not live to tell, too."""
        executed = [event.target for event in self.events if event.kind == "execute" and event.day == self.day - 1]
        for target in executed:
            for medium in (name for name in self.names if self.roles[name] == "MEDIUM"):
                self._happen("medium", medium, target, self._species(target))

    def _end(self) -> None:
        self._tell_mediums()
        self._happen("end")
        for sight in (*self.sights.values(), self.onlooker):
            sight.day, sight.over, sight.winner = self.day, True, self.winner
            sight.roles = dict(self.roles)

    def _species(self, name: str) -> str:
        return WEREWOLF if self.roles[name] == WEREWOLF else HUMAN

    # Talk

    def _whisper(self) -> Course:
        yield from self._speech("whisper")

    def _speech(self, kind: Kind) -> Course:
        """A phase of talk, or of the wolves' whispers; it needs two who can hear each other."""
        who = self.with_role(WEREWOLF) if kind == "whisper" else self._present()
        talks = self.table.talks_of(kind)
        if len(who) < 2 or not talks:
            return
        self._nightfall()
        self.left = dict.fromkeys(who, talks)
        self.letters = dict.fromkeys(who, self.table.letters_a_day) if self.table.letters_a_day is not None else {}
        self.skips.clear()
        yield from self._anytime(kind, who) if self.table.talk == "anytime" else self._rounds(kind, who)

    def _rounds(self, kind: Kind, who: Sequence[str]) -> Course:
        order, first = list(who), self._first_idx(kind)
        self._chance.shuffle(order)
        for turn in range(self.table.rounds_of(kind)):
            spoke = False
            for name in order:
                if not self._may_speak(name):
                    continue
                self._show_budget(name)
                replies = yield Ask(kind, (name,))
                text = self._text(name, self._reply(replies, name))
                self._add(Line(first, self.day, turn, name, text, kind == "whisper"), who)
                first += 1
                spoke |= text != OVER
            if not spoke:
                return

    def _anytime(self, kind: Kind, who: Sequence[str]) -> Course:
        first, turns = self._first_idx(kind), Counter[str]()
        for name in who:
            self._show_budget(name)
        yield Tell("phase_start", tuple(who), kind)
        begins = True
        while may := tuple(name for name in who if self._may_speak(name)):
            heard = yield Listen(kind, may, begins)
            begins = False
            if heard is None:
                break
            assert isinstance(heard, tuple), "somebody speaks, or nobody"
            name, reply = heard
            if name not in may or not plain(reply, lines=True):
                continue
            text = self._text(name, plain(reply, lines=True))
            self._add(Line(first, self.day, turns[name], name, text, kind == "whisper"), who)
            first, turns[name] = first + 1, turns[name] + 1
            self._show_budget(name)
            yield Tell("broadcast", tuple(name for name in who if name not in self.gone), kind)
        yield Tell("phase_end", tuple(name for name in who if name not in self.gone), kind)

    def _first_idx(self, kind: Kind) -> int:
        """The number of a phase's first line; in v1 it goes on where the day's last phase of its kind ended."""
        if self.table.protocol == "v0":
            return 0
        same = [line.idx for line in self.lines if line.day == self.day and line.whisper == (kind == "whisper")]
        return max(same, default=-1) + 1

    def _may_speak(self, name: str) -> bool:
        return self.left[name] > 0 and self.letters.get(name, 1) > 0 and name not in self.gone

    def _show_budget(self, name: str) -> None:
        sight = self.sights[name]
        sight.left, sight.letters_left = self.left[name], self.letters.get(name)
        sight.skips_left = max(0, self.table.skips - self.skips[name])

    def _reply(self, replies: Answer, name: str) -> str | None:
        """The reply of a player; None if there was none, which is counted."""
        assert isinstance(replies, Mapping), "a reply for everybody who was asked"
        reply = replies.get(name)
        self.unanswered[name] += reply is None
        return reply

    def _text(self, name: str, reply: str | None) -> str:
        """What becomes of a reply: the line as it is said. It takes one of the speaker's utterances."""
        self.left[name] -= 1
        if reply is None:
            return SKIP
        text = plain(reply, lines=self.table.talk == "anytime")
        if text == FORCE_SKIP:
            return SKIP
        if text == SKIP:
            self.skips[name] += 1
            text = SKIP if self.skips[name] <= self.table.skips else OVER
        elif text and text != OVER:
            self.skips[name] = 0
            others = [other for other in self.names if other != name]
            text, cost = cut(text, self.table, others, self.letters.get(name))
            if name in self.letters:
                self.letters[name] -= cost
        if not text.strip() or text == OVER:
            self.left[name] = 0
            return OVER
        return text

    # Votes and the night

    def _execute(self) -> Course:
        present = self._present()
        target = yield from self._ballot("vote", present, present, self.table.ballots)
        if target:
            self.dead.add(target)
            self._happen("execute", target=target)

    def _divine(self) -> Course:
        for seer in self.with_role("SEER")[:1]:
            self._nightfall()
            replies = yield Ask("divine", (seer,))
            if target := self._named(seer, self._reply(replies, seer), self._others(seer)):
                self._happen("divine", seer, target, self._species(target))

    def _guard(self) -> Course:
        self._guarded = ""
        for guard in self.with_role("BODYGUARD")[:1]:
            self._nightfall()
            replies = yield Ask("guard", (guard,))
            if target := self._named(guard, self._reply(replies, guard), self._others(guard)):
                self._guarded = target
                self._happen("guard", guard, target)

    def _attack(self) -> Course:
        wolves = self.with_role(WEREWOLF)
        if not wolves:
            return
        self._nightfall()
        prey = [name for name in self._present() if self.roles[name] != WEREWOLF]
        target = yield from self._ballot("attack", wolves, prey, self.table.attack_ballots)
        if not target:
            self._happen("attack")
        elif target == self._guarded and self.with_role("BODYGUARD"):
            self._happen("attack", target=target, result="guarded")
        else:
            self.dead.add(target)
            self._happen("attack", target=target, result="killed")

    def _others(self, name: str) -> list[str]:
        return [other for other in self._present() if other != name]

    def _named(self, name: str, reply: str | None, targets: Collection[str]) -> str:
        """The player whom a reply names; empty, and counted, if it names nobody of the targets."""
        if reply is not None and reply not in targets:
            self.invalid[name] += 1
        return reply if reply is not None and reply in targets else ""

    def _ballot(
        self, kind: Literal["vote", "attack"], voters: Sequence[str], counted: Sequence[str], rounds: int
    ) -> Generator[Step, Answer, str]:
        """Vote until somebody is ahead, at most so many rounds; empty if nobody has a vote.

        Everybody who is there can be named; only votes for `counted` count. Where the last round is tied, chance
        decides, or nobody is attacked.
        """
        event: EventKind = "vote" if kind == "vote" else "attack_vote"
        tops: list[str] = []
        for _ in range(rounds):
            voters = [name for name in voters if name not in self.gone]
            replies = (yield Ask(kind, tuple(voters))) if voters else {}
            votes: Counter[str] = Counter()
            for voter in voters:
                may = self._present() if self.table.self_votes else self._others(voter)
                if target := self._named(voter, self._reply(replies, voter), may):
                    self._happen(event, voter, target)
                    votes[target] += target in counted
            most = max(votes.values(), default=0)
            tops = [name for name in counted if most and votes[name] == most]
            if len(tops) == 1:
                return tops[0]
        if not tops or (kind == "attack" and self.table.no_attack):
            return ""
        return self._chance.choice(tops)
