"""Tables of werewolf on the page, without a browser: who sits down, who is away, who sees what, what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from wolf_chatbox.errors import ChatError, ConfigError, ModelError, WolfChatboxError
from wolf_chatbox.page.table import MISSED, Chair, Person, Plan, Table
from wolf_chatbox.page.tables import MOST, Tables
from wolf_chatbox.werewolf.rules import Village, deal
from wolf_chatbox.werewolf.table import TableConfig

QUICK = TableConfig(talks=1, whispers=0)
PLAN = Plan(table=QUICK, fill=("random",), pace=0, seconds=20, seed=5)


def played(tmp_path: Path, play: Callable[[Tables], Awaitable[Any]]) -> Any:
    """What `play` gives in an event loop; all games end with it."""

    async def run() -> Any:
        tables = Tables(tmp_path)
        try:
            return await play(tables)
        finally:
            for table in tables.running:
                table.stop()
                await asyncio.to_thread(table.wait)

    return asyncio.run(run())


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def act(table: Table, chair: Chair) -> None:
    """Play as a person does until the game is over: one word a day, then the first who can be named."""
    while table.state != "over":
        person = chair.person
        if person is not None and person.asked and person.sight is not None:
            kind = person.asked
            person.say("Good day." if kind in ("talk", "whisper") else person.sight.targets(kind)[0])
        await asyncio.sleep(0.01)


def seated(tables: Tables, *names: str, plan: Plan = PLAN) -> tuple[Table, list[Chair]]:
    table = tables.new(plan)
    chairs = [table.invite() for _ in names]
    for chair, name in zip(chairs, names):
        table.sit(chair, name)
    return table, chairs


def test_two_people_and_three_agents_play_to_the_end_and_the_game_is_kept(tmp_path: Path) -> None:
    async def play(tables: Tables) -> str:
        heard = list[int]()
        table, chairs = seated(tables, "Ann", "Bob")
        leave = table.look(chairs[0], lambda: heard.append(1))
        table.start()
        await asyncio.gather(*(act(table, chair) for chair in chairs))
        await asyncio.to_thread(table.wait)
        assert table.error == ""
        assert sorted(table.teams.values()) == ["human", "human", "random", "random", "random"]
        leave()
        assert heard
        assert not table.listeners
        assert tables.running == []
        return table.id

    id = played(tmp_path, play)
    tables = Tables(tmp_path)
    [game] = tables.finished()
    assert game.group == id
    assert tables.kept(id) == game
    assert tables.kept("other") is None
    assert game.game is not None
    assert {"Ann", "Bob"} <= {player.name for player in game.game.players}
    assert game.game.winner
    assert any(turn.speaker == "Ann" and turn.text == "Good day." for turn in game.turns)


@pytest.mark.parametrize("name", ["", "Bob", "bob ", "a,b", "@x", "x" * 25, "\u202egnp", "a\x1b[31m", " "])
def test_a_name_that_cannot_be_is_refused_and_one_that_can_be_is_taken_once(tmp_path: Path, name: str) -> None:
    async def play(tables: Tables) -> None:
        table, [_, chair] = seated(tables, "Bob", "Ann")
        with pytest.raises(WolfChatboxError):
            table.sit(chair, name)
        assert table.people == ["Bob", "Ann"]
        table.sit(chair, " 春  Mina-Rose ")
        assert chair.name == "春 Mina-Rose"

    played(tmp_path, play)


def test_a_token_opens_one_seat_and_nothing_else(tmp_path: Path) -> None:
    async def play(tables: Tables) -> None:
        table, chairs = seated(tables, "Ann", "Bob")
        assert [table.chair(chair.token) for chair in chairs] == chairs
        assert len({chair.token for chair in chairs}) == 2
        for wrong in ("", "x", chairs[0].token[:-1], chairs[0].token + "x", "é\ud800"):
            assert table.chair(wrong) is None
        table.withdraw(chairs[1])
        assert table.chair(chairs[1].token) is None
        with pytest.raises(ChatError):
            table.sit(chairs[1], "Bea")
        for _ in range(4):
            table.invite()
        with pytest.raises(ChatError):
            table.invite()
        table.start()
        with pytest.raises(ChatError):
            table.sit(table.chairs[1], "Late")
        with pytest.raises(ChatError):
            table.invite()
        assert table.chair(chairs[0].token) is chairs[0]  # also after a reload in the midst of the game

    played(tmp_path, play)


def test_who_is_away_is_waited_for_a_little_and_then_the_game_goes_on(tmp_path: Path) -> None:
    async def play(tables: Tables) -> None:
        plan = Plan(table=QUICK, fill=("random",), pace=0, seconds=0.05, seed=5)
        table, [chair] = seated(tables, "Ann", plan=plan)
        table.start()
        await asyncio.to_thread(table.wait)
        assert table.error == ""
        assert table.village is not None
        assert table.village.over
        assert table.village.unanswered["Ann"] >= 1
        assert chair.person is not None
        assert chair.person.asked is None

    played(tmp_path, play)


def test_nobody_waits_for_one_who_has_left_and_everybody_for_one_who_is_there() -> None:
    there, asked = [False], list[str | None]()
    person = Person(lambda: asked.append(person.asked), 0.01, lambda: there[0])
    sight = Village(QUICK, deal(QUICK, ("Ann", "Bob", "Cid", "Dan", "Eve"), 1), 1).sights["Ann"]
    for _ in range(MISSED):
        assert person.answer("vote", sight) is None
    assert asked == ["vote", None] * MISSED
    assert person.answer("vote", sight) is None
    assert len(asked) == 2 * MISSED  # it was not asked any more
    there[0] = True
    assert person.answer("vote", sight) is None
    assert len(asked) == 2 * MISSED + 2


def test_a_wish_is_granted_and_chance_decides_without_one(tmp_path: Path) -> None:
    async def play(tables: Tables) -> None:
        for role in ("WEREWOLF", "SEER", "POSSESSED", "VILLAGER"):
            for seed in range(6):
                plan = Plan(table=QUICK, fill=("random",), wish=role, seed=seed)
                table, _ = seated(tables, "Ann", plan=plan)
                _, roles = table._seats(seed)
                assert roles["Ann"] == role
                assert sorted(roles.values()) == sorted(["WEREWOLF", "SEER", "POSSESSED", "VILLAGER", "VILLAGER"])
                table.stop()
        table, _ = seated(tables, "Ann")
        assert len({table._seats(seed)[1]["Ann"] for seed in range(40)}) == 4

    played(tmp_path, play)


def test_a_game_that_is_given_up_is_kept_and_everybody_sees_everything(tmp_path: Path) -> None:
    async def play(tables: Tables) -> None:
        table, [chair] = seated(tables, "Ann")
        assert table.outlook(chair, "en") is None
        table.start()
        await until(lambda: chair.person and chair.person.asked)
        tables.stop()
        await asyncio.to_thread(table.wait)
        assert table.state == "over"
        seen = table.outlook(None, "en")
        assert seen is not None
        assert all(seat.role for seat in seen.seats)
        assert seen.over
        assert seen.winner == ""
        assert (tmp_path / "logs" / f"{table.id}.log").is_file()

    played(tmp_path, play)


def test_the_people_of_a_game_can_play_again_with_their_links(tmp_path: Path) -> None:
    async def play(tables: Tables) -> None:
        table, chairs = seated(tables, "Ann", "Bob")
        table.stop()
        new = tables.again(table)
        assert new is tables.again(table)
        assert new.id == table.next != table.id
        assert new.people == ["Ann", "Bob"]
        assert [chair.token for chair in new.chairs] == [chair.token for chair in chairs]
        new.stop()
        assert tables.again(table) is not new

    played(tmp_path, play)


def test_an_unknown_player_and_too_many_tables_are_refused(tmp_path: Path) -> None:
    async def play(tables: Tables) -> None:
        with pytest.raises(ConfigError):
            tables.new(Plan(fill=("nobody",)))
        for _ in range(MOST):
            tables.new(PLAN)
        with pytest.raises(ChatError):
            tables.new(PLAN)

    played(tmp_path, play)


def test_a_fault_of_a_player_ends_the_game_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(name: str) -> Any:
        raise ModelError(f"{name}: there is no such model.")

    async def play(tables: Tables) -> None:
        monkeypatch.setattr(tables._cast, "make", make)
        table, _ = seated(tables, "Ann", plan=Plan(table=QUICK, fill=("model:gone",)))
        table.start()
        await asyncio.to_thread(table.wait)
        assert table.state == "over"
        assert table.error == "model:gone: there is no such model."
        assert table.outlook(None, "en") is None

    played(tmp_path, play)


def test_people_talk_at_any_time_and_the_talk_ends_when_its_time_is_up(tmp_path: Path) -> None:
    async def play(tables: Tables) -> None:
        rules = TableConfig(talk="anytime", talks=3, talk_minutes=0.01, whispers=0)
        table, [chair] = seated(tables, "Ann", plan=Plan(table=rules, fill=("random",), pace=0, seed=5, seconds=20))
        table.start()
        said = 0
        while table.state != "over":
            person = chair.person
            if person is not None and person.asked == "talk" and said < 2:
                said += person.say(f"Word {said}.")
            elif person is not None and person.asked not in (None, "talk") and person.sight is not None:
                person.say(person.sight.targets(person.asked)[0])
            await asyncio.sleep(0.005)
        assert table.error == ""
        assert table.village is not None
        assert [line.text for line in table.village.lines if line.speaker == "Ann"] == ["Word 0.", "Word 1."]

    played(tmp_path, play)
