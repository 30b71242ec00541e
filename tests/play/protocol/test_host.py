"""Agents of any make play at our table over a websocket, and none of them can hurt another one's game."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_now
from websockets.typing import Origin

from agents import Answer, Packet, agent, by_chance, play
from wolf_chatbox.conversation import Conversation
from wolf_chatbox.data.tally import Tally
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.importers import read_conversations
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.players.rules import RulesPlayer
from wolf_chatbox.play.protocol import connection, gate, remote
from wolf_chatbox.play.protocol.config import HostConfig
from wolf_chatbox.play.protocol.host import Host
from wolf_chatbox.play.protocol.joining import JoinConfig, Seats
from wolf_chatbox.play.protocol.matching import WaitingRoom
from wolf_chatbox.play.protocol.session import Session
from wolf_chatbox.play.protocol.token import admits, claims_of, sign
from wolf_chatbox.werewolf.table import TableConfig

SECRET = "a secret of sixteen and more letters"
TEAM = [f"wolf{seat}" for seat in range(1, 6)]


def host(folder: Path, table: TableConfig | None = None, **settings: Any) -> HostConfig:
    return HostConfig(table=table or TableConfig(), port=0, output=folder, seed=1, **{"games": 1, **settings})


class Table(Host):
    """A moderator that keeps the games that ended."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        self.sessions: list[Session] = []
        super().__init__(*arguments, done=self.sessions.append, **settings)


def read(path: Path) -> Conversation:
    tally = Tally()
    [conversation] = read_conversations(path, None, tally)
    assert not tally.notes
    return conversation


def facts_of(conversation: Conversation) -> object:
    game = conversation.game
    assert game is not None
    turns = [(turn.speaker, turn.text, turn.channel) for turn in conversation.turns]
    return turns, game.events, game.winner, [(one.name, one.role, one.seat) for one in game.players]


def without_mediums(conversation: Conversation) -> object:
    """What a medium found out is in its packets alone; elsewhere it follows from the execution."""
    assert conversation.game is not None
    events = tuple(event for event in conversation.game.events if event.kind != "medium")
    return facts_of(replace(conversation, game=replace(conversation.game, events=events)))


@pytest.mark.parametrize("protocol", ["v0", "v1"])
@pytest.mark.parametrize("players", [5, 13])
def test_a_game_over_the_network_is_read_without_loss(players: int, protocol: Any, tmp_path: Path) -> None:
    config = host(tmp_path, TableConfig(players=players, protocol=protocol))
    with Table(config) as table:
        received = play(table.url, [f"wolf{seat}" for seat in range(players)])
        table.wait()
    [session] = table.sessions
    assert {packets[-1]["info"]["role_map"][session.village.names[0]] for packets in received.values()} == {
        session.village.roles[session.village.names[0]]
    }
    place = tmp_path / session.village.game_id
    made = facts_of(session.village.conversation())
    assert facts_of(read(place.with_suffix(".log"))) == made
    assert without_mediums(read(place.with_suffix(".json"))) == made


def test_each_agent_receives_what_is_kept_for_the_json(tmp_path: Path) -> None:
    with Table(host(tmp_path)) as table:
        received = play(table.url, TEAM)
        table.wait()
    form = json.loads(next(tmp_path.glob("*.json")).read_text(encoding="utf-8"))
    names = {name: who for who, name in table.sessions[0].teams.items()}
    for team, packets in received.items():
        kept = [json.loads(entry["request"]) for entry in form["entries"] if entry["agent"] == names[team]]
        assert packets[0] == {"request": "NAME"}
        assert packets[1:] == kept


@pytest.mark.parametrize("table", [TableConfig(protocol="v0"), TableConfig(players=9, language="ja")], ids=["v0", "v1"])
def test_our_own_agents_play_at_our_own_table(table: TableConfig, tmp_path: Path) -> None:
    with Table(host(tmp_path, table)) as running:
        Seats(JoinConfig(url=running.url, seats=table.players, seed=1), RulesPlayer, lambda line: None).play()
        running.wait()
    village = running.sessions[0].village
    assert village.winner
    assert not village.gone
    assert not +village.invalid
    assert not +village.unanswered
    assert facts_of(read(tmp_path / f"{village.game_id}.log")) == facts_of(village.conversation())


