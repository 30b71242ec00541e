"""The packets are the server's, key by key; a player's packets tell what its Sight knows, and nothing else."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from replayed import GAMES, SAMPLES, Recording
from wolf_chatbox.game import Event
from wolf_chatbox.play.moderator import Moderator
from wolf_chatbox.play.player import Player
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.protocol.packets import NOTHING, Cursor, Packet, encode, packet_of, request_of, setting_of
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.sight import Kind, Line, Sight
from wolf_chatbox.werewolf.steps import Tell
from wolf_chatbox.werewolf.table import TableConfig

V0 = TableConfig(protocol="v0")
NAMES = ("Rin", "Ken", "Mio", "Aoi", "Jun")
ROLES = dict(zip(NAMES, ("WEREWOLF", "SEER", "VILLAGER", "POSSESSED", "VILLAGER")))


@pytest.mark.parametrize("path", GAMES, ids=[path.stem for path in GAMES])
def test_the_packets_are_those_of_the_real_server(path: Path) -> None:
    recording = Recording(path)
    _, sent = recording.play()
    recorded = [(entry["agent"], entry["request"]) for entry in recording.form["entries"]]
    assert [(name, encode(packet)) for name, packet in sent] == recorded


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("packets_*.jsonl")), ids=lambda path: path.stem)
def test_each_agent_receives_what_the_real_agents_received(path: Path) -> None:
    recording = Recording(path.with_name(path.stem.partition("_")[2] + ".json"))
    received: dict[str, list[Packet]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["packet"]["request"] != "NAME":
            received[record["to"]].append(record["packet"])
    sent: dict[str, list[Packet]] = defaultdict(list)
    for name, packet in recording.play()[1]:
        sent[recording.teams[name]].append(packet)
    assert sent == received


def sight_of(name: str, table: TableConfig = V0) -> Sight:
    return Village(table, ROLES, game_id="01G").sights[name]


def test_the_first_packet_has_the_keys_of_the_server_in_its_order() -> None:
    packet, _ = packet_of("INITIALIZE", sight_of("Ken"))
    length = '{"count_in_word":false,"count_spaces":false,"mention_length":125,"base_length":125}'
    assert encode(packet) == (
        '{"request":"INITIALIZE","info":{"game_id":"01G","day":0,"agent":"Ken","status_map":{"Aoi":"ALIVE",'
        '"Jun":"ALIVE","Ken":"ALIVE","Mio":"ALIVE","Rin":"ALIVE"},"role_map":{"Ken":"SEER"}},'
        '"setting":{"agent_count":5,"vote_visibility":true,'
        f'"talk":{{"max_count":{{"per_agent":4,"per_day":20}},"max_length":{length},"max_skip":0}},'
        f'"whisper":{{"max_count":{{"per_agent":0,"per_day":0}},"max_length":{length},"max_skip":0}},'
        '"vote":{"max_count":1,"allow_self_vote":true},'
        '"attack_vote":{"max_count":1,"allow_self_vote":true,"allow_no_target":false},'
        '"timeout":{"action":60000,"response":120000},'
        '"role_num_map":{"BODYGUARD":0,"MEDIUM":0,"POSSESSED":1,"SEER":1,"VILLAGER":2,"WEREWOLF":1}}}'
    )


def test_a_morning_repeats_yesterday_and_the_day_before_is_forgotten() -> None:
    sight = sight_of("Rin")
    sight.learn(Event(0, 1, "day"))
    sight.learn(Event(0, 1, "vote", "Ken", "Mio"))
    sight.learn(Event(0, 1, "vote", "Jun", "Ken"))
    sight.learn(Event(0, 1, "vote", "Ken", "Jun"))  # the ballot before was a tie
    sight.learn(Event(0, 1, "execute", target="Jun"))
    sight.learn(Event(0, 1, "attack_vote", "Rin", "Mio"))
    sight.learn(Event(0, 1, "attack", target="Mio", result="killed"))
    sight.learn(Event(0, 2, "day"))
    info = packet_of("VOTE", sight)[0]["info"]
    assert list(info) == [
        *("game_id", "day", "agent", "executed_agent", "attacked_agent", "vote_list", "attack_vote_list"),
        *("status_map", "role_map"),
    ]
    assert (info["executed_agent"], info["attacked_agent"]) == ("Jun", "Mio")
    assert info["vote_list"] == [{"day": 1, "agent": "Ken", "target": "Jun"}]
    assert info["status_map"]["Jun"] == info["status_map"]["Mio"] == "DEAD"
    sight.learn(Event(0, 3, "day"))
    assert list(packet_of("VOTE", sight)[0]["info"]) == ["game_id", "day", "agent", "status_map", "role_map"]


def heard(table: TableConfig) -> Sight:
    sight = sight_of("Rin", table)
    sight.learn(Event(0, 0, "day"))
    for at, whisper in enumerate((True, False, True)):
        sight.hear(Line(at, 0, 0, "Rin", f"line {at}", whisper))
    return sight


@pytest.mark.parametrize(("protocol", "whispered"), [("v0", []), ("v1", ["line 0", "line 2"])])
def test_in_v0_a_request_to_talk_swallows_whispers(protocol: Any, whispered: list[str]) -> None:
    sight = heard(TableConfig(protocol=protocol))
    packet, cursor = packet_of("TALK", sight, NOTHING)
    assert [line["text"] for line in packet["talk_history"]] == ["line 1"]
    assert "whisper_history" not in packet
    packet, cursor = packet_of("WHISPER", sight, cursor)
    assert [line["text"] for line in packet["whisper_history"]] == whispered
    packet, cursor = packet_of("DAILY_FINISH", sight, cursor)
    assert packet["talk_history"] == packet["whisper_history"] == []
    assert packet_of("VOTE", sight, cursor)[1] == cursor == Cursor(3, 3)


def test_only_wolves_get_a_whisper_history() -> None:
    assert "whisper_history" not in packet_of("DAILY_FINISH", sight_of("Aoi"))[0]


def test_what_is_left_counts_the_next_utterance_only_in_v1() -> None:
    for protocol, left in (("v0", 3), ("v1", 4)):
        sight = sight_of("Ken", TableConfig(protocol=protocol, skips=2, letters_a_day=30))  # type: ignore[arg-type]
        sight.left, sight.letters_left, sight.skips_left = 4, 30, 2
        info = packet_of("TALK", sight)[0]["info"]
        assert (info["remain_count"], info["remain_length"], info["remain_skip"]) == (left, 30, 2)
        assert not any(key.startswith("remain") for key in packet_of("VOTE", sight)[0]["info"])


def test_times_are_told_in_v1_only() -> None:
    for protocol, told in (("v0", False), ("v1", True)):
        sight = heard(TableConfig(protocol=protocol))  # type: ignore[arg-type]
        line = packet_of("TALK", sight, NOTHING, dict.fromkeys(sight.lines, 1234))[0]["talk_history"][0]
        assert ("time" in line) == told
        assert not told or line["time"] == 1234


def test_limits_that_a_table_does_not_have_are_left_out() -> None:
    setting = setting_of(TableConfig(letters=0, days=7, talk="anytime", letters_a_day=40, letters_at_once=9))
    assert setting["max_day"] == 7
    assert setting["talk"]["duration"] == 600_000
    length = setting["talk"]["max_length"]
    assert length == {"count_in_word": False, "count_spaces": False, "per_talk": 9, "per_agent": 40}


class Wired(Player):
    """A player by chance that keeps the packets that it would be sent."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.inner, self.cursor, self.packets = ChancePlayer(seed), NOTHING, list[Packet]()

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        self.keep(kind.upper(), sight)
        return self.inner.answer(kind, sight)

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Any:
        return self.inner.bid(sight, seconds, kind)

    def told(self, tell: Tell, sight: Sight) -> None:
        self.keep(request_of(tell), sight)

    def keep(self, request: str, sight: Sight) -> None:
        packet, self.cursor = packet_of(request, sight, self.cursor)
        self.packets.append(packet)


