"""Packets become the Sight that a table would keep: the same lines, events and scenes, at every request."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wolf_chatbox.errors import DataError
from wolf_chatbox.game import WEREWOLF
from wolf_chatbox.play.inference.reasoning import Reasoner
from wolf_chatbox.play.protocol.knowledge import ASKED, Knowledge
from wolf_chatbox.play.protocol.packets import Cursor, packet_of
from wolf_chatbox.play.protocol.setting import table_of
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.sight import Line, Sight
from wolf_chatbox.werewolf.steps import Ask, Listen, Tell
from wolf_chatbox.werewolf.table import ROLES, TableConfig

NAMES = ("Ann", "Ben", "Cid", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Joe", "Kim", "Leo", "Mia")
FIXTURE = Path(__file__).with_name("packets.jsonl")
RECORDED = Path(__file__).parents[4] / "shared" / "data" / "aiwolf_server_samples"
SETTING = {
    "agent_count": 5,
    "vote_visibility": True,
    "talk": {
        "max_count": {"per_agent": 4, "per_day": 20},
        "max_length": {"count_in_word": False, "count_spaces": False, "mention_length": 125, "base_length": 125},
        "max_skip": 0,
    },
    "whisper": {"max_count": {"per_agent": 0, "per_day": 0}, "max_length": {}, "max_skip": 0},
    "vote": {"max_count": 1, "allow_self_vote": True},
    "attack_vote": {"max_count": 1, "allow_self_vote": True, "allow_no_target": False},
    "timeout": {"action": 60000, "response": 120000},
    "role_num_map": {"BODYGUARD": 0, "MEDIUM": 0, "POSSESSED": 1, "SEER": 1, "VILLAGER": 2, "WEREWOLF": 1},
}


class Server:
    """Writes the packets of a village, as the protocol says; unknown keys are among them."""

    def __init__(self, village: Village) -> None:
        self.village, self.v0 = village, village.table.protocol == "v0"
        self.sent = {(name, whisper): 0 for name in village.names for whisper in (False, True)}

    def packet(self, request: str, name: str) -> dict[str, Any]:
        village, sight = self.village, self.village.sights[name]
        made: dict[str, Any] = {"request": request, "info": self.info(request, sight), "novelty": [1]}
        if request in ("INITIALIZE", "DAILY_INITIALIZE"):
            made["setting"] = setting_of(village.table)
        wolf, anytime = sight.role == WEREWOLF, village.table.talk == "anytime"
        if request in ("TALK", "DAILY_FINISH"):
            made["talk_history"] = self.delta(name, False, anytime)
        if request in ("WHISPER", "ATTACK") or (request == "DAILY_FINISH" and wolf):
            made["whisper_history"] = self.delta(name, True, anytime)
        if "talk_history" in made or "whisper_history" in made:
            for whisper in (False, True):
                if self.v0 or ("whisper_history" if whisper else "talk_history") in made:
                    self.sent[name, whisper] = len(village.lines)
        if request.endswith("BROADCAST"):
            made[f"new_{request.partition('_')[0].lower()}"] = said(village.lines[-1])
        return made

    def delta(self, name: str, whisper: bool, anytime: bool) -> list[dict[str, Any]]:
        lines = self.village.lines[0 if anytime else self.sent[name, whisper] :]
        return [said(line) for line in lines if line.whisper == whisper and line.day == self.village.day]

    def info(self, request: str, sight: Sight) -> dict[str, Any]:
        village, before = self.village, self.village.day - 1
        found = {event.kind: event for event in village.events if event.day == before}
        votes = {kind: last_ballot(village, kind) for kind in ("vote", "attack_vote")}
        dead, roles = village.dead, sight.roles
        info: dict[str, Any] = {"game_id": village.game_id, "day": village.day, "agent": sight.me, "note": None}
        if request == "INITIALIZE" and sight.profile:
            info["profile"] = sight.profile
        if (own := found.get("divine")) and own.actor == sight.me:
            info["divine_result"] = {"day": before, "agent": sight.me, "target": own.target, "result": own.result}
        for event in sight.events:
            if event.kind == "medium" and event.day == village.day:
                target = event.target
                info["medium_result"] = {"day": before, "agent": target, "target": target, "result": event.result}
        if executed := found.get("execute"):
            info["executed_agent"] = executed.target
        if (attacked := found.get("attack")) and attacked.result == "killed":
            info["attacked_agent"] = attacked.target
        if votes["vote"] and village.table.public_votes:
            info["vote_list"] = votes["vote"]
        if votes["attack_vote"] and sight.role == WEREWOLF:
            info["attack_vote_list"] = votes["attack_vote"]
        if request.startswith(("TALK", "WHISPER")):
            info["remain_count"] = max(0, sight.left - self.v0)
            if sight.letters_left is not None:
                info["remain_length"] = sight.letters_left
        info["status_map"] = {name: "DEAD" if name in dead else "ALIVE" for name in sorted(village.names)}
        return info | {"role_map": dict(sorted(roles.items()))}


class OurServer(Server):
    """Our own moderator's packets."""

    def __init__(self, village: Village) -> None:
        super().__init__(village)
        self.cursors = dict.fromkeys(village.names, Cursor())

    def packet(self, request: str, name: str) -> dict[str, Any]:
        made, self.cursors[name] = packet_of(request, self.village.sights[name], self.cursors[name])
        return made


