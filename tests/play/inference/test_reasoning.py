"""Laws of the inference: it is what an enumeration of all worlds gives, what is known is certain, nothing leaks."""

import math
import random
from collections.abc import Mapping
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.inference import behaviour
from wolf_chatbox.play.inference.evidence import Evidence
from wolf_chatbox.play.inference.reasoning import Reasoner, worth
from wolf_chatbox.play.inference.worlds import MOST_SETS, wolf_sets
from wolf_chatbox.play.moderator import Moderator, Watch
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.sight import Kind, Line, Sight
from wolf_chatbox.werewolf.steps import Step
from wolf_chatbox.werewolf.table import TableConfig, roles_in_order

NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eve", "Flo")
TABLES = (
    TableConfig(),
    TableConfig(players=5, roles=("werewolf=2", "seer=1", "bodyguard=1", "medium=1")),
    TableConfig(players=6, roles=("werewolf=2", "seer=2", "villager=1", "possessed=1")),
    TableConfig(players=6, roles=("werewolf=1", "bodyguard=1", "medium=1", "possessed=2", "villager=1")),
    TableConfig(players=4, roles=("werewolf=1", "villager=3"), public_votes=False),
)
LINES = (
    "I am the seer. I divined {0}: {0} is a werewolf.",
    "I am the seer. I divined {0}: {0} is human.",
    "I am the medium. Medium result: {0} was human.",
    "I am a villager.",
    "I am the bodyguard.",
    "I suspect {0}. I trust {1}.",
    "I vote for {0}.",
    "Hello, everybody.",
)


class Babbler(ChancePlayer):
    """Says anything about anybody."""

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        if kind == "talk":
            return self._chance.choice(LINES).format(*self._chance.sample(sight.names, 2))
        return super().answer(kind, sight)


def play(table: TableConfig, seed: int, watch: Watch) -> Village:
    """A game of babblers."""
    names = NAMES[: table.players]
    village = Village(table, deal(table, names, seed), seed)
    return Moderator(village, {name: Babbler(f"{seed} {name}") for name in names}, watch=watch).lead()


def weight(world: Mapping[str, str], evidence: Evidence, me: str) -> float:
    """How likely it is that players of these roles do what was seen; a plain product, without a thought of speed."""
    wolf = {name: role == WEREWOLF for name, role in world.items()}
    for alive in evidence.tables:
        wolves = sum(wolf[name] for name in alive)
        if not 0 < 2 * wolves < len(alive):
            return 0.0
    if any(world[name] != role for name, role in evidence.known.items()):
        return 0.0
    if any(wolf[name] != its for name, its in evidence.species.items()):
        return 0.0
    product = 1.0
    for name, role in world.items():
        if name != me and name in evidence.claims:
            product *= behaviour.claim_weight(role, evidence.claims[name])
        elif name != me:
            product *= behaviour.silence_weight(role, evidence.days[name])
        if name in evidence.killed:
            product *= behaviour.ATTACKED.get(role, 1.0)
        for guarded, alive in evidence.quiet_nights:
            product *= behaviour.UNGUARDED if role == "BODYGUARD" and name not in alive else 1.0
            product *= behaviour.UNGUARDED if wolf[name] and guarded == name else 1.0
    for told in evidence.results.values():
        role = world[told.teller]
        if told.teller != me:
            guesses = role in ("SEER", "MEDIUM") and role != told.role
            product *= 0.5 if guesses else behaviour.result_weight(role, told.result, wolf[told.target])
    told_of = {(told.teller, told.target) for told in evidence.results.values()}
    black = {told.target for told in evidence.results.values() if told.result == WEREWOLF}
    for (who, whom), taken_for in evidence.estimates.items():
        if who != me and wolf[whom] and (who, whom) not in told_of and whom not in black:
            suspected = behaviour.SUSPECTS, behaviour.USUAL_SUSPECT
            table, usual = suspected if taken_for == WEREWOLF else (behaviour.TRUSTS, behaviour.USUAL_TRUST)
            product *= table.get(world[who], usual)
    for ballot in evidence.ballots.values():
        for voter, target in ballot.votes:
            if voter not in (me, target) and (voter, target) not in told_of and target not in black:
                lift = behaviour.VOTES.get(world[voter], behaviour.USUAL_VOTE)
                could = [lift if wolf[name] else 1.0 for name in ballot.alive if name != voter]
                product *= (lift if wolf[target] else 1.0) / (sum(could) + 1e-9)
    return product


def enumerated(evidence: Evidence, table: TableConfig, me: str) -> dict[str, dict[str, float]]:
    """What the worlds say, one after the other."""
    names, roles = evidence.names, table.counts()
    sums = {name: dict.fromkeys(roles, 0.0) for name in names}
    total = 0.0
    for dealt in set(permutations(roles_in_order(roles))):
        share = weight(dict(zip(names, dealt)), evidence, me)
        total += share
        for name, role in zip(names, dealt):
            sums[name][role] += share
    return {name: {role: share / total for role, share in shares.items()} for name, shares in sums.items()}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: " ".join(table.roles) or "contest")
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_beliefs_are_those_of_an_enumeration_of_all_worlds(table: TableConfig, seed: int) -> None:
    chance = random.Random(seed)
    reasoners = {name: Reasoner() for name in NAMES[: table.players]}

    def compare(village: Village, step: Step) -> None:
        name = chance.choice(village.names)
        sight = village.sights[name]
        if not sight.over and chance.random() < 0.2:
            beliefs = reasoners[name].beliefs(sight)
            for who, shares in enumerated(reasoners[name].evidence(sight), table, name).items():
                assert beliefs.roles[who] == pytest.approx(shares, abs=1e-9)

    assert play(table, seed, compare).over