def chat_of(seed: int) -> dict[str, Wired]:
    table = TableConfig(players=9, talk="anytime")
    names = [f"P{seat}" for seat in range(9)]
    players = {name: Wired(seed + at) for at, name in enumerate(names)}
    Moderator(Village(table, deal(table, names, seed), seed), players).lead()
    return players


def test_a_chat_is_told_line_by_line_and_once_more_in_the_evening() -> None:
    for player in chat_of(3).values():
        chat: list[str] = []
        for packet in player.packets:
            assert packet["request"] not in ("TALK", "WHISPER")
            if packet["request"] == "TALK_PHASE_START":
                chat = []
                assert packet["info"]["remain_count"] == 4
            elif packet["request"] == "TALK_BROADCAST":
                chat.append(packet["new_talk"]["text"])
            elif (
                packet["request"] == "DAILY_FINISH" and packet["info"]["status_map"][packet["info"]["agent"]] == "ALIVE"
            ):
                assert [line["text"] for line in packet["talk_history"]] == chat


def test_no_packet_names_a_role_that_its_player_may_not_know() -> None:
    for name, player in chat_of(5).items():
        *game, finish = player.packets
        roles = finish["info"]["role_map"]
        wolf = roles[name] == "WEREWOLF"
        for packet in game:
            known = set(packet["info"]["role_map"])
            assert known == ({who for who in roles if roles[who] == "WEREWOLF"} if wolf else {name})
            assert wolf or not {"whisper_history", "new_whisper"} & set(packet)
            assert wolf or "attack_vote_list" not in packet["info"]