def said(line: Line) -> dict[str, Any]:
    marks = {"skip": line.text == "Skip", "over": line.text == "Over"}
    return {"idx": line.idx, "day": line.day, "turn": line.turn, "agent": line.speaker, "text": line.text, **marks}


def last_ballot(village: Village, kind: str) -> list[dict[str, Any]]:
    ballot: dict[str, dict[str, Any]] = {}
    for event in village.events:
        if event.kind == kind and event.day == village.day - 1:
            ballot[event.actor] = {"day": event.day, "agent": event.actor, "target": event.target}
    return list(ballot.values())


def setting_of(table: TableConfig) -> dict[str, Any]:
    def speech(kind: str) -> dict[str, Any]:
        made: dict[str, Any] = {"max_count": {"per_agent": table.talks_of(kind), "per_day": table.rounds_of(kind)}}
        made["max_length"] = SETTING["talk"]["max_length"] | {"per_agent": table.letters_a_day}  # type: ignore[index]
        return made | ({"duration": int(60_000 * table.talk_minutes)} if table.talk == "anytime" else {})

    counts = {"role_num_map": {role: table.counts().get(role, 0) for role in ROLES}, "agent_count": table.players}
    visible = {"vote_visibility": table.public_votes}
    return SETTING | counts | visible | {"talk": speech("talk"), "whisper": speech("whisper")}


def request_of(step: Ask | Tell) -> str:
    if isinstance(step, Ask):
        return step.kind.upper()
    chat = step.what in ("phase_start", "phase_end", "broadcast")
    return f"{step.kind}_{step.what}".upper() if chat else step.what.upper()


def course(village: Village, seed: int, kind: type[Server] = Server) -> Iterator[tuple[str, str, Knowledge]]:
    """Play a village by chance past an agent for each player; yields each request once it is taken in."""
    chance, server = random.Random(seed), kind(village)
    known = {name: Knowledge() for name in village.names}

    def take(request: str, name: str) -> None:
        packet = json.loads(json.dumps(server.packet(request, name)))
        assert known[name].take(packet) == request
        assert known[name].take({"request": "OTHER", "info": packet["info"]}) == ""

    def reply(kind: str, name: str) -> str | None:
        if kind in ("talk", "whisper"):
            count, other = len(village.lines), chance.choice(village.names)
            return chance.choice([f"I speak, {count}.", f"Listen @{other} {count}", "Over", "Skip", "hm " * 80])
        if kind == "divine" and village.day == 0:
            return chance.choice(village.sights[name].targets("divine"))
        return chance.choice([*village.names, "nobody", *village.alive, *village.alive])

    steps, answer = village.course(), None
    try:
        while True:
            step = steps.send(answer)
            answer = None
            if isinstance(step, Listen):
                chosen = chance.choice([*step.who, None])
                answer = (chosen, str(reply(step.kind, chosen))) if chosen else None
                continue
            for name in step.who:
                take(request_of(step), name)
                yield request_of(step), name, known[name]
            if isinstance(step, Ask):
                answer = {name: reply(step.kind, name) for name in step.who}
                for name, text in answer.items():
                    known[name].answered(step.kind, text or "")
    except StopIteration:
        pass