@pytest.mark.parametrize("players", [5, 9, 13])
def test_beliefs_sum_up_and_what_is_known_is_certain(players: int) -> None:
    table = TableConfig(players=players)
    names = [f"Agent[{number:02}]" for number in range(1, players + 1)]
    village, chance = Village(table, deal(table, names, 3), 3), random.Random(4)
    reasoners = {name: Reasoner() for name in names}

    def watch(village: Village, step: Step) -> None:
        for name in chance.sample(names, 1 if chance.random() < 0.3 else 0):
            sight, reasoner = village.sights[name], reasoners[name]
            for beliefs in (reasoner.beliefs(sight), reasoner.public(sight)):
                for role, number in table.counts().items():
                    assert math.isclose(sum(shares[role] for shares in beliefs.roles.values()), number, rel_tol=1e-9)
                for shares in beliefs.roles.values():
                    assert math.isclose(sum(shares.values()), 1, rel_tol=1e-9)
                    assert min(shares.values()) >= 0
            beliefs = reasoner.beliefs(sight)
            assert all(beliefs.role(who, role) == pytest.approx(1) for who, role in sight.roles.items())
            for who, result in {**sight.found("divine"), **sight.found("medium")}.items():
                assert beliefs.wolf(who) == pytest.approx(float(result == WEREWOLF), abs=1e-9)

    Moderator(village, {name: Babbler(name) for name in names}, watch=watch).lead()
    assert village.over


def test_beliefs_depend_on_nothing_that_a_player_may_not_know() -> None:
    """Two games that look the same to a villager, with other roles for the others, give the same beliefs."""
    table = TableConfig()
    dealt = ["VILLAGER", "WEREWOLF", "SEER", "POSSESSED", "VILLAGER"]
    other = ["VILLAGER", "SEER", "POSSESSED", "VILLAGER", "WEREWOLF"]
    seen = []
    for roles in (dealt, other):
        village = Village(table, dict(zip(NAMES, roles)), 5)
        for number, name in enumerate(village.names[1:]):
            text = LINES[number].format("Ann", "Ben")
            for sight in village.sights.values():
                sight.hear(line(number, name, text))
        seen.append(Reasoner().beliefs(village.sights["Ann"]))
    assert seen[0] == seen[1]
    assert seen[0].wolf("Ben") != pytest.approx(0.25)


def line(number: int, name: str, text: str) -> Line:
    return Line(number, 0, 0, name, text)


def test_asking_again_and_again_is_as_asking_once() -> None:
    often = {name: Reasoner() for name in NAMES}

    def ask(village: Village, step: Step) -> None:
        for name, reasoner in often.items():
            reasoner.beliefs(village.sights[name])

    village = play(TABLES[2], 11, ask)
    for name, reasoner in often.items():
        assert reasoner.beliefs(village.sights[name]) == Reasoner().beliefs(village.sights[name])


def test_a_true_looking_seer_makes_its_black_suspect() -> None:
    village = Village(TableConfig(), dict(zip(NAMES, ["VILLAGER", "SEER", "WEREWOLF", "POSSESSED", "VILLAGER"])), 1)
    sight = village.sights["Ann"]
    before = Reasoner().beliefs(sight)
    sight.hear(line(0, "Ben", "I am the seer. I divined Cleo: Cleo is a werewolf."))
    after = Reasoner().beliefs(sight)
    assert after.wolf("Cleo") > 2 * before.wolf("Cleo")
    assert after.role("Ben", "SEER") > before.role("Ben", "SEER")
    scores = worth("vote", sight, after)
    assert list(scores) == sight.targets("vote")
    assert max(scores, key=lambda name: scores[name]) == "Cleo"


def test_contradictions_end_in_a_guess() -> None:
    """A table whose events cannot be (a dead wolf, and the game goes on) still gives numbers."""
    table = TableConfig(players=4, roles=("werewolf=1", "villager=3"))
    village = Village(table, dict(zip(NAMES, ["VILLAGER", "WEREWOLF", "VILLAGER", "VILLAGER"])), 1)
    sight = village.sights["Ann"]
    sight.roles["Ben"] = "VILLAGER"
    sight.roles["Cleo"] = "VILLAGER"
    sight.roles["Dan"] = "VILLAGER"
    beliefs = Reasoner().beliefs(sight)
    assert sum(beliefs.wolf(name) for name in village.names) == pytest.approx(1)


def test_very_large_tables_are_sampled() -> None:
    sets = wolf_sets(30, 9, frozenset({1}), frozenset({2}))
    assert 0.9 * MOST_SETS < len(sets) <= MOST_SETS
    assert (sets.sum(1) == 9).all()
    assert sets[:, 1].all()
    assert not sets[:, 2].any()
    assert (wolf_sets(30, 9, frozenset({1}), frozenset({2})) == sets).all()
    assert len(wolf_sets(13, 3, frozenset(), frozenset())) == math.comb(13, 3)
