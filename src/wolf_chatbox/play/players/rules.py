"""The rules player: an honest, strong baseline. It infers the roles exactly, claims, bluffs, and talks in templates."""

from __future__ import annotations

import random
from collections.abc import Iterable

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.player import Bid, Player
from wolf_chatbox.play.players.agenda import Agenda, Item, Mask, Part, remark
from wolf_chatbox.play.players.evidence import Evidence
from wolf_chatbox.play.players.reasoning import Beliefs, Reasoner, worth
from wolf_chatbox.play.players.statements import Statement, statements_in
from wolf_chatbox.play.players.templates import THOUGHTS, Voice
from wolf_chatbox.werewolf.rules import HUMAN
from wolf_chatbox.werewolf.sight import SPEECH, Kind, Sight
from wolf_chatbox.werewolf.utterance import OVER

PLANNED = ("claim", "deny", "vote")
"""How the keys begin of what must be said."""
LETTERS = 125
"""Characters of an utterance at most, without spaces, also where the table allows more."""
ROOM_FOR_MORE = 0.7
"""Share of the room that one thing to say leaves for another one, at most."""
NEAR = 0.12
"""How much worse than the best one a target may be, and still be chosen."""
CROWD = 0.25
"""How much an announced vote adds to the worth of voting along, if who announced it is trusted."""
ALLY, ALONG = 0.8, 0.15
"""How much it adds for an enemy of the village: if who announced it is a friend, and in any case."""
BLUFFS = 0.08
"""How often a wolf pretends to be the seer, without need."""