def common_client(url: str, name: str) -> list[str]:
    """The contest's own client library plays; it raises for a packet that it cannot read."""
    library = pytest.importorskip("aiwolf_nlp_common.client")
    client = library.Client(url, None)
    client.connect()
    requests: list[str] = []
    try:
        while not requests or requests[-1] != "FINISH":
            packet = client.receive()
            requests.append(str(packet.request.value))
            if packet.request.value == "NAME":
                client.send(name)
            elif packet.request.value in ("TALK", "WHISPER"):
                client.send(f"I am {packet.info.agent}, with {packet.info.remain_count} to say.")
            elif packet.request.value in ("VOTE", "DIVINE", "GUARD", "ATTACK"):
                alive = [who for who, status in packet.info.status_map.items() if status.value == "ALIVE"]
                client.send(next(who for who in alive if who != packet.info.agent))
    finally:
        client.close()
    return requests


def test_the_contests_own_client_plays_a_whole_game(tmp_path: Path) -> None:
    with Table(host(tmp_path, TableConfig(talks=1))) as table, ThreadPoolExecutor(5) as threads:
        games = list(threads.map(lambda name: common_client(table.url, name), TEAM))
        table.wait()
    assert all(requests[:3] == ["NAME", "INITIALIZE", "DAILY_INITIALIZE"] for requests in games)
    assert table.sessions[0].village.winner
    assert not table.sessions[0].village.gone
    assert not table.sessions[0].village.invalid


def test_many_games_at_once_and_teams_apart(tmp_path: Path) -> None:
    with Table(host(tmp_path, TableConfig(talks=1), games=4)) as table:
        play(table.url, [f"{team}{seat}" for seat in range(5) for team in ("a", "b", "c", "d")])
        table.wait()
    teams = ["".join({name[0] for name in session.teams.values()}) for session in table.sessions]
    assert sorted(teams) == ["a", "b", "c", "d"]
    assert len(list(tmp_path.glob("*.log"))) == 4


def test_one_agent_plays_with_players_of_this_machine(tmp_path: Path) -> None:
    with Table(host(tmp_path, fill=("random",)), [ChancePlayer]) as table:
        play(table.url, ["ann1"])
        table.wait()
    session = table.sessions[0]
    assert list(session.teams.values()) == ["ann1", "random1", "random2", "random3", "random4"]
    path = tmp_path / f"{session.village.game_id}.json"
    assert facts_of(read(path)) == facts_of(session.village.conversation())


def room(names: str, seats: int, *, same_team: bool) -> list[list[str]]:
    waiting: WaitingRoom[connection.Connection] = WaitingRoom(seats, same_team=same_team)
    tables = []
    for name in names.split():
        waiting.enter(connection.Connection(name, lambda text: None))
        tables += [[guest.name for guest in table]] if (table := waiting.table()) else []
    return tables


def test_who_plays_together() -> None:
    names = "a1 b1 a1 a2 c1 b2 b3"
    assert room(names, 3, same_team=True) == [["a1", "a1", "a2"], ["b1", "b2", "b3"]]
    assert room(names, 3, same_team=False) == [["a1", "b1", "c1"]]


def chatting(name: str) -> Answer:
    """Speaks as soon as a talk begins, and again when somebody has spoken, until it has nothing left but Over."""

    def answer(packet: Packet) -> str | None:
        request, info = packet["request"], packet.get("info", {})
        if request == "TALK_PHASE_START" or (
            request == "TALK_BROADCAST" and packet["new_talk"]["agent"] == info["agent"]
        ):
            return {0: None, 1: "Over"}.get(info["remain_count"], f"I am {info['agent']}.")
        return by_chance(name)(packet)

    return answer


def test_a_chat_over_the_network(tmp_path: Path) -> None:
    with Table(host(tmp_path, TableConfig(talk="anytime", talks=3))) as table:
        received = play(table.url, TEAM, chatting)
        table.wait()
    [session] = table.sessions
    assert not session.village.gone
    assert len([line for line in session.village.lines if line.day == 0]) == 15
    for packets in received.values():
        new = [packet["new_talk"] for packet in packets if packet["request"] == "TALK_BROADCAST"]
        assert [line["idx"] for line in new if line["day"] == 0] == list(range(15))
    made = facts_of(session.village.conversation())
    assert facts_of(read(tmp_path / f"{session.village.game_id}.log")) == made
    assert facts_of(read(tmp_path / f"{session.village.game_id}.json")) == made


# Agents that do not behave


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "GRACE", 0.0)
    monkeypatch.setattr(gate, "LEAVE_SECONDS", 0.2)


HASTY = TableConfig(talks=1, answer_seconds=0.3, probe_seconds=0.3, lost_share=0.4)