def told(sight: Sight, *leave_out: str, day: int = -1) -> list[tuple[Any, ...]]:
    """What a player learnt, without the number of lines that came before it."""
    return [event[1:] for event in sight.events if not (event.kind in leave_out and event.day == day)]


def is_part(some: Sequence[Any], all_: Sequence[Any]) -> bool:
    """Whether `some` are among `all_`, in this order."""
    rest = iter(all_)
    return all(one in rest for one in some)


tables = st.sampled_from(
    [
        TableConfig(),
        TableConfig(protocol="v0"),
        TableConfig(talk="anytime"),
        TableConfig(players=9),
        TableConfig(players=9, talk="anytime"),
        TableConfig(players=13, protocol="v0"),
        TableConfig(public_votes=False, letters_a_day=50),
        TableConfig(players=6, roles=("werewolf=2", "seer=1", "bodyguard=1", "villager=1", "medium=1")),
    ]
)


@settings(max_examples=40)
@given(tables, st.integers(0, 10**6), st.sampled_from([Server, OurServer]))
def test_an_agent_knows_what_a_table_knows_for_it(table: TableConfig, seed: int, server: type[Server]) -> None:
    names = NAMES[: table.players]
    profiles = dict.fromkeys(names, "age: 29")
    village = Village(table, deal(table, names, seed), seed, game_id="01M", profiles=profiles)
    asked = 0
    for request, name, knowledge in course(village, seed, server):
        ours, theirs = knowledge.sight, village.sights[name]
        assert ours is not None
        assert (ours.me, ours.role, ours.names, ours.roles) == (theirs.me, theirs.role, theirs.names, theirs.roles)
        assert (ours.counts, ours.profile, ours.day) == (theirs.counts, theirs.profile, theirs.day)
        if request == "FINISH":
            assert (ours.winner, ours.over, told(ours)) == (village.winner, True, told(theirs))
        kind = ASKED.get(request)
        if kind is None:
            continue
        asked += 1
        assert (ours.alive, ours.targets(kind)) == (theirs.alive, theirs.targets(kind))
        assert (ours.left, ours.letters_left) == (theirs.left, theirs.letters_left) or kind not in ("talk", "whisper")
        # The server tells a wolf late, or never, what the wolves whispered on day 0 after its own last whisper.
        first = {id(sight): [line for line in sight.lines if line.whisper and not line.day] for sight in (ours, theirs)}
        rest = {id(sight): [line for line in sight.lines if not line.whisper or line.day] for sight in (ours, theirs)}
        assert rest[id(ours)] == rest[id(theirs)]
        assert is_part(first[id(ours)], first[id(theirs)])
        lost = len(ours.lines) < len(theirs.lines)
        # Today's votes are told tomorrow; so is whether anybody was about in the night.
        today = ("vote", "night", "attack_vote") if kind not in ("talk", "vote") else ("vote",)
        assert told(ours, *today, day=ours.day) == told(theirs, *today, day=ours.day)
        if kind == "talk" and not lost:
            assert ours.table == theirs.table
            assert ours.scene("talk") == theirs.scene("talk")
        if kind == "whisper" and not lost and (ours.day == 0 or not table.public_votes):
            assert ours.scene("whisper") == theirs.scene("whisper")
    assert asked


def test_the_votes_of_a_day_come_before_its_execution_though_wolves_learn_them_after_it() -> None:
    table = TableConfig(players=13)
    village = Village(table, deal(table, NAMES, 3), 3)
    knowledge = {name: its for _, name, its in course(village, 3)}
    for name, its in knowledge.items():
        assert its.sight is not None
        for sight in (its.sight, village.sights[name]):
            kinds = [event.kind for event in sight.events if event.day == 1]
            assert kinds.index("vote") < kinds.index("execute") < kinds.index("night") < kinds.index("attack")
        same = told if its.sight.role == WEREWOLF else lambda sight: sight.events  # a wolf missed some whispers
        assert same(its.sight) == same(village.sights[name])
        assert (its.sight.rewritten > 0) == (its.sight.role in (WEREWOLF, "SEER", "BODYGUARD"))


