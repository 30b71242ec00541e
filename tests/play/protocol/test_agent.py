"""An agent against a scripted server: what it sends, and what it never sends."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from wolf_chatbox.cli.werewolf.join import join as verb
from wolf_chatbox.errors import ConfigError, ModelError, PlayError
from wolf_chatbox.play.player import Bid, Player
from wolf_chatbox.play.players.chance import ChancePlayer
from wolf_chatbox.play.protocol.agent import Agent, may_be_named
from wolf_chatbox.play.protocol.config import HostConfig
from wolf_chatbox.play.protocol.host import Host
from wolf_chatbox.play.protocol.joining import JoinConfig, Seats
from wolf_chatbox.play.protocol.knowledge import Knowledge
from wolf_chatbox.play.protocol.session import Session
from wolf_chatbox.play.protocol.talking import Request
from wolf_chatbox.werewolf.sight import Kind, Sight
from wolf_chatbox.werewolf.steps import Tell
from wolf_chatbox.werewolf.table import TableConfig

NAMES = ("Ann", "Ben", "Cid", "Dee", "Eve")
ROLES = dict(zip(NAMES, ("SEER", "WEREWOLF", "VILLAGER", "VILLAGER", "POSSESSED")))
WAIT = 20.0
"""Seconds after which a test has failed."""


def info(day: int = 0, **more: Any) -> dict[str, Any]:
    states = dict.fromkeys(NAMES, "ALIVE")
    known = {"game_id": "01GAME", "day": day, "agent": "Ann", "status_map": states, "role_map": {"Ann": "SEER"}}
    return known | {"remain_count": 4} | more


def packet(request: str, day: int = 0, **more: Any) -> dict[str, Any]:
    return {"request": request, "info": info(day), "talk_history": []} | more


def setting(action: int = 60_000, **more: Any) -> dict[str, Any]:
    counts = {"SEER": 1, "WEREWOLF": 1, "VILLAGER": 2, "POSSESSED": 1}
    talk = {"max_count": {"per_agent": 4, "per_day": 20}, "max_length": {"base_length": 125}} | more
    times = {"action": action, "response": 120_000}
    return {"agent_count": 5, "talk": talk, "timeout": times, "role_num_map": counts, "vote_visibility": True}


def finish() -> dict[str, Any]:
    dead = dict.fromkeys(NAMES, "ALIVE") | {"Ben": "DEAD"}
    return packet("FINISH", 2, info=info(2, executed_agent="Ben", status_map=dead, role_map=ROLES))


class Script:
    """One connection of the server."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket

    def tell(self, *packets: dict[str, Any]) -> None:
        for one in packets:
            self.socket.send(json.dumps(one))

    def ask(self, one: dict[str, Any]) -> str:
        self.tell(one)
        return self.hear()

    def hear(self) -> str:
        return str(self.socket.recv(timeout=WAIT))

    def begin(self, **more: Any) -> str:
        """Ask for the name, and begin a game."""
        name = self.ask({"request": "NAME"})
        for request in ("INITIALIZE", "DAILY_INITIALIZE"):
            self.tell(packet(request, setting=setting(**more)))
        return name

    def end(self) -> None:
        """End the game as the server does: without a close frame."""
        self.tell(finish())
        self.silent()
        self.socket.socket.close()

    def silent(self) -> None:
        """Hear nothing but the agent's good-bye."""
        with pytest.raises(ConnectionClosed):
            self.hear()


@contextmanager
def server(play: Callable[[Script], None], **settings: Any) -> Iterator[str]:
    """A server of the loopback that plays a script with each connection; what a script raises fails the test."""
    failed: list[BaseException] = []

    def handle(socket: ServerConnection) -> None:
        try:
            play(Script(socket))
        except BaseException as error:
            failed.append(error)

    with serve(handle, "127.0.0.1", 0, close_timeout=0.2, **settings) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{made.socket.getsockname()[1]}/ws"
        finally:
            made.shutdown()
            thread.join(WAIT)
    if failed:
        raise failed[0]


class Scripted(Player):
    """Answers as it was made to, and notes what it is asked and told."""

    def __init__(
        self, answer: Callable[[Kind], str | None] = lambda kind: "Ben", bids: list[str] | None = None
    ) -> None:
        super().__init__()
        self._answer, self._bids = answer, bids or []
        self.asked: list[Kind] = []
        self.heard: list[str] = []
        self.closed = threading.Event()

    def answer(self, kind: Kind, sight: Sight) -> str | None:
        self.asked.append(kind)
        return self._answer(kind)

    def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
        return Bid(self._bids.pop(0), 0) if self._bids else None

    def told(self, tell: Tell, sight: Sight) -> None:
        self.heard.append(tell.what)

    def close(self) -> None:
        self.closed.set()