class Misbehaving:
    """An agent that does `what` at its first TALK, among four that play by chance; then it plays on, if it can."""

    def __init__(self, folder: Path, table: TableConfig = HASTY) -> None:
        self.table = Table(host(folder, table))
        self.sent: list[Packet] = []

    def play(self, what: Any, *, honest: Any = by_chance) -> Any:
        async def bad(url: str) -> None:
            answer = by_chance("bad")
            begun = False
            with suppress(ConnectionClosed):
                async with connect(url, ping_interval=None) as socket:
                    async for frame in socket:
                        packet = json.loads(frame)
                        self.sent.append(packet)
                        if packet["request"] == "TALK" and not begun:
                            begun = True
                            await what(socket)
                        elif reply := "bad1" if packet["request"] == "NAME" else answer(packet):
                            await socket.send(reply)

        async def game(url: str) -> None:
            others = [agent(url, f"bad{seat}", honest(seat)) for seat in range(2, 6)]
            await asyncio.gather(bad(url), *others)

        with self.table as running:
            asyncio.run(game(running.url))
            running.wait()
        [session] = running.sessions
        name = next(who for who, connected in session.teams.items() if connected == "bad1")
        assert read(running.config.output / f"{session.village.game_id}.log")
        return session.village, name


async def nothing(socket: Any) -> None:
    """Send no answer."""


async def late(socket: Any) -> None:
    await asyncio.sleep(0.45)
    await socket.send("Here I am at last.")


async def leave(socket: Any) -> None:
    await socket.close()


async def drop(socket: Any) -> None:
    socket.transport.abort()


async def huge(socket: Any) -> None:
    await socket.send("x" * 100_000)


async def flood(socket: Any) -> None:
    for _ in range(200):
        await socket.send("Over")


async def not_text(socket: Any) -> None:
    await socket.send(b"\xff\xfe I am \x80 here")


async def control(socket: Any) -> None:
    await socket.send("One\r\n1,vote,1,2\n\x1b[31m{}[]\x00")


@pytest.mark.usefixtures("_hasty")
def test_a_silent_agent_that_says_its_name_plays_on(tmp_path: Path) -> None:
    game = Misbehaving(tmp_path)
    village, name = game.play(nothing)
    at = next(at for at, packet in enumerate(game.sent) if packet["request"] == "TALK")
    assert game.sent[at + 1] == {"request": "NAME"}
    assert not village.gone
    assert +village.unanswered == {name: 1}
    assert next(line.text for line in village.lines if line.speaker == name) == "Skip"
    assert game.sent[-1]["request"] == "FINISH"


@pytest.mark.usefixtures("_hasty")
@pytest.mark.parametrize("what", [late, leave, drop, huge, flood], ids=lambda what: what.__name__)
def test_such_an_agent_is_lost_and_the_others_play_on(what: Any, tmp_path: Path) -> None:
    village, name = Misbehaving(tmp_path).play(what)
    assert list(village.gone) == [name]
    assert village.over
    assert village.winner
    assert all(line.text in ("Skip", "Over") for line in village.lines if line.speaker == name)


@pytest.mark.usefixtures("_hasty")
@pytest.mark.parametrize("what", [not_text, control], ids=lambda what: what.__name__)
def test_strange_text_is_text(what: Any, tmp_path: Path) -> None:
    village, name = Misbehaving(tmp_path).play(what)
    assert not village.gone
    said = next(line.text for line in village.lines if line.speaker == name)
    assert "\n" not in said
    assert said not in ("Skip", "Over")


@pytest.mark.usefixtures("_hasty")
def test_who_loses_too_many_has_no_winner(tmp_path: Path) -> None:
    village, _ = Misbehaving(tmp_path, TableConfig(talks=1)).play(leave)
    assert village.over
    assert village.winner == ""
    assert next(tmp_path.glob("*.log")).read_text(encoding="utf-8").endswith("NONE")


def test_one_that_reads_nothing_is_cut_off_and_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "OUTBOX", 1_000)

    class Stuck:
        """A socket whose other side does not read."""

        def __init__(self) -> None:
            self.transport, self.cut = self, asyncio.Event()

        async def send(self, text: str) -> None:
            await asyncio.Future()

        def abort(self) -> None:
            self.cut.set()

    async def game() -> None:
        socket: Any = Stuck()
        outbox = gate._Outbox(socket)
        writing = asyncio.create_task(outbox.drain())
        for _ in range(10):
            outbox.post("x" * 90)
        await asyncio.sleep(0)
        assert not socket.cut.is_set()
        outbox.post("x" * 101)
        await asyncio.wait_for(socket.cut.wait(), 10)
        writing.cancel()

    asyncio.run(game())


