"""The rules player: an honest, strong baseline. It infers the roles exactly, claims, bluffs, and talks in templates."""

from __future__ import annotations

import random
from collections.abc import Callable

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.inference.evidence import Evidence
from wolf_chatbox.play.inference.reasoning import ENEMIES, Beliefs, Reasoner, worth
from wolf_chatbox.play.inference.statements import Statement, statements_in
from wolf_chatbox.play.player import Bid, Player
from wolf_chatbox.play.players.agenda import Agenda, Item, Part, remark
from wolf_chatbox.play.players.disguise import Disguise
from wolf_chatbox.play.players.templates import THOUGHTS, Voice
from wolf_chatbox.werewolf.rules import HUMAN
from wolf_chatbox.werewolf.sight import SPEECH, Kind, Sight
from wolf_chatbox.werewolf.utterance import OVER

LETTERS = 125
"""Characters of an utterance at most, without spaces, also where the table allows more."""
LATE, SILENT = 0.3, 60.0
"""In talk at any time: the share of the time that is late; the seconds of silence after which nothing more comes."""
NEAR = 0.12
"""How much worse than the best one a target may be, and still be chosen."""
CROWD = 0.25
"""How much an announced vote adds to the worth of voting along, if who announced it is trusted."""
GUARDED = 0.6
"""How much less an attack is worth for each that failed."""
PACK = 0.6
"""How much a wolf's proposal adds to the worth of an attack."""
ALLY, ALONG = 0.8, 0.15
"""How much it adds for an enemy of the village: if who announced it is a friend, and in any case."""


