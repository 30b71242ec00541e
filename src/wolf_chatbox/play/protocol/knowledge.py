"""From the packets that one agent gets to its Sight: the same that a table keeps for a player of its own.

Votes, the execution and the attack are told the next morning; they are put where they happened. The protocol:
https://github.com/aiwolfdial/aiwolf-nlp-server/tree/main/doc
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from wolf_chatbox.game import VILLAGER, WEREWOLF, Event
from wolf_chatbox.game import Kind as EventKind
from wolf_chatbox.importers.shared.games import fields, items, words
from wolf_chatbox.play.protocol.setting import Language, number, table_of
from wolf_chatbox.werewolf.sight import Kind, Line, Sight
from wolf_chatbox.werewolf.utterance import OVER, SKIP

ASKED: dict[str, Kind] = {
    "TALK": "talk",
    "WHISPER": "whisper",
    "VOTE": "vote",
    "DIVINE": "divine",
    "GUARD": "guard",
    "ATTACK": "attack",
}
"""The requests that want an answer."""
CHAT: dict[str, Kind] = {
    f"{kind.upper()}_{what}": kind for kind in ("talk", "whisper") for what in ("PHASE_START", "BROADCAST", "PHASE_END")
}
"""The packets of talk at any time."""
TOLD = ("INITIALIZE", "DAILY_INITIALIZE", "DAILY_FINISH", "FINISH", *CHAT)
"""The packets that want no answer."""
_JAPANESE = re.compile("[\u3040-\u30ff]")


class Knowledge:
    """What one agent knows of one game. `sight` is None until the game begins.

    What is told late is put where it belongs; the Sight counts that in `rewritten`.
    """

    def __init__(self, language: Language | None = None) -> None:
        """`language` is the table's; None: that of the profile, or of what is said first."""
        self.sight: Sight | None = None
        self._language = language
        self._unsure = False
        """Whether nothing has told the language yet."""
        self._day = -1
        self._dusk: tuple[int, int] | None = None
        """How many events and lines there were when the day's talk was over; None before."""
        self._dark = self._counted = False
        self._prey = ""
        """Whom this wolf wanted dead last night."""
        self._heard: set[tuple[int, bool, bool, int]] = set()

    def take(self, packet: Mapping[str, Any]) -> str:
        """Take in a packet; returns its request, or "" for one that is not known, and ignored.

        Raises DataError for the setting of a game that no table of ours can have.
        """
        what, info = words(packet.get("request")), fields(packet.get("info"))
        if what == "NAME":
            return what
        if what not in ASKED and what not in TOLD:
            return ""
        if self.sight is None:
            if not words(info.get("agent")):
                return ""
            self.sight = self._begin(packet, info)
        if what != "INITIALIZE":
            self._take(self.sight, what, packet, info)
        return what

    def _begin(self, packet: Mapping[str, Any], info: Mapping[str, Any]) -> Sight:
        me, profile = words(info.get("agent")), words(info.get("profile"))
        names = tuple(dict.fromkeys([*fields(info.get("status_map")), me]))
        roles = {name: words(role) for name, role in fields(info.get("role_map")).items() if name in names}
        self._unsure = self._language is None and not profile and not _JAPANESE.search("".join(names))
        language: Language = self._language or ("ja" if _JAPANESE.search(profile + "".join(names)) else "en")
        table = table_of(fields(packet.get("setting")), len(names), language)
        counts, game = table.counts(), words(info.get("game_id"))
        return Sight(table, game, me, roles.get(me, ""), names, roles, counts, profile)

    def _take(self, sight: Sight, what: str, packet: Mapping[str, Any], info: Mapping[str, Any]) -> None:
        told = number(info.get("day"))
        day = self._day if told is None else told
        if what != "FINISH" and day > self._day:
            self._dawn(sight, info, day)
        late = self._dusk is not None or what in ("VOTE", "DIVINE", "GUARD", "ATTACK")
        if late and what != "FINISH":
            self._evening(sight, info)
        if late and what in ("WHISPER", "WHISPER_PHASE_START", "DIVINE", "GUARD", "ATTACK"):
            self._nightfall(sight)
        for key, whisper in (("talk", False), ("whisper", True)):
            for line in [*items(packet.get(f"{key}_history")), packet.get(f"new_{key}")]:
                self._hear(sight, fields(line), whisper)
        self._count(sight, what, info)
        if what == "DAILY_FINISH":
            self._evening(sight, info)
        elif what == "FINISH":
            self._end(sight, info, day)

    # What is said

    def _hear(self, sight: Sight, said: Mapping[str, Any], whisper: bool) -> None:
        """Take in a line, unless it is there already: a chat's lines come again at the end of the day."""
        idx, day, turn, name = said.get("idx"), said.get("day"), said.get("turn"), words(said.get("agent"))
        if not isinstance(idx, int) or not isinstance(day, int) or name not in sight.names:
            return
        # In turns, idx may begin anew with each phase; in talk at any time it counts the lines of the day.
        night = whisper and self._dusk is not None
        key = (day, whisper, night and sight.table.talk == "turns", idx)
        if key in self._heard:
            return
        self._heard.add(key)
        if night:
            self._nightfall(sight)
        text = OVER if said.get("over") is True else SKIP if said.get("skip") is True else words(said.get("text"))
        line = Line(idx, day, turn if isinstance(turn, int) else 0, name, text, whisper)
        if self._unsure and line.is_speech:
            self._unsure = False
            sight.table = replace(sight.table, language="ja" if _JAPANESE.search(text) else "en")
        if whisper and not night:
            self._hear_late(sight, line)
        else:
            sight.hear(line)

    def _hear_late(self, sight: Sight, line: Line) -> None:
        """Put a whisper of the morning before the day's talk, though some wolves learn it after the talk."""
        talk = (at for at, other in enumerate(sight.lines) if other.day == line.day and not other.whisper)
        place = next(talk, len(sight.lines))
        sight.rewritten += place < len(sight.lines)
        sight.lines.insert(place, line)
        sight.events = [event._replace(at=event.at + (event.at > place)) for event in sight.events]

    def _count(self, sight: Sight, what: str, info: Mapping[str, Any]) -> None:
        """How much this player may still say. v0 does not count the utterance that it asks for, v1 does."""
        left, letters = info.get("remain_count"), info.get("remain_length")
        kind = ASKED.get(what)
        if isinstance(left, int) and kind in ("talk", "whisper"):
            if not self._counted and left in (most := sight.table.talks_of(kind), most - 1):
                self._counted = True
                if sight.table.talk == "turns":
                    sight.table = replace(sight.table, protocol="v1" if left == most else "v0")
            sight.left = left + (sight.table.protocol == "v0")
        elif isinstance(left, int) and what in CHAT:
            sight.left = left
        if kind or what in CHAT:
            sight.letters_left = letters if isinstance(letters, int) else None
            sight.skips_left = number(info.get("remain_skip")) or 0

    # What happens

    def _learn(self, sight: Sight, kind: EventKind, actor: str = "", target: str = "", result: str = "") -> None:
        sight.learn(Event(0, max(self._day, 0), kind, actor, target, result))

    def _evening(self, sight: Sight, info: Mapping[str, Any]) -> None:
        """The talk is over; who is dead from now on, and was not, was voted out."""
        if self._dusk is None:
            self._dusk = (len(sight.events), len(sight.lines))
        for name in dead_in(info, sight):
            self._learn(sight, "execute", target=name)

    def _nightfall(self, sight: Sight) -> None:
        if not self._dark:
            self._dark = True
            self._learn(sight, "night")

    def answered(self, kind: Kind, reply: str) -> None:
        """Note an answer that was sent, where no packet will tell of it."""
        sight = self.sight
        if sight is None:
            return
        if kind == "guard" and reply in sight.targets("guard"):
            self._learn(sight, "guard", sight.me, reply)
        elif kind in ("vote", "attack") and reply in sight.alive and (reply != sight.me or sight.table.self_votes):
            if kind == "attack":
                self._prey = reply
            elif not sight.table.public_votes:
                self._learn(sight, "vote", sight.me, reply)

    def _dawn(self, sight: Sight, info: Mapping[str, Any], day: int) -> None:
        if self._day >= 0:
            self._yesterday(sight, info, night=True)
        self._day, self._dusk, self._dark, self._prey = day, None, False, ""
        self._inquest(sight, info)
        self._learn(sight, "day")

    def _inquest(self, sight: Sight, info: Mapping[str, Any]) -> None:
        """What a medium learns in the morning; the server tells one who is dead, too."""
        found = fields(info.get("medium_result"))
        if (target := words(found.get("target"))) in sight.names:
            self._learn(sight, "medium", sight.me, target, words(found.get("result")))

    def _yesterday(self, sight: Sight, info: Mapping[str, Any], *, night: bool) -> None:
        """What the morning tells of the day before and its night, in the order in which it happened."""
        self._votes(sight, info)
        executed, attacked = (words(info.get(f"{how}_agent")) for how in ("executed", "attacked"))
        if executed in sight.alive:
            self._learn(sight, "execute", target=executed)
        if not (night or self._dark or attacked):
            return
        self._nightfall(sight)
        found = fields(info.get("divine_result"))
        if (target := words(found.get("target"))) in sight.names and found.get("day") == self._day:
            self._learn(sight, "divine", sight.me, target, words(found.get("result")))
        own = [(sight.me, self._prey)] if self._prey else []
        for vote in votes_in(info.get("attack_vote_list"), sight) or own:
            self._learn(sight, "attack_vote", *vote)
        if self._day > 0:
            self._learn(sight, "attack", target=attacked, result="killed" if attacked else "")
        for name in dead_in(info, sight):
            self._learn(sight, "death", target=name)

    def _votes(self, sight: Sight, info: Mapping[str, Any]) -> None:
        """Put the votes between the talk and the execution, which some knew before."""
        at, lines = self._dusk or (len(sight.events), len(sight.lines))
        votes = [Event(lines, self._day, "vote", *vote) for vote in votes_in(info.get("vote_list"), sight)]
        sight.rewritten += bool(votes) and at < len(sight.events)
        sight.events[at:at] = votes

    def _end(self, sight: Sight, info: Mapping[str, Any], day: int) -> None:
        sight.roles = {name: words(role) for name, role in fields(info.get("role_map")).items() if name in sight.names}
        # An execution that decides the game has no night after it, nor has the day of a game that is given up.
        dead = {*sight.dead, words(info.get("executed_agent"))}
        undecided = not winner_of(sight.roles, [name for name in sight.names if name not in dead])
        ended = winner_of(sight.roles, [name for name in sight.names if name not in {*dead, *dead_in(info, sight)}])
        last = sight.table.days is not None and day > sight.table.days
        self._yesterday(sight, info, night=undecided and (ended != "" or last))
        self._day = day
        self._inquest(sight, info)
        self._learn(sight, "end")
        sight.day, sight.over, sight.winner = day, True, winner_of(sight.roles, sight.alive)


def dead_in(info: Mapping[str, Any], sight: Sight) -> list[str]:
    """Who is dead by a packet, and was not by what was known."""
    states = fields(info.get("status_map"))
    return [name for name in sight.alive if states.get(name) == "DEAD"]


def votes_in(listed: Any, sight: Sight) -> list[tuple[str, str]]:
    """Who voted for whom, in a packet's list."""
    votes = [(words(fields(vote).get("agent")), words(fields(vote).get("target"))) for vote in items(listed)]
    return [vote for vote in votes if set(vote) <= set(sight.names)]


def winner_of(roles: Mapping[str, str], alive: Collection[str]) -> str:
    """The side that has won when these are alive; empty while nobody has."""
    wolves = sum(roles.get(name) == WEREWOLF for name in alive)
    return VILLAGER if not wolves else WEREWOLF if 2 * wolves >= len(alive) else ""