class RulesPlayer(Player):
    """Plays by rules and by inference; the same seed and the same game give the same answers."""

    team = "rules"

    def __init__(self, seed: int | str | None = None) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self.reasoner = Reasoner()
        """What it knows and believes; others may ask it too."""
        self._voice: Voice | None = None
        self._said: set[str] = set()
        self._offered: tuple[str, ...] = ()
        self._planned: tuple[str, tuple[str, ...]] = ("", ())
        self._read = 0
        self._mine = 0
        self._fakes: dict[str, str] = {}
        self._bluffs = self._chance.random() < BLUFFS
        self._favours: dict[str, float] = {}

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind not in SPEECH:
            return self._choose(kind, sight)
        self._hear(sight)
        item = self._whispered(sight) if kind == "whisper" else self._next(sight)
        if item is None:
            self._think("over", sight)
            return OVER
        return self._utter(item, sight)

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
        """Speak soon when it matters, later otherwise; keep the last utterance for the vote."""
        if sight.left <= 0:
            return None
        self._hear(sight)
        item = (
            self._whispered(sight) if kind == "whisper" else self._next(sight, late=seconds < 0.3 * self._whole(sight))
        )
        wait = 0.6 + 0.8 * self._favour(f"{sight.day} {self._mine}")
        if item is None:
            return Bid(OVER, 60 * wait) if seconds > 90 else None
        return Bid(self._utter(item, sight), min(item.after * wait, 0.5 * seconds))

    def _whole(self, sight: Sight) -> float:
        return 60 * sight.table.talk_minutes

    def _favour(self, what: str) -> float:
        """A number from 0 to 1 that stays the same for the same thing, drawn when it is asked for first."""
        if what not in self._favours:
            self._favours[what] = self._chance.random()
        return self._favours[what]

    def _hear(self, sight: Sight) -> None:
        """Notice what was said; an own line is what was offered before."""
        if self._voice is None:
            self._voice = Voice(sight.table.language, self._chance)
        for line in sight.lines[self._read :]:
            self._voice.hear(line.text)
            if line.speaker == sight.me:
                self._mine += 1
                if "".join(line.text.split()) == "".join(self._planned[0].split()):
                    self._offered = self._planned[1]
                self._said.update(self._offered)
                self._offered = ()
        self._read = len(sight.lines)

    # Talk

    def plan(self, sight: Sight) -> str:
        """What the game hangs on, and is to be said now: a claim, a result, a denial, a vote; empty if nothing is.

        For a player who says other things too. Until it is said it is planned again.
        """
        self._hear(sight)
        item = self._next(sight)
        if item is None or not item.key.startswith(PLANNED):
            return ""
        text = self._utter(item, sight)
        self._planned, self._offered = (text, self._offered), ()
        return text

    def _next(self, sight: Sight, *, late: bool = False) -> Item | None:
        """What to say now; None: nothing more today."""
        if sight.day == 0:
            return next((item for item in self._greeting() if item.key not in self._said), None)
        evidence, beliefs = self.reasoner.evidence(sight), self.reasoner.beliefs(sight)
        mask = self._mask(sight, evidence, beliefs)
        view = self._view(sight, beliefs, mask)
        shown = beliefs if mask.honest else self.reasoner.public(sight)
        vote = self._best("vote", sight)
        agenda = Agenda(sight, evidence, shown, view, mask, vote)
        items = [item for item in agenda.items() if item.key not in self._said and self._cares(item)]
        announced = agenda.vote()
        if announced is not None and announced.key not in self._said:
            announced = announced._replace(thought="suspect" if sight.role not in ENEMIES else "scapegoat")
            if sight.left == 1 or late:
                items = [*[item for item in items if item.key.startswith("claim")][:1], announced]
            else:
                items.append(announced)
        return self._joined(items, sight) if items else None

    def _cares(self, item: Item) -> bool:
        """Whether this player says what not everybody must say."""
        return item.share >= 1 or self._favour(f"say {item.key}") < item.share

    def _greeting(self) -> Iterable[Item]:
        return [Item("greet", (remark("greet"),), 4.0)]

    def _joined(self, items: list[Item], sight: Sight) -> Item:
        """The first thing to say; in few utterances, several at once."""
        first, rest = items[0], items[1:]
        several = sight.left < len(items) or len(first.parts) == 1
        while several and rest and len(first.parts) + len(rest[0].parts) <= 3:
            second, rest = rest[0], rest[1:]
            if second.key.startswith("vote") and sight.left > 1:
                break
            parts = first.parts + tuple(part for part in second.parts if part not in first.parts)
            first = first._replace(key=f"{first.key}\n{second.key}", parts=parts)
        return first

    def _utter(self, item: Item, sight: Sight) -> str:
        """An item in words, as much of it as there is room for."""
        assert self._voice is not None, "it has listened before it speaks"
        text = ""
        for part in item.parts:
            more = self._voice.state(part) if isinstance(part, Statement) else self._voice.remark(part[0], **part[1])
            longer = f"{text}{self._voice.space}{more}" if text else more
            if text and not _fits(longer, sight):
                break
            text = longer
        self._offered = tuple(item.key.split("\n"))
        self._think(item.thought, sight, self._target_of(item.parts))
        return text

    def _target_of(self, parts: Iterable[Part]) -> str:
        return next((part.target for part in parts if isinstance(part, Statement) and part.target), "")

    def _mask(self, sight: Sight, evidence: Evidence, beliefs: Beliefs) -> Mask:
        """Who this player pretends to be today."""
        if sight.role in ("SEER", "MEDIUM"):
            return Mask(sight.role)
        if sight.role == "POSSESSED":
            left = sum(beliefs.wolf(name) for name in sight.alive)
            if left >= 0.5 and 2 * (round(left) + 1) > len(sight.alive):
                return Mask("POSSESSED", honest=False)
        if sight.role in ENEMIES and "SEER" in sight.counts and self._pretends(sight, evidence):
            self._make_up(sight, evidence, beliefs)
            return Mask("SEER", self._fakes, honest=False)
        return Mask("VILLAGER", honest=sight.role not in ENEMIES)

    def _pretends(self, sight: Sight, evidence: Evidence) -> bool:
        """Whether an enemy of the village plays the seer: the possessed does, a wolf by chance, or when it must."""
        claimed = evidence.claims.get(sight.me)
        if claimed or sight.role == "POSSESSED":
            return claimed in (None, "SEER")
        claimants = evidence.claimants("SEER")
        accused = any(told.target == sight.me and told.result == WEREWOLF for told in evidence.results.values())
        if any(name in sight.friends for name in claimants) or len(claimants) > 1:
            return False
        if accused:
            return self._favour("counter") < 0.5
        return self._bluffs and sight.day == 1 and not claimants and len(sight.friends) < 2

    def _make_up(self, sight: Sight, evidence: Evidence, beliefs: Beliefs) -> None:
        """A result for each night, as a seer would have it."""
        while len(self._fakes) < sight.day:
            free = [name for name in sight.alive if name != sight.me and name not in self._fakes]
            if not free:
                return
            blacks = sum(result == WEREWOLF for result in self._fakes.values())
            name, result = self._lie(sight, evidence, beliefs, free)
            if result == WEREWOLF and blacks >= sight.counts[WEREWOLF]:
                result = HUMAN
            self._fakes[name] = result

    def _lie(self, sight: Sight, evidence: Evidence, beliefs: Beliefs, free: list[str]) -> tuple[str, str]:
        """Whom to call what: a wolf whom a rival found is human, and an innocent player is a wolf."""
        for told in evidence.results.values():
            if told.role == "SEER" and told.teller != sight.me and told.target in free:
                if told.result == WEREWOLF and beliefs.wolf(told.target) > 0.5:
                    return told.target, HUMAN
                if told.result == HUMAN and beliefs.wolf(told.target) < 0.2 and self._chance.random() < 0.6:
                    return told.target, WEREWOLF
        harmless = sorted(free, key=lambda name: beliefs.wolf(name) + 0.1 * self._chance.random())
        if self._chance.random() < BLACKS:
            return harmless[0], WEREWOLF
        return (harmless[-1] if sight.role == WEREWOLF and self._chance.random() < 0.3 else harmless[0]), HUMAN

    def _view(self, sight: Sight, beliefs: Beliefs, mask: Mask) -> dict[str, float]:
        """How suspicious this player says that others are: what it believes, or what suits it."""
        others = [name for name in sight.alive if name != sight.me]
        if sight.role not in ENEMIES:
            return {name: beliefs.wolf(name) for name in others}
        public = self.reasoner.public(sight)
        view = {name: public.wolf(name) * (1 - beliefs.wolf(name)) for name in others}
        for name, result in mask.fakes.items():
            view[name] = 1.0 if result == WEREWOLF else 0.0
        return view

    # Whispers

    def _whispered(self, sight: Sight) -> Item | None:
        """What a wolf tells the others: whom to attack, once a night; on the first evening, how to behave."""
        mine = [line for line in sight.lines if line.whisper and line.speaker == sight.me and line.day == sight.day]
        if sight.day == 0:
            return Item("hide", (remark("hide"),), 3.0) if not mine else None
        target = self._best("attack", sight)
        if not target or any(name == target for name in self._proposals(sight, mine_too=True).get(sight.me, ())):
            return None
        if len(mine) > 1:
            return None
        proposed = [name for names in self._proposals(sight).values() for name in names]
        parts = (remark("agreed"), Statement("attack", "", target)) if target in proposed else ()
        return Item(f"attack {target} {sight.day}", parts or (Statement("attack", "", target),), 3.0, "attack")

    def _proposals(self, sight: Sight, *, mine_too: bool = False) -> dict[str, list[str]]:
        """Whom each wolf wants to attack tonight, in whispers; the last word counts."""
        wanted: dict[str, list[str]] = {}
        for line in sight.lines:
            if line.whisper and line.day == sight.day and (mine_too or line.speaker != sight.me):
                for said in statements_in(line.text, sight.names, sight.table.language):
                    if said.what == "attack":
                        wanted[line.speaker] = [said.target]
        return wanted

    # Votes and the night

    def _choose(self, kind: Kind, sight: Sight) -> str:
        self._hear(sight)
        best = self._best(kind, sight)
        if not best:
            return self._chance.choice(sight.targets(kind) or list(sight.names))
        reasons = {"vote": "scapegoat" if sight.role in ENEMIES else "suspect"}
        self._think(reasons.get(kind, kind), sight, best)
        return best

    def _best(self, kind: Kind, sight: Sight) -> str:
        """One of the best targets; which one of those that are nearly as good stays the same all day."""
        scores = self.scores(kind, sight)
        return max(scores, key=lambda name: scores[name]) if scores else ""

    def scores(self, kind: Kind, sight: Sight) -> dict[str, float]:
        """How good it is to name each target, as `worth` has it, after what the others announced."""
        beliefs = self.reasoner.beliefs(sight)
        scores = worth(kind, sight, beliefs)
        if kind == "vote":
            self._follow(scores, sight, beliefs)
        elif kind == "attack":
            for names in self._proposals(sight).values():
                for name in names:
                    scores[name] = scores.get(name, -9.0) + 0.6
        elif kind == "divine":
            for name in sight.found("divine"):
                scores.pop(name, None)
        return {name: scores[name] + NEAR * self._favour(f"{kind} {sight.day} {name}") for name in scores}

    def _follow(self, scores: dict[str, float], sight: Sight, beliefs: Beliefs) -> None:
        """What the others announced counts: the village's votes must meet, and its enemies hide in the crowd."""
        evidence = self.reasoner.evidence(sight)
        enemy = sight.role in ENEMIES
        if enemy:
            public = self.reasoner.public(sight)
            for name in scores:
                scores[name] += 1.2 * public.wolf(name) + FAKED.get(self._fakes.get(name, ""), 0.0)
        for voter, target in evidence.announced.items():
            if voter == sight.me or voter not in sight.alive:
                continue
            if target in scores:
                scores[target] += (
                    ALLY * self._ally(voter, sight, beliefs) if enemy else CROWD * (1 - beliefs.wolf(voter))
                )
                scores[target] += ALONG if enemy else 0.0
        if sight.role == "POSSESSED":
            self._spare(scores, sight, evidence)

    def _spare(self, scores: dict[str, float], sight: Sight, evidence: Evidence) -> None:
        """The possessed looks for the wolf, who knows its helper by its lies: it agrees with them."""
        few = len(sight.alive) < 4
        for voter, target in evidence.announced.items():
            if voter in scores:
                scores[voter] += (
                    0.5 if target == sight.me else -0.4 if few or self._fakes.get(target) == WEREWOLF else 0.0
                )
        for (who, whom), role in evidence.estimates.items():
            if who in scores and role == WEREWOLF:
                scores[who] += 0.4 if whom == sight.me else -0.3 if self._fakes.get(whom) == WEREWOLF else 0.0

    def _ally(self, name: str, sight: Sight, beliefs: Beliefs) -> float:
        """How likely it is that an enemy of the village has a friend in this player."""
        return beliefs.wolf(name) + (beliefs.role(name, "POSSESSED") if sight.role == WEREWOLF else 0.0)

    def _think(self, key: str, sight: Sight, target: str = "") -> None:
        share = round(100 * self.reasoner.beliefs(sight).wolf(target)) if target else 0
        if key == "suspect" and not target:
            key = "talk"
        self.thought = THOUGHTS[key][sight.table.language == "ja"].format(t=target, p=share)


ENEMIES = (WEREWOLF, "POSSESSED")
"""Roles that win with the wolves."""


FAKED = {WEREWOLF: 0.7, HUMAN: -1.5}
"""How much a made-up result adds to the worth of voting for its target: who lies must act on it."""
BLACKS = 0.9
"""How often a made-up result is a wolf, without a better reason: it tells the wolf who its helper is."""


def _fits(text: str, sight: Sight) -> bool:
    """Whether a text keeps to the limits of the table."""
    table = sight.table
    bounds = [bound for bound in (table.letters or None, table.letters_at_once, LETTERS) if bound is not None]
    size = len(text.split()) if table.count_words else len(text) if table.count_spaces else len("".join(text.split()))
    return size <= min(bounds)