def tells(item: Item) -> bool:
    """Whether others learn something from an item that they can reason with; a greeting or a remark tells nothing."""
    states = any(isinstance(part, Statement) and part.what != "ask" for part in item.parts)
    return states or item.key.startswith("deny")


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
        self._draft: tuple[list[Part], str] = [], ""
        self._told: list[Part] = []
        """The remarks that were made."""
        self._read = 0
        self._mine = 0
        self._disguise = Disguise(self._chance)
        self._favours: dict[str, float] = {}

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind not in SPEECH:
            return self._choose(kind, sight)
        self._hear(sight)
        items = self._whispered(sight) if kind == "whisper" else self._next(sight)
        if not items:
            self._think("over", sight)
            return OVER
        return self._utter(items, sight)

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
        """Speak soon when it matters, later otherwise; keep the last utterance for the vote."""
        if sight.left <= 0:
            return None
        self._hear(sight)
        late = seconds < LATE * 60 * sight.table.talk_minutes
        items = self._whispered(sight) if kind == "whisper" else self._next(sight, late=late)
        wait = 0.6 + 0.8 * self._favour(f"{sight.day} {self._mine}")
        if not items:
            return Bid(OVER, SILENT * wait) if seconds > 2 * SILENT else None
        return Bid(self._utter(items, sight), min(items[0].after * wait, seconds / 2))

    def _favour(self, what: str) -> float:
        """A number from 0 to 1 that stays the same for the same thing, drawn when it is asked for first."""
        if what not in self._favours:
            self._favours[what] = self._chance.random()
        return self._favours[what]

    def _hear(self, sight: Sight) -> None:
        """Notice what was said, and whether it is what was offered before; its end may have been cut off."""
        if self._voice is None:
            self._voice = Voice(sight.table.language, self._chance)
        for line in sight.lines[self._read :]:
            self._voice.hear(line.text)
            if line.speaker == sight.me:
                self._mine += 1
                if line.is_speech and _letters(self._draft[1]).startswith(_letters(line.text)):
                    self._said.update(self._offered)
                    self._told += [part for part in self._draft[0] if not isinstance(part, Statement)]
                    self._offered, self._draft = (), ([], "")
        self._read = len(sight.lines)

    # Talk

    def plan(self, kind: Kind, sight: Sight) -> str:
        """What others must know of this player: claims, results, denials, suspicions, votes; empty if there is nothing.

        For a player who says other things too. Until it is said it is planned again, in the same words.
        """
        self._hear(sight)
        items = self._whispered(sight) if kind == "whisper" else self._next(sight, only=tells)
        return self._utter(items, sight) if items and tells(items[0]) else ""

    def _next(
        self, sight: Sight, *, late: bool = False, only: Callable[[Item], bool] = lambda item: True
    ) -> list[Item]:
        """What to say now, of what `only` lets through; nothing: no more today."""
        if sight.day == 0:
            greeting = Item("greet", (remark("greet"),), 4.0)
            return [greeting] if only(greeting) and greeting.key not in self._said else []
        evidence, beliefs = self.reasoner.evidence(sight), self.reasoner.beliefs(sight)
        shown = self.reasoner.public(sight) if sight.role in ENEMIES else beliefs
        mask = self._disguise.mask(sight, evidence, beliefs)
        view = self._disguise.view(sight, beliefs, shown, mask)
        vote = self._best("vote", sight)
        agenda = Agenda(sight, evidence, shown, view, mask, vote)
        items = [item for item in agenda.items() if only(item) and item.key not in self._said and self._cares(item)]
        announced = agenda.vote()
        if announced is not None and announced.key not in self._said:
            announced = announced._replace(thought="suspect" if sight.role not in ENEMIES else "scapegoat")
            if sight.left == 1 or late:
                items = [*[item for item in items if item.key.startswith("claim")][:1], announced]
            else:
                items.append(announced)
        return self._together(items, sight)

    def _cares(self, item: Item) -> bool:
        """Whether this player says what not everybody must say."""
        return item.share >= 1 or self._favour(f"say {item.key}") < item.share

    def _together(self, items: list[Item], sight: Sight) -> list[Item]:
        """The first thing to say; in few utterances, or where it is short, others with it."""
        chosen, rest = items[:1], items[1:]
        several = sight.left < len(items) or (chosen and len(chosen[0].parts) == 1)
        while several and rest and sum(len(item.parts) for item in chosen) + len(rest[0].parts) <= 3:
            if rest[0].key.startswith("vote") and sight.left > 1:
                break
            chosen.append(rest.pop(0))
        return chosen

    def _utter(self, items: list[Item], sight: Sight) -> str:
        """The items in words, as much of them as there is room for, the same thing once."""
        parts = [part for item in items for part in item.parts]
        if self._draft[0] != parts:
            self._draft = parts, self._written(items, sight)
        targets = [part.target for part in items[0].parts if isinstance(part, Statement) and part.target]
        self._think(items[0].thought, sight, targets[0] if targets else "")
        return self._draft[1]

    def _written(self, items: list[Item], sight: Sight) -> str:
        assert self._voice is not None, "it has listened before it speaks"
        text, said = "", list[Part]()
        self._offered = (items[0].key,)
        for item in items:
            states = any(isinstance(part, Statement) for part in item.parts)
            known = [*said, *self._told] if states else said  # a reason is given once, a statement again
            for part in [part for part in item.parts if part not in known]:
                longer = self._voice.space.join(filter(None, (text, self._word(part))))
                if text and not _fits(longer, sight):
                    return text
                text = longer
                said.append(part)
            self._offered += (item.key,)
        return text

    def _word(self, part: Part) -> str:
        assert self._voice is not None, "it has listened before it speaks"
        return self._voice.state(part) if isinstance(part, Statement) else self._voice.remark(part[0], **part[1])

    # Whispers

    def _whispered(self, sight: Sight) -> list[Item]:
        """What a wolf tells the others: whom to attack, twice a night at most; on the first evening, how to behave."""
        mine = [line for line in sight.lines if line.whisper and line.speaker == sight.me and line.day == sight.day]
        if sight.day == 0:
            return [] if mine else [Item("hide", (remark("hide"),), 3.0)]
        target = self._best("attack", sight)
        proposals = self._proposals(sight)
        if not target or len(mine) > 1 or proposals.pop(sight.me, "") == target:
            return []
        parts = (remark("agreed"),) if target in proposals.values() else ()
        return [Item(f"attack {target} {sight.day}", (*parts, Statement("attack", "", target)), 3.0, "attack")]

    def _proposals(self, sight: Sight) -> dict[str, str]:
        """Whom each wolf wants to attack tonight, in whispers; the last word counts."""
        wanted: dict[str, str] = {}
        for line in sight.lines:
            if line.whisper and line.day == sight.day:
                for said in statements_in(line.text, sight.names, sight.table.language):
                    if said.what == "attack":
                        wanted[line.speaker] = said.target
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
        """The best target; empty if there is none."""
        scores = self.scores(kind, sight)
        return max(scores, key=lambda name: scores[name]) if scores else ""

    def scores(self, kind: Kind, sight: Sight) -> dict[str, float]:
        """How good it is to name each target: `worth`, and what the others announced.

        Which one of those is best that are nearly as good stays the same all day.
        """
        beliefs = self.reasoner.beliefs(sight)
        scores = worth(kind, sight, beliefs)
        if kind == "vote":
            self._follow(scores, sight, beliefs)
        elif kind == "attack":
            self._hunt(scores, sight)
        elif kind == "divine":
            for name in sight.found("divine"):
                scores.pop(name, None)
        return {name: score + NEAR * self._favour(f"{kind} {sight.day} {name}") for name, score in scores.items()}

    def _hunt(self, scores: dict[str, float], sight: Sight) -> None:
        """Wolves agree, and leave alone whom somebody guards."""
        for wolf, name in self._proposals(sight).items():
            if wolf != sight.me and name in scores:
                scores[name] += PACK
        for event in sight.events:
            if (
                (event.kind, event.actor) == ("attack_vote", sight.me)
                and event.day < sight.day
                and event.target in scores
            ):
                scores[event.target] -= GUARDED

    def _follow(self, scores: dict[str, float], sight: Sight, beliefs: Beliefs) -> None:
        """What the others announced counts: the village's votes must meet, and its enemies hide in the crowd."""
        evidence = self.reasoner.evidence(sight)
        enemy = sight.role in ENEMIES
        if enemy:
            public = self.reasoner.public(sight)
            for name in scores:
                scores[name] += 1.2 * public.wolf(name) + FAKED.get(self._disguise.fakes.get(name, ""), 0.0)
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
                    0.5 if target == sight.me else -0.4 if few or self._disguise.fakes.get(target) == WEREWOLF else 0.0
                )
        for (who, whom), role in evidence.estimates.items():
            if who in scores and role == WEREWOLF:
                scores[who] += 0.4 if whom == sight.me else -0.3 if self._disguise.fakes.get(whom) == WEREWOLF else 0.0

    def _ally(self, name: str, sight: Sight, beliefs: Beliefs) -> float:
        """How likely it is that an enemy of the village has a friend in this player."""
        return beliefs.wolf(name) + (beliefs.role(name, "POSSESSED") if sight.role == WEREWOLF else 0.0)

    def _think(self, key: str, sight: Sight, target: str = "") -> None:
        share = round(100 * self.reasoner.beliefs(sight).wolf(target)) if target else 0
        if key == "suspect" and not target:
            key = "talk"
        self.thought = THOUGHTS[key][sight.table.language == "ja"].format(t=target, p=share)


FAKED = {WEREWOLF: 0.7, HUMAN: -1.5}
"""How much a made-up result adds to the worth of voting for its target: who lies must act on it."""


def _letters(text: str) -> str:
    """A text without white space, which mentions change."""
    return "".join(text.split())


def _fits(text: str, sight: Sight) -> bool:
    """Whether a text keeps to the limits of the table."""
    table = sight.table
    bounds = [bound for bound in (table.letters or None, table.letters_at_once, LETTERS) if bound is not None]
    size = len(text.split()) if table.count_words else len(text) if table.count_spaces else len(_letters(text))
    return size <= min(bounds)