def join(url: str, player: Player, **settings: Any) -> list[str]:
    """Join with one player for all seats; the lines that were said."""
    said: list[str] = []
    Seats(JoinConfig(url=url, **settings), lambda seed: player, said.append).play()
    assert isinstance(player, Scripted)
    assert player.closed.wait(WAIT)
    return said


def test_a_game_in_turns_is_played_and_unknown_requests_and_keys_are_ignored(tmp_path: Path) -> None:
    def play(script: Script) -> None:
        assert script.begin() == "wolf_chatbox1"
        script.tell({"request": "WEATHER", "info": info()}, {"no": "request"})
        script.socket.send("no JSON")
        assert script.ask(packet("TALK", novelty={"a": [1]})) == "Hello."
        script.tell(packet("DAILY_FINISH"))
        assert script.ask(packet("DIVINE")) == "Ben"
        script.tell(packet("DAILY_INITIALIZE", 1))
        assert script.ask(packet("VOTE", 1)) == "Ben"
        script.end()

    player = Scripted(lambda kind: "Hello." if kind == "talk" else "Ben")
    with server(play) as url:
        said = join(url, player, log=tmp_path)
    assert player.asked == ["talk", "divine", "vote"]
    assert player.heard == ["initialize", "daily_initialize", "daily_finish", "daily_initialize", "finish"]
    assert said == ["01GAME · wolf_chatbox1 = Ann, SEER · VILLAGER won · day 2"]
    [diary] = tmp_path.iterdir()
    events = [json.loads(line) for line in diary.read_text(encoding="utf-8").splitlines()]
    assert [event["answer"] for event in events if "answer" in event] == ["wolf_chatbox1", "Hello.", "Ben", "Ben"]
    assert sum("packet" in event for event in events) == 11
    assert all(event["time"] > 0 for event in events)


def test_half_a_surrogate_pair_in_a_packet_or_an_answer_breaks_nothing(tmp_path: Path) -> None:
    def play(script: Script) -> None:
        script.begin()
        script.tell({"request": "WEATHER", "sky": "\ud83d"})
        assert script.ask(packet("TALK")) == "Hello ?"
        script.end()

    with server(play) as url:
        [said] = join(url, Scripted(lambda kind: "Hello \ud83d"), log=tmp_path)
    assert said.endswith("VILLAGER won · day 2")
    [diary] = tmp_path.iterdir()
    events = [json.loads(line) for line in diary.read_text(encoding="utf-8").splitlines()]
    assert "\ud83d" in [event.get("packet", {}).get("sky") for event in events]


def test_an_answer_that_comes_after_the_servers_question_for_the_name_is_never_sent() -> None:
    free, asked = threading.Event(), threading.Event()

    def slow(kind: Kind) -> str:
        if kind == "talk":
            asked.set()
            assert free.wait(WAIT)
            return "Too late."
        return "Cid"

    def play(script: Script) -> None:
        name = script.begin()
        script.tell(packet("TALK"))
        assert asked.wait(WAIT)
        assert script.ask({"request": "NAME"}) == name
        free.set()
        assert script.ask(packet("VOTE")) == "Cid"
        script.end()

    with server(play) as url:
        join(url, Scripted(slow))


def test_a_slow_player_is_answered_for_in_time_and_its_answer_is_dropped() -> None:
    free = threading.Event()

    def stuck(kind: Kind) -> str:
        assert free.wait(WAIT)
        return "Eve"

    def play(script: Script) -> None:
        script.begin(action=200)
        assert script.ask(packet("TALK")) == "Over"
        vote = script.ask(packet("VOTE", info=info(status_map=dict.fromkeys(NAMES, "DEAD") | {"Dee": "ALIVE"})))
        assert vote == "Dee"
        free.set()
        script.end()

    with server(play) as url:
        said = join(url, Scripted(stuck))
    assert said[0].endswith("day 2 · 2 answers came too late")


def test_a_slow_players_vote_is_what_a_reasoning_player_would_give() -> None:
    free = threading.Event()

    def stuck(kind: Kind) -> str:
        assert free.wait(WAIT)
        return "Eve"

    found = {"day": 0, "agent": "Ann", "target": "Ben", "result": "WEREWOLF"}

    def play(script: Script) -> None:
        script.begin(action=1200)
        script.tell(packet("DAILY_FINISH"))
        script.tell(packet("DAILY_INITIALIZE", 1, info=info(1, divine_result=found)))
        assert script.ask(packet("VOTE", 1)) == "Ben"
        free.set()
        script.end()

    with server(play) as url:
        join(url, Scripted(stuck))


