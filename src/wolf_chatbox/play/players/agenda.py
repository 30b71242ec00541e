"""What the rules player has to say today, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.inference.evidence import Evidence, Result
from wolf_chatbox.play.inference.reasoning import Beliefs
from wolf_chatbox.play.inference.statements import Statement
from wolf_chatbox.werewolf.rules import HUMAN
from wolf_chatbox.werewolf.sight import Sight

Part = Statement | tuple[str, Mapping[str, str]]
"""A statement, or a remark with its names."""


class Item(NamedTuple):
    """Something to say once."""

    key: str
    parts: tuple[Part, ...]
    after: float
    """In talk at any time: in about how many seconds."""
    thought: str = "talk"
    share: float = 1.0
    """How often it is said at all: not everybody must say what all can see."""


@dataclass
class Mask:
    """Who a player pretends to be: its own role, or a role that it claims, with results that it made up."""

    role: str
    fakes: dict[str, str] = field(default_factory=dict)
    """Results that were made up, by target."""
    honest: bool = True


def remark(key: str, **names: str) -> Part:
    return key, names


class Agenda:
    """The things to say, from what is known now; nothing is remembered here."""

    def __init__(
        self, sight: Sight, evidence: Evidence, beliefs: Beliefs, view: Mapping[str, float], mask: Mask, target: str
    ) -> None:
        """`view` is how suspicious the player says that others are; `target` is for whom it will vote, or empty.

        `beliefs` are those that the player shows: its own, or what anybody may conclude.
        """
        self.sight, self.evidence, self.beliefs, self.view = sight, evidence, beliefs, view
        self.mask, self.target = mask, target
        self.me, self.day = sight.me, sight.day
        self.others = [name for name in sight.alive if name != sight.me]

    def items(self) -> Iterator[Item]:
        """What there is to say. Keys tell what was said already: those of today end with the day."""
        if self.day == 0:
            yield Item("greet", (remark("greet"),), 4.0)
            return
        yield from self._claims()
        yield from self._defence()
        yield from self._answers()
        yield from self._news()
        yield from self._opinion()

    def vote(self) -> Item | None:
        """The announcement of the vote; it stays true as long as `target` is the same."""
        if not self.target or self.day == 0:
            return None
        return Item(f"vote {self.target} {self.day}", (Statement("vote", "", self.target),), 20.0, "suspect")

    def _claims(self) -> Iterator[Item]:
        """The role that this player claims, and what it found out, or says that it did."""
        role = self.mask.role
        if role == "POSSESSED":
            claim = Statement("claim", "POSSESSED")
            yield Item("claim POSSESSED", (claim, remark("follow")), 3.0, "power")
        if role not in ("SEER", "MEDIUM"):
            return
        results = (
            self.mask.fakes if not self.mask.honest else self.sight.found("divine" if role == "SEER" else "medium")
        )
        told = [name for name in results if (self.me, role, name) not in self.evidence.results]
        claimed = self.evidence.claims.get(self.me) == role
        rivals = [name for name in self.evidence.claimants(role) if name != self.me]
        if claimed and not told:
            return
        if role == "MEDIUM" and not told and not rivals:
            return
        parts: list[Part] = [] if claimed else [Statement("claim", role)]
        parts += [Statement("result", role, name, results[name]) for name in reversed(told)]
        thought = "claim" if self.mask.honest else "fake"
        yield Item(f"claim {role} {' '.join(told)}", tuple(parts), 3.0, thought)

    def _defence(self) -> Iterator[Item]:
        """Somebody calls this player a wolf, or wants it voted out."""
        for result in self.evidence.results.values():
            if result.target == self.me and result.result == WEREWOLF and result.teller not in self.sight.dead:
                parts: list[Part] = [remark("deny"), Statement("estimate", WEREWOLF, result.teller)]
                yield Item(f"deny {result.teller}", (*parts, *self._plain_claim()), 4.0, "deny")
        against = [name for name, target in self.evidence.announced.items() if target == self.me]
        if against:
            bodyguard: list[Part] = []
            if self.sight.role == "BODYGUARD" and len(against) > 1:
                bodyguard = [Statement("claim", "BODYGUARD")]
            parts = [remark("deny"), *(bodyguard or self._plain_claim())]
            yield Item(f"deny votes {self.day}", tuple(parts), 6.0, "deny")

    def _plain_claim(self) -> tuple[Part, ...]:
        return (Statement("claim", "VILLAGER"),) if self.mask.role == "VILLAGER" else ()

    def _answers(self) -> Iterator[Item]:
        """Somebody asked this player by name."""
        asked = self.evidence.asked.get(self.me)
        if asked is None or not asked.by_name:
            return
        parts: list[Part] = []
        if asked.role and self.mask.role != asked.role:
            parts.append(remark("no result"))
        yield Item(f"answer {asked.by} {self.day}", (*parts, *self._stand()), 7.0)

    def _stand(self) -> tuple[Part, ...]:
        """What this player thinks, in one or two sentences."""
        suspect = self._suspect()
        if suspect:
            return (Statement("estimate", WEREWOLF, suspect),)
        return (remark("unsure"),)

    def _news(self) -> Iterator[Item]:
        """Claims and results of others."""
        seers = [name for name in self.evidence.claimants("SEER") if name != self.me]
        living = [name for name in seers if name in self.others]
        if len(seers) > 1 and self.mask.role != "SEER":
            best, second = sorted(seers, key=lambda name: self._real(name), reverse=True)[:2]
            parts = [remark("two claims", a=seers[0], b=seers[1])]
            if self._real(best) > 1.5 * self._real(second) and best in self.others:
                parts.append(Statement("estimate", "SEER", best))
            yield Item(f"two claims {' '.join(seers)}", tuple(parts), 10.0, share=0.6)
        if living and self.mask.role == "SEER":
            wolf = self.view.get(living[0], 0.0) > 0.5
            parts = [Statement("estimate", WEREWOLF, living[0]) if wolf else remark("false seer", a=living[0])]
            yield Item(f"rival {living[0]}", tuple(parts), 8.0)
        if not seers and self.mask.role != "SEER" and "SEER" in self.sight.counts and self.day == 1:
            yield Item("ask SEER", (Statement("ask", "SEER"),), 9.0, share=0.5)
        for result in self.evidence.results.values():
            if result.teller != self.me and result.target in self.others and result.day == self.day:
                yield self._reaction(result)

    def _real(self, name: str) -> float:
        return self.beliefs.role(name, "SEER")

    def _reaction(self, result: Result) -> Item:
        """What follows from a result of today."""
        key = f"reaction {result.teller} {result.target} {result.result}"
        names = {"a": result.teller, "b": result.target}
        believed = self.view.get(result.target, 0.0)
        if result.result == HUMAN:
            trust: tuple[Part, ...] = (Statement("estimate", HUMAN, result.target),) if believed < 0.12 else ()
            return Item(key, (remark("white", **names), *trust), 14.0, share=0.4)
        if believed > 0.4:
            return Item(key, (remark("black", **names), Statement("estimate", WEREWOLF, result.target)), 9.0, share=0.7)
        parts = (remark("black", **names), remark("unsure"))
        return Item(key, parts, 12.0, share=0.4)

    def _suspect(self) -> str:
        """The most suspicious player, if one stands out."""
        ranked = sorted(self.others, key=lambda name: self.view.get(name, 0.0), reverse=True)
        usual = sum(self.view.get(name, 0.0) for name in ranked) / max(1, len(ranked))
        return ranked[0] if ranked and self.view.get(ranked[0], 0.0) > 1.15 * usual else ""

    def _opinion(self) -> Iterator[Item]:
        """Whom this player suspects and trusts, why, and whom it wants to hear."""
        if suspect := self._suspect():
            parts = (*self._reason(suspect), Statement("estimate", WEREWOLF, suspect))
            yield Item(f"suspect {suspect}", parts, 15.0)
        else:
            yield Item(f"unsure {self.day}", (remark("unsure"), Statement("ask")), 18.0)
        accused = {name for (who, name), role in self.evidence.estimates.items() if who == self.me and role == WEREWOLF}
        harmless = [name for name in self.others if name not in accused]
        trusted = min(harmless, key=lambda name: self.view.get(name, 0.0), default="")
        if trusted and self.view.get(trusted, 0.0) < 0.1 and self._earned(trusted):
            yield Item(f"trust {trusted}", (Statement("estimate", HUMAN, trusted),), 25.0)
        killed = [name for name in self.evidence.killed if self.sight.dead.get(name) == self.day - 1]
        if killed:
            yield Item(f"killed {killed[0]}", (remark("killed", a=killed[0]),), 20.0, share=0.2)
        if suspect and suspect not in self.evidence.announced:
            yield Item(f"ask {suspect} {self.day}", (Statement("ask", "", suspect),), 22.0, share=0.6)

    def _earned(self, name: str) -> bool:
        """Whether others can see why this player is trusted."""
        results = self.evidence.results.values()
        return name in self.evidence.claims or any(told.target == name and told.result == HUMAN for told in results)

    def _reason(self, suspect: str) -> tuple[Part, ...]:
        """Why somebody is suspicious, if there is a reason that everybody can see."""
        for told in self.evidence.results.values():
            if told.target == suspect and told.result == WEREWOLF and told.teller != self.me:
                return (remark("black", a=told.teller, b=suspect),)
        ballot = self.evidence.ballots.get(self.day - 1)
        votes = dict(ballot.votes) if ballot is not None else {}
        target = votes.get(suspect, "")
        cleared = {told.target for told in self.evidence.results.values() if told.result == HUMAN}
        if target in cleared and target in self.sight.dead and votes.get(self.me) != target:
            return (remark("human out", a=suspect, b=target),)
        lines = [line for line in self.sight.said() if line.speaker == suspect and line.day == self.day]
        spoken = sum(line.day == self.day for line in self.sight.said())
        return (remark("quiet", a=suspect),) if not lines and spoken > len(self.others) else ()