def test_who_reasons_step_by_step_concludes_the_same_as_from_everything_at_once() -> None:
    table = TableConfig()
    village = Village(table, deal(table, NAMES[:5], 5), 5)
    reasoners = {name: Reasoner() for name in village.names}
    for request, name, its in course(village, 5):
        if its.sight is not None and request in ASKED:
            assert reasoners[name].beliefs(its.sight) == Reasoner().beliefs(its.sight)
    assert any(village.sights[name].day > 1 for name in reasoners)


def test_a_guard_remembers_whom_it_guarded() -> None:
    table = TableConfig(players=9)
    for seed in range(20):
        village = Village(table, deal(table, NAMES[:9], seed), seed)
        known = {name: its for _, name, its in course(village, seed)}
        guard = next(name for name, role in village.roles.items() if role == "BODYGUARD")
        sight = known[guard].sight
        assert sight is not None
        ours = [event.target for event in sight.events if event.kind == "guard"]
        assert ours == [event.target for event in village.events if event.kind == "guard"]
        if ours:
            return
    pytest.fail("nobody was guarded in twenty games")


def begin(knowledge: Knowledge, setting: Mapping[str, Any] = SETTING, **info: Any) -> Sight:
    names = dict.fromkeys(NAMES[: setting.get("agent_count", 5)], "ALIVE")
    known = {"game_id": "01", "day": 0, "agent": "Ann", "status_map": names, "role_map": {"Ann": "SEER"}} | info
    knowledge.take({"request": "INITIALIZE", "info": known, "setting": dict(setting)})
    knowledge.take({"request": "DAILY_INITIALIZE", "info": known})
    assert knowledge.sight is not None
    return knowledge.sight


def test_the_language_is_that_of_the_profile_or_of_what_is_said_first_or_given() -> None:
    assert begin(Knowledge(), profile="年齢: 29\n性格: おだやか").table.language == "ja"
    assert begin(Knowledge(), profile="age: 29").table.language == "en"
    assert begin(Knowledge("ja"), profile="age: 29").table.language == "ja"
    knowledge = Knowledge()
    assert begin(knowledge).table.language == "en"
    lines = [("Over", True), ("よろしくお願いします。", False), ("Hello.", False)]
    said = [{"idx": at, "day": 0, "turn": 0, "agent": "Ben", "text": t, "over": o} for at, (t, o) in enumerate(lines)]
    knowledge.take({"request": "TALK", "info": {"day": 0, "agent": "Ann"}, "talk_history": said})
    assert knowledge.sight is not None
    assert knowledge.sight.table.language == "ja"


def test_a_setting_without_limits_becomes_a_table_without_them() -> None:
    bare = table_of({"talk": {"max_count": {}, "max_length": {}}}, 5, "en")
    assert (bare.talks, bare.letters, bare.letters_a_day, bare.days, bare.roles) == (99, 0, None, None, ())
    assert table_of({}, 7, "en").counts() == {"WEREWOLF": 1, "VILLAGER": 6}
    strange = table_of({"role_num_map": {"WEREWOLF": 1, "SEER": 0, "VILLAGER": 3, "FOX": 1}}, 5, "en")
    assert strange.counts() == {"WEREWOLF": 1, "VILLAGER": 4}
    assert table_of(SETTING, 5, "ja") == TableConfig(language="ja")
    given = {"max_count": {"per_agent": 5}, "max_length": {"base_length": 50, "per_talk": 80}, "duration": 60000}
    chat = table_of(SETTING | {"talk": given, "max_day": 7, "timeout": {"action": 5000}}, 5, "en")
    assert (chat.talk, chat.talk_minutes, chat.talks, chat.letters_at_once, chat.days) == ("anytime", 1, 5, 80, 7)
    assert chat.answer_seconds == 5


@pytest.mark.parametrize("setting", [{"agent_count": 2}, {"role_num_map": {"WEREWOLF": 1, "VILLAGER": 1}}])
def test_a_game_that_no_table_can_have_is_refused_in_a_line(setting: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="the server's game cannot be played"):
        table_of(setting, 2, "en")


