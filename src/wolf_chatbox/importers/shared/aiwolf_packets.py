"""The packets of an aiwolf-nlp-server game, put together.

A history holds only what is new to its agent, and a result reaches only those it concerns.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from wolf_chatbox.conversation import parse_json
from wolf_chatbox.importers.shared.aiwolf_play import Play, Seat, time_of
from wolf_chatbox.importers.shared.games import check_table, fields, items, rest, words

SPOKEN = {"TALK": "", "WHISPER": "whisper"}
ASKED = {"VOTE": "vote", "ATTACK": "attack_vote", "DIVINE": "divine", "GUARD": "guard"}
HISTORIES = (("talk_history", ""), ("whisper_history", "whisper"))
BROADCASTS = (("new_talk", ""), ("new_whisper", "whisper"))


Place = tuple[int, str, str, int]
"""Day, channel, agent and number of a line."""


@dataclass
class Line:
    """Something an agent was asked to say, or said. `text` is what others receive, as the server cut it."""

    day: int
    channel: str
    agent: str
    reply: str | None = None
    stamp: Any = None
    text: str | None = None
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Act:
    """An agent's answer to a question; its target is empty if it was invalid."""

    kind: str
    day: int
    agent: str
    target: str


@dataclass
class Packets:
    where: str
    agents: list[dict[str, Any]] = field(default_factory=list)
    """As listed in the file, under the names they connected with."""

    def __post_init__(self) -> None:
        self.course: list[Line | Act] = []
        self.names: dict[str, None] = {}
        """The players' names, in the order in which they got their first packet: that of their seats."""
        self.own: dict[str, str] = {}
        self.roles: dict[str, str] = {}
        self.profiles: dict[str, str] = {}
        self.errors: dict[str, list[dict[str, Any]]] = {}
        self.executed: dict[int, str] = {}
        self.attacked: dict[int, str] = {}
        self.divined: dict[tuple[int, str, str], str] = {}
        self.mediums: dict[int, tuple[str, str, str]] = {}
        self.facts: dict[str, Any] = {}
        self.unread: Counter[str] = Counter()
        self.last_day = 0
        self.finished = False
        self._said: Counter[tuple[int, str]] = Counter()
        """Number of lines by day and channel."""
        self._asked: defaultdict[Place, list[Line]] = defaultdict(list)
        """Lines without a text yet, the latest last; one that got it under another number is still among them."""
        self._received: set[tuple[Place, str]] = set()
        self._acts: defaultdict[int, list[Act]] = defaultdict(list)
        self._saved: dict[int, str] = {}
        """Whom a guard saved, by day."""
        self._phase: tuple[str, int] = ("", 0)
        self._count = 0

    # Reading

    def take(self, entry: Mapping[str, Any]) -> None:
        """Read a packet and its reply."""
        request = entry.get("request")
        packet = fields(parse_json(request, f"{self.where}, a request") if isinstance(request, str) else request)
        what, info = words(packet.get("request")), fields(packet.get("info"))
        agent = words(info.get("agent")) or words(entry.get("agent"))
        day = info.get("day")
        if not isinstance(day, int) or not agent or what == "NAME":
            if entry.get("error"):
                self.errors.setdefault(words(entry.get("agent")), []).append({"request": what, "error": entry["error"]})
            self.unread[what] += 1
            return
        self.last_day = max(self.last_day, day)
        if entry.get("error"):
            self.errors.setdefault(agent, []).append({"day": day, "request": what, "error": entry["error"]})
        self._learn(packet, info, agent, day)
        for key, channel in HISTORIES:
            for line in items(packet.get(key)):
                self._receive(fields(line), channel)
        for key, channel in BROADCASTS:
            if key in packet:
                self._receive(fields(packet[key]), channel)
        if (what, day) != self._phase:
            self._phase, self._count = (what, day), 0
        reply = words(entry["response"]).strip() if "response" in entry else None
        if what in SPOKEN:
            channel = SPOKEN[what]
            # Some servers number the lines of a phase, others those of a day.
            line = Line(day, channel, agent, reply, entry.get("response_timestamp"))
            self._speak(line, {self._count, self._said[day, channel]})
            self._count += 1
        elif what in ASKED:
            act = Act(ASKED[what], day, agent, self._target(what, agent, reply or "", info))
            self.course.append(act)
            self._acts[day].append(act)
        elif what == "FINISH":
            self.finished = True

    def _learn(self, packet: Mapping[str, Any], info: Mapping[str, Any], agent: str, day: int) -> None:
        self.names.setdefault(agent)
        check_table(self.names, self.where)
        roles = {name: words(role) for name, role in fields(info.get("role_map")).items()}
        self.own.setdefault(agent, roles.get(agent, ""))
        self.roles |= roles
        if profile := words(info.get("profile")):
            self.profiles.setdefault(agent, profile)
        if setting := fields(packet.get("setting")):
            self.facts.setdefault("setting", setting)
        if game := words(info.get("game_id")):
            self.facts.setdefault("game_id", game)
        # These are of the day before.
        for key, known in (("executed_agent", self.executed), ("attacked_agent", self.attacked)):
            if name := words(info.get(key)):
                known.setdefault(day - 1, name)
        for key in ("divine_result", "medium_result"):
            judge = fields(info.get(key))
            target, result, when = words(judge.get("target")), words(judge.get("result")), judge.get("day")
            if target and result and isinstance(when, int):
                if key == "divine_result":
                    self.divined[when, agent, target] = result
                else:
                    self.mediums.setdefault(when, (agent, target, result))

    def _receive(self, received: Mapping[str, Any], channel: str) -> None:
        """Read a line as others receive it: one its agent was asked for, or in a group chat an unasked one."""
        day, place, agent, text = (
            received.get("day"),
            received.get("idx"),
            words(received.get("agent")),
            words(received.get("text")),
        )
        if not isinstance(day, int) or not isinstance(place, int) or not agent:
            return
        at = (day, channel, agent, place)
        if (at, text) in self._received:
            return
        asked = self._asked[at]
        while asked and asked[-1].text is not None:
            asked.pop()
        if not asked:
            self._speak(Line(day, channel, agent), {place})
        line = asked.pop()
        line.text = text
        line.stamp = received.get("time") or line.stamp
        self._received.update((known, text) for known in line.places)

    def _speak(self, line: Line, numbers: set[int]) -> None:
        """Add a line; `numbers` are those that a history may give it."""
        self.course.append(line)
        self._said[line.day, line.channel] += 1
        line.places = tuple((line.day, line.channel, line.agent, number) for number in numbers)
        for place in line.places:
            self._asked[place].append(line)

    def _target(self, what: str, agent: str, reply: str, info: Mapping[str, Any]) -> str:
        """Whom an answer names; nobody if the server rejects it: the dead, the unknown, oneself where not allowed."""
        if fields(info.get("status_map")).get(reply) != "ALIVE":
            return ""
        rules = fields(fields(self.facts.get("setting")).get({"VOTE": "vote", "ATTACK": "attack_vote"}.get(what, "")))
        return "" if reply == agent and not rules.get("allow_self_vote") else reply

    # Playing

    def play(self, play: Play, facts: Mapping[str, Any]) -> list[Seat]:
        """Replay the game into a Play; returns the seats. `facts` are the file's fields besides agents and entries."""
        play.votes_are_public = fields(self.facts.get("setting")).get("vote_visibility") is True
        play.facts = {**self.facts, **{key: value for key, value in facts.items() if key != "win_side" and value}}
        if unread := {what or "unknown": count for what, count in self.unread.items() if what != "NAME"}:
            play.facts["packets_not_read"] = unread
        day = None
        for (kind, when), steps in groupby(
            self.course, lambda step: (step.kind if isinstance(step, Act) else "", step.day)
        ):
            if when != day:
                self._morning(play, when)
                day = when
            for step in steps:
                if isinstance(step, Line):
                    text = self._cut_reply(step) if step.text is None else step.text
                    play.talk(step.day, step.agent, text, step.channel, time_of(step.stamp))
                elif step.target:
                    self._act(play, step)
            if kind == "vote" and (name := self.executed.get(when)):
                play.act(when, "execute", target=name)
            elif kind == "attack_vote" and self.last_day > when:
                self._attack(play, when)
        if self.finished:
            play.end(self.last_day, words(facts.get("win_side")))
        return list(self._seats())

    def _cut_reply(self, line: Line) -> str:
        """What the server makes of a reply that no packet repeats.

        No reply is a Skip, an empty one an Over; a long one is cut, separately before and after a mention.
        """
        if line.reply is None:
            return "Skip"
        text = line.reply.replace("\n", "")
        limits = fields(
            fields(fields(self.facts.get("setting")).get("whisper" if line.channel else "talk")).get("max_length")
        )
        if not text or "per_agent" in limits:  # no packet holds what is left of an agent's limit
            return text or "Over"
        before, after = (
            limits | {"length": limits.get("base_length")},
            limits | {"length": limits.get("mention_length")},
        )
        mention = next((at for name in self.names if name != line.agent and (at := f"@{name}") in text), "")
        if not mention:
            return _cut(text, before)
        start, _, end = text.partition(mention)
        return f"{_cut(start, before)} {mention} {_cut(end, after)}"

    def _act(self, play: Play, act: Act) -> None:
        if act.kind == "vote":
            play.act(act.day, "vote", act.agent, act.target)
        elif act.kind == "attack_vote":
            play.act(act.day, "attack_vote", act.agent, act.target)
        elif act.kind == "guard" and act.agent != act.target:
            play.act(act.day, "guard", act.agent, act.target)
        elif act.kind == "divine" and (result := self.divined.get((act.day, act.agent, act.target))):
            play.act(act.day, "divine", act.agent, act.target, result)

    def _attack(self, play: Play, day: int) -> None:
        """The packets name the attacked only if it died. If nobody did, a guard may have saved the wolves' choice."""
        if name := self.attacked.get(day):
            play.act(day, "attack", target=name, result="killed")
            return
        if day not in self._saved:
            acts = [act for act in self._acts[day] if act.target]
            wanted = Counter(
                act.target for act in acts if act.kind == "attack_vote" and self.roles.get(act.target) != "WEREWOLF"
            )
            guarded = {act.target for act in acts if act.kind == "guard"}
            most = max(wanted.values(), default=0)
            self._saved[day] = next((name for name, votes in wanted.items() if name in guarded and votes == most), "")
        saved = self._saved[day]
        play.act(day, "attack", target=saved, result="guarded" if saved else "")

    def _morning(self, play: Play, day: int) -> None:
        if (seen := self.mediums.get(day - 1)) and seen[0] not in play.dead:
            play.wake(day)
            play.happen("medium", *seen)

    def _seats(self) -> Iterator[Seat]:
        """Match the names in the game with the connections: by order of the seats if the roles agree, else by role."""
        names = list(self.names | dict.fromkeys(self.roles))
        check_table(names, self.where)
        roles = {name: self.roles.get(name) or self.own.get(name, "") for name in names}
        listed = sorted(self.agents, key=lambda agent: agent["idx"] if isinstance(agent.get("idx"), int) else 0)
        ordered = [words(agent.get("role")) for agent in listed] == [roles[name] for name in names]
        held = Counter(roles.values())
        for at, name in enumerate(names):
            same = [agent for agent in listed if words(agent.get("role")) == roles[name]]
            agent = listed[at] if ordered else same[0] if len(same) == held[roles[name]] == 1 else {}
            number = agent.get("idx")
            more = {
                **rest(agent, "idx", "name", "role"),
                "profile": self.profiles.get(name, ""),
                "errors": self.errors.get(name, []),
            }
            yield Seat(name, roles[name], number if isinstance(number, int) else None, words(agent.get("name")), more)


def _cut(text: str, limits: Mapping[str, Any]) -> str:
    """The text cut to the limit's words or characters (without spaces, unless the limits say so)."""
    most = limits.get("length")
    if not isinstance(most, int):
        return text
    unit = r"\S+" if limits.get("count_in_word") else r"[\s\S]" if limits.get("count_spaces") else r"\S"
    end = next((found.end() for at, found in enumerate(re.finditer(unit, text), 1) if at == most), None)
    return text[: end if most > 0 else 0] if end or most <= 0 else text
