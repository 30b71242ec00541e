"""Laws of the rules player: it keeps the rules, its secret and its language, and it is better than chance."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from wolf_chatbox.game import SIDES, VILLAGER, WEREWOLF
from wolf_chatbox.play.clock import SimulatedClock
from wolf_chatbox.play.inference.evidence import Evidence
from wolf_chatbox.play.inference.statements import statements_in
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.players.rules import RulesPlayer
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.sight import Line
from wolf_chatbox.werewolf.steps import Step
from wolf_chatbox.werewolf.table import TableConfig
from wolf_chatbox.werewolf.utterance import OVER

NAMES = {
    "en": ("Ann", "Ben", "Cleo", "Dan", "Eve", "Flo", "Gus", "Hal", "Ida", "Jim", "Kim", "Lou", "Mia"),
    "ja": (
        "ミオ",
        "リン",
        "ケンジ",
        "アスカ",
        "ジョージ",
        "シオン",
        "ユミ",
        "トシオ",
        "メイ",
        "ダイ",
        "サクラ",
        "健",
        "愛",
    ),
}
TABLES = (
    TableConfig(),
    TableConfig(language="ja", letters=50, protocol="v0"),
    TableConfig(players=9, language="ja", talk="anytime"),
    TableConfig(talk="anytime", talks=6),
    TableConfig(players=13, talks=2),
    TableConfig(players=7, roles=("werewolf=2", "villager=4", "bodyguard=1"), count_words=True, letters=30),
    TableConfig(players=6, roles=("werewolf=2", "seer=2", "possessed=1", "medium=1"), public_votes=False, talks=1),
    TableConfig(players=4, roles=("werewolf=1", "villager=3"), language="ja", self_votes=False, skips=2, whispers=2),
)


def name_of(table: TableConfig) -> str:
    return f"{table.players} {table.language} {table.talk} {table.talks}"


def play(
    table: TableConfig,
    seed: int,
    make: Callable[[str, str, int], Player] = lambda name, role, seed: RulesPlayer(f"{seed} {name}"),
    watch: Callable[[Village, Step], None] | None = None,
) -> Village:
    """A game; `make` gives the player for a name and a role."""
    names = NAMES[table.language][: table.players]
    village = Village(table, deal(table, names, seed), seed)
    players = {name: make(name, role, seed) for name, role in village.roles.items()}
    clock = SimulatedClock(village, players, seed)
    return Moderator(village, players, watch=watch, clock=clock).lead()


def story(village: Village) -> tuple[object, ...]:
    return village.lines, village.events, village.thoughts, village.winner


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_it_plays_at_any_table_and_keeps_the_rules(table: TableConfig) -> None:
    for seed in range(2):
        dead: list[tuple[int, set[str]]] = []

        def watch(village: Village, step: Step, dead: list[tuple[int, set[str]]] = dead) -> None:
            dead.append((len(village.lines), set(village.dead)))

        village = play(table, seed, watch=watch)
        assert village.over
        assert village.winner
        assert not village.invalid
        assert not village.unanswered.total()
        _check_lines(village, dead)


def _check_lines(village: Village, dead: Sequence[tuple[int, set[str]]]) -> None:
    """Limits, characters, and what is said of the dead."""
    spoken = [line for line in village.lines if line.is_speech]
    assert spoken
    for at, line in enumerate(village.lines):
        assert "," not in line.text
        assert len("".join(line.text.split())) <= 125
        gone = next(names for number, names in reversed(dead) if number <= at)
        for said in statements_in(line.text, village.names, village.table.language) if line.is_speech else ():
            assert said.what in ("result",) or said.target not in gone, line


@pytest.mark.parametrize("table", [TABLES[0], TABLES[3], TABLES[6]], ids=name_of)
def test_the_same_seed_gives_the_same_game(table: TableConfig) -> None:
    once = story(play(table, 5))
    assert once == story(play(table, 5))
    assert once != story(play(table, 6))


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_a_wolf_keeps_its_secret(table: TableConfig) -> None:
    for seed in range(2):
        village = play(table, seed)
        wolves = {name for name, role in village.roles.items() if role == WEREWOLF}
        for line in village.lines:
            if line.speaker not in wolves or line.whisper:
                continue
            for said in statements_in(line.text, village.names, village.table.language):
                assert (said.what, said.role) != ("claim", WEREWOLF)
                assert said.what != "attack"
                if said.target in wolves and said.what in ("result", "estimate"):
                    assert WEREWOLF not in (said.role, said.result), line
            assert not any(word in line.text for word in ("whisper", "囁き", "襲撃先", "attack"))


def test_talk_ends_with_over() -> None:
    village = play(TABLES[0], 3)
    for day in range(village.day):
        last = {line.speaker: line.text for line in village.lines if line.day == day and not line.whisper}
        counts = Counter(line.speaker for line in village.lines if line.day == day and not line.whisper)
        assert all(text == OVER or counts[name] == village.table.talks for name, text in last.items())


def test_a_seer_tells_all_that_it_found_out() -> None:
    told = 0
    for seed in range(8):
        village = play(TABLES[0], seed)
        evidence = Evidence(village.names)
        evidence.read(village.onlooker)
        seer = next(name for name, role in village.roles.items() if role == "SEER")
        for event in village.events:
            mornings = [event.day for event in village.events if event.kind == "day"]
            alive = any(line.speaker == seer and line.day == event.day + 1 for line in village.lines)
            if event.kind == "divine" and alive and event.day + 1 in mornings:
                assert evidence.results[seer, "SEER", event.target].result == event.result
                told += 1
    assert told >= 8


@pytest.mark.parametrize("table", [TABLES[0], TABLES[2], TABLES[6]], ids=name_of)
def test_who_is_honest_tells_no_result_that_it_has_not(table: TableConfig) -> None:
    for seed in range(3):
        village = play(table, seed)
        for line in village.lines:
            if SIDES[village.roles[line.speaker]] == VILLAGER and line.is_speech:
                sight = village.sights[line.speaker]
                found = {"SEER": sight.found("divine"), "MEDIUM": sight.found("medium")}
                for said in statements_in(line.text, village.names, table.language):
                    if said.what == "result":
                        assert village.roles[line.speaker] == said.role
                        assert found[said.role][said.target] == said.result, line
                    assert (said.what, said.role) != ("claim", "SEER") or village.roles[line.speaker] == "SEER"


def test_the_possessed_claims_to_be_the_seer_and_nobody_else_lies_so_often() -> None:
    claims: Counter[tuple[str, str]] = Counter()
    for seed in range(12):
        village = play(TABLES[0], seed)
        evidence = Evidence(village.names)
        evidence.read(village.onlooker)
        claims.update((village.roles[name], role) for name, role in evidence.claims.items())
    assert claims["POSSESSED", "SEER"] + claims["POSSESSED", "POSSESSED"] >= 10
    assert claims["SEER", "SEER"] >= 10
    assert not claims["VILLAGER", "SEER"]


def test_wolves_agree_on_whom_they_attack() -> None:
    agreed = asked = 0
    for seed in range(6):
        village = play(TABLES[5], seed)
        nights: dict[int, set[str]] = {}
        for event in village.events:
            if event.kind == "attack_vote":
                nights.setdefault(event.day, set()).add(event.target)
                assert village.roles[event.target] != WEREWOLF
        asked += len(nights)
        agreed += sum(len(targets) == 1 for targets in nights.values())
    assert agreed > 0.8 * asked


def test_it_answers_who_speaks_to_it() -> None:
    village = Village(TableConfig(), dict(zip(NAMES["en"], ["VILLAGER", "SEER", WEREWOLF, "POSSESSED", "VILLAGER"])), 1)
    course = village.course()
    next(course)
    sight = village.sights["Ann"]
    sight.day, sight.left = 1, 4
    sight.hear(Line(0, 1, 0, "Ben", "I am the seer. I divined Ann: Ann is a werewolf."))
    text = RulesPlayer(1).answer("talk", sight)
    assert text is not None
    said = statements_in(text, village.names, "en")
    assert any(statement.target == "Ben" for statement in said), text
    assert RulesPlayer(1).bid(sight, 300.0) is not None


def test_it_speaks_sooner_when_it_matters() -> None:
    village = Village(
        TableConfig(talk="anytime"), dict(zip(NAMES["en"], ["VILLAGER", "SEER", WEREWOLF, "POSSESSED", "VILLAGER"])), 1
    )
    waits = []
    for name in ("Ben", "Eve"):
        sight = village.sights[name]
        sight.day, sight.left = 1, 4
        bids = [RulesPlayer(seed).bid(sight, 600.0) for seed in range(20)]
        waits.append(sum(bid.after for bid in bids if bid is not None) / 20)
    assert waits[0] < waits[1]


def test_both_sides_are_better_than_chance() -> None:
    wins = {}
    for sides in ((), (VILLAGER,), (WEREWOLF,)):

        def make(name: str, role: str, seed: int, sides: tuple[str, ...] = sides) -> Player:
            return (RulesPlayer if SIDES[role] in sides else ChancePlayer)(f"{seed} {name}")

        wins[sides] = sum(play(TABLES[0], seed, make).winner == VILLAGER for seed in range(100))
    assert wins[VILLAGER,] > wins[()] + 25
    assert wins[WEREWOLF,] < wins[()] - 5


def test_thoughts_say_why_in_the_language_of_the_table() -> None:
    english, japanese = play(TABLES[0], 2), play(TABLES[1], 2)
    assert len(english.thoughts) > 10
    assert all(thought.text.isascii() and thought.text.endswith(".") for thought in english.thoughts)
    assert all(thought.text.endswith("。") for thought in japanese.thoughts)