def test_packets_without_a_game_are_ignored() -> None:
    knowledge = Knowledge()
    for packet in ({}, {"request": "NAME"}, {"request": 7}, {"request": "TALK"}, {"request": "VOTE", "info": []}):
        knowledge.take(packet)
    knowledge.answered("vote", "Ann")
    assert knowledge.sight is None
    sight = begin(knowledge)
    bad: list[Any] = [None, 3, {"idx": "0", "day": 0, "agent": "Ben"}, {"idx": 0, "day": 0, "agent": "Zoe", "text": ""}]
    knowledge.take({"request": "TALK", "info": {"day": "x", "remain_count": "4"}, "talk_history": bad})
    assert (sight.lines, sight.day) == ([], 0)


def replay(packets: list[dict[str, Any]]) -> dict[str, Sight]:
    """The packets of a recording, each taken in by its agent."""
    known: dict[str, Knowledge] = {}
    for entry in packets:
        known.setdefault(entry["to"], Knowledge()).take(entry["packet"])
    return {name: its.sight for name, its in known.items() if its.sight is not None}


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not here")
@pytest.mark.parametrize("game", [1, 2])
def test_recorded_packets_tell_what_the_log_of_the_game_tells(game: int) -> None:
    lines = (RECORDED / f"packets_game{game}.jsonl").read_text(encoding="utf-8").splitlines()
    log = [line.split(",", 5) for line in (RECORDED / f"game{game}.log").read_text(encoding="utf-8").split("\n")]
    sights = replay([json.loads(line) for line in lines])
    seats = {row[2]: (row[6] if len(row) > 6 else row[5].partition(",")[2]) for row in log if row[1] == "status"}
    talk = [(int(row[0]), seats[row[4]], row[5]) for row in log if row[1] == "talk"]
    acts = [(int(row[0]), row[1], *row[2:]) for row in log if row[1] in ("vote", "execute", "attack")]
    assert len(sights) == 5
    for sight in sights.values():
        assert [(line.day, line.speaker, line.text) for line in sight.lines] == talk
        assert sight.winner == log[-1][4]
        found = [event for event in sight.events if event.kind in ("vote", "execute", "attack")]
        assert [(event.day, event.kind) for event in found] == [act[:2] for act in acts]
        for event, act in zip(found, acts):
            assert act[1] != "vote" or (event.actor, event.target) == (seats[act[2]], seats[act[3]])
            assert act[1] != "execute" or event.target == seats[act[2]]
            assert act[1] != "attack" or event.target == (seats[act[2]] if act[3] == "true" else "")
        assert sight.scene().opening


def test_the_packets_of_a_seer_tell_a_whole_game() -> None:
    packets = [json.loads(line) for line in FIXTURE.read_text(encoding="utf-8").splitlines()]
    sight = replay(packets)["team1"]
    assert [(event.at, event.day, event.kind, event.actor, event.target, event.result) for event in sight.events] == [
        (0, 0, "day", "", "", ""),
        (3, 0, "night", "", "", ""),
        (3, 0, "divine", "ハル", "ナツ", "HUMAN"),
        (3, 1, "day", "", "", ""),
        (6, 1, "vote", "ナツ", "アキ", ""),
        (6, 1, "vote", "ハル", "アキ", ""),
        (6, 1, "execute", "", "アキ", ""),
        (6, 1, "night", "", "", ""),
        (6, 1, "divine", "ハル", "フユ", "WEREWOLF"),
        (6, 1, "attack", "", "ナツ", "killed"),
        (6, 2, "day", "", "", ""),
        (8, 2, "vote", "ハル", "フユ", ""),
        (8, 2, "execute", "", "フユ", ""),
        (8, 3, "end", "", "", ""),
    ]
    assert [line.text for line in sight.said()] == ["占い師です。", "ナツは白でした。", "どうする？", "フユは黒です。"]
    assert (sight.winner, sight.day, sight.alive) == ("VILLAGER", 3, ["ソラ", "ハル"])
    assert sight.table.language == "ja"
