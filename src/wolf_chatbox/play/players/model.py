"""A player whose lines a language model draws; the model, the rules player's reasoning, or both choose its targets."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Mapping

from wolf_chatbox.errors import ChatError
from wolf_chatbox.game import SIDES, VILLAGER, WEREWOLF
from wolf_chatbox.play.inference.statements import Statement, statements_in
from wolf_chatbox.play.player import Bid, Player
from wolf_chatbox.play.players import scheduler
from wolf_chatbox.play.players.checks import fitting, problem
from wolf_chatbox.play.players.mind import NARRATORS, Mind, log_shares
from wolf_chatbox.play.players.rules import RulesPlayer
from wolf_chatbox.play.players.secrets import claimed_in, may_betray
from wolf_chatbox.werewolf.rules import HUMAN
from wolf_chatbox.werewolf.sight import SPEECH, Kind, Sight
from wolf_chatbox.werewolf.utterance import OVER, SKIP

DRAWN = (1, 3, 4)
"""Lines that are drawn at once, try after try, until one passes the checks."""
WEIGHT = 0.1
"""How much the model's standardised scores count beside the log-scores of the reasoning, where both choose.

Measured with a SmolLM2-135M that learnt nine games, on 48 votes of villagers in games of rules players: the wolf is
likeliest from 0.1 to 0.2, and from 0.3 on less likely than without the model. The least of these: players of one side
must meet in their votes, and each one's model has a view of its own."""
PROMISE = 0.15
"""What it counts that the player announced its vote: as much as the model can."""
CERTAIN = 0.8
"""Who is taken for the seer must be as likely as this share of the likeliest one."""
EQUAL = 1e-6
"""Scores that differ by less are equal; chance decides."""
WORST = -20.0
"""The score of a target that the reasoning leaves out."""
KEPT = 3
"""Lines of others after which a line that was drawn, and not said yet, still fits."""

__all__ = ["Mind", "ModelPlayer"]