@pytest.mark.parametrize("answer", [None, "Zed", "Cid, I think"])
def test_who_names_nobody_is_answered_for(answer: str | None) -> None:
    def play(script: Script) -> None:
        script.begin()
        assert script.ask(packet("VOTE")) in NAMES[1:]
        assert script.ask(packet("TALK")) == (answer or "Over")
        script.end()

    with server(play) as url:
        join(url, Scripted(lambda kind: answer))


def broadcast(idx: int, name: str, text: str, left: int) -> dict[str, Any]:
    said = {"idx": idx, "day": 0, "turn": 0, "agent": name, "text": text, "skip": False, "over": False}
    return {"request": "TALK_BROADCAST", "info": info(remain_count=left), "new_talk": said}


def test_in_a_group_chat_it_speaks_when_it_bids_and_never_after_the_end() -> None:
    def play(script: Script) -> None:
        script.begin(duration=600_000)
        assert script.ask(packet("TALK_PHASE_START", info=info(remain_count=2))) == "One."
        script.tell(broadcast(0, "Ben", "Hm.", 2))  # while its own line has not come back, it waits
        assert script.ask(broadcast(1, "Ann", "One.", 1)) == "Two."
        script.tell(broadcast(2, "Ann", "Two.", 0))  # nothing is left, though it would say more
        script.tell(packet("TALK_PHASE_END", info=info(remain_count=0)), packet("DAILY_FINISH"))
        assert script.ask(packet("VOTE")) == "Ben"
        script.end()

    player = Scripted(bids=["One.", "Two.", "Three.", "Four."])
    with server(play) as url:
        join(url, player)
    assert player.heard[2:8] == ["phase_start", "broadcast", "broadcast", "broadcast", "phase_end", "daily_finish"]


def test_a_bid_that_comes_after_the_end_of_the_phase_is_not_said() -> None:
    free, asked = threading.Event(), threading.Event()

    class Late(Scripted):
        def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
            asked.set()
            assert free.wait(WAIT)
            return Bid("Too late.", 0)

    def play(script: Script) -> None:
        script.begin(duration=600_000)
        script.tell(packet("TALK_PHASE_START"))
        assert asked.wait(WAIT)
        script.tell(packet("TALK_PHASE_END"))
        script.tell(packet("VOTE"))
        free.set()
        assert script.hear() == "Ben"
        script.end()

    with server(play) as url:
        join(url, Late())


def test_a_phase_is_over_for_the_agent_before_it_is_for_the_server() -> None:
    over = threading.Event()

    class Eager(Scripted):
        def bid(self, sight: Sight, seconds: float, kind: Kind = "talk") -> Bid | None:
            over.set()
            return Bid("Much later.", seconds)

    def play(script: Script) -> None:
        script.begin(duration=400)
        script.tell(packet("TALK_PHASE_START"))
        assert over.wait(WAIT)
        script.tell(packet("TALK_PHASE_END"))
        assert script.ask(packet("VOTE")) == "Ben"
        script.end()

    with server(play) as url:
        join(url, Eager())


def test_games_follow_one_another_at_each_seat() -> None:
    names: list[str] = []

    def play(script: Script) -> None:
        names.append(script.begin())
        assert script.ask(packet("VOTE")) == "Ben"
        script.end()

    with server(play) as url:
        said = join(url, Scripted(), games=3, seats=2, name="team")
    assert sorted(names) == ["team1"] * 3 + ["team2"] * 3
    assert len(said) == 6


def test_a_lost_connection_is_told_and_the_next_game_is_played() -> None:
    begun = iter(range(2))

    def play(script: Script) -> None:
        script.begin()
        script.ask(packet("TALK"))
        if next(begun) == 0:
            script.socket.socket.close()
        else:
            script.end()

    said: list[str] = []
    with server(play) as url, pytest.raises(PlayError, match="1 of 2 games were broken off"):
        Seats(JoinConfig(url=url, games=2), lambda seed: Scripted(lambda kind: "Hi."), said.append).play()
    assert [line.split(" · ")[2] for line in said] == ["broken off on day 0", "VILLAGER won"]


def test_a_silent_server_is_given_up() -> None:
    def silent(script: Script) -> None:
        script.begin()
        script.silent()

    with server(silent) as url, pytest.raises(PlayError, match="1 of 1 games"):
        Seats(JoinConfig(url=url, patience=0.005), lambda seed: Scripted(), lambda line: None).play()

    class Mute:
        def send(self, message: str) -> None:
            raise AssertionError("nothing was asked")

        def recv(self, timeout: float | None = None) -> str:
            raise TimeoutError

    with pytest.raises(PlayError, match="says nothing"):
        Agent(Mute(), "wolf1", Scripted(), hello=0).play()


