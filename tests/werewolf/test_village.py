"""The rules of the table, whatever the players answer."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions import Recording, replay
from games import DATA
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.game import VILLAGER, WEREWOLF
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.sight import Sight
from wolf_chatbox.werewolf.steps import Answer, Ask, Listen, Step, Tell
from wolf_chatbox.werewolf.table import TableConfig
from wolf_chatbox.werewolf.views import watch

SIZES = (
    {"players": 5},
    {"players": 9},
    {"players": 13},
    {"players": 4, "roles": ("werewolf", "seer", "medium", "bodyguard")},
    {"players": 7, "roles": ("werewolf=2", "bodyguard", "possessed", "villager=3")},
)
VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"talk": "anytime"},
    {"protocol": "v0"},
    {"ballots": 2, "attack_ballots": 2, "self_votes": False, "no_attack": True},
    {"public_votes": False, "skips": 1, "days": 2},
    {"talks": 0, "whispers": 0},
)
WORDS = ("Over", "Skip", "ForceSkip", "", "over", "I am the seer.", "a\nb", "@P1 you?", None)


class Chaos:
    """Answers anything: names of the living and the dead, nonsense, nothing; now and then a player is lost."""

    def __init__(self, village: Village, seed: int, *, loses: bool = False) -> None:
        self.village, self.chance, self.loses = village, random.Random(seed), loses

    def reply(self, step: Ask, name: str) -> str | None:
        if step.kind in ("talk", "whisper"):
            return self.chance.choice(WORDS)
        if self.chance.random() < 0.1:
            return self.chance.choice(("nobody", "", None))
        return self.chance.choice(self.village.names)

    def answer(self, step: Step) -> Answer:
        if self.loses and self.chance.random() < 0.01:
            self.village.lose(self.chance.choice(self.village.names))
        match step:
            case Tell():
                return None
            case Listen():
                if self.chance.random() < 0.05:
                    return None
                return self.chance.choice(self.village.names), self.chance.choice(WORDS[:-1]) or ""
            case Ask():
                return {name: self.reply(step, name) for name in step.who}


def play(village: Village, chaos: Chaos, check: Any = lambda step: None) -> Village:
    course, answer = village.course(), None
    try:
        while True:
            step = course.send(answer)
            check(step)
            answer = chaos.answer(step)
    except StopIteration:
        return village


def set_up(size: int, variant: int, seed: int, *, loses: bool = False) -> tuple[Village, Chaos]:
    table = TableConfig(**SIZES[size], **VARIANTS[variant])
    names = [f"P{seat}" for seat in range(1, table.players + 1)]
    village = Village(table, deal(table, names, seed), seed, game_id=f"game{seed}")
    return village, Chaos(village, seed, loses=loses)


any_game = given(st.integers(0, len(SIZES) - 1), st.integers(0, len(VARIANTS) - 1), st.integers(0, 10**6))
many = settings(max_examples=100, deadline=None)


@any_game
@many
def test_every_game_ends_and_the_winner_follows_from_who_is_left(size: int, variant: int, seed: int) -> None:
    village = play(*set_up(size, variant, seed))
    wolves = sum(village.roles[name] == WEREWOLF for name in village.alive)
    others = len(village.alive) - wolves
    assert village.over
    if village.winner:
        assert village.winner == (WEREWOLF if wolves else VILLAGER)
        assert not wolves or wolves >= others
    else:
        late = village.table.days is not None and village.day > village.table.days
        quiet = village.day - max(village.onlooker.dead.values(), default=0) > village.table.quiet_days
        assert late or quiet
        assert 0 < wolves < others


@any_game
@many
def test_nobody_dead_or_lost_acts_and_everybody_dies_once(size: int, variant: int, seed: int) -> None:
    village, chaos = set_up(size, variant, seed, loses=True)

    def check(step: Step) -> None:
        if not isinstance(step, Tell):
            assert not set(step.who) & (village.dead | village.gone.keys())
            assert step.who

    play(village, chaos, check)
    dead: set[str] = set()
    lines = iter(village.lines)
    said = 0
    for event in village.events:
        while said < event.at:
            assert next(lines).speaker not in dead
            said += 1
        assert event.actor not in dead
        assert not event.target or event.target not in dead
        if event.kind == "execute" or event.result == "killed":
            dead.add(event.target)
    assert dead == village.dead


@any_game
@many
def test_a_sight_shows_what_the_same_view_of_the_finished_game_shows_and_nothing_else(
    size: int, variant: int, seed: int
) -> None:
    village, chaos = set_up(size, variant, seed)
    seen: dict[str, list[tuple[str, tuple[Any, ...]]]] = {name: [] for name in village.names}

    def check(step: Step) -> None:
        if isinstance(step, Ask):
            for name in step.who:
                scene = village.sights[name].scene(step.kind)
                turns = scene.turns
                if turns and turns[-1].text.endswith("hear:"):  # who hears it is told only if something is said
                    turns = turns[:-1]
                if {turn.speaker for turn in turns} & set(village.names):  # before, all belongs to the opening
                    seen[name].append((scene.opening, turns))
                assert_knows_no_more(village, village.sights[name])

    play(village, chaos, check)
    for name in village.names:
        days = [(scene.opening, scene.turns) for scene in watch(village.conversation(), name)]
        for opening, turns in seen[name]:
            assert any(opening == day and turns == heard[: len(turns)] for day, heard in days)


def assert_knows_no_more(village: Village, sight: Sight) -> None:
    """The roles, lines and events of a sight are those that its player may know, told in other words than the rules."""
    wolf = village.roles[sight.me] == WEREWOLF
    for name, role in sight.roles.items():
        assert role == village.roles[name]
        assert name == sight.me or (wolf and role == WEREWOLF)
    for line in sight.lines:
        assert not line.whisper or wolf
    for event in sight.events:
        match event.kind:
            case "attack_vote":
                assert wolf
            case "divine" | "guard" | "medium":
                assert event.actor == sight.me
            case "vote":
                assert village.table.public_votes or event.actor == sight.me
            case "attack":
                assert not event.target or event.target in village.dead
            case _:
                assert not event.result


def test_two_worlds_that_look_alike_to_a_villager_give_it_the_same_sight() -> None:
    """Who is possessed and who a villager changes nothing that anybody else is told."""
    for seed in range(50):
        table = TableConfig(players=5)
        roles = deal(table, [f"P{seat}" for seat in range(1, 6)], seed)
        possessed = next(name for name, role in roles.items() if role == "POSSESSED")
        villagers = [name for name, role in roles.items() if role == VILLAGER]
        other = roles | {possessed: VILLAGER, villagers[0]: "POSSESSED"}
        sights = []
        for world in (roles, other):
            village = Village(table, world, seed)
            play(village, Chaos(village, seed))
            sights.append([village.sights[name] for name in roles if name not in (possessed, villagers[0])])
        for one, two in zip(*sights):
            assert (one.lines, one.events, one.role) == (two.lines, two.events, two.role)


def test_the_same_seed_and_answers_give_the_same_game() -> None:
    one, two, other = (play(*set_up(2, 0, seed)) for seed in (7, 7, 8))
    assert one.conversation() == two.conversation() != other.conversation()


def test_every_role_goes_to_every_seat_about_as_often() -> None:
    table = TableConfig(players=5)
    counts = Counter(next(n for n, r in deal(table, "ABCDE", seed).items() if r == "SEER") for seed in range(1000))
    assert all(150 < counts[name] < 250 for name in "ABCDE")


def lead(village: Village, replies: dict[str, str]) -> list[Step]:
    """Play with one answer for each kind of request; returns the steps."""
    steps: list[Step] = []
    course, answer = village.course(), None
    try:
        while True:
            steps.append(course.send(answer))
            step, answer = steps[-1], None
            if isinstance(step, Ask):
                answer = {name: replies.get(f"{step.kind} {name}", replies.get(step.kind)) for name in step.who}
    except StopIteration:
        return steps


def small(**settings: Any) -> Village:
    roles = {"Ann": "WEREWOLF", "Ben": "SEER", "Cid": "BODYGUARD", "Dot": "MEDIUM", "Eve": "VILLAGER"}
    words = tuple(role.lower() for role in roles.values())
    return Village(TableConfig(players=5, roles=words, **settings), roles, 1)


def test_a_guarded_player_survives_and_nobody_is_told_who_it_was() -> None:
    village = small(days=1, public_votes=True)
    lead(village, {"vote": "nobody", "divine": "Ann", "guard": "Eve", "attack": "Eve", "talk": "Over"})
    attack = next(event for event in village.events if event.kind == "attack")
    assert (attack.target, attack.result) == ("Eve", "guarded")
    assert village.alive == village.names
    for name in village.names:
        heard = next(event for event in village.sights[name].events if event.kind == "attack")
        assert (heard.target, heard.result) == ("", "")


def test_the_seer_and_the_medium_learn_the_truth() -> None:
    village = small(days=2)
    lead(village, {"vote": "Cid", "divine": "Ann", "attack": "Eve", "talk": "Over"})
    assert village.sights["Ben"].found("divine") == {"Ann": WEREWOLF}
    assert village.sights["Dot"].found("medium") == {"Cid": "HUMAN"}
    assert not village.sights["Ann"].found("divine")


def test_votes_of_wolves_for_wolves_do_not_count_and_nobody_is_attacked() -> None:
    village = small(days=1)
    lead(village, {"vote": "nobody", "divine": "Eve", "guard": "Eve", "attack": "Ann", "talk": "Over"})
    attack = next(event for event in village.events if event.kind == "attack")
    assert (attack.target, attack.result) == ("", "")
    assert village.invalid["Ann"] == village.invalid["Ben"] == 1  # the vote for nobody


def test_a_tie_is_voted_on_again_and_then_chance_decides() -> None:
    village = small(ballots=3, days=1)
    votes = {"vote Ann": "Ben", "vote Ben": "Ann", "vote Cid": "Ben", "vote Dot": "Ann", "vote Eve": "Eve"}
    steps = lead(village, votes | {"talk": "Over", "divine": "Ann", "guard": "Ann", "attack": "Eve"})
    assert sum(isinstance(step, Ask) and step.kind == "vote" for step in steps) == 3
    executed = next(event.target for event in village.events if event.kind == "execute")
    assert executed in ("Ann", "Ben")


def test_a_round_is_in_one_order_and_talk_ends_when_all_are_over() -> None:
    village = small(days=1, talks=3)
    lead(village, {"talk": "Hello.", "talk Eve": "Over"})
    order = [line.speaker for line in village.lines if line.day == 0]
    assert len(set(order[:5])) == 5
    assert order.count("Eve") == 1
    assert all(order.count(name) == 3 for name in ("Ann", "Ben", "Cid", "Dot"))
    for earlier, later in pairwise([line for line in village.lines if line.day == 0]):
        assert (later.idx, later.turn) >= (earlier.idx + 1, earlier.turn)


@pytest.mark.parametrize(
    ("settings_", "words"),
    [
        ({"players": 6}, "has no roles"),
        ({"players": 5, "roles": ("werewolf=1", "villager=3")}, "4 roles for 5 players"),
        ({"players": 4, "roles": ("werewolf=2", "villager=2")}, "over at once"),
        ({"players": 5, "roles": ("fox=5",)}, "is not such as werewolf=1"),
        ({"talk": "anytime", "protocol": "v0"}, "in turns only"),
        ({"players": 2}, "from 3 to 30"),
    ],
)
def test_a_table_that_cannot_be_played_is_refused(settings_: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TableConfig(**settings_)


RECORDED = [Path(__file__).parent / "decisions.log"]
RECORDED += sorted(DATA.glob("aiwolf*/**/*.log")) if DATA.is_dir() else []


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.name[:12]}")
def test_the_decisions_of_a_recorded_game_give_its_deaths_its_results_and_its_winner(path: Path) -> None:
    game = Recording.read(path)
    old = path.parent.name == "nlp2025"
    village = replay(game, old=old)
    happened = {kind: {e.day: e for e in village.events if e.kind == kind} for kind in ("execute", "attack", "divine")}
    assert {day: event.target for day, event in happened["execute"].items()} == game.executed
    attacked = {day: (event.target, event.result == "killed") for day, event in happened["attack"].items()}
    if old:  # it wrote down that nobody was attacked in some games
        attacked = {day: attack for day, attack in attacked.items() if attack[0]}
        game.attacked = {day: attack for day, attack in game.attacked.items() if attack[0]}
    assert attacked == game.attacked
    assert {day: event.result for day, event in happened["divine"].items()} == game.found
    wolves = sum(village.roles[name] == WEREWOLF for name in village.alive)
    assert game.result == (village.day, len(village.alive) - wolves, wolves, village.winner)