class ModelPlayer(Player):
    """Plays one game with a Mind, which it may share with all others.

    Unless the model alone is to choose, what others can reason with (claims, results, suspicions, votes) is told in the
    words of the rules player, when it would tell it; `account["plan"]` counts such lines.
    """

    def __init__(self, mind: Mind, seed: int | str | None = None) -> None:
        super().__init__()
        self.mind = mind
        self.team = mind.team
        self._rules = RulesPlayer(seed)
        self._chance = random.Random(seed)
        self._strangers = frozenset(mind.voice.speakers) - NARRATORS
        self._offered = ""
        """The last plan that was offered in talk at any time."""
        self._kept: tuple[Kind, int, int, str] | None = None
        """A line that was drawn and not said: its kind, its day, the number of lines before it."""

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind in SPEECH:
            if plan := self._plan(kind, sight):
                self.account["plan"] += 1
                return plan
            return self._line(kind, sight) if self._may_chat(kind, sight) else OVER
        return self._target(kind, sight)

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
        """When it speaks is decided first; only then a line is drawn. One that was not said is kept while it fits."""
        if sight.left <= 0:
            return None
        if plan := self._plan(kind, sight):
            self.account["plan"] += plan != self._offered
            self._offered = plan
            return Bid(plan, min(scheduler.SOON + self._chance.random(), seconds / 2))
        names = [name for name in sight.alive if kind == "talk" or name == sight.me or name in sight.friends]
        after = scheduler.pause(sight, kind, seconds, self._chances(kind, sight, names))
        if after is None:
            return None
        text = self._still_fits(kind, sight) or self._line(kind, sight)
        if text in (OVER, SKIP):
            return None
        self._kept = kind, sight.day, len(sight.lines), text
        return Bid(text, max(after * self._chance.uniform(0.8, 1.2), scheduler.typing(text)))

    def _may_chat(self, kind: Kind, sight: Sight) -> bool:
        """Whether it says more than it must: the day's last utterance is kept for what may have to be said."""
        kept = kind == "talk" and sight.day > 0 and self.mind.choice != "model"
        return scheduler.has_news(sight, kind) and sight.left > kept

    # What it says

    def _line(self, kind: Kind, sight: Sight) -> str:
        """A line that the model draws, or a template."""
        if text := self._drawn(kind, sight):
            self.account["said"] += 1
            return text
        self.account["fallback"] += 1
        return self._template(kind, sight)

    def _drawn(self, kind: Kind, sight: Sight) -> str:
        """The first line that passes the checks; empty if none does."""
        said = self._said(kind, sight)
        for number, count in enumerate(DRAWN):
            self.account["drawn again"] += number > 0
            try:
                texts = self.mind.draw(sight, kind, [self._chance.getrandbits(63) for _ in range(count)])
            except ChatError:  # the last line fills the context
                self.account["too long to read"] += 1
                return ""
            for text in texts:
                line = fitting(text, sight)
                found = self._fault(line, kind, sight, said)
                if not found:
                    return line
                self.account[found] += 1
        return ""

    def _said(self, kind: Kind, sight: Sight) -> list[str]:
        return [line.text for line in sight.said(whisper=kind == "whisper") if line.speaker == sight.me]

    def _fault(self, line: str, kind: Kind, sight: Sight, said: list[str]) -> str:
        """Why a drawn line must not be said; empty if it may."""
        found = problem(line, sight, said, kind=kind, strangers=self._strangers)
        if not found and kind == "talk" and may_betray(line, sight):
            found = "secret"
        return found or ("over" if line in (OVER, SKIP) else self._against(line, kind, sight))

    def _against(self, text: str, kind: Kind, sight: Sight) -> str:
        """`unplanned` for a claim that only the plan may make, `unbelieved` for what the player does not believe."""
        if self.mind.choice == "model" or kind == "whisper":
            return ""
        told = statements_in(text, sight.names, sight.table.language)
        claims = claimed_in(text, sight.table.language) - {VILLAGER if sight.role == VILLAGER else ""}
        if claims or any(statement.what == "result" for statement in told):
            return "unplanned"
        best = max(scores, key=scores.__getitem__) if (scores := self._rules.scores("vote", sight)) else ""
        for said in told:
            if said.what == "vote" and said.target != best:
                return "unbelieved"
            if said.what == "estimate" and said.target == sight.me and said.role == WEREWOLF:
                return "itself"
            if said.what == "estimate" and not self._believes(said, sight):
                return "unbelieved"
        return ""

    def _believes(self, said: Statement, sight: Sight) -> bool:
        """Whether a player of the village holds this view: others reason with what it says. A wolf may say anything."""
        others = [name for name in sight.alive if name != sight.me]
        if SIDES.get(sight.role, VILLAGER) != VILLAGER or said.target not in others:
            return True
        beliefs = self._rules.reasoner.beliefs(sight)
        wolves = [beliefs.wolf(name) for name in others]
        if said.role == WEREWOLF:
            return beliefs.wolf(said.target) >= max(wolves)
        if said.role == HUMAN:
            return beliefs.wolf(said.target) <= statistics.fmean(wolves)
        return beliefs.role(said.target, said.role) >= max(beliefs.role(name, said.role) for name in others) * CERTAIN

    def _plan(self, kind: Kind, sight: Sight) -> str:
        """What the rules player must say now, because the game hangs on it."""
        return "" if self.mind.choice == "model" else self._rules.plan(kind, sight)

    def _template(self, kind: Kind, sight: Sight) -> str:
        """What the rules player would say, if it may be said."""
        text = self._rules.answer(kind, sight) or OVER
        return OVER if problem(text, sight, self._said(kind, sight), kind=kind) else text

    def _still_fits(self, kind: Kind, sight: Sight) -> str:
        """The line that was drawn before and not said, unless too much was said since, or to this player."""
        if self._kept is None or self._kept[:2] != (kind, sight.day):
            return ""
        _, _, at, text = self._kept
        new = sight.lines[at:]
        if len(new) > KEPT or any(line.speaker == sight.me or scheduler.speaks_to(line.text, sight.me) for line in new):
            return ""
        return "" if problem(text, sight, self._said(kind, sight), kind=kind, strangers=self._strangers) else text

    def _chances(self, kind: Kind, sight: Sight, names: list[str]) -> Mapping[str, float]:
        try:
            return self.mind.expected(sight, kind, names)
        except ChatError:
            return {}

    # Whom it names

    def _target(self, kind: Kind, sight: Sight) -> str:
        names = sight.targets(kind)
        if len(names) < 2:
            return names[0] if names else sight.me
        scores = self._scores(kind, sight)
        best = max(scores.values())
        chosen = self._chance.choice([name for name in names if scores[name] > best - EQUAL])
        shares = dict(zip(names, map(math.exp, log_shares(list(scores.values())))))
        first = sorted(names, key=lambda name: -shares[name])[:3]
        self.thought = f"{kind}: " + ", ".join(f"{name} {shares[name]:.2f}" for name in first)
        return chosen

    def _scores(self, kind: Kind, sight: Sight) -> dict[str, float]:
        """How good it is to name each, as the model, the reasoning, or both together see it."""
        names = sight.targets(kind)
        choice = self.mind.choice
        total = dict.fromkeys(names, 0.0)
        if choice != "model":
            reasons = self._rules.scores(kind, sight)
            total = dict(zip(names, log_shares([reasons.get(name, WORST) for name in names])))
            promised = self._rules.reasoner.evidence(sight).announced.get(sight.me, "") if kind == "vote" else ""
            if promised in total:
                total[promised] += PROMISE
        if choice != "rules":
            try:
                leanings = self.mind.leanings(sight, kind)
            except ChatError:
                self.account["too long to read"] += 1
                return total
            weight = 1.0 if choice == "model" else WEIGHT
            total = {name: total[name] + weight * share for name, share in standardised(leanings).items()}
        return total


def standardised(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores with the mean 0 and the standard deviation 1; 0 where all are the same.

    A small model is often sure of one name: so its scores count as an order, with a bounded weight.
    """
    mean, spread = statistics.fmean(scores.values()), statistics.pstdev(scores.values())
    return {name: (score - mean) / spread if spread > EQUAL else 0.0 for name, score in scores.items()}