def test_a_bad_name_or_token_stays_outside(tmp_path: Path) -> None:
    told: list[str] = []
    with Table(host(tmp_path), secret=SECRET, tell=told.append) as table:
        for name, token in (
            ("ann1", ""),
            ("ann1", "x.y.z"),
            ("ann1", sign("bob", SECRET)),
            ("ann1", sign("ann", SECRET, "RECEIVER")),
            ("ann1", sign("ann", "another secret")),
            ("a,b", sign("a,b", SECRET)),
            ("", sign("", SECRET)),
        ):
            with connect_now(f"{table.url}?token={token}") as socket:
                assert socket.recv() == '{"request":"NAME"}'
                socket.send(name)
                with pytest.raises(ConnectionClosed, match="1008"):
                    socket.recv()
        names = {f"ann{seat}": sign("ann", SECRET) for seat in range(5)}
        bearer = {"additional_headers": {"Authorization": f"Bearer {names['ann0']}"}}

        async def game() -> None:
            with_header = agent(table.url, "ann0", by_chance(0), **bearer)
            others = [agent(f"{table.url}?token={names[name]}", name, by_chance(name)) for name in list(names)[1:]]
            await asyncio.gather(with_header, *others)

        asyncio.run(game())
        table.wait()
    assert sum("refused" in line for line in told) == 7
    assert table.sessions[0].village.over


def test_a_page_of_another_site_cannot_come_in(tmp_path: Path) -> None:
    with Table(host(tmp_path)) as table:
        port = int(table.url.rpartition(":")[2].partition("/")[0])
        with pytest.raises(InvalidStatus, match="403"):
            connect_now(table.url, origin=Origin("http://elsewhere.example"))
        with sockets.create_connection(("127.0.0.1", port)) as line, pytest.raises(InvalidStatus, match="403"):
            connect_now(f"ws://elsewhere.example:{port}/ws", sock=line)


def test_too_many_connections_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "CONNECTIONS", 1)
    with Table(host(tmp_path)) as table, connect_now(table.url) as first:
        assert first.recv()
        with pytest.raises(InvalidStatus, match="503"):
            connect_now(table.url)


def test_who_says_no_name_is_sent_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "NAME_SECONDS", 0.05)
    with Table(host(tmp_path)) as table, connect_now(table.url) as socket:
        socket.recv()
        with pytest.raises(ConnectionClosed, match="1008"):
            socket.recv()


def test_a_token_is_what_was_signed() -> None:
    token = sign("ann", SECRET)
    assert claims_of(token, SECRET) == {"team": "ann", "role": "PLAYER"}
    assert admits(token, SECRET, "ann")
    head, body, signature = token.split(".")
    for wrong in (
        f"{head}.{body}.",
        f"{head}.{body}",
        f"{head}.{head}.{signature}",
        "",
        "..",
        f"{body}.{head}.{signature}",
        "é.é.é",
    ):
        assert claims_of(wrong, SECRET) is None


def test_two_agents_may_have_one_name(tmp_path: Path) -> None:
    with Table(host(tmp_path, TableConfig(talks=1))) as table:

        async def game() -> None:
            await asyncio.gather(*(agent(table.url, "ann", by_chance(seat)) for seat in range(5)))

        asyncio.run(game())
        table.wait()
    assert list(table.sessions[0].teams.values()) == ["ann"] * 5
    assert not table.sessions[0].village.gone


def test_who_left_the_waiting_room_is_not_waited_for(tmp_path: Path) -> None:
    with Table(host(tmp_path, TableConfig(talks=1))) as table:
        with connect_now(table.url) as socket:
            socket.recv()
            socket.send("wolf9")
        play(table.url, TEAM)
        table.wait()
    assert "wolf9" not in table.sessions[0].teams.values()


def test_a_moderator_that_stops_writes_what_there_is(tmp_path: Path) -> None:
    begun = threading.Event()

    def answer(packet: Packet) -> str | None:
        if packet["request"] == "TALK":
            begun.set()
        return None

    with Table(host(tmp_path)) as table:
        players = threading.Thread(target=play, args=(table.url, TEAM, lambda name: answer))
        players.start()
        assert begun.wait(10)
    players.join()
    text = next(tmp_path.glob("*.log")).read_text(encoding="utf-8")
    assert text.count("\n") >= 4
    assert "result" not in text
    assert json.loads(next(tmp_path.glob("*.json")).read_text(encoding="utf-8"))["win_side"] == "NONE"


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    with sockets.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="is in use"):
            Table(HostConfig(port=taken.getsockname()[1], output=tmp_path))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"agents": 6, "fill": ("rules",)}, "more than the 5 players"),
        ({"agents": 4}, "--with rules"),
        ({"invite": ("ann",)}, "--secret-file"),
    ],
)
def test_settings_that_do_not_go_together(settings: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        HostConfig(**settings)