def test_the_token_is_in_the_header(tmp_path: Path) -> None:
    headers: list[str | None] = []

    def play(script: Script) -> None:
        assert script.socket.request is not None
        headers.append(script.socket.request.headers.get("Authorization"))
        script.begin()
        script.end()

    file = tmp_path / "token"
    file.write_text("from.a.file\n", encoding="utf-8")
    with server(play) as url:
        join(url, Scripted(), token="ab.cd")
        join(url, Scripted(), token_file=file)
        join(url, Scripted())
    assert headers == ["Bearer ab.cd", "Bearer from.a.file", None]
    assert "ab.cd" not in repr(JoinConfig(token="ab.cd"))


def test_a_server_that_does_not_let_in_is_told_in_a_line() -> None:
    def close(script: Script) -> None:
        script.ask({"request": "NAME"})

    def refuse(socket: ServerConnection, request: Any) -> Any:
        return socket.respond(401 if "Authorization" in request.headers else 404, "no\n")

    def fails(url: str, **settings: Any) -> str:
        with pytest.raises(PlayError) as error:
            Seats(JoinConfig(url=url, **settings), lambda seed: Scripted(), lambda line: None).play()
        assert "\n" not in str(error.value)
        return str(error.value)

    with server(close) as url:
        assert "closed the connection before a game. Check the token" in fails(url)
    with server(close, process_request=refuse) as url:
        assert "refuses (404). Check the address" in fails(url)
        assert "refuses (401). Check the token." in fails(url, token="x")
    assert "cannot be reached" in fails("ws://127.0.0.1:9/ws")


def test_a_player_that_fails_is_answered_for_and_told_once() -> None:
    def broken(kind: Kind) -> str:
        raise ModelError("http://here: no answer. Check the address.")

    def buggy(kind: Kind) -> str:
        raise ZeroDivisionError

    def play(script: Script) -> None:
        script.begin()
        assert script.ask(packet("TALK")) == "Over"
        assert script.ask(packet("VOTE")) in NAMES[1:]
        script.end()

    with server(play) as url:
        said = join(url, Scripted(broken))
        assert said[0] == "wolf_chatbox1: http://here: no answer. Check the address."
        assert len(said) == 2
        with pytest.raises(ZeroDivisionError):  # a fault of ours is shown when the game is over
            join(url, Scripted(buggy))


def test_the_verb_prints_a_line_for_each_game(capsys: pytest.CaptureFixture[str]) -> None:
    def play(script: Script) -> None:
        script.begin()
        assert script.ask(packet("TALK")) == "I have nothing to tell yet."
        script.end()

    with server(play) as url:
        assert verb(JoinConfig(url=url, player="random", seats=2, name="team")) == 0
    lines = sorted(capsys.readouterr().out.splitlines())
    assert lines == [f"01GAME · team{seat} = Ann, SEER · VILLAGER won · day 2" for seat in (1, 2)]


def test_a_wolf_that_is_answered_for_attacks_no_wolf() -> None:
    known = info(role_map={"Ann": "WEREWOLF", "Ben": "WEREWOLF"})
    assert may_be_named(Request("attack", {"info": known}, 1)) == ["Cid", "Dee", "Eve"]
    assert may_be_named(Request("vote", {"info": known}, 1)) == ["Ben", "Cid", "Dee", "Eve"]


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "http://here/ws"},
        {"url": "ws://"},
        {"url": "ws://here:x/ws"},
        {"name": "team1"},
        {"name": ""},
        {"token": "two words"},
        {"token_file": "nowhere"},
        {"seats": 0},
    ],
)
def test_a_wrong_setting_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as error:
        JoinConfig(**settings)
    assert "two words" not in str(error.value)


@pytest.mark.parametrize("protocol", ["v0", "v1"])
def test_agents_play_at_our_own_moderators_table_without_a_mistake(protocol: Any, tmp_path: Path) -> None:
    games: list[Session] = []
    config = HostConfig(table=TableConfig(protocol=protocol), port=0, games=1, output=tmp_path / "games", seed=1)
    with Host(config, done=games.append) as host:
        said: list[str] = []
        Seats(JoinConfig(url=host.url, seats=5, seed=1, log=tmp_path / "seen"), ChancePlayer, said.append).play()
        host.wait()
    village = games[0].village
    assert (village.invalid.total(), village.unanswered.total(), village.gone) == (0, 0, {})
    assert len(said) == 5
    assert all(f"{village.winner} won · day {village.day}" in line for line in said)
    for diary in (tmp_path / "seen").iterdir():  # what an agent kept tells what the table knew for it
        events = [json.loads(line) for line in diary.read_text(encoding="utf-8").splitlines()]
        knowledge = Knowledge()
        for event in events:
            knowledge.take(event.get("packet", {}))
        sight = knowledge.sight
        assert sight is not None
        theirs = village.sights[sight.me]
        assert sight.lines == theirs.lines
        assert [event[1:] for event in sight.events] == [event[1:] for event in theirs.events]
